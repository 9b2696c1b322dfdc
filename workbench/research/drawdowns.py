"""Drawdowns of an equity curve: how far below its peak, for how long, and what was earned for it."""

import math

import numpy as np

from workbench.core.curve import worst_fall
from workbench.errors import DataError
from workbench.research.statistics import Floats, Integers


def calmar_ratio(annual_growth: float, worst_drawdown: float) -> float:
    """Return the yearly growth rate over the maximum drawdown; ``nan`` without a drawdown.

    Parameters
    ----------
    annual_growth : float
        From `compound_annual_growth`; ``nan`` gives ``nan``.
    worst_drawdown : float
        Largest drawdown as a fraction, at least 0.

    Returns
    -------
    float
        The ratio.

    References
    ----------
    Young, T. W. (1991). Calmar Ratio: A Smoother Tool. Futures 20(1), 40.

    Examples
    --------
    >>> calmar_ratio(0.5, 0.25)
    2.0
    """
    return annual_growth / worst_drawdown if worst_drawdown > 0.0 else math.nan


def drawdown_series(equity: Floats, *, start: float) -> Floats:
    """Return the fall of each mark below the highest equity so far, as a fraction of it.

    Parameters
    ----------
    equity : ndarray of float64, shape (n,)
        Equity at each mark.
    start : float
        Equity before the first mark, the first peak.

    Returns
    -------
    ndarray of float64, shape (n,)
        0 at a new high, 0.2 when a fifth of the peak is gone, above 1 when equity is negative.

    Raises
    ------
    DataError
        ``start`` is not positive.

    References
    ----------
    Magdon-Ismail, M. and Atiya, A. (2004). Maximum Drawdown. Risk Magazine 17(10), 99-102.

    Examples
    --------
    >>> drawdown_series(np.array([90.0, 120.0, 60.0]), start=100.0).tolist()
    [0.1, 0.0, 0.5]
    """
    if not start > 0.0:
        raise DataError(f"start must be above 0, was {start}")
    peak = np.maximum(np.maximum.accumulate(equity), start)
    drawdown: Floats = (peak - equity) / peak
    return drawdown


def worst_drawdown(equity: Floats, *, start: float) -> float:
    """Return the largest of `drawdown_series`, to the bit, in a tenth of the time.

    Parameters
    ----------
    equity : ndarray of float64, shape (n,)
        Equity at each mark, at least one.
    start : float
        Equity before the first mark, above 0.

    Returns
    -------
    float
        A fraction, at least 0.

    Examples
    --------
    >>> worst_drawdown(np.array([90.0, 120.0, 60.0]), start=100.0)
    0.5
    """
    return float(worst_fall(equity, start))


def longest_drawdown_s(equity: Floats, close_time_ns: Integers, *, start: float, start_time_ns: int) -> float:
    """Return the longest time between a peak and the next equity at least as high, in seconds.

    A drawdown that has not ended counts up to the last mark.

    Parameters
    ----------
    equity : ndarray of float64, shape (n,)
        Equity at each mark.
    close_time_ns : ndarray of int64, shape (n,)
        Times of the marks in nanoseconds UTC.
    start : float
        Equity before the first mark, the first peak.
    start_time_ns : int
        Time of that first peak.

    Returns
    -------
    float
        Seconds; 0 when equity never fell.

    Examples
    --------
    >>> seconds = np.array([10, 20, 30, 40]) * 1_000_000_000
    >>> longest_drawdown_s(np.array([90.0, 80.0, 100.0, 99.0]), seconds, start=100.0, start_time_ns=0)
    30.0
    """
    if equity.size == 0:
        return 0.0
    levels = np.concatenate(([start], equity))
    times = np.concatenate(([start_time_ns], close_time_ns))
    high_rows = np.flatnonzero(levels >= np.maximum.accumulate(levels))
    # Two highs in neighbouring rows have no fall between them.
    ended = np.diff(times[high_rows])[np.diff(high_rows) > 1]
    unended = int(times[-1] - times[high_rows[-1]])
    return max(int(ended.max(initial=0)), unended) / 1e9
