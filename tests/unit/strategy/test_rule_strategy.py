import math
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.ohlcv import random_ohlcv
from workbench.core.evaluation import EvaluationCache
from workbench.core.intents import FRACTION
from workbench.core.market_view import MarketView
from workbench.errors import ConfigError, LookAheadError
from workbench.strategy import (
    ConfiguredStrategy,
    Rules,
    bollinger_reversion,
    buy_and_hold,
    configured,
    param,
    plan_of,
    rsi_reversion,
    sma_cross,
    strategy,
)

BARS = random_ohlcv(600, seed=2)


@strategy
def cross(m, fast=3, slow=param(8, low=2, high=20), stop=0.02):  # noqa: B008  the place for it
    """Cross two averages."""
    f, s = m.close.sma(fast), m.close.sma(slow)
    return Rules(enter_long=f.crosses_above(s), exit_long=f.crosses_below(s), stop_loss=stop)


def rules(**fields: Any) -> Rules:
    return Rules(**{"enter_long": True, **fields})


def test_calling_a_strategy_configures_it() -> None:
    made = cross(fast=4)
    assert dict(made.parameters) == {"fast": 4, "slow": 8, "stop": 0.02}
    assert made.name == "cross"
    assert repr(made) == "cross(fast=4, slow=8, stop=0.02)"
    assert [parameter.name for parameter in made.spec] == ["fast", "slow", "stop"]
    assert isinstance(made, ConfiguredStrategy)


def test_a_configured_strategy_never_changes() -> None:
    made = cross(fast=4)
    changed = made.with_parameters(slow=9)
    assert dict(made.parameters) == {"fast": 4, "slow": 8, "stop": 0.02}
    assert dict(changed.parameters) == {"fast": 4, "slow": 9, "stop": 0.02}
    with pytest.raises(TypeError):
        made.parameters["fast"] = 9


def test_configured_strategies_are_equal_by_strategy_and_parameters() -> None:
    assert cross(fast=4) == cross(fast=4)
    assert hash(cross(fast=4)) == hash(cross(fast=4))
    assert cross(fast=4) != cross(fast=5)
    assert cross(fast=4) != sma_cross(fast=4)


def test_unknown_and_invalid_parameters_are_named() -> None:
    with pytest.raises(ConfigError, match=r"cross: fats is not a parameter \(parameters: fast=3, slow=8, stop=0.02\)"):
        cross(fats=4)
    with pytest.raises(ConfigError, match=r"slow must be a whole number in \[2, 20\], was 21"):
        cross(slow=21)
    with pytest.raises(ConfigError, match=r"takes its parameters by name \(fast, slow, stop\)"):
        cross(4, 9)


def test_the_decorator_keeps_name_and_text_of_the_function() -> None:
    assert cross.__doc__ == "Cross two averages."
    assert cross.source.startswith("@strategy\ndef cross(m, fast=3")
    assert plan_of(cross).source == cross.source
    assert repr(cross) == "<strategy cross(fast=3, slow=8, stop=0.02)>"


def test_the_package_itself_is_the_decorator_and_the_room() -> None:
    @wb.strategy
    def always(m):
        return wb.Rules(enter_long=m.close > 0)

    assert plan_of(always()).batch(BARS)[0].tolist() == [1] * 600
    assert wb.strategy.sma_cross is sma_cross


def test_a_parameter_without_a_default_is_refused() -> None:
    with pytest.raises(ConfigError, match="the parameter fast needs a default"):

        @strategy
        def without(m, fast):
            return Rules(enter_long=m.close > fast)


def test_a_function_without_a_market_view_is_refused() -> None:
    with pytest.raises(ConfigError, match="must take the market view first"):
        strategy(lambda: Rules(enter_long=True))
    with pytest.raises(ConfigError, match="takes a function"):
        strategy(5)


def test_a_function_that_returns_no_rules_is_refused() -> None:
    @strategy
    def wrong(m):
        return m.close > 1

    with pytest.raises(ConfigError, match=r"wrong must return Rules\(...\), was \(close > 1\)"):
        plan_of(wrong())


def test_look_ahead_is_found_when_the_plan_is_made() -> None:
    @strategy
    def cheat(m):
        return Rules(enter_long=m.close.shift(-1) > m.close)

    with pytest.raises(LookAheadError):
        plan_of(cheat())


def test_plans_of_a_sweep_share_a_cache_and_equal_plans_without_one() -> None:
    cache = EvaluationCache(BARS)
    for fast in range(2, 6):
        for slow in range(6, 10):
            plan = plan_of(cross(fast=fast, slow=slow))
            np.testing.assert_array_equal(plan.batch(BARS, cache=cache)[0], plan.batch(BARS)[0])
    assert len(cache) == 8


def test_levels_and_sizes_of_rules_reach_the_plan() -> None:
    values = rules(size=0.5, limit=9, stop_loss=0.02, max_holding_s=60).level_values()
    assert [value for value in values if not math.isnan(value)] == [0.5, 9.0, 0.02, 60.0, FRACTION]
    assert rules().level_values()[-1] == 0.0
    m = MarketView()
    assert rules(stop_loss=m.atr(14) / m.close).level_values()[3] == (m.atr(14) / m.close).node


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"enter_long": False}, "there must be an entry"),
        ({"enter_long": 1}, "enter_long must be a condition such as a > b, was 1"),
        ({"exit_long": None}, "exit_long must be a condition"),
        ({"stop_loss": 5}, r"stop_loss must be in \(0, 1\), was 5"),
        ({"take_profit": -0.1}, "take_profit must be > 0 and finite, was -0.1"),
        ({"trailing_stop": math.nan}, r"trailing_stop must be in \(0, 1\), was nan"),
        ({"max_holding_s": "day"}, "max_holding_s must be a number, a series or None, was 'day'"),
        ({"size": True}, "size must be a number"),
        ({"sizing": "all"}, "sizing must be one of fraction, notional, units, risk, was 'all'"),
        ({"sizing": "risk", "size": 1.0}, r"size must be in \(0, 1\) with sizing 'risk', was 1.0"),
        ({"sizing": "units"}, "sizing 'units' needs a size"),
        ({"limit": 1.0, "stop": 2.0}, "only one of limit and stop"),
    ],
)
def test_rules_that_cannot_be_are_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        rules(**fields)


def test_rules_name_every_fault_and_want_conditions_and_series_in_their_places() -> None:
    m = MarketView()
    with pytest.raises(ConfigError) as caught:
        Rules(enter_long=m.close, stop_loss=m.close > 1, take_profit=0)
    assert str(caught.value).count(";") == 2


@pytest.mark.parametrize(
    "made",
    [sma_cross(fast=5, slow=20), rsi_reversion(length=7), bollinger_reversion(length=10), buy_and_hold()],
)
def test_built_in_strategies_enter_and_their_steps_equal_their_arrays(made: ConfiguredStrategy) -> None:
    plan = plan_of(made)
    codes, levels = plan.batch(BARS)
    stream = plan.stream()
    steps = [stream.step(*bar) for bar in BARS.T.tolist()]
    assert (codes & 1).any()
    assert codes.tolist() == [code for code, _ in steps]
    np.testing.assert_array_equal(np.broadcast_to(levels, (8, 600)), np.array([values for _, values in steps]).T)
    assert all(parameter.help for parameter in made.spec)


def test_anything_that_is_no_strategy_is_refused_with_a_hint() -> None:
    with pytest.raises(ConfigError, match=r"there is no strategy in 5; pass one such as wb\.strategy\.sma_cross"):
        configured(5)
    with pytest.raises(ConfigError, match=r"decorate the function with @wb\.strategy"):
        configured(lambda m: m.close)
    assert configured(cross) == cross()
