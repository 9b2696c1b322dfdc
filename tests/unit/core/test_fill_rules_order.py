"""Fill rules R9, R12 and R13: what comes first when several things meet, and bars that are missing."""

from __future__ import annotations

import pytest

from tests.reference.agreement import play
from tests.reference.scenario import (
    EXIT_LONG,
    PERPETUAL,
    SPOT,
    Scenario,
    Signal,
    at_close,
    at_open,
    enter_long,
    enter_short,
    hourly,
)
from workbench.model import Costs, Instrument, RiskConfig

CALM = (100, 101, 99, 100)
LOW_CALM = (50, 51, 49, 50)
ETHER = Instrument("ETH/USDT")


class TestR9ExitsAndEntriesOnOneOpen:
    def test_exit_of_a_later_symbol_pays_for_the_entry_of_an_earlier_one(self) -> None:
        outcome = play(
            Scenario(
                events=hourly([CALM] * 4, [LOW_CALM] * 4),
                signals={(1, 0): enter_long(), (1, 1): EXIT_LONG, (0, 1): enter_long()},
                instruments=(SPOT, ETHER),
            )
        )
        assert [(fill.symbol, fill.side, fill.quantity) for fill in outcome.fills] == [
            (1, 1, 200.0),  # 10000 / 50
            (1, -1, 200.0),
            (0, 1, 100.0),  # all of the 10000 that the exit brought
        ]
        assert outcome.denials == []

    def test_entries_on_one_open_go_in_symbol_order(self) -> None:
        outcome = play(
            Scenario(
                events=hourly([CALM] * 2, [LOW_CALM] * 2),
                signals={(1, 0): enter_long(), (0, 0): enter_long()},
                instruments=(SPOT, ETHER),
            )
        )
        assert [fill.symbol for fill in outcome.fills] == [0]
        assert [denial.symbol for denial in outcome.denials] == [1]  # nothing was left

    def test_reversal_is_one_exit_and_one_entry_with_two_fees(self) -> None:
        costs = Costs(taker_fee=0.001, maker_fee=0.0, slippage=0.0)
        outcome = play(
            Scenario(
                events=hourly([CALM, CALM, (110, 111, 109, 110)]),
                signals={(0, 0): enter_long(), (0, 1): enter_short()},
                instruments=(PERPETUAL,),
                costs=costs,
            )
        )
        first = 10_000 / (100 * 1.001)
        cash = 10_000 - first * 0.1 + first * 10 - first * 0.11
        second = cash / (110 * 1.001)
        assert [(fill.side, fill.time_ns) for fill in outcome.fills[1:]] == [(-1, at_open(2))] * 2
        assert [fill.quantity for fill in outcome.fills] == pytest.approx([first, first, second])
        assert [fill.fee for fill in outcome.fills] == pytest.approx([first * 0.1, first * 0.11, second * 0.11])

    @pytest.mark.parametrize(
        "signal",
        [
            Signal(enter_long=True, exit_long=True),
            Signal(enter_short=True, exit_short=True),
            Signal(enter_long=True, enter_short=True),
            Signal(enter_long=True, enter_short=True, exit_long=True),
            Signal(enter_long=True, enter_short=True, exit_short=True),
        ],
    )
    def test_contradicting_signals_while_flat_are_no_entry(self, signal: Signal) -> None:
        outcome = play(Scenario(events=hourly([CALM, CALM]), signals={(0, 0): signal}, instruments=(PERPETUAL,)))
        assert (outcome.fills, outcome.denials) == ([], [])

    @pytest.mark.parametrize(
        ("signal", "sides"),
        [
            (Signal(enter_long=True), [1]),  # same side: ignored
            (Signal(enter_short=True), [1, -1, -1]),
            (Signal(enter_short=True, exit_long=True), [1, -1, -1]),
            (Signal(enter_short=True, exit_short=True), [1]),
            (Signal(enter_short=True, exit_short=True, exit_long=True), [1, -1]),
            (Signal(enter_long=True, enter_short=True), [1]),
            (Signal(enter_long=True, exit_long=True), [1, -1]),
            (Signal(exit_short=True), [1]),
        ],
    )
    def test_signals_while_long(self, signal: Signal, sides: list[int]) -> None:
        outcome = play(
            Scenario(
                events=hourly([CALM] * 3),
                signals={(0, 0): enter_long(), (0, 1): signal},
                instruments=(PERPETUAL,),
            )
        )
        assert [fill.side for fill in outcome.fills] == sides

    def test_no_entry_on_the_bar_of_a_stop_out(self) -> None:
        bars = hourly([CALM, CALM, (100, 107, 94, 100), (100, 107, 99, 100)])
        outcome = play(
            Scenario(
                events=bars,
                signals={(0, 0): enter_long(), (0, 1): enter_short(limit=106.0)},
                instruments=(PERPETUAL,),
                risk=RiskConfig(stop_loss=0.05),
            )
        )
        # The stop at 95 goes first; the sell limit at 106 is gone with it, for the next bar too.
        assert [(fill.price, fill.reason) for fill in outcome.fills] == [(100.0, "signal"), (95.0, "stop_loss")]

    def test_decision_at_the_close_of_that_bar_may_enter_again(self) -> None:
        bars = hourly([CALM, (100, 101, 94, 100), (102, 103, 101, 102)])
        outcome = play(
            Scenario(
                events=bars,
                signals={(0, 0): enter_long(), (0, 1): enter_long()},
                risk=RiskConfig(stop_loss=0.05),
            )
        )
        assert [fill.time_ns for fill in outcome.fills] == [at_open(1), at_open(1), at_open(2)]

    def test_resting_reversal_is_an_exit_and_an_entry_at_one_price(self) -> None:
        bars = hourly([CALM, CALM, (100, 107, 99, 105)])
        outcome = play(
            Scenario(
                events=bars,
                signals={(0, 0): enter_long(), (0, 1): enter_short(limit=106.0, sizing="units", size=40.0)},
                instruments=(PERPETUAL,),
            )
        )
        assert [(f.side, f.quantity, f.price, f.is_maker) for f in outcome.fills[1:]] == [
            (-1, 100.0, 106.0, True),
            (-1, 40.0, 106.0, True),
        ]
        assert outcome.equity[-1] == pytest.approx(10_640.0)  # 100 * 6 + 40 * (106 - 105)

    def test_reversal_by_a_limit_that_the_market_has_passed_still_closes_all_and_opens_its_size(self) -> None:
        bars = hourly([CALM, CALM, CALM])
        outcome = play(
            Scenario(
                events=bars,
                signals={(0, 0): enter_long(), (0, 1): enter_short(limit=90.0, sizing="units", size=40.0)},
                instruments=(PERPETUAL,),
            )
        )
        assert [(f.side, f.quantity, f.price) for f in outcome.fills[1:]] == [(-1, 100.0, 100.0), (-1, 40.0, 100.0)]

    def test_new_entry_replaces_a_resting_one(self) -> None:
        bars = hourly([CALM, CALM, (100, 101, 90, 95)])
        signals = {(0, 0): enter_long(limit=95.0), (0, 1): enter_long(limit=92.0)}
        assert [f.price for f in play(Scenario(events=bars, signals=signals)).fills] == [92.0]

    @pytest.mark.parametrize(
        ("signal", "is_kept"),
        [
            (Signal(), True),
            (Signal(exit_long=True), False),
            (Signal(exit_long=True, enter_long=True), False),  # no entry, and the waiting one goes
            (Signal(exit_short=True), True),  # speaks of the other side
            (Signal(enter_long=True, enter_short=True), True),  # says nothing
        ],
    )
    def test_exit_signal_while_flat_cancels_a_resting_entry_of_its_side(self, signal: Signal, is_kept: bool) -> None:
        bars = hourly([CALM, CALM, CALM, (100, 101, 90, 95)])
        signals = {(0, 0): enter_long(limit=95.0), (0, 1): signal}
        outcome = play(Scenario(events=bars, signals=signals, instruments=(PERPETUAL,)))
        assert [f.time_ns for f in outcome.fills] == ([at_open(3)] if is_kept else [])


class TestR12MissingBarMovesNothing:
    def test_pending_entry_waits_for_the_symbols_own_next_bar(self) -> None:
        events = hourly([CALM] * 4, [LOW_CALM, None, None, (52, 53, 51, 52)])
        (fill,) = play(Scenario(events=events, signals={(1, 0): enter_long()}, instruments=(SPOT, ETHER))).fills
        assert (fill.symbol, fill.price, fill.time_ns) == (1, 52.0, at_open(3))

    def test_position_keeps_its_last_mark(self) -> None:
        events = hourly([CALM] * 4, [LOW_CALM, (50, 55, 49, 54), None, (60, 61, 59, 60)])
        outcome = play(Scenario(events=events, signals={(1, 0): enter_long()}, instruments=(SPOT, ETHER)))
        assert outcome.equity == pytest.approx([10_000, 10_800, 10_800, 12_000])  # 200 * 54, 200 * 60

    def test_missing_bar_does_not_count_as_held_nor_end_the_holding_time(self) -> None:
        events = hourly([CALM] * 5, [LOW_CALM, LOW_CALM, None, None, LOW_CALM])
        (trade,) = play(
            Scenario(
                events=events,
                signals={(1, 0): enter_long()},
                instruments=(SPOT, ETHER),
                risk=RiskConfig(max_holding_s=2 * 3600),
            )
        ).trades
        # Over at 03:00, but the symbol's first event from then on is its bar at 04:00.
        assert (trade.exit_time_ns, trade.bars_held) == (at_open(4), 1)

    def test_breaker_flattens_a_symbol_without_a_bar_at_its_next_one(self) -> None:
        events = hourly(
            [CALM, CALM, (100, 101, 80, 90), CALM],
            [LOW_CALM, LOW_CALM, None, (45, 46, 44, 45)],
        )
        half = {"sizing": "notional", "size": 5_000.0}
        outcome = play(
            Scenario(
                events=events,
                signals={(0, 0): enter_long(**half), (1, 0): enter_long(**half)},
                instruments=(SPOT, ETHER),
                risk=RiskConfig(max_drawdown=0.10),
            )
        )
        assert [(t.symbol, t.exit_price, t.exit_time_ns, t.exit_reason) for t in outcome.trades] == [
            (0, 80.0, at_open(2), "max_drawdown"),  # 10000 - 50 * 20 = 9000
            (1, 45.0, at_open(3), "max_drawdown"),
        ]


class TestR13SeveralExitsAtOneEvent:
    GAP = (85, 86, 84, 85)

    @pytest.mark.parametrize(
        ("risk", "reason"),
        [
            ({"stop_loss": 0.05, "trailing_stop": 0.10}, "stop_loss"),  # 95 is nearer than 90
            ({"stop_loss": 0.10, "trailing_stop": 0.05}, "trailing_stop"),
            ({"stop_loss": 0.05, "trailing_stop": 0.05}, "stop_loss"),  # a tie
            ({"stop_loss": 0.10, "max_loss_per_trade": 0.05}, "stop_loss"),  # both crossed: the stop is named first
            ({"max_loss_per_trade": 0.05, "max_holding_s": 3600}, "max_loss"),
            ({"stop_loss": 0.05, "max_holding_s": 3600}, "stop_loss"),
        ],
    )
    def test_reason_of_an_open_that_jumps_over_several_levels(self, risk: dict[str, float], reason: str) -> None:
        (trade,) = play(
            Scenario(
                events=hourly([CALM, (100, 100, 99, 100), self.GAP]),
                signals={(0, 0): enter_long()},
                risk=RiskConfig(**risk),
            )
        ).trades
        assert (trade.exit_reason, trade.exit_price) == (reason, 85.0)

    def test_liquidation_is_named_before_a_stop(self) -> None:
        (trade,) = play(
            Scenario(
                events=hourly([CALM, CALM, self.GAP]),
                signals={(0, 0): enter_long(stop_loss=0.05)},
                instruments=(PERPETUAL,),
                risk=RiskConfig(max_leverage=10.0),
            )
        ).trades
        assert trade.exit_reason == "liquidation"

    def test_breaker_is_named_before_a_stop(self) -> None:
        bars = hourly([CALM, (100, 110, 98, 100), self.GAP])
        outcome = play(
            Scenario(
                events=bars,
                signals={(0, 0): enter_long()},
                risk=RiskConfig(max_drawdown=0.05, stop_loss=0.10),
            )
        )
        assert outcome.trips[0].time_ns == at_close(1)
        assert outcome.trades[0].exit_reason == "max_drawdown"

    def test_target_is_named_before_the_holding_time_and_fills_as_a_limit(self) -> None:
        bars = hourly([CALM, CALM, (120, 121, 119, 120)])
        outcome = play(
            Scenario(
                events=bars,
                signals={(0, 0): enter_long()},
                risk=RiskConfig(take_profit=0.1, max_holding_s=3600),
                costs=Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.01),
            )
        )
        assert (outcome.trades[0].exit_reason, outcome.trades[0].exit_price) == ("take_profit", 120.0)

    def test_holding_time_is_named_before_a_signal(self) -> None:
        (trade,) = play(
            Scenario(
                events=hourly([CALM] * 3),
                signals={(0, 0): enter_long(), (0, 1): EXIT_LONG},
                risk=RiskConfig(max_holding_s=3600),
            )
        ).trades
        assert trade.exit_reason == "max_holding"

    def test_nearer_level_goes_first_on_a_leg_whatever_its_name(self) -> None:
        bars = hourly([CALM, CALM, (100, 101, 80, 90)])
        (trade,) = play(
            Scenario(
                events=bars,
                signals={(0, 0): enter_long()},
                risk=RiskConfig(stop_loss=0.10, max_loss_per_trade=0.05),
            )
        ).trades
        assert (trade.exit_reason, trade.exit_price) == ("max_loss", 95.0)

    def test_protective_exit_cancels_a_pending_entry_on_the_same_open(self) -> None:
        outcome = play(
            Scenario(
                events=hourly([CALM, CALM, self.GAP, CALM]),
                signals={(0, 0): enter_long(), (0, 1): enter_short()},
                instruments=(PERPETUAL,),
                risk=RiskConfig(stop_loss=0.05),
            )
        )
        assert [(fill.side, fill.reason) for fill in outcome.fills] == [(1, "signal"), (-1, "stop_loss")]
        assert outcome.denials == []
