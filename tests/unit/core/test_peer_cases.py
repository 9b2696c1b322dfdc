"""A public bot's tables of entries and exits, and the trades that the fill rules give for them (R1, R4-R7, R9).

Fees and slippage are 0, all equity goes into each entry, a signal on bar k acts at the open of bar k + 1.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.reference.agreement import play
from tests.reference.scenario import EXIT_LONG, HOUR_NS, PERPETUAL, START_NS, Row, Scenario, Signal, enter_long, hourly
from workbench.model import RiskConfig

Exit = tuple[int, int, str, float, float]  # entry bar, exit bar, reason, entry price, exit price

QUIET: Row = (5000, 5025, 4975, 4987)
WIDE: Row = (5000, 5050, 4950, 5000)
RISE: Row = (5000, 5100, 4950, 5100)
LAST: Row = (4750, 4950, 4350, 4750)
SLIDE: Row = (4850, 5050, 4650, 4750)
BUY_FIRST = {0: enter_long()}
BUY_FIRST_SELL_FOURTH = {0: enter_long(), 3: EXIT_LONG}
# 3 % behind the peak once the profit has reached 5 %, 10 % stop before that.
LATE_TRAIL = {"stop_loss": 0.10, "trailing_activate_at": 0.05, "trailing_distance_after": 0.03}
EARLY_TRAIL = {"trailing_activate_at": 0.02, "trailing_distance_after": 0.01}

CASES: list[tuple[str, list[Row], dict[int, Signal], dict[str, float], list[Exit]]] = [
    (
        "signal_exit_at_the_next_open",
        [QUIET, QUIET, (4987, 5012, 4986, 4986), (5010, 5010, 4980, 5010), (5010, 5011, 4977, 4995)],
        BUY_FIRST_SELL_FOURTH,
        {"stop_loss": 0.01, "take_profit": 1.0},
        [(1, 4, "signal", 5000, 5010)],
    ),
    (
        "stop_of_three_percent",
        [QUIET, QUIET, (4987, 5012, 4962, 4975), (4975, 5000, 4800, 4962), (4962, 4987, 4937, 4950)],
        BUY_FIRST,
        {"stop_loss": 0.03, "take_profit": 1.0},
        [(1, 3, "stop_loss", 5000, 4850)],  # 5000 * 0.97
    ),
    (
        "stop_before_a_target_that_the_same_bar_reaches",
        [QUIET, QUIET, (4987, 5750, 4850, 5750), (4975, 5000, 4950, 4962)],
        BUY_FIRST,
        {"stop_loss": 0.02, "take_profit": 0.06},
        [(1, 2, "stop_loss", 5000, 4900)],  # 5000 * 0.98
    ),
    (
        "stop_before_a_target_that_the_same_bar_just_touches",
        [QUIET, QUIET, (4987, 5300, 4850, 5050), (4975, 5000, 4950, 4962)],
        BUY_FIRST,
        {"stop_loss": 0.02, "take_profit": 0.05},
        [(1, 2, "stop_loss", 5000, 4900)],
    ),
    (
        "trail_from_the_peak_of_the_bar_before",
        [WIDE, WIDE, (5000, 5250, 4750, 4850), SLIDE, LAST],
        BUY_FIRST,
        {"stop_loss": 0.10, "trailing_stop": 0.10, "take_profit": 0.10},
        [(1, 3, "trailing_stop", 5000, 4725)],  # 5250 * 0.9
    ),
    (
        "target_on_the_entry_bar",
        [WIDE, RISE, (5100, 5251, 4850, 5100), (4850, 5050, 4750, 4750)],
        BUY_FIRST,
        {"stop_loss": 0.10, "take_profit": 0.01},
        [(1, 1, "take_profit", 5000, 5050)],  # 5000 * 1.01
    ),
    (
        "second_entry_after_a_target_stops_on_its_own_bar",
        [WIDE, (5000, 5100, 4900, 5100), (5100, 5251, 4650, 5100), (4850, 5050, 4750, 4750)],
        {0: enter_long(), 1: enter_long()},
        {"stop_loss": 0.05, "take_profit": 0.01},
        [(1, 1, "take_profit", 5000, 5050), (2, 2, "stop_loss", 5100, 4845)],  # 5100 * 0.95
    ),
    (
        "target_before_a_trail_that_was_armed_late",
        [WIDE, RISE, (5100, 5251, 5100, 5100), SLIDE],
        BUY_FIRST,
        LATE_TRAIL | {"take_profit": 0.04},
        [(1, 2, "take_profit", 5000, 5200)],  # 5000 * 1.04
    ),
    (
        "stop_before_the_exit_signal_of_the_same_bar",
        [QUIET, QUIET, (4987, 5012, 4986, 4986), (5010, 5010, 4855, 5010), (5010, 5010, 4977, 4995)],
        BUY_FIRST_SELL_FOURTH,
        {"stop_loss": 0.01, "take_profit": 1.0},
        [(1, 3, "stop_loss", 5000, 4950)],
    ),
    (
        "exit_signal_at_the_open_before_the_stop_of_that_bar",
        [QUIET, QUIET, (4987, 5012, 4986, 4986), (5010, 5010, 4986, 5010), (5010, 5010, 4855, 4995)],
        BUY_FIRST_SELL_FOURTH,
        {"stop_loss": 0.01, "take_profit": 1.0},
        [(1, 4, "signal", 5000, 5010)],
    ),
    (
        "target_before_the_exit_signal_of_the_same_bar",
        [QUIET, QUIET, (4987, 5012, 4986, 4986), (5010, 5251, 4986, 5010), (5010, 5010, 4855, 4995)],
        BUY_FIRST_SELL_FOURTH,
        {"stop_loss": 0.10, "take_profit": 0.05},
        [(1, 3, "take_profit", 5000, 5250)],
    ),
    (
        "open_below_a_late_trail_exits_at_the_open",
        [WIDE, RISE, (5100, 5251, 5100, 5100), SLIDE],
        BUY_FIRST,
        LATE_TRAIL | {"take_profit": 0.10},
        [(1, 3, "trailing_stop", 5000, 4850)],  # 5251 * 0.97 = 5093.47 is jumped over
    ),
    (
        "trail_of_three_percent_from_the_start",
        [WIDE, (5000, 5050, 5000, 5000), (4900, 5250, 4500, 5100), (5100, 5100, 4650, 4750)],
        BUY_FIRST,
        {"stop_loss": 0.10, "trailing_stop": 0.03, "take_profit": 0.10},
        [(1, 2, "trailing_stop", 5000, 4898.5)],  # 5050 * 0.97
    ),
    (
        "open_below_a_plain_trail_exits_at_the_open_or_its_level",
        [WIDE, WIDE, WIDE, (5000, 5200, 4550, 4850), LAST],
        BUY_FIRST,
        {"stop_loss": 0.10, "trailing_stop": 0.10, "take_profit": 0.10},
        [(1, 4, "trailing_stop", 5000, 4680)],  # 5200 * 0.9, met between the open 4750 and the low 4350
    ),
    (
        "late_trail_survives_a_low_before_the_high_that_arms_it",
        [WIDE, RISE, (5100, 5251, 4650, 5100), SLIDE],
        BUY_FIRST,
        LATE_TRAIL | {"take_profit": 0.10},
        [(1, 3, "trailing_stop", 5000, 4850)],
    ),
    (
        "target_on_the_entry_bar_before_the_trail_its_high_arms",
        [WIDE, (5000, 5500, 4900, 4900), (4900, 5250, 4500, 5100)],
        BUY_FIRST,
        EARLY_TRAIL | {"stop_loss": 0.10, "take_profit": 0.10},
        [(1, 1, "take_profit", 5000, 5500)],
    ),
    (
        "target_on_the_entry_bar_whose_low_just_spares_the_stop",
        [WIDE, (5000, 5500, 4951, 5000), (4900, 5250, 4500, 5100)],
        BUY_FIRST,
        EARLY_TRAIL | {"stop_loss": 0.01, "take_profit": 0.10},
        [(1, 1, "take_profit", 5000, 5500)],  # the stop lies at 4950
    ),
]


@pytest.mark.parametrize(("bars", "signals", "risk", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_peer_table_gives_these_trades(
    bars: list[Row], signals: dict[int, Signal], risk: dict[str, Any], expected: list[Exit]
) -> None:
    scenario = Scenario(
        events=hourly(bars),
        signals={(0, row): signal for row, signal in signals.items()},
        risk=RiskConfig(**risk),
    )
    trades = play(scenario).trades
    assert [
        (
            (trade.entry_time_ns - START_NS) // HOUR_NS,
            (trade.exit_time_ns - START_NS) // HOUR_NS,
            trade.exit_reason,
            trade.entry_price,
            pytest.approx(trade.exit_price, abs=1e-9),
        )
        for trade in trades
    ] == expected


def test_levels_are_not_divided_by_leverage() -> None:
    """A bot that divides by leverage would stop at 5000 * (1 - 0.05 / 5) = 4950; ours stands at 4750."""
    bars = [QUIET, QUIET, (4987, 5012, 4940, 4986), (4986, 4990, 4700, 4800)]
    scenario = Scenario(
        events=hourly(bars),
        signals={(0, 0): enter_long()},
        instruments=(PERPETUAL,),
        risk=RiskConfig(stop_loss=0.05, max_leverage=5.0),
    )
    (trade,) = play(scenario).trades
    assert (trade.exit_price, trade.exit_reason) == (4750.0, "stop_loss")
