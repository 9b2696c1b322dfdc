"""`RiskConfig`: the account's breakers, the cooldown, and the commands that halt and free entries."""

from __future__ import annotations

import pytest

from tests.reference import BarGroup, BarPrices, Closed, CommandEvent, TickPrice
from tests.reference.agreement import play
from tests.reference.scenario import (
    HOUR_NS,
    NS,
    SPOT,
    START_NS,
    Row,
    Scenario,
    at_close,
    at_open,
    enter_long,
    hourly,
)
from workbench.model import Instrument, RiskConfig

CALM = (100, 101, 99, 100)
ETHER = Instrument("ETH/USDT")


def from_hour(first: int, rows: list[Row]) -> list[BarGroup]:
    """Return hourly bars from an hour of the day on."""
    return [BarGroup(START_NS + (first + i) * HOUR_NS, {0: BarPrices(*row)}) for i, row in enumerate(rows)]


class TestMaxDrawdown:
    def test_peak_is_taken_over_every_mark_and_not_over_closes(self) -> None:
        bars = hourly([CALM, (100, 120, 99, 115), (110, 111, 107, 109)])
        outcome = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=RiskConfig(max_drawdown=0.10)))
        # The high marks 12000, so 12000 * 0.9 = 10800 trips; the low of bar 2 is 10700, its open 11000 was not enough.
        (trip,) = outcome.trips
        assert (trip.rule, trip.time_ns) == ("max_drawdown", at_open(2))
        assert trip.value == pytest.approx(1 - 10_700 / 12_000)
        assert outcome.trades[0].exit_price == 107.0

    def test_entries_are_denied_until_the_breaker_is_cleared(self) -> None:
        bars = hourly([CALM, (100, 101, 90, 95), CALM, CALM, CALM, CALM])
        events = [*bars[:4], CommandEvent(at_open(4), "clear_breaker"), *bars[4:]]
        signals = {(0, row): enter_long() for row in (0, 1, 2, 3, 4)}
        outcome = play(Scenario(events=events, signals=signals, risk=RiskConfig(max_drawdown=0.10)))
        assert [(d.rule, d.time_ns) for d in outcome.denials] == [("halted", at_open(2)), ("halted", at_open(3))]
        assert [f.time_ns for f in outcome.fills if f.side > 0] == [at_open(1), at_open(4)]

    def test_peak_restarts_from_current_equity_when_cleared(self) -> None:
        bars = hourly([CALM, (100, 101, 90, 95), CALM, CALM, (100, 101, 92, 95), (92, 93, 80, 85)])
        events = [*bars[:2], CommandEvent(at_open(2), "clear_breaker"), *bars[2:]]
        signals = {(0, 0): enter_long(), (0, 2): enter_long()}
        outcome = play(Scenario(events=events, signals=signals, risk=RiskConfig(max_drawdown=0.10)))
        # 9000 left, 90 units bought again at 100. From the old peak every mark would trip; from 9000, or the 9090 of
        # bar 3's high, it takes 8181: the low 92 marks 8280, the open 92 too, the low 80 trips at 7200.
        assert [trip.time_ns for trip in outcome.trips] == [at_open(1), at_open(5)]
        assert outcome.trades[-1].exit_price == 80.0

    def test_all_positions_are_flattened_and_resting_entries_cancelled(self) -> None:
        ether = [(50, 51, 49, 50), (50, 51, 49, 50), (50, 51, 48, 50), (50, 51, 30, 40)]
        outcome = play(
            Scenario(
                events=hourly([CALM, CALM, (100, 101, 70, 100), (100, 101, 90, 95)], ether),
                signals={
                    (0, 0): enter_long(sizing="notional", size=5_000.0),
                    (1, 0): enter_long(limit=40.0, sizing="notional", size=4_000.0),
                },
                instruments=(SPOT, ETHER),
                risk=RiskConfig(max_drawdown=0.10),
            )
        )
        assert [(t.symbol, t.exit_price) for t in outcome.trades] == [(0, 70.0)]  # 10000 - 50 * 30 = 8500
        assert len(outcome.fills) == 2

    def test_own_price_of_each_symbol_is_used_when_all_have_a_bar(self) -> None:
        outcome = play(
            Scenario(
                events=hourly([CALM, CALM, (100, 101, 70, 100)], [(50, 51, 49, 50)] * 2 + [(50, 51, 45, 50)]),
                signals={
                    (0, 0): enter_long(sizing="notional", size=5_000.0),
                    (1, 0): enter_long(sizing="notional", size=5_000.0),
                },
                instruments=(SPOT, ETHER),
                risk=RiskConfig(max_drawdown=0.10),
            )
        )
        assert [(t.symbol, t.exit_price) for t in outcome.trades] == [(0, 70.0), (1, 45.0)]


class TestDailyLossLimit:
    def test_base_is_the_last_mark_before_midnight(self) -> None:
        rows = [CALM, (100, 101, 99, 100), (100, 121, 99, 120), (120, 121, 113, 118), (118, 119, 105, 110)]
        outcome = play(
            Scenario(events=from_hour(21, rows), signals={(0, 0): enter_long()}, risk=RiskConfig(daily_loss_limit=0.10))
        )
        # The bar 23:00-24:00 is row 2: its close carries 00:00 and so belongs to the new day. The mark before is its
        # high, 12100. Trip at 12100 * 0.9 = 10890: not at 11300 (low of row 3), at 10500 (low of row 4).
        (trip,) = outcome.trips
        assert (trip.rule, trip.time_ns) == ("daily_loss", START_NS + 25 * HOUR_NS)
        assert trip.value == pytest.approx(1 - 10_500 / 12_100)
        assert outcome.trades[0].exit_reason == "daily_loss"

    def test_close_at_midnight_is_judged_against_the_mark_before_it(self) -> None:
        rows = [CALM, (100, 101, 99, 100), (100, 121, 99, 105), (106, 107, 105, 106)]
        outcome = play(
            Scenario(events=from_hour(21, rows), signals={(0, 0): enter_long()}, risk=RiskConfig(daily_loss_limit=0.10))
        )
        # 10500 <= 12100 * 0.9 = 10890 at 00:00; born at a close, so out at the next open.
        assert [trip.time_ns for trip in outcome.trips] == [START_NS + 24 * HOUR_NS]
        assert outcome.trades[0].exit_price == 106.0

    def test_first_base_is_the_starting_cash(self) -> None:
        bars = hourly([CALM, (100, 130, 96, 128), (128, 129, 95, 100)])
        outcome = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=RiskConfig(daily_loss_limit=0.05)))
        # From the high of 13000 it is a fall of 27 %, from the 10000 of the day's start 5 %.
        assert [trip.time_ns for trip in outcome.trips] == [at_open(2)]

    def test_new_day_does_not_free_entries(self) -> None:
        rows = [CALM, (100, 101, 80, 85), *([CALM] * 5)]
        outcome = play(
            Scenario(
                events=from_hour(21, rows),
                signals={(0, 0): enter_long(), (0, 5): enter_long()},
                risk=RiskConfig(daily_loss_limit=0.10),
            )
        )
        assert [d.rule for d in outcome.denials] == ["halted"]

    def test_drawdown_is_named_when_both_limits_are_reached(self) -> None:
        bars = hourly([CALM, (100, 101, 80, 85)])
        outcome = play(
            Scenario(
                events=bars,
                signals={(0, 0): enter_long()},
                risk=RiskConfig(daily_loss_limit=0.10, max_drawdown=0.10),
            )
        )
        assert [trip.rule for trip in outcome.trips] == ["max_drawdown"]
        assert outcome.trades[0].exit_reason == "max_drawdown"


@pytest.mark.parametrize("limits", [{"max_drawdown": 0.5}, {"daily_loss_limit": 0.5}])
def test_account_without_anything_trips_again_after_its_breaker_is_cleared(limits: dict[str, float]) -> None:
    bars = hourly([CALM, (100, 101, 99, 100), (95, 96, 94, 95), CALM])
    events = [*bars[:3], CommandEvent(at_open(3), "clear_breaker"), bars[3]]
    free = Instrument("BTC/USDT:USDT", kind="linear_perpetual", maintenance_margin=0.0)
    outcome = play(
        Scenario(
            events=events,
            signals={(0, 0): enter_long()},
            instruments=(free,),
            risk=RiskConfig(max_leverage=20.0, **limits),
        )
    )
    # 2000 units bought at 100 and lost 5 each: all of the 10000.
    assert outcome.equity[-1] == 0.0
    assert [(trip.value, trip.time_ns) for trip in outcome.trips] == [(1.0, at_open(2)), (1.0, at_open(3))]


class TestCooldown:
    @pytest.mark.parametrize(
        ("risk", "is_denied"),
        [
            ({"stop_loss": 0.05}, True),
            ({"trailing_stop": 0.05}, True),
            ({"max_loss_per_trade": 0.05}, True),
            ({"take_profit": 0.05}, False),
            ({"max_holding_s": 60}, False),
        ],
    )
    def test_entries_wait_after_a_stop_only(self, risk: dict[str, float], is_denied: bool) -> None:
        wide = (100, 110, 90, 100)
        outcome = play(
            Scenario(
                events=hourly([CALM, wide, CALM, CALM]),
                signals={(0, 0): enter_long(), (0, 2): enter_long()},
                risk=RiskConfig(cooldown_s=7_200.5, **risk),
            )
        )
        # Out at 01:00 (or 02:00 for the time exit); the entry at 03:00 comes half a second too early.
        assert [d.rule for d in outcome.denials] == (["cooldown"] if is_denied else [])

    def test_cooldown_ends_after_its_seconds(self) -> None:
        outcome = play(
            Scenario(
                events=hourly([CALM, (100, 110, 90, 100), CALM, CALM]),
                signals={(0, 0): enter_long(), (0, 2): enter_long()},
                risk=RiskConfig(cooldown_s=7_200, stop_loss=0.05),
            )
        )
        assert [f.time_ns for f in outcome.fills if f.side > 0] == [at_open(1), at_open(3)]

    def test_other_symbols_do_not_wait(self) -> None:
        outcome = play(
            Scenario(
                events=hourly([CALM, (100, 101, 90, 100), CALM], [CALM] * 3),
                signals={(0, 0): enter_long(sizing="fraction", size=0.5), (1, 1): enter_long()},
                instruments=(SPOT, ETHER),
                risk=RiskConfig(cooldown_s=86_400, stop_loss=0.05),
            )
        )
        assert [f.symbol for f in outcome.fills] == [0, 0, 1]


class TestCommands:
    def test_pause_denies_entries_and_lets_exits_work(self) -> None:
        bars = hourly([CALM, CALM, (100, 101, 90, 95), CALM, CALM])
        events = [*bars[:2], CommandEvent(at_close(1), "pause"), *bars[2:4], CommandEvent(at_close(3), "resume")]
        signals = {(0, 0): enter_long(), (0, 2): enter_long(), (0, 3): enter_long()}
        outcome = play(Scenario(events=[*events, bars[4]], signals=signals, risk=RiskConfig(stop_loss=0.05)))
        assert [d.rule for d in outcome.denials] == ["paused"]
        assert [f.time_ns for f in outcome.fills] == [at_open(1), at_open(2), at_open(4)]

    def test_flatten_closes_cancels_and_pauses(self) -> None:
        bars = hourly([CALM, CALM, (103, 104, 80, 100), CALM])
        events = [*bars[:2], CommandEvent(at_close(1), "flatten"), *bars[2:]]
        signals = {(0, 0): enter_long(), (0, 2): enter_long()}
        outcome = play(Scenario(events=events, signals=signals))
        assert [(t.exit_reason, t.exit_price, t.exit_time_ns) for t in outcome.trades] == [
            ("flatten", 103.0, at_open(2))
        ]
        assert [d.rule for d in outcome.denials] == ["paused"]

    @pytest.mark.parametrize("name", ["pause", "stop"])
    def test_pending_entry_is_cancelled(self, name: str) -> None:
        events = [
            TickPrice(at_open(0), 0, 100.0),
            Closed(at_open(0), 0),
            CommandEvent(at_close(0), name),
            TickPrice(at_close(0), 0, 100.0),
        ]
        outcome = play(Scenario(events=events, signals={(0, 0): enter_long()}))
        assert (outcome.fills, outcome.denials) == ([], [])

    @pytest.mark.parametrize("name", ["pause", "stop"])
    def test_position_is_kept(self, name: str) -> None:
        events = [
            TickPrice(at_open(0), 0, 100.0),
            Closed(at_open(0), 0),
            TickPrice(at_open(1), 0, 100.0),
            CommandEvent(at_open(1), name),
            TickPrice(at_open(1) + NS, 0, 110.0),
            Closed(at_open(1), 0),
        ]
        outcome = play(Scenario(events=events, signals={(0, 0): enter_long()}))
        assert outcome.trades == []
        assert outcome.equity[-1] == pytest.approx(11_000.0)

    @pytest.mark.parametrize("name", ["pause", "stop", "flatten"])
    def test_resting_entry_is_cancelled(self, name: str) -> None:
        bars = hourly([CALM, CALM, (100, 101, 80, 90)])
        events = [*bars[:2], CommandEvent(at_close(1), name), bars[2]]
        outcome = play(Scenario(events=events, signals={(0, 0): enter_long(limit=95.0)}))
        assert (outcome.fills, outcome.denials) == ([], [])
