"""One input, one result, byte for byte: compiled or not, short cut or not, in one run, as a sequence or live."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.reference.core_driver import backtest, live, replay
from tests.reference.edge_market import random_case
from tests.reference.random_market import random_bars, random_ticks
from tests.reference.scenario import Scenario, bars_alone
from workbench.core import EngineConfig, Ledger, run_backtest
from workbench.model import Bars, Costs, Instrument, RiskConfig, Timeframe
from workbench.strategy import Strategy, enter_long, enter_short, exit_position, hold, plan_of, sma_cross

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (1, 2, 3, 4, 5, 6)


def history(seed: int, *, symbols: int = 1, bars: int = 120) -> Scenario:
    """Return bars alone, without funding."""
    return replace(bars_alone(random_bars(seed, symbols=symbols, bars=bars)), funding=())


class Swing(Strategy):
    """Looks at its position, so that on_bar has something to say."""

    lookback: int = 12

    def indicators(self, m):
        return {"mean": m.close.sma(self.lookback), "top": m.high.max(self.lookback).shift(1)}

    def on_bar(self, now, position):
        if position.is_flat:
            if now.close > now.top:
                return enter_long(size=0.5, stop_loss=0.02)
            if now.close < now.mean * 0.98:
                return enter_short(risk=0.01, stop_loss=0.03, take_profit=0.02)
            return hold()
        if position.bars_held > 6 or position.unrealized_return < -0.01:
            return exit_position()
        return hold()


def swing(seed: int, *, interpreted: bool) -> Ledger:
    """Run the strategy with on_bar over a random walk."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.008, 600)))
    open_ = np.r_[100, close[:-1]]
    high = np.maximum(open_, close) * (1 + np.abs(rng.normal(0, 0.003, 600)))
    low = np.minimum(open_, close) * (1 - np.abs(rng.normal(0, 0.003, 600)))
    instrument = Instrument("BTC/USDT:USDT", kind="linear_perpetual")
    times = 1_704_067_200_000_000_000 + 3_600_000_000_000 * np.arange(600)
    bars = Bars.from_arrays(
        instrument.symbol, "1h", times, open_, high, low, close, np.ones(600), instruments=instrument
    )
    config = EngineConfig(
        instruments=(instrument,),
        timeframe=Timeframe("1h"),
        cash=10_000.0,
        risk=RiskConfig(max_drawdown=0.5, trailing_stop=0.04),
        costs=Costs(),
    )
    return run_backtest(plan_of(Swing()), bars, config, interpreted=interpreted)


def hashes() -> dict[str, str]:
    """Return the hash of many runs by name."""
    found = {}
    for seed in SEEDS:
        found[f"backtest {seed}"] = backtest(history(seed, symbols=1 + seed % 3, bars=60)).hash
        found[f"sequence {seed}"] = replay(random_bars(seed, symbols=1 + seed % 3, bars=60)).hash
        found[f"live {seed}"] = live(random_ticks(seed, symbols=1 + seed % 3, bars=20)).hash
    for seed in range(1_000, 1_060):
        ledger, equity = random_case(seed).run(is_exact=False)
        found[f"edges {seed}"] = f"{ledger.hash} {equity.tobytes().hex()}"
    found["on_bar"] = swing(1, interpreted=False).hash
    return found


def test_core_without_the_compiler_leaves_the_same_bytes() -> None:
    script = "import json; from tests.parity.test_modes import hashes; print(json.dumps(hashes()))"
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == hashes()


@pytest.mark.parametrize("seed", range(30, 50))
def test_short_cut_for_quiet_bars_leaves_the_same_bytes(seed: int) -> None:
    scenario = history(seed)
    assert backtest(scenario).hash == backtest(scenario, is_exact=True).hash


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_short_cut_leaves_the_same_bytes_where_bars_are_missing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.004, 3_000)))
    values = np.stack((np.r_[100, close[:-1]], close, close, close, np.ones(3_000)))
    values[1], values[2] = values[[0, 3]].max(axis=0) * 1.001, values[[0, 3]].min(axis=0) * 0.999
    # Single holes, long ones, one over midnight and one at the end.
    for first, last in ((50, 51), (300, 420), (1_400, 1_480), (2_990, 3_000)):
        values[:, first:last] = np.nan
    times = 1_704_067_200_000_000_000 + 60_000_000_000 * np.arange(3_000)
    instrument = Instrument("BTC/USDT", lot=1e-5, tick=0.01)
    bars = Bars((instrument.symbol,), Timeframe("1m"), (instrument,), times, values[:, None])
    config = EngineConfig(
        instruments=(instrument,),
        timeframe=Timeframe("1m"),
        cash=10_000.0,
        risk=RiskConfig(stop_loss=0.02, trailing_stop=0.03, max_drawdown=0.9),
    )
    plan = plan_of(sma_cross(fast=3 + seed, slow=60, stop=0.01))
    exact = run_backtest(plan, bars, config, is_exact=True)
    assert len(exact.trades) > 10
    assert run_backtest(plan, bars, config).hash == exact.hash


@pytest.mark.parametrize("symbols", [1, 2, 3])
@pytest.mark.parametrize("seed", range(60, 66))
def test_backtest_sequence_and_live_engine_leave_the_same_bytes(seed: int, symbols: int) -> None:
    scenario = history(seed, symbols=symbols)
    assert len({backtest(scenario).hash, replay(scenario).hash, live(scenario).hash}) == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_interpreted_on_bar_leaves_the_same_bytes(seed: int) -> None:
    compiled, interpreted = swing(seed, interpreted=False), swing(seed, interpreted=True)
    assert len(compiled.trades) > 10
    assert compiled.hash == interpreted.hash


def test_hash_tells_runs_apart_by_the_last_bit_of_the_cash() -> None:
    scenario = history(3)
    other = replace(scenario, cash=float(np.nextafter(scenario.cash, 0.0)))
    assert backtest(scenario).hash == backtest(scenario).hash != backtest(other).hash
