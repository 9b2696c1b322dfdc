"""A compiled ``on_bar`` decides what the same function decides interpreted, bit for bit."""

# ruff: noqa: ARG001  an on_bar takes self, now and position, whatever it reads of them

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.ohlcv import random_ohlcv
from workbench.core.callable_plan import CallablePlan
from workbench.core.intents import PositionView, enter_long, enter_short, exit_position, hold
from workbench.core.market_view import MarketView
from workbench.errors import OrderError
from workbench.strategy import donchian_breakout

BARS = random_ohlcv(400, seed=5)
SCALE = 1.7


@pytest.fixture(autouse=True)
def own_cache_folder(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "compiled"))


def curved(x: float, exponent: float = 2) -> float:
    return math.sqrt(abs(x)) ** exponent + math.exp(-abs(x) / 100) - math.log(1 + abs(x))


def on_bar(self, now, position):
    spread = max(now.high - now.low, 0.01)
    pull, age = (now.close - now.mean) / spread, now.time_ns - position.entry_time_ns
    if position.is_flat:
        if pull > self.entry and now.volume % 7.0 > 3.0:
            return enter_long(risk=0.01, stop_loss=min(0.5, SCALE * now.atr / now.close))
        if pull < -self.entry:
            return enter_short(size=min(1.0, curved(pull) / 10 + 0.1), max_holding_s=3600)
        return None
    if ((position.is_long and pull < 0) or (position.is_short and not pull < 0)) and age > 5:
        return exit_position()
    if position.bars_held // 3 == 2 and position.unrealized_return**2 < 1e-4:
        return wb.exit_position()
    return hold()


def plan_of(function: Any = on_bar, **parameters: Any) -> CallablePlan:
    m = MarketView()
    nodes = {"mean": m.close.sma(10).node, "atr": m.atr(14).node}
    return CallablePlan("test", parameters or {"entry": 0.6}, None, function, nodes)


def positions(rng: np.random.Generator) -> PositionView:
    side = int(rng.integers(-1, 2))
    return PositionView(
        float(side * rng.uniform(0.1, 5)) if side else 0.0,
        100.0 if side else math.nan,
        int(rng.integers(0, 400)),
        int(rng.integers(0, 12)),
        float(rng.normal(0, 0.02)) if side else 0.0,
        10_000.0,
        side == 0,
        side > 0,
        side < 0,
    )


def bits(intent: Any) -> list[bytes]:
    return [np.float64(value).tobytes() for value in intent]


def assert_same_decisions(plan: CallablePlan) -> set[int]:
    compiled = plan.compiled_decide()
    assert compiled is not None, plan.interpreted_reason
    rng = np.random.default_rng(11)
    indicators = plan.batch_indicators(BARS).T.tolist()
    actions = set()
    for row, (bar, values) in enumerate(zip(BARS.T.tolist(), indicators, strict=True)):
        if row < plan.warmup:
            continue
        now, position = plan.now_type(row, *bar, *values), positions(rng)
        interpreted = plan.decide(plan.params, now, position)
        assert bits(compiled(plan.params, now, position)) == bits(interpreted), f"row {row}"
        actions.add(interpreted.action)
    return actions


def test_compiled_equals_interpreted_for_everything_that_may_be_compiled() -> None:
    assert assert_same_decisions(plan_of()) == {0, 1, 2, 3}


def test_compiled_equals_interpreted_for_the_built_in_class() -> None:
    assert assert_same_decisions(donchian_breakout(lookback=10).lower()) == {0, 1, 3}


def raises_without_stop(self, now, position):
    return enter_long(stop_loss=now.atr * 0.0)


def test_a_refused_value_is_the_same_error_compiled_and_interpreted() -> None:
    plan = plan_of(raises_without_stop)
    now = plan.now_type(0, *BARS[:, 50].tolist(), 100.0, 1.0)
    flat = PositionView(0.0, math.nan, 0, 0, 0.0, 1e4, True, False, False)
    messages = []
    for decide in (plan.compiled_decide(), plan.decide):
        with pytest.raises(OrderError) as caught:
            decide(plan.params, now, flat)
        messages.append(str(caught.value))
    assert messages == ["stop_loss must be in (0, 1)"] * 2


def many_kinds(self, now, position):
    if self.is_on and self.mode == "fast" and self.stop is None:
        return enter_long(stop_loss=self.stop, units=self.lots)
    return hold()


def test_parameters_of_every_kind_are_fields_of_self() -> None:
    plan = plan_of(many_kinds, is_on=True, mode="fast", stop=None, lots=3)
    assert assert_same_decisions(plan) == {1}


MODULE = """
import workbench as wb
from workbench.strategy import Strategy
import numpy as np, math, sys
from workbench.core.intents import PositionView

{text}

plan = Probe().lower()
decide = plan.compiled_decide()
now = plan.now_type(0, 1.0, 1.0, 1.0, 1.0, 1.0)
print(decide(plan.params, now, PositionView(0.0, math.nan, 0, 0, 0.0, 1.0, True, False, False)).size)
print(sum(decide.stats.cache_hits.values()) if hasattr(decide, "stats") else None)
"""
PROBE = """
FACTOR = {factor}
def scaled(x):
    return x * {scale}
class Probe(Strategy):
    def on_bar(self, now, position):
        return wb.enter_long(size=scaled(FACTOR))
"""


def run(folder: Path, factor: float, scale: float) -> list[str]:
    script = folder / "script.py"
    script.write_text(MODULE.format(text=PROBE.format(factor=factor, scale=scale)))
    environment = {**os.environ, "WORKBENCH_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": str(Path.cwd())}
    environment.pop("NUMBA_DISABLE_JIT", None)
    output = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, check=True)
    return output.stdout.split()


def test_cached_code_never_disagrees_with_fresh_code(tmp_path: Path) -> None:
    assert run(tmp_path, factor=2.0, scale=10.0) == ["20.0", "0"]
    assert run(tmp_path, factor=2.0, scale=10.0) == ["20.0", "1"]  # from the cache, in another process
    assert run(tmp_path, factor=3.0, scale=10.0) == ["30.0", "0"]  # a changed global
    assert run(tmp_path, factor=3.0, scale=11.0) == ["33.0", "0"]  # a changed helper function
    assert run(tmp_path, factor=2.0, scale=10.0) == ["20.0", "1"]
