"""Fewer points for the eye: candles joined into longer ones, lines reduced to their envelope."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.model import Timeframe

MAX_CANDLES: Final = 1_500
# Lengths that people read off a time axis. The longest joins five centuries into 1,500 candles.
ROUND_PERIODS: Final = tuple(
    Timeframe(name)
    for name in (
        *("1s", "2s", "5s", "10s", "15s", "30s", "1m", "2m", "3m", "5m", "10m", "15m", "30m"),
        *("1h", "2h", "3h", "4h", "6h", "8h", "12h", "1d", "2d", "3d", "1w", "2w", "4w", "8w", "18w"),
    )
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Candles:
    """Candles ready to draw.

    Parameters
    ----------
    time_ns : ndarray of int64, shape (n,)
        Open labels in nanoseconds UTC.
    open, high, low, close : ndarray of float64, shape (n,)
        Prices in quote currency.
    period : Timeframe
        Length of one candle.
    is_joined : bool
        Whether each candle stands for several bars.
    """

    time_ns: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    period: Timeframe
    is_joined: bool


def join_candles(time_ns: Integers, prices: Floats, *, timeframe: Timeframe, max_candles: int = MAX_CANDLES) -> Candles:
    """Join bars into at most ``max_candles`` candles of a round length, aligned to UTC.

    Parameters
    ----------
    time_ns : ndarray of int64, shape (n,)
        Open labels, strictly increasing.
    prices : ndarray of float64, shape (4, n)
        Open, high, low, close; no ``nan``.
    timeframe : Timeframe
        Length of one bar.
    max_candles : int, default 1500
        Most candles to return.

    Returns
    -------
    Candles
        The bars themselves when they are few enough.

    Examples
    --------
    >>> minute, up = Timeframe("1m"), np.arange(10.0)
    >>> prices = np.stack([up, up + 1, up - 1, up + 0.5])
    >>> joined = join_candles(np.arange(10) * minute.ns, prices, timeframe=minute, max_candles=2)
    >>> str(joined.period), joined.open.tolist(), joined.high.tolist(), joined.close.tolist()
    ('5m', [0.0, 5.0], [5.0, 10.0], [4.5, 9.5])
    """
    if time_ns.size <= max_candles:
        return Candles(time_ns, prices[0], prices[1], prices[2], prices[3], timeframe, is_joined=False)
    period = _round_period(time_ns, timeframe, max_candles)
    label = period.floor(time_ns)
    first = np.flatnonzero(np.diff(label, prepend=label[0] - 1))
    last = np.append(first[1:], time_ns.size) - 1
    return Candles(
        label[first],
        prices[0, first],
        np.maximum.reduceat(prices[1], first),
        np.minimum.reduceat(prices[2], first),
        prices[3, last],
        period,
        is_joined=True,
    )


def envelope_rows(values: Floats, *, max_points: int = 4 * MAX_CANDLES) -> Integers:
    """Return the rows that draw the same line: first, lowest, highest and last of each stretch.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        The line; no ``nan``.
    max_points : int, default 6000
        Most rows to return, at least 4.

    Returns
    -------
    ndarray of int64
        Increasing rows; all of them when there are few enough.

    References
    ----------
    Jugel, U., Jerzak, Z., Hackenbroich, G. and Markl, V. (2014). M4: A Visualization-Oriented Time Series Data
    Aggregation. Proc. VLDB Endowment 7(10), 797-808.

    Examples
    --------
    >>> envelope_rows(np.array([0.0, 9.0, -9.0, 1.0, 2.0, 3.0, 4.0, 5.0]), max_points=4).tolist()
    [0, 1, 2, 7]
    """
    if values.size <= max_points:
        return np.arange(values.size, dtype=np.int64)
    edges = np.linspace(0, values.size, max_points // 4 + 1).astype(np.int64)
    rows = [
        (start, start + values[start:stop].argmin(), start + values[start:stop].argmax(), stop - 1)
        for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    return np.unique(np.array(rows, dtype=np.int64))


def _round_period(time_ns: Integers, timeframe: Timeframe, max_candles: int) -> Timeframe:
    # Whole bars to a candle if any round length allows it.
    whole = [period for period in ROUND_PERIODS if period.ns % timeframe.ns == 0]
    for period in (*whole, *ROUND_PERIODS):
        if np.count_nonzero(np.diff(period.floor(time_ns))) < max_candles:
            return period
    return ROUND_PERIODS[-1]
