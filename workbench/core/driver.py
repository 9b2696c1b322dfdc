"""Run a plan over history: the compiled batch driver for bars, and the one for a recorded sequence of events."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.batch import run_bars
from workbench.core.book import EngineConfig, open_book
from workbench.core.callable_driver import run_callable_bars
from workbench.core.ledger import Ledger, new_trace, take_log
from workbench.core.log import LOG_ROWS, ROOM_PER_SYMBOL
from workbench.core.memory import memory_of
from workbench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.evaluation import EvaluationCache
    from workbench.core.plan import DecisionPlan
    from workbench.core.records import Book
    from workbench.model import Bars

    Floats = NDArray[np.float64]


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array C-contiguous and read-only: every kernel is compiled for this one kind."""
    array = np.ascontiguousarray(array).view()
    array.setflags(write=False)
    return array


def joint_codes(
    plan: DecisionPlan, bars: Bars, cache: EvaluationCache | None = None
) -> tuple[NDArray[np.uint8], Floats]:
    """Return the rule codes (n_symbols, n) and levels (n_symbols, 8, m) of a plan on the joint time axis of `bars`.

    A symbol's indicators see its valid bars only; on a missing bar its code is 0. m is 1 unless a level changes from
    bar to bar. `cache` may be given for bars of one symbol without missing rows.
    """
    plan.check_length(len(bars))
    if cache is not None or (bars.n_symbols == 1 and bars.valid.all()):
        whole = bars.values[:, 0] if cache is None else cache.ohlcv
        codes, levels = plan.batch(whole, None, cache)  # type: ignore[attr-defined]  # coded plans do
        return codes[None, :], levels[None]
    codes = np.zeros((bars.n_symbols, len(bars)), np.uint8)
    parts = []
    for s in range(bars.n_symbols):
        rows = np.flatnonzero(bars.valid[s])
        valid = np.ascontiguousarray(bars.values[:, s, rows])
        codes[s, rows], levels = plan.batch(valid, rows)  # type: ignore[attr-defined]  # rules and signals have it
        parts.append((rows, levels))
    width = len(bars) if any(levels.shape[1] > 1 for _, levels in parts) else 1
    joint = np.full((bars.n_symbols, 8, width), math.nan)
    for s, (rows, levels) in enumerate(parts):
        if width > 1 and levels.shape[1] > 1:
            joint[s][:, rows] = levels
        else:
            joint[s] = levels
    return codes, joint


def funding_rates(bars: Bars, funding: dict[str, tuple[Any, Any]] | None) -> Floats:
    """Return the rates due at each bar's open and close, shape (2, n_symbols, n), or (2, n_symbols, 0) without any.

    A payment is due at the first event at or after its time: the close of the bar in which it falls, else the next
    open.

    Parameters
    ----------
    bars : Bars
        The market.
    funding : dict of str to (times, rates), optional
        For each symbol the int64 nanoseconds UTC, ascending, and the rate paid by longs at each.

    Raises
    ------
    DataError
        A symbol is not in the bars or is spot, times and rates differ in length or a value is not finite.
    """
    if not funding:
        return np.zeros((2, bars.n_symbols, 0))
    rates = np.zeros((2, bars.n_symbols, len(bars)))
    for symbol, (when, rate) in funding.items():
        if symbol not in bars.symbols:
            raise DataError(f"funding names {symbol!r}, which is not among the symbols {', '.join(bars.symbols)}")
        if bars.instruments[bars.symbols.index(symbol)].is_spot:
            raise DataError(f"funding names {symbol}, which is spot: only perpetuals pay funding")
        times = np.asarray(when, np.int64)
        values = np.asarray(rate, np.float64)
        if times.shape != values.shape or not np.isfinite(values).all():
            raise DataError(f"funding of {symbol}: times and rates must be equally many and finite")
        s = bars.symbols.index(symbol)
        rows = np.flatnonzero(bars.valid[s])
        if not len(rows):
            continue
        events = np.empty(2 * len(rows), np.int64)
        events[0::2] = bars.time_ns[rows]
        events[1::2] = bars.time_ns[rows] + bars.timeframe.ns
        # The event before the first one is not part of the history: what was due earlier is not ours.
        due = np.searchsorted(events, times, side="left")
        keep = (due < len(events)) & (times >= events[0])
        np.add.at(rates, (due[keep] % 2, s, rows[due[keep] // 2]), values[keep])
    return rates


def check_fit(bars: Bars, config: EngineConfig) -> None:
    """Raise DataError unless bars and config name the same symbols and timeframe, and there is a bar."""
    if bars.symbols != config.symbols:
        raise DataError(f"bars have symbols {', '.join(bars.symbols)}, the configuration {', '.join(config.symbols)}")
    if bars.timeframe != config.timeframe:
        raise DataError(f"bars have timeframe {bars.timeframe}, the configuration {config.timeframe}")
    if not len(bars):
        raise DataError("bars must hold at least one row, were empty")


def run_backtest(
    plan: DecisionPlan,
    bars: Bars,
    config: EngineConfig,
    *,
    funding: dict[str, tuple[Any, Any]] | None = None,
    is_exact: bool = False,
    interpreted: bool = False,
    cache: EvaluationCache | None = None,
) -> Ledger:
    """Run a plan over bars as a bar-only source and return what happened.

    Parameters
    ----------
    plan : DecisionPlan
        The lowered strategy.
    bars : Bars
        The market; symbols and timeframe as in `config`.
    config : EngineConfig
        Account, risk and costs.
    funding : dict of str to (times, rates), optional
        Funding payments of perpetuals; see `funding_rates`.
    is_exact : bool, default False
        Without the short cut for quiet bars; the result is the same.
    interpreted : bool, default False
        Call an ``on_bar`` strategy as plain Python even when it compiles; the result is the same.
    cache : EvaluationCache, optional
        Indicators over these bars, of one symbol without missing rows, that a sweep shares.

    Returns
    -------
    Ledger
        Fills, trades, denials, trips and a row per bar.

    Raises
    ------
    DataError
        Bars, plan, funding and config do not fit together.
    """
    check_fit(bars, config)
    book = open_book(config, LOG_ROWS + ROOM_PER_SYMBOL * len(config.symbols), is_exact=is_exact)
    trace = new_trace(len(bars))
    rates = funding_rates(bars, funding)
    if plan.kind == "callable":
        logs = run_callable_bars(plan, bars, book, trace, rates, interpreted=interpreted, cache=cache)
    else:
        logs = _run_coded(plan, bars, book, trace, rates, cache)
    return Ledger.of(config.symbols, logs, trace, book)


def _run_coded(
    plan: DecisionPlan, bars: Bars, book: Book, trace: NDArray[np.void], rates: Floats, cache: EvaluationCache | None
) -> list[Any]:
    codes, levels = joint_codes(plan, bars, cache)
    times, values, levels = frozen(bars.time_ns), frozen(bars.values), frozen(levels)
    memory, no_equity = memory_of(book), np.zeros(0)
    logs = []
    row = 0
    while row < len(bars):
        row = run_bars(memory, times, values, rates, codes, levels, trace, no_equity, row, len(bars))
        logs.append(take_log(book))
    return logs
