from typing import Any

import numpy as np
import pytest

from workbench.core.plan import SignalPlan
from workbench.core.price_levels import price_levels
from workbench.strategy import Rules, Strategy, hold, plan_of, sma_cross, strategy


def names(condition: Any, **levels: Any) -> list[str]:
    """Return the levels of a strategy that enters on a condition of the market."""

    @strategy
    def one(m):
        return Rules(enter_long=condition(m), **{name: level(m) for name, level in levels.items()})

    return [name for name, _ in price_levels(plan_of(one()))]


def test_both_averages_of_a_cross_are_levels_once_each() -> None:
    found = price_levels(plan_of(sma_cross(fast=10, slow=30)))
    assert [name for name, _ in found] == ["sma(close, 10)", "sma(close, 30)"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda m: m.close > m.close.sma(20), ["sma(close, 20)"]),
        (lambda m: m.close > m.close.sma(20) * 1.01, ["(sma(close, 20) * 1.01)"]),
        (lambda m: m.close > (m.high.max(9) + m.low.min(9)) / 2, ["((max(high, 9) + min(low, 9)) / 2)"]),
        (lambda m: m.close > 0.5 * (m.high + m.low), ["(0.5 * (high + low))"]),
        (lambda m: m.close < m.close.sma(20) - m.atr(14) * 2, ["(sma(close, 20) - (atr(high, low, close, 14) * 2))"]),
        (lambda m: m.close > m.high.max(20).shift(1), ["max(high, 20).shift(1)"]),
        (lambda m: m.close > m.close.sma(20) + 100, ["(sma(close, 20) + 100)"]),
        (lambda m: m.close > m.close.sma(5).sma(3), ["sma(sma(close, 5), 3)"]),
        (lambda m: m.close > 0 - (0 - m.close.sma(20)), ["(0 - (0 - sma(close, 20)))"]),
        (lambda m: m.close > -(0 - m.close.sma(20)), ["-(0 - sma(close, 20))"]),
        (lambda m: abs(m.close.sma(20)) < m.close, ["abs(sma(close, 20))"]),
        # What is made of levels and is none itself shows what it is made of.
        (lambda m: m.close.sma(5) - m.close.sma(20) > 0, ["sma(close, 5)", "sma(close, 20)"]),
        (lambda m: m.close.sma(5) / m.close.sma(20) > 1, ["sma(close, 5)", "sma(close, 20)"]),
        (lambda m: 1 / m.close.sma(20) > 0, ["sma(close, 20)"]),
        (lambda m: m.close.sma(20) * 0.1 > 5, ["sma(close, 20)"]),
    ],
)
def test_what_rises_with_the_prices_is_a_level(condition: Any, expected: list[str]) -> None:
    assert names(condition) == expected


@pytest.mark.parametrize(
    "condition",
    [
        lambda m: m.close > m.open,
        lambda m: m.close > m.close.shift(3),
        lambda m: m.close.rsi(14) < 30,
        lambda m: m.volume > m.volume.sma(20),
        lambda m: m.atr(14) > m.atr(14).sma(50),
        lambda m: m.close.stddev(20) > 5,
        lambda m: m.close.macd(12, 26, 9).macd > 0,
        lambda m: m.volume.sma(5) + m.close > 0,
    ],
)
def test_what_does_not_lie_among_the_prices_is_none(condition: Any) -> None:
    assert names(condition) == []


def test_bands_are_levels_each() -> None:
    band = "bbands(close, 20, 2, 2, 0)"
    found = names(lambda m: m.close > m.close.bbands(20, 2, 2).upperband, limit=lambda m: m.close.bbands(20).lowerband)
    assert found == [f"upperband of {band}", f"lowerband of {band}"]


def test_price_at_which_an_entry_rests_is_a_level() -> None:
    assert names(lambda m: m.close > m.open, limit=lambda m: m.low.min(10)) == ["min(low, 10)"]


def test_indicators_of_a_class_keep_the_names_that_it_gave() -> None:
    class Channel(Strategy):
        def indicators(self, m):
            return {"top": m.high.max(20), "strength": m.close.rsi(14), "width": m.atr(14), "last": m.close}

        def on_bar(self, now, position):  # noqa: ARG002  its form
            return hold()

    assert [name for name, _ in price_levels(plan_of(Channel()))] == ["top"]


def test_no_more_than_the_first_few_are_returned() -> None:
    assert len(price_levels(plan_of(sma_cross(fast=10, slow=30)), most=1)) == 1


def test_arrays_tell_nothing() -> None:
    assert price_levels(SignalPlan("arrays", np.zeros(3, np.uint8), np.full((8, 1), np.nan))) == ()
