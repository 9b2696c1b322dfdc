"""Fill rules R1, R2, R6 and R7: when a decision acts, and the way a price takes through a bar."""

from __future__ import annotations

import pytest

from tests.reference import Closed, TickPrice
from tests.reference.agreement import play
from tests.reference.scenario import (
    EXIT_LONG,
    NS,
    PERPETUAL,
    Scenario,
    at_close,
    at_open,
    enter_long,
    enter_short,
    hourly,
)
from workbench.model import RiskConfig

CALM = (100, 101, 99, 100)
# Both 95 and 105 lie inside this bar, in whichever order its path puts them.
WIDE_GREEN = (100, 110, 90, 105)
WIDE_RED = (100, 110, 90, 95)
FIVE_PERCENT = RiskConfig(stop_loss=0.05, take_profit=0.05)


class TestR1DecisionActsAtTheNextPriceEvent:
    def test_bar_decision_fills_at_the_next_open(self) -> None:
        (fill,) = play(Scenario(events=hourly([CALM, (102, 103, 101, 102)]), signals={(0, 0): enter_long()})).fills
        assert (fill.price, fill.time_ns, fill.reason) == (102.0, at_open(1), "signal")

    def test_decision_on_the_last_bar_never_fills(self) -> None:
        assert play(Scenario(events=hourly([CALM, CALM]), signals={(0, 1): enter_long()})).fills == []

    def test_exit_decision_fills_at_the_next_open(self) -> None:
        bars = hourly([CALM, CALM, (103, 104, 102, 103)])
        entry, exit_ = play(Scenario(events=bars, signals={(0, 0): enter_long(), (0, 1): EXIT_LONG})).fills
        assert (entry.price, exit_.price, exit_.time_ns) == (100.0, 103.0, at_open(2))

    def test_decision_after_ticks_fills_at_the_next_tick_and_not_at_the_close(self) -> None:
        late = at_open(1) + 5 * NS
        events = [TickPrice(at_open(0), 0, 100.0), Closed(at_open(0), 0), TickPrice(late, 0, 102.0)]
        (fill,) = play(Scenario(events=events, signals={(0, 0): enter_long()})).fills
        assert (fill.price, fill.time_ns) == (102.0, late)


class TestR2BarIsFourPriceEvents:
    def test_long_goes_to_the_low_first(self) -> None:
        (trade,) = play(
            Scenario(events=hourly([CALM, WIDE_GREEN]), signals={(0, 0): enter_long()}, risk=FIVE_PERCENT)
        ).trades
        assert (trade.exit_reason, trade.exit_price) == ("stop_loss", 95.0)

    def test_short_goes_to_the_high_first(self) -> None:
        (trade,) = play(
            Scenario(
                events=hourly([CALM, WIDE_RED]),
                signals={(0, 0): enter_short()},
                risk=FIVE_PERCENT,
                instruments=(PERPETUAL,),
            )
        ).trades
        assert (trade.exit_reason, trade.exit_price) == ("stop_loss", 105.0)

    @pytest.mark.parametrize(
        ("path", "bar", "reason", "price"),
        [
            ("colour", WIDE_GREEN, "stop_loss", 95.0),  # O-L-H-C
            ("colour", WIDE_RED, "take_profit", 105.0),  # O-H-L-C
            ("ohlc", WIDE_GREEN, "take_profit", 105.0),
            ("favourable", WIDE_GREEN, "take_profit", 105.0),
            ("adverse", WIDE_RED, "stop_loss", 95.0),
        ],
    )
    def test_path_option_decides_which_extreme_comes_first(
        self, path: str, bar: tuple[float, float, float, float], reason: str, price: float
    ) -> None:
        scenario = Scenario(events=hourly([CALM, bar]), signals={(0, 0): enter_long()}, risk=FIVE_PERCENT, path=path)
        (trade,) = play(scenario).trades
        assert (trade.exit_reason, trade.exit_price) == (reason, price)

    def test_open_and_extremes_carry_the_open_time_and_close_its_own(self) -> None:
        bars = hourly([CALM, (100, 110, 99, 102), (102, 103, 90, 95)])
        signals = {(0, 0): enter_long(), (0, 1): enter_long()}
        first, second = play(Scenario(events=bars, signals=signals, risk=RiskConfig(trailing_stop=0.05))).trades
        # 110 * 0.95 = 104.5 lies between the high and the close, 102 * 0.95 = 96.9 between the open and the low.
        assert (first.exit_price, first.exit_time_ns) == (104.5, at_close(1))
        assert (second.exit_price, second.exit_time_ns) == (pytest.approx(96.9), at_open(2))

    def test_price_jumps_from_a_close_to_the_next_open(self) -> None:
        bars = hourly([CALM, CALM, (90, 91, 89, 90)])
        (trade,) = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=RiskConfig(stop_loss=0.05))).trades
        assert (trade.exit_price, trade.exit_time_ns) == (90.0, at_open(2))

    def test_live_tick_is_a_jump(self) -> None:
        events = [
            TickPrice(at_open(0), 0, 100.0),
            Closed(at_open(0), 0),
            TickPrice(at_open(1), 0, 100.0),
            TickPrice(at_open(1) + NS, 0, 92.0),
        ]
        (trade,) = play(Scenario(events=events, signals={(0, 0): enter_long()}, risk=RiskConfig(stop_loss=0.05))).trades
        assert trade.exit_price == 92.0

    def test_buy_stop_filled_after_the_low_meets_the_low_once_more(self) -> None:
        bars = hourly([CALM, (100, 106, 95, 103)])
        outcome = play(Scenario(events=bars, signals={(0, 0): enter_long(stop=104.0, stop_loss=0.05)}))
        (trade,) = outcome.trades
        assert trade.entry_price == 104.0
        assert trade.exit_price == pytest.approx(98.8)  # 104 * 0.95, on the way from 106 back to 95
        assert trade.exit_time_ns == at_open(1)
        assert outcome.equity[1] == pytest.approx(9_500.0)

    def test_buy_limit_filled_on_the_way_to_the_low_does_not_meet_it_twice(self) -> None:
        bars = hourly([CALM, (100, 106, 96, 103)])
        outcome = play(Scenario(events=bars, signals={(0, 0): enter_long(limit=97.0, trailing_stop=0.05)}))
        # A second visit of 96 would have met the trail at 106 * 0.95 = 100.7.
        assert [fill.price for fill in outcome.fills] == [97.0]

    def test_sell_stop_filled_on_the_way_to_the_low_still_meets_the_high(self) -> None:
        bars = hourly([CALM, (100, 106, 95, 103)])
        signals = {(0, 0): enter_short(stop=97.0, stop_loss=0.05)}
        (trade,) = play(Scenario(events=bars, signals=signals, instruments=(PERPETUAL,))).trades
        assert (trade.entry_price, trade.exit_price) == (97.0, pytest.approx(101.85))  # 97 * 1.05

    def test_fixed_path_is_never_prolonged(self) -> None:
        bars = hourly([CALM, (100, 106, 95, 103)])
        signals = {(0, 0): enter_long(stop=104.0, stop_loss=0.05)}
        assert play(Scenario(events=bars, signals=signals, path="olhc")).trades == []


class TestR6ProtectionIsActiveFromTheEntryFillOn:
    def test_stop_works_on_the_entry_bar(self) -> None:
        bars = hourly([CALM, (100, 101, 94, 100)])
        (trade,) = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=RiskConfig(stop_loss=0.05))).trades
        assert (trade.entry_time_ns, trade.exit_time_ns, trade.bars_held) == (at_open(1), at_open(1), 0)

    def test_stop_works_on_the_same_leg_as_a_limit_entry(self) -> None:
        bars = hourly([CALM, (100, 106, 95, 103)])
        (trade,) = play(Scenario(events=bars, signals={(0, 0): enter_long(limit=97.0, stop_loss=0.02)})).trades
        assert (trade.entry_price, trade.exit_price) == (97.0, pytest.approx(95.06))  # 97 * 0.98

    def test_sell_limit_is_stopped_on_the_leg_that_filled_it(self) -> None:
        bars = hourly([CALM, (100, 106, 99, 103)])
        signals = {(0, 0): enter_short(limit=104.0, stop_loss=0.01)}
        (trade,) = play(Scenario(events=bars, signals=signals, instruments=(PERPETUAL,))).trades
        assert (trade.entry_price, trade.exit_price) == (104.0, pytest.approx(105.04))  # 104 * 1.01

    def test_target_works_on_the_leg_that_filled_a_buy_stop(self) -> None:
        bars = hourly([CALM, (100, 106, 99, 103)])
        (trade,) = play(Scenario(events=bars, signals={(0, 0): enter_long(stop=104.0, take_profit=0.01)})).trades
        assert (trade.exit_reason, trade.exit_price) == ("take_profit", pytest.approx(105.04))

    def test_stop_comes_before_the_target_of_the_same_bar(self) -> None:
        bars = hourly([CALM, CALM, WIDE_GREEN])
        (trade,) = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=FIVE_PERCENT)).trades
        assert trade.exit_reason == "stop_loss"


class TestR7TrailingPeakIsRaisedOnlyByPricesSeen:
    TRAIL = RiskConfig(trailing_stop=0.05)

    def test_low_before_the_high_is_judged_by_the_old_peak(self) -> None:
        bars = hourly([CALM, (100, 110, 97, 108)])
        # 110 * 0.95 = 104.5 would have been met by 97, had the high come first; 100 * 0.95 = 95 was not.
        assert play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=self.TRAIL)).trades == []

    def test_raised_stop_holds_for_the_rest_of_the_bar(self) -> None:
        bars = hourly([CALM, (100, 110, 97, 103)])
        (trade,) = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=self.TRAIL)).trades
        assert (trade.exit_reason, trade.exit_price, trade.exit_time_ns) == ("trailing_stop", 104.5, at_close(1))

    def test_peak_of_a_bar_holds_for_the_next(self) -> None:
        bars = hourly([CALM, (100, 110, 97, 108), (108, 109, 104, 108)])
        (trade,) = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=self.TRAIL)).trades
        assert (trade.exit_price, trade.exit_time_ns, trade.bars_held) == (104.5, at_open(2), 1)

    def test_short_trail_follows_the_low(self) -> None:
        bars = hourly([CALM, (100, 101, 90, 96)])
        (trade,) = play(
            Scenario(events=bars, signals={(0, 0): enter_short()}, risk=self.TRAIL, instruments=(PERPETUAL,))
        ).trades
        assert (trade.exit_reason, trade.exit_price) == ("trailing_stop", 94.5)  # 90 * 1.05

    def test_tick_that_raises_the_peak_does_not_meet_its_own_stop(self) -> None:
        events = [
            TickPrice(at_open(0), 0, 100.0),
            Closed(at_open(0), 0),
            *(TickPrice(at_open(1) + i * NS, 0, price) for i, price in enumerate([100.0, 120.0, 115.0, 113.0])),
        ]
        (trade,) = play(Scenario(events=events, signals={(0, 0): enter_long()}, risk=self.TRAIL)).trades
        assert trade.exit_price == 113.0  # the first price at or below 120 * 0.95 = 114
