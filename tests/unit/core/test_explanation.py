"""What a plan saw on one bar, in words and numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from workbench.core.explanation import Reading, explain, number_texts
from workbench.errors import ConfigError, DataError
from workbench.strategy import Rules, Signals, Strategy, enter_long, plan_of, strategy


def table(*closes: float) -> Any:
    """Return bars whose prices are all their close, volume 1."""
    return np.array([closes] * 4 + [[1.0] * len(closes)])


def texts_of(rules: Any, *closes: float) -> dict[str, tuple[bool, str]]:
    """Return what each rule says on the last bar."""

    @strategy
    def under_test(m: Any) -> Any:
        return rules(m)

    reading = explain(plan_of(under_test()), table(*closes))
    return {one.name: (one.is_met, one.text) for one in reading.rules}


def test_a_crossing_tells_both_bars() -> None:
    def rules(m: Any) -> Rules:
        fast, slow = m.close.sma(2), m.close.sma(3)
        return Rules(enter_long=fast.crosses_above(slow), exit_long=fast.crosses_below(slow))

    # sma(2): (8 + 12) / 2 = 10, before (9 + 8) / 2 = 8.5; sma(3): (9 + 8 + 13) / 3 = 10 would touch, 12 gives 29 / 3
    assert texts_of(rules, 10.0, 9.0, 8.0, 12.0) == {
        "enter_long": (True, "sma(close, 2) 10 crossed above sma(close, 3) 9.66667 (the bar before: 8.5, 9)"),
        "exit_long": (False, "sma(close, 2) 10 did not cross below sma(close, 3) 9.66667 (the bar before: 8.5, 9)"),
    }


def test_conditions_are_told_leaf_by_leaf_with_what_did_not_hold() -> None:
    def rules(m: Any) -> Rules:
        return Rules(enter_long=(m.close > 11) & ~(m.close.sma(2) < 3), exit_long=(m.close < 9) | (m.volume == 1))

    assert texts_of(rules, 10.0, 12.0) == {
        "enter_long": (True, "(close 12 > 11) & (not (sma(close, 2) 11 < 3 (no)))"),
        "exit_long": (True, "(close 12 < 9 (no)) | (volume 1 == 1)"),
    }


def test_a_condition_of_an_earlier_bar_says_whether_it_held() -> None:
    def rules(m: Any) -> Rules:
        return Rules(enter_long=(m.close > 11).shift(1))

    assert texts_of(rules, 12.0, 10.0) == {"enter_long": (True, "(close > 11).shift(1) is True")}


def test_what_is_calculated_is_listed_once_with_its_value() -> None:
    @strategy
    def spread(m: Any) -> Rules:
        return Rules(enter_long=m.close - m.close.sma(2) > m.close.bbands(2).upperband)

    reading = explain(plan_of(spread()), table(10.0, 12.0))
    # The middle of the two is 11; their deviation is 1, so the band is 11 + 2.
    assert reading.values == (
        Reading("sma(close, 2)", 11.0),
        Reading("(close - sma(close, 2))", 1.0),
        Reading("bbands(close, 2, 2, 2, 0).upperband", 13.0),
    )


def test_levels_are_those_of_the_bar_and_a_size_is_named_by_its_kind() -> None:
    @strategy
    def sized(m: Any) -> Rules:
        return Rules(enter_long=m.close > 0, size=m.close / 1_000, sizing="risk", stop_loss=0.02)

    # 12 / 1000
    assert explain(plan_of(sized()), table(10.0, 12.0)).levels == (Reading("risk", 0.012), Reading("stop_loss", 0.02))


def test_a_value_in_its_warm_up_is_none() -> None:
    class Reads(Strategy):
        def indicators(self, m: Any) -> dict[str, Any]:
            return {"slow": m.close.sma(3), "up": m.close > 11}

        def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
            return enter_long()

    reading = explain(plan_of(Reads()), table(10.0, 12.0))
    assert reading.values == (Reading("slow", None), Reading("up", 1.0))
    assert (reading.rules, reading.levels) == ((), ())


def test_the_first_bar_has_none_before_it() -> None:
    def rules(m: Any) -> Rules:
        return Rules(enter_long=m.close.crosses_above(11))

    assert texts_of(rules, 12.0) == {"enter_long": (False, "close 12 did not cross above 11 (the bar before: nan, 11)")}


def test_a_feature_that_raised_on_an_earlier_bar_still_says_what_it_saw_on_the_last() -> None:
    def shy(close: Any) -> Any:
        if (close == 13.0).any():
            raise ValueError("not that one")
        return close * 2.0

    def rules(m: Any) -> Rules:
        return Rules(enter_long=m.feature(shy, lookback=1) > 20)

    assert texts_of(rules, 13.0, 12.0) == {"enter_long": (True, "shy(close, lookback=1) 24 > 20")}


def test_numbers_that_differ_in_the_last_bit_are_told_apart() -> None:
    just_below = math.nextafter(100.0, 0.0)
    one, other = number_texts(just_below, 100.0)
    assert float(one) == just_below
    assert float(other) == 100.0
    assert number_texts(100.0, 100.0) == ("100", "100")


def test_arrays_and_no_bars_are_refused() -> None:
    signals = plan_of(Signals(enter_long=np.array([True])))
    with pytest.raises(ConfigError, match="nothing says what they come from"):
        explain(signals, table(10.0))
    with pytest.raises(DataError, match="at least one bar"):
        explain(plan_of(strategy(lambda m: Rules(enter_long=m.close > 1))()), table())
