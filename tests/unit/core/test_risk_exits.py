"""`RiskConfig`: the levels and times that protect a position, and how a strategy's own join them."""

from __future__ import annotations

import pytest

from tests.reference import Closed, TickPrice
from tests.reference.agreement import play
from tests.reference.scenario import (
    NS,
    PERPETUAL,
    Row,
    Scenario,
    Signal,
    at_open,
    enter_long,
    enter_short,
    hourly,
)
from workbench.model import Costs, RiskConfig

CALM = (100, 101, 99, 100)
SLIPPING = Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.01)


def exit_of(bars: list[Row], risk: RiskConfig, signal: Signal, costs: Costs | None = None) -> tuple[str, float]:
    """Return reason and price of the only trade, entered at the open of bar 1."""
    (trade,) = play(
        Scenario(
            events=hourly([CALM, *bars]),
            signals={(0, 0): signal},
            instruments=(PERPETUAL,),
            risk=risk,
            costs=costs or Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.0),
        )
    ).trades
    return trade.exit_reason, pytest.approx(trade.exit_price)


class TestStopLossAndTakeProfit:
    @pytest.mark.parametrize(
        ("signal", "bar", "reason", "price"),
        [
            (enter_long(), (100, 101, 90, 95), "stop_loss", 96.0),
            (enter_long(), (100, 110, 99, 105), "take_profit", 107.0),
            (enter_short(), (100, 110, 99, 105), "stop_loss", 104.0),
            (enter_short(), (100, 101, 90, 95), "take_profit", 93.0),
        ],
    )
    def test_levels_are_fractions_of_the_entry_price(self, signal: Signal, bar: Row, reason: str, price: float) -> None:
        assert exit_of([bar], RiskConfig(stop_loss=0.04, take_profit=0.07), signal) == (reason, price)

    def test_levels_count_from_the_slipped_entry(self) -> None:
        # Bought at 101: the stop lies at 101 * 0.96 = 96.96 and is sold at 96.96 * 0.99.
        assert exit_of([(100, 101, 90, 95)], RiskConfig(stop_loss=0.04), enter_long(), SLIPPING) == (
            "stop_loss",
            96.96 * 0.99,
        )

    @pytest.mark.parametrize(
        ("own", "bar", "expected"),
        [
            ({"stop_loss": 0.02}, (100, 101, 90, 95), ("stop_loss", 98.0)),  # nearer than the config's 96
            ({"stop_loss": 0.08}, (100, 101, 90, 95), ("stop_loss", 96.0)),
            ({"take_profit": 0.05}, (100, 110, 99, 105), ("take_profit", 105.0)),
            ({"take_profit": 0.09}, (100, 110, 99, 105), ("take_profit", 107.0)),
        ],
    )
    def test_nearer_of_the_strategys_and_the_configs_level_applies(
        self, own: dict[str, float], bar: Row, expected: tuple[str, float]
    ) -> None:
        assert exit_of([bar], RiskConfig(stop_loss=0.04, take_profit=0.07), enter_long(**own)) == expected


class TestTrailingStop:
    def test_trail_starts_at_the_fill_price(self) -> None:
        assert exit_of([(100, 100, 90, 95)], RiskConfig(trailing_stop=0.05), enter_long()) == ("trailing_stop", 95.0)

    def test_trail_starts_when_the_profit_activates_it(self) -> None:
        risk = RiskConfig(trailing_stop=0.02, trailing_activate_at=0.05)
        quiet = [(100, 104, 90, 100), (100, 104, 91, 100)]  # a plain trail would have left at 98
        assert exit_of([*quiet, (100, 105, 99, 104), (104, 104, 100, 101)], risk, enter_long()) == (
            "trailing_stop",
            102.9,  # 105 * 0.98: activated by touching 100 * 1.05; the close at 104 is still above it
        )

    def test_trail_tightens_when_the_profit_activates_it(self) -> None:
        risk = RiskConfig(trailing_stop=0.20, trailing_activate_at=0.05, trailing_distance_after=0.01)
        assert exit_of([(100, 104, 99, 100), (100, 105, 99, 103)], risk, enter_long()) == ("trailing_stop", 103.95)

    def test_wide_trail_works_before_the_activation(self) -> None:
        risk = RiskConfig(trailing_stop=0.20, trailing_activate_at=0.10, trailing_distance_after=0.01)
        assert exit_of([(100, 105, 99, 100), (100, 101, 80, 90)], risk, enter_long()) == ("trailing_stop", 84.0)

    def test_without_a_distance_before_there_is_no_trail_before_the_activation(self) -> None:
        risk = RiskConfig(trailing_activate_at=0.05, trailing_distance_after=0.01)
        bars = [(100, 104, 50, 60), (60, 105, 59, 104), (104, 104, 100, 101)]
        assert exit_of(bars, risk, enter_long()) == ("trailing_stop", 103.95)  # 105 * 0.99

    def test_short_trail_activates_below_the_entry(self) -> None:
        risk = RiskConfig(trailing_activate_at=0.10, trailing_distance_after=0.01)
        assert exit_of([(100, 109, 91, 92), (92, 95, 90, 94)], risk, enter_short()) == ("trailing_stop", 90.9)

    def test_own_trail_applies_where_it_is_nearer(self) -> None:
        risk = RiskConfig(trailing_stop=0.10)
        assert exit_of([(100, 100, 80, 90)], risk, enter_long(trailing_stop=0.05)) == ("trailing_stop", 95.0)
        assert exit_of([(100, 100, 80, 90)], risk, enter_long(trailing_stop=0.15)) == ("trailing_stop", 90.0)


class TestHoldingTime:
    @pytest.mark.parametrize(("own_s", "row"), [(3600, 2), (10_800, 3)])
    def test_shorter_of_the_strategys_and_the_configs_time_applies(self, own_s: float, row: int) -> None:
        (trade,) = play(
            Scenario(
                events=hourly([CALM] * 6),
                signals={(0, 0): enter_long(max_holding_s=own_s)},
                risk=RiskConfig(max_holding_s=7200),
            )
        ).trades
        assert (trade.exit_reason, trade.exit_time_ns) == ("max_holding", at_open(row))


class TestMaxLossPerTrade:
    def test_level_is_where_the_price_has_cost_the_fraction_of_equity(self) -> None:
        # 40 units; 2 % of 10000 are 200, so 200 / 40 = 5 below the entry.
        signal = enter_long(sizing="units", size=40.0)
        assert exit_of([(100, 101, 90, 95)], RiskConfig(max_loss_per_trade=0.02), signal) == ("max_loss", 95.0)

    def test_short_level_lies_above(self) -> None:
        signal = enter_short(sizing="units", size=40.0)
        assert exit_of([(100, 110, 99, 105)], RiskConfig(max_loss_per_trade=0.02), signal) == ("max_loss", 105.0)

    def test_equity_is_that_at_the_entry_and_not_at_the_start(self) -> None:
        bars = [(100, 150, 99, 150), (150, 151, 149, 150), (150, 151, 100, 120)]
        outcome = play(
            Scenario(
                events=hourly([CALM, *bars]),
                signals={(0, 0): enter_long(take_profit=0.5), (0, 2): enter_long()},
                risk=RiskConfig(max_loss_per_trade=0.02),
            )
        )
        # 15000 after the first trade buys 100 at 150; 2 % of 15000 are 300, so the level is 147.
        assert outcome.trades[1].exit_price == pytest.approx(147.0)

    def test_leverage_brings_the_level_nearer(self) -> None:
        risk = RiskConfig(max_loss_per_trade=0.10, max_leverage=5.0)
        # 500 units at 100: 10 % of 10000 are 1000, so 2 below the entry.
        assert exit_of([(100, 101, 90, 95)], risk, enter_long()) == ("max_loss", 98.0)


class TestClosedTrade:
    def test_excursions_are_fractions_of_the_entry_price(self) -> None:
        bars = hourly([CALM, (100, 112, 97, 110), (110, 111, 104, 105), (105, 106, 104, 105)])
        (trade,) = play(
            Scenario(
                events=bars, signals={(0, 0): enter_long(), (0, 2): Signal(exit_long=True)}, instruments=(PERPETUAL,)
            )
        ).trades
        assert (trade.mae, trade.mfe) == (pytest.approx(-0.03), pytest.approx(0.12))
        assert (trade.side, trade.bars_held) == (1, 2)

    def test_short_excursions_are_mirrored(self) -> None:
        bars = hourly([CALM, (100, 112, 97, 110), (110, 111, 104, 105)])
        (trade,) = play(
            Scenario(
                events=bars, signals={(0, 0): enter_short(), (0, 1): Signal(exit_short=True)}, instruments=(PERPETUAL,)
            )
        ).trades
        assert (trade.mae, trade.mfe) == (pytest.approx(-0.12), pytest.approx(0.03))
        assert trade.pnl == pytest.approx(-1_000.0)  # 100 * (100 - 110)

    def test_excursion_ends_at_the_exit_level_and_not_at_the_low(self) -> None:
        bars = hourly([CALM, (100, 101, 80, 90)])
        (trade,) = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=RiskConfig(stop_loss=0.05))).trades
        assert trade.mae == pytest.approx(-0.05)

    def test_price_of_the_entrys_own_event_is_not_an_excursion(self) -> None:
        events = [
            TickPrice(at_open(0), 0, 100.0),
            Closed(at_open(0), 0),
            *(TickPrice(at_open(1) + i * NS, 0, price) for i, price in enumerate([100.0, 104.0, 110.0])),
        ]
        signals = {(0, 0): enter_long(take_profit=0.05)}
        (trade,) = play(Scenario(events=events, signals=signals, costs=SLIPPING)).trades
        # Bought at 101 while the market stood at 100; after that it has only risen, to the target's 110.
        assert trade.mae == 0.0
        assert trade.mfe == pytest.approx(110 / 101 - 1)
