"""Random markets of one symbol with rule codes, made to lie on the edges of every rule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.core import EngineConfig, Ledger
from workbench.core.batch import run_bars
from workbench.core.book import open_book
from workbench.core.driver import frozen
from workbench.core.intents import SIZINGS
from workbench.core.ledger import new_trace, take_log
from workbench.core.memory import memory_of
from workbench.core.records import PATHS
from workbench.model import Costs, Instrument, RiskConfig, Timeframe

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIDNIGHT_NS = 1_704_067_200_000_000_000
UNITS, FRACTION = SIZINGS.index("units"), SIZINGS.index("fraction")


@dataclass(frozen=True)
class Case:
    """A market of one symbol with a decision for each of its bars."""

    config: EngineConfig
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    codes: NDArray[np.uint8]
    levels: NDArray[np.float64]

    def run(
        self,
        *,
        is_exact: bool,
        log_rows: int = 4_000,
        trace_rows: int | None = None,
        funding: NDArray[np.float64] | None = None,
    ) -> tuple[Ledger, NDArray[np.float64]]:
        """Run the case; return its ledger and the equity at each close."""
        rows = len(self.times)
        book = open_book(self.config, log_rows, is_exact=is_exact)
        trace = new_trace(rows if trace_rows is None else trace_rows)
        equity = np.full(rows, -1.0)
        rates = np.zeros((2, 1, 0)) if funding is None else funding
        logs = []
        row = 0
        while row < rows:
            row = run_bars(
                *(memory_of(book), frozen(self.times), frozen(self.values), rates, self.codes),
                *(frozen(self.levels), trace, equity[row:], row, rows),
            )
            logs.append(take_log(book))
        return Ledger.of(self.config.symbols, logs, trace, book), equity


def price_walk(rng: np.random.Generator, rows: int, base: float, step: float) -> NDArray[np.float64]:
    """Return open, high, low, close and volume (5, 1, rows) on a grid of `step`, with gaps and long calms."""
    spread = rng.choice([0.0, 0.3, 1.0, 4.0])
    moves = rng.normal(0.0, spread, rows).round() * (rng.random(rows) < rng.choice([0.05, 0.5, 1.0]))
    close = np.maximum(base + step * np.cumsum(moves), step)
    gaps = (rng.normal(0.0, 5.0, rows).round() * step) * (rng.random(rows) < rng.choice([0.0, 0.02, 0.2]))
    open_ = np.maximum(np.r_[base, close[:-1]] + gaps, step)
    wicks = (np.abs(rng.normal(0.0, spread, (2, rows))).round() * step) * (rng.random((2, rows)) < 0.6)
    high = np.maximum(open_, close) + wicks[0]
    low = np.maximum(np.minimum(open_, close) - wicks[1], step)
    return np.stack((open_, high, np.minimum(low, high), close, np.ones(rows)))[:, None]


def take_bars_away(rng: np.random.Generator, values: NDArray[np.float64]) -> None:
    """Make single bars and stretches missing, sometimes at either end."""
    rows = values.shape[2]
    for _ in range(rng.integers(0, 5)):
        first = int(rng.integers(0, rows))
        values[:, :, first : first + int(rng.choice([1, 2, 3, 4, 5, 60]))] = np.nan
    if rng.random() < 0.1:
        values[:, :, : int(rng.integers(1, 6))] = np.nan
    if rng.random() < 0.1:
        values[:, :, -int(rng.integers(1, 6)) :] = np.nan


def maybe(rng: np.random.Generator, chance: float, *choices: float) -> float | None:
    """Return one of the choices, or None."""
    return float(rng.choice(choices)) if rng.random() < chance else None


def random_risk(rng: np.random.Generator, timeframe_s: float) -> RiskConfig:
    """Return protections in any combination that is allowed."""
    trailing = maybe(rng, 0.4, 0.01, 0.02, 0.05, 0.2)
    activate = maybe(rng, 0.5, 0.01, 0.03, 0.1)
    after = None if activate is None else maybe(rng, 0.5, 0.005, 0.01)
    if trailing is None and after is None:
        activate = None
    return RiskConfig(
        stop_loss=maybe(rng, 0.4, 0.01, 0.02, 0.1),
        take_profit=maybe(rng, 0.4, 0.01, 0.03, 0.2),
        trailing_stop=trailing,
        trailing_activate_at=activate,
        trailing_distance_after=after,
        max_holding_s=maybe(rng, 0.3, 1.0, timeframe_s, 4.0 * timeframe_s, 9.5 * timeframe_s),
        max_loss_per_trade=maybe(rng, 0.2, 0.01, 0.05),
        max_drawdown=maybe(rng, 0.4, 0.05, 0.1, 0.5, 1.0),
        daily_loss_limit=maybe(rng, 0.4, 0.05, 0.1, 1.0),
        max_order_notional=maybe(rng, 0.1, 500.0),
        max_leverage=float(rng.choice([1.0, 3.0, 20.0])),
        price_collar=maybe(rng, 0.1, 0.01, 0.05),
        max_orders_per_minute=1 if rng.random() < 0.1 else None,
        cooldown_s=maybe(rng, 0.2, timeframe_s, 10.0 * timeframe_s),
    )


def random_levels(rng: np.random.Generator, values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the levels (1, 8, width) of entries: market, limit or stop, with brackets of their own or without."""
    close = np.where(np.isnan(values[3, 0]), 1.0, values[3, 0])[:width]
    levels = np.full((8, width), math.nan)
    kind = rng.integers(0, 4, width)
    away = 1.0 + rng.choice([-0.03, -0.01, 0.0, 0.01, 0.03], width)
    levels[1] = np.where(kind == 1, close * away, math.nan)
    levels[2] = np.where(kind == 2, close * away, math.nan)
    for row, choices in ((3, (0.01, 0.02)), (4, (0.01, 0.05)), (5, (0.01, 0.03)), (6, (60.0, 7_200.0))):
        levels[row] = np.where(rng.random(width) < 0.2, rng.choice(choices, width), math.nan)
    levels[7] = rng.choice([0, UNITS, FRACTION], width)
    levels[0] = np.where(levels[7] == UNITS, rng.choice([1.0, 10.0, 40.0], width), rng.choice([0.5, 1.0], width))
    return levels[None]


def random_case(seed: int) -> Case:
    """Return a case; most prices lie on a coarse grid, so that they meet levels exactly."""
    rng = np.random.default_rng(seed)
    timeframe = str(rng.choice(["1m", "1h", "4h", "7m", "1d", "2d"], p=[0.35, 0.35, 0.15, 0.05, 0.05, 0.05]))
    length = Timeframe(timeframe)
    rows = int(rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 30, 120], p=[0.02] * 9 + [0.42, 0.4]))
    base = float(rng.choice([100.0, 1e-8, 1e9, 60_000.0], p=[0.7, 0.1, 0.1, 0.1]))
    step = base * float(rng.choice([0.01, 0.0005]))
    values = price_walk(rng, rows, base, step)
    take_bars_away(rng, values)
    first = MIDNIGHT_NS + int(rng.choice([0, 23, 24, 12])) * 3_600_000_000_000
    if length.ns >= 24 * 3_600_000_000_000:
        first = MIDNIGHT_NS
    elif timeframe == "4h":
        first = MIDNIGHT_NS + int(rng.integers(0, 6)) * length.ns
    codes = rng.choice(16, (1, rows)).astype(np.uint8)
    codes[rng.random((1, rows)) > rng.choice([0.0, 0.02, 0.2, 1.0], p=[0.05, 0.45, 0.3, 0.2])] = 0
    codes[0, np.isnan(values[3, 0])] = 0
    is_spot = rng.random() < 0.4
    instrument = Instrument(
        "BTC/USDT" if is_spot else "BTC/USDT:USDT",
        "spot" if is_spot else "linear_perpetual",
        lot=maybe(rng, 0.4, 1.0, 1e-5, 0.07),
        tick=None if rng.random() < 0.5 else step * float(rng.choice([1.0, 0.37])),
        maintenance_margin=float(rng.choice([0.005, 0.0, 0.049])),
    )
    is_free = rng.random() < 0.5
    config = EngineConfig(
        instruments=(instrument,),
        timeframe=length,
        cash=base * 10.0,
        risk=random_risk(rng, length.ns / 1e9),
        costs=Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.0) if is_free else Costs(slippage=0.01),
        path=str(rng.choice(PATHS)),
    )
    width = 1 if rng.random() < 0.4 else rows
    return Case(config, first + length.ns * np.arange(rows), values, codes, random_levels(rng, values, width))
