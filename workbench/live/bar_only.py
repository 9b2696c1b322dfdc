"""The bars of a session as the backtest sees them: whole ones, at their open labels, one group for each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.model import BAR, BAR_CLOSED, EVENT, TICK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.model import Timeframe

__all__ = ["bar_only_events", "last_prices"]


def bar_only_events(events: NDArray[np.void], timeframe: Timeframe) -> NDArray[np.void]:
    """Return the bars that a session closed, and the unfinished ones after them, as events of a bar-only source.

    Parameters
    ----------
    events : ndarray of EVENT
        What the session recorded.
    timeframe : Timeframe
        Length of a bar.

    Returns
    -------
    ndarray of EVENT
        Rows of kind ``BAR``, by time. Prices after the last closed bar of a symbol are bars as well, so that both
        accounts are marked at the same last prices.
    """
    closed = events[(events["kind"] == BAR_CLOSED) | (events["kind"] == BAR)].copy()
    closed["kind"] = BAR
    rows = [closed, *(_unfinished(events, closed, int(s), timeframe) for s in np.unique(events["symbol"]) if s >= 0)]
    bars = np.concatenate(rows)
    bars = bars[np.lexsort((bars["symbol"], bars["time_ns"]))]
    _, first, counts = np.unique(bars["time_ns"], return_index=True, return_counts=True)
    for begin, count in zip(first.tolist(), counts.tolist(), strict=True):
        bars["remaining"][begin : begin + count] = np.arange(count - 1, -1, -1)
    return bars


def _unfinished(
    events: NDArray[np.void], closed: NDArray[np.void], symbol: int, timeframe: Timeframe
) -> NDArray[np.void]:
    """Return the prices of one symbol after its last closed bar as bars."""
    own = closed[closed["symbol"] == symbol]
    after_ns = int(own["time_ns"].max()) + timeframe.ns if len(own) else 0
    ticks = events[(events["kind"] == TICK) & (events["symbol"] == symbol) & (events["time_ns"] >= after_ns)]
    labels = timeframe.floor(ticks["time_ns"])
    bars = []
    for label in np.unique(labels).tolist():
        prices, volumes = ticks["a"][labels == label], ticks["b"][labels == label]
        values = (prices[0], prices.max(), prices.min(), prices[-1], volumes.sum())
        bars.append((BAR, symbol, label, *map(float, values), 0))
    return np.array(bars, dtype=EVENT)


def last_prices(
    events: NDArray[np.void], symbol: int, timeframe: Timeframe
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return when the price of a symbol was known, in ns UTC ascending, and what it was.

    Each print, and the open and close of each bar of a bar-only source.
    """
    own = events[events["symbol"] == symbol]
    ticks, bars = own[own["kind"] == TICK], own[own["kind"] == BAR]
    times = np.concatenate([ticks["time_ns"], bars["time_ns"], bars["time_ns"] + timeframe.ns])
    prices = np.concatenate([ticks["a"], bars["a"], bars["d"]])
    order = np.argsort(times, kind="stable")
    return times[order], prices[order]
