# ruff: noqa: ARG001, ARG005  an on_bar takes self, now and position, whatever it reads of them
import logging
import math
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.ohlcv import random_ohlcv
from workbench.core import callable_plan
from workbench.core.callable_plan import CallablePlan
from workbench.core.evaluation import EvaluationCache
from workbench.core.intents import (
    ENTER_LONG,
    EXIT,
    HOLD,
    Intent,
    PositionView,
    enter_long,
    exit_position,
    hold,
)
from workbench.core.market_view import MarketView
from workbench.errors import ConfigError, OrderError

BARS = random_ohlcv(200)
LIMIT = 50.0
FLAT = PositionView(0.0, math.nan, 0, 0, 0.0, 1e4, True, False, False)


@pytest.fixture(autouse=True)
def own_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(callable_plan, "_SAID", set())


def breakout(self, now, position):
    if position.is_flat and now.close > now.top:
        return enter_long(risk=self.risk, stop_loss=2 * now.atr / now.close)
    return hold()


def plan_of(on_bar: Any = breakout, **parameters: Any) -> CallablePlan:
    m = MarketView()
    nodes = {"top": m.high.max(20).shift(1).node, "atr": m.atr(14).node}
    return CallablePlan("test", parameters or {"risk": 0.01}, None, on_bar, nodes)


def now_of(plan: CallablePlan, close: float = 100.0, top: float = 99.0, atr: float = 1.0) -> Any:
    return plan.now_type(7, close, close, close, close, 1.0, top, atr)


def test_indicators_over_arrays_equal_their_step_form() -> None:
    plan = plan_of()
    batch = plan.batch_indicators(BARS)
    stream = plan.stream_indicators()
    np.testing.assert_array_equal(batch, np.array([stream.step(*bar) for bar in BARS.T.tolist()]).T)
    np.testing.assert_array_equal(batch, plan.batch_indicators(BARS, EvaluationCache(BARS)))
    assert batch.shape == (2, 200)
    assert batch.flags.c_contiguous
    assert plan.warmup == 20  # max(20) looks 19 bars back, shifted by one
    assert plan.indicator_names == ("top", "atr")


def test_a_condition_is_a_number_for_the_function() -> None:
    m = MarketView()
    plan = CallablePlan("test", {}, None, lambda self, now, position: None, {"up": (m.close > m.open).node})
    assert plan.batch_indicators(BARS).dtype == np.float64
    assert [type(value) for value in plan.stream_indicators().step(1.0, 2.0, 1.0, 2.0, 1.0)] == [float]


def test_a_plan_without_indicators_has_no_warmup() -> None:
    plan = CallablePlan("test", {}, None, lambda self, now, position: None, {})
    assert plan.warmup == 0
    assert plan.batch_indicators(BARS).shape == (0, 200)
    assert plan.stream_indicators().step(1, 1, 1, 1, 1) == ()


def test_self_is_a_namedtuple_of_the_parameters_and_now_of_bar_and_indicators() -> None:
    plan = plan_of(risk=0.05)
    assert plan.params._asdict() == {"risk": 0.05}
    assert plan.now_type._fields == ("time_ns", "open", "high", "low", "close", "volume", "top", "atr")


def test_the_function_decides_in_plain_python() -> None:
    plan = plan_of()
    intent = plan.decide(plan.params, now_of(plan), FLAT)
    assert (intent.action, intent.size, intent.stop_loss) == (ENTER_LONG, 0.01, 2 * 1.0 / 100.0)
    assert plan.decide(plan.params, now_of(plan, top=101.0), FLAT).action == HOLD


def test_none_means_hold() -> None:
    plan = plan_of(lambda self, now, position: None)
    assert (
        plan.decide(plan.params, now_of(plan), FLAT) == hold()
        or plan.decide(plan.params, now_of(plan), FLAT)[0] == HOLD
    )


@pytest.mark.parametrize("nonsense", [1, "buy", True, (1, 2), SimpleNamespace(action=1), enter_long])
def test_anything_else_than_an_intent_is_an_error_that_says_what_to_return(nonsense: object) -> None:
    plan = plan_of(lambda self, now, position: nonsense)
    with pytest.raises(OrderError, match=r"test.on_bar must return enter_long\(...\)"):
        plan.decide(plan.params, now_of(plan), FLAT)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"action": 7}, "must return enter_long"),
        ({"sizing": 9}, "sizing must be 0 to 4, was 9"),
        ({"sizing": 1, "size": -1.0}, "size must be > 0 and finite, was -1.0"),
        ({"stop_loss": 5.0}, r"stop_loss must be in \(0, 1\), was 5.0"),
        ({"limit": -1.0}, "limit must be > 0 and finite, was -1.0"),
        ({"max_holding_s": math.inf}, "max_holding_s must be > 0 and finite, was inf"),
    ],
)
def test_an_intent_made_by_hand_is_checked(change: dict[str, Any], message: str) -> None:
    plan = plan_of(lambda self, now, position: enter_long()._replace(**change))
    with pytest.raises(OrderError, match=message):
        plan.decide(plan.params, now_of(plan), FLAT)


@pytest.mark.parametrize("name", ["close", "time_ns", "_top", "top line", "class", ""])
def test_an_indicator_must_be_named_like_a_field_of_its_own(name: str) -> None:
    with pytest.raises(ConfigError, match="must be named like variables"):
        CallablePlan("test", {}, None, breakout, {name: MarketView().close.node})


def test_a_field_that_does_not_exist_is_named_with_those_that_do() -> None:
    def misspelt(self, now, position):
        return enter_long(risk=self.risc) if now.close > now.topp and position.flat else None

    with pytest.raises(ConfigError, match="on_bar reads") as caught:
        plan_of(misspelt)
    text = str(caught.value)
    assert all(part in text for part in ("self.risc", "now.topp", "position.flat", "Parameters: risk.", "is_flat"))


def test_on_bar_must_be_a_function() -> None:
    with pytest.raises(ConfigError, match="written with def"):
        plan_of(len)


def prints(self, now, position):
    print(now.close)  # noqa: T201  what makes it impossible to compile
    return exit_position()


def test_a_function_that_cannot_be_compiled_runs_interpreted_and_says_so_once(caplog) -> None:
    with caplog.at_level(logging.INFO, logger="workbench"):
        plans = [plan_of(prints) for _ in range(3)]
        assert [plan.compiled_decide() for plan in plans] == [None] * 3
    assert len(caplog.records) == 1
    assert "test.on_bar runs interpreted: line" in caplog.records[0].getMessage()
    assert "print(now.close)" in plans[0].interpreted_reason


def test_code_without_source_runs_interpreted_with_a_reason() -> None:
    scope: dict[str, Any] = {"enter_long": enter_long}
    exec("def on_bar(self, now, position):\n    return enter_long()", scope)  # noqa: S102  code without a file is the case
    plan = plan_of(scope["on_bar"])
    assert plan.compiled_decide() is None
    assert plan.interpreted_reason == "the source of on_bar cannot be read"
    assert plan.decide(plan.params, now_of(plan), FLAT).action == ENTER_LONG


def test_two_kinds_of_result_run_interpreted_with_the_compilers_reason() -> None:
    def either(self, now, position):
        return 1.0 if now.close > 5.0 else 2.0

    plan = plan_of(either)
    compiled = plan.compiled_decide()
    if compiled is not None:  # without the compiler the translated function itself comes back
        with pytest.raises(AttributeError):
            compiled(plan.params, now_of(plan), FLAT)
    else:
        assert "numba cannot compile it" in plan.interpreted_reason


def test_a_compiled_function_has_no_reason_to_be_interpreted() -> None:
    plan = plan_of()
    assert plan.compiled_decide() is not None
    assert plan.interpreted_reason is None
    intent = plan.compiled_decide()(plan.params, now_of(plan), FLAT)
    assert type(intent) is Intent
    assert repr(intent) == repr(plan.decide(plan.params, now_of(plan), FLAT))


def waits_for_limit(self, now, position):
    return hold() if now.close < LIMIT else exit_position()


def test_a_changed_outer_number_is_another_compiled_function(monkeypatch) -> None:
    before = plan_of(waits_for_limit)
    monkeypatch.setattr(sys.modules[__name__], "LIMIT", 200.0)
    after = plan_of(waits_for_limit)
    assert before.compiled_decide()(before.params, now_of(before), FLAT).action == EXIT
    assert after.compiled_decide()(after.params, now_of(after), FLAT).action == HOLD


def test_plans_with_other_values_of_the_parameters_share_one_compiled_function() -> None:
    first, second = plan_of(risk=0.01), plan_of(risk=0.02)
    assert first.compiled_decide() is second.compiled_decide()
    assert second.compiled_decide()(second.params, now_of(second), FLAT).size == 0.02
