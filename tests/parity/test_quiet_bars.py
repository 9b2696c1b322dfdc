"""The short cut over quiet bars against the long way, on markets made to lie on its edges."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from workbench.core import EngineConfig, Ledger
from workbench.core.batch import run_bars
from workbench.core.book import open_book
from workbench.core.driver import frozen
from workbench.core.intents import SIZINGS
from workbench.core.ledger import new_trace, take_log
from workbench.core.log import ROOM_PER_SYMBOL
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

    def run(self, *, is_exact: bool, log_rows: int = 4_000, trace_rows: int | None = None) -> tuple[Ledger, Any]:
        """Run the case; return its ledger and the equity at each close."""
        rows = len(self.times)
        book = open_book(self.config, log_rows, is_exact=is_exact)
        # Both numbers of records are the same afterwards: the flag itself is no part of the state.
        trace = new_trace(rows if trace_rows is None else trace_rows)
        equity = np.full(rows, -1.0)
        logs = []
        row = 0
        while row < rows:
            row = run_bars(
                *(memory_of(book), frozen(self.times), frozen(self.values), np.zeros((2, 1, 0)), self.codes),
                *(frozen(self.levels), trace, equity, row, rows),
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


@pytest.mark.parametrize("block", range(10))
def test_short_cut_leaves_the_same_bytes_on_the_edges_of_every_rule(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        case = random_case(seed)
        quick, equity = case.run(is_exact=False)
        exact, exact_equity = case.run(is_exact=True)
        assert quick.hash == exact.hash, seed
        assert equity.tobytes() == exact_equity.tobytes(), seed


def test_log_that_fills_up_in_the_middle_loses_nothing() -> None:
    for seed in range(200, 260):
        case = random_case(seed)
        whole, _ = case.run(is_exact=False)
        # Room for one timestamp: the run stops after each bar with a row.
        assert case.run(is_exact=False, log_rows=ROOM_PER_SYMBOL)[0].hash == whole.hash, seed


def test_short_cut_stops_recording_where_the_trace_is_full() -> None:
    for seed in range(300, 340):
        case = random_case(seed)
        for trace_rows in (0, 3, 17):
            quick, _ = case.run(is_exact=False, trace_rows=trace_rows)
            assert quick.hash == case.run(is_exact=True, trace_rows=trace_rows)[0].hash, seed
            assert len(quick.trace) == min(trace_rows, len(case.times))
            close_times = case.times[:trace_rows] + case.config.timeframe.ns
            assert quick.trace["close_time_ns"].tolist() == close_times.tolist()


# A rule, and the price at which it acts on a long and on a short of 100 units from 100, after a best price of 120 (80).
EDGES = [
    ({"trailing_stop": 0.1}, 108.0, 88.0),
    ({"trailing_stop": 0.2, "trailing_activate_at": 0.1, "trailing_distance_after": 0.1}, 108.0, 88.0),
    ({"trailing_activate_at": 0.1, "trailing_distance_after": 0.1}, 108.0, 88.0),
    ({"bracket": 0.1}, 108.0, 88.0),
    # 12000 * 0.9 = 10800 = 100 * 108 = 20000 - 100 * 92
    ({"max_drawdown": 0.1}, 108.0, 92.0),
    # 10000 * 0.9 = 9000 = 100 * 90 = 20000 - 100 * 110
    ({"daily_loss_limit": 0.1}, 90.0, 110.0),
    ({"stop_loss": 0.1}, 90.0, 110.0),
    ({"max_loss_per_trade": 0.1}, 90.0, 110.0),
    ({"take_profit": 0.25}, 125.0, 75.0),
    # 500 units: 10000 - 500 * 20 = 0
    ({"max_leverage": 5.0}, 80.0, 120.0),
]


def edge_case(rules: dict[str, float], side: int, best_row: int, edge_row: int, edge: float) -> Case:
    """Return calm bars at 100, one with the best price, calm ones near it, and one whose extreme is `edge`."""
    rows = 12
    best, near = 100.0 + side * 20.0, 100.0 + side * 15.0
    values = np.full((5, 1, rows), 100.0)
    values[:4, 0, best_row + 1 :] = near
    values[1:3, 0, best_row] = max(100.0, best), min(100.0, best)
    values[3, 0, best_row] = near
    values[1, 0, edge_row] = max(near, edge)
    values[2, 0, edge_row] = min(near, edge)
    codes = np.zeros((1, rows), np.uint8)
    codes[0, 0] = 1 if side > 0 else 4
    levels = np.full((1, 8, 1), math.nan)
    levels[0, 0], levels[0, 7] = 500.0 if "max_leverage" in rules else 100.0, UNITS
    rules = dict(rules)
    levels[0, 5] = rules.pop("bracket", math.nan)
    config = EngineConfig(
        instruments=(Instrument("BTC/USDT:USDT", "linear_perpetual", maintenance_margin=0.0),),
        timeframe=Timeframe("1h"),
        cash=10_000.0,
        risk=RiskConfig(**rules),
        costs=Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.0),
    )
    times = MIDNIGHT_NS + Timeframe("1h").ns * np.arange(rows)
    return Case(config, times, values, codes, levels)


@pytest.mark.parametrize(("rules", "long_edge", "short_edge"), EDGES, ids=["+".join(row[0]) for row in EDGES])
@pytest.mark.parametrize("side", [1, -1])
def test_rule_acts_at_its_very_price_in_whichever_bar(
    rules: dict[str, float], long_edge: float, short_edge: float, side: int
) -> None:
    edge = long_edge if side > 0 else short_edge
    prices = edge * (1.0 + np.finfo(float).eps * np.arange(-2, 3))
    for best_row in range(1, 5):
        for edge_row in range(best_row + 1, best_row + 7):
            trades = set()
            for price in prices.tolist():
                case = edge_case(rules, side, best_row, edge_row, price)
                quick, _ = case.run(is_exact=False)
                assert quick.hash == case.run(is_exact=True)[0].hash, (best_row, edge_row, price)
                trades.add(len(quick.trades))
            assert trades == {0, 1}, (best_row, edge_row)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("path", PATHS)
def test_trail_raised_in_a_bar_acts_in_the_rest_of_that_bar(side: int, path: str) -> None:
    edge = 108.0 if side > 0 else 88.0
    ends = set()
    for best_row in range(1, 9):
        for price in (edge * (1.0 + np.finfo(float).eps * np.arange(-2, 3))).tolist():
            case = edge_case({"trailing_stop": 0.1}, side, best_row, 10, 100.0)
            case.levels[0, 0] = 50.0
            # From 110 (90) to 120 (80) and back to the trail, where the bar closes.
            case.values[:4, 0, 1:best_row] = 100.0 + side * 10.0
            case.values[0, 0, best_row] = 100.0 + side * 10.0
            case.values[1 if side < 0 else 2, 0, best_row] = price
            case.values[3, 0, best_row:] = price
            case.values[0, 0, best_row + 1 :] = price
            case.values[1:3, 0, best_row + 1 :] = price
            config = replace(case.config, path=path)
            quick, _ = replace(case, config=config).run(is_exact=False)
            exact, _ = replace(case, config=config).run(is_exact=True)
            assert quick.hash == exact.hash, (best_row, price)
            ends.update(exact.trades["exit_time_ns"].tolist())
    assert len(ends) > 4


@pytest.mark.parametrize(("side", "edge"), [(1, 108.0), (-1, 92.0)])
def test_drawdown_counts_from_a_peak_that_quiet_bars_have_raised_bit_by_bit(side: int, edge: float) -> None:
    calm = edge_case({"max_drawdown": 0.1}, side, 1, 2, 100.0)
    for climb in range(30, 34):
        for wait in range(4, 9):
            rows = climb + wait + 2
            # 120 (80) and then nothing above 112, which alone would not trip: 11200 * 0.9 = 10080
            prices = 100.0 + side * np.where(np.arange(rows) <= climb, 20.0 * np.arange(rows) / climb, 12.0)
            values = np.tile(prices, (5, 1, 1))
            values[1 if side < 0 else 2, 0, -2] = edge
            config = replace(calm.config, timeframe=Timeframe("1m"))
            codes = np.zeros((1, rows), np.uint8)
            codes[0, 0] = calm.codes[0, 0]
            # Entered at the open of the second bar, so the first must not have moved yet.
            values[:, 0, 1] = 100.0
            case = Case(config, MIDNIGHT_NS + Timeframe("1m").ns * np.arange(rows), values, codes, calm.levels)
            quick, _ = case.run(is_exact=False)
            # 12000 * 0.9 = 10800 = 100 * 108
            assert quick.trips["time_ns"].tolist() == [case.times[-2]], (climb, wait)
            assert quick.hash == case.run(is_exact=True)[0].hash, (climb, wait)
