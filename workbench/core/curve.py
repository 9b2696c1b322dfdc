"""What is asked of every equity curve of a sweep, compiled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.core.compiled import inlined_kernel, place, record_kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@inlined_kernel
def _see(value: float, peak: float, lowest: float, worst: float) -> tuple[float, float, float]:
    if value > peak:
        if lowest < peak:
            worst = max(worst, (peak - lowest) / peak)
        return value, value, worst
    return peak, min(lowest, value), worst


@record_kernel
def worst_fall(equity: NDArray[np.float64], start: float) -> float:
    """Return the largest fall below the highest equity so far, as a fraction of it; at least 0.

    Only the lowest equity after each peak is divided: a fall from one peak is the larger the lower it ends. Four rows
    at a time, because a chain of minima takes four cycles a link.

    Parameters
    ----------
    equity : ndarray of float64, shape (n,)
        Equity at each mark; a nan is passed over.
    start : float
        Equity before the first mark, > 0.

    Examples
    --------
    >>> import numpy as np
    >>> worst_fall(np.array([90.0, 120.0, 60.0]), 100.0)
    0.5
    """
    peak = start
    lowest = start
    worst = 0.0
    rows = equity.shape[0]
    whole = rows - rows % 4
    for row in range(0, whole, 4):
        a, b = equity[place(row)], equity[place(row + 1)]
        c, d = equity[place(row + 2)], equity[place(row + 3)]
        if a <= peak and b <= peak and c <= peak and d <= peak:
            lowest = min(lowest, min(min(a, b), min(c, d)))  # noqa: PLW3301  a tree, not a chain
        else:
            for value in (a, b, c, d):
                peak, lowest, worst = _see(value, peak, lowest, worst)
    for row in range(whole, rows):
        peak, lowest, worst = _see(equity[place(row)], peak, lowest, worst)
    return max(worst, (peak - lowest) / peak)


@record_kernel
def fill_returns(
    equity: NDArray[np.float64], rows: NDArray[np.int64], start: float, returns: NDArray[np.float64]
) -> None:
    """Write the simple return from each of some marks to the next into `returns`; nan after a mark that is not above 0.

    Parameters
    ----------
    equity : ndarray of float64, shape (n,)
        Equity at each mark.
    rows : ndarray of int64, shape (m,)
        The marks, from 0 to n - 1.
    start : float
        Equity before the first one.
    returns : ndarray of float64, shape (m,)
        Takes the returns as fractions.
    """
    before = start
    for i in range(rows.shape[0]):
        now = equity[place(rows[place(i)])]
        returns[place(i)] = now / before - 1.0 if before > 0.0 else math.nan
        before = now


@record_kernel
def moments(returns: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return the sum of some returns, the sum of squares around their mean, that of the ones below 0, and their range.

    Summed from the first to the last, so that the bits are the same on every machine.

    Parameters
    ----------
    returns : ndarray of float64, shape (m,)
        At least one, all finite.

    Examples
    --------
    >>> import numpy as np
    >>> moments(np.array([3.0, -1.0]))
    (2.0, 8.0, 1.0, 4.0)
    """
    total = 0.0
    for value in returns:
        total += value
    mean = total / returns.shape[0]
    squares, shortfall = 0.0, 0.0
    lowest, highest = math.inf, -math.inf
    for value in returns:
        squares += (value - mean) * (value - mean)
        if value < 0.0:
            shortfall += value * value
        lowest, highest = min(lowest, value), max(highest, value)
    return total, squares, shortfall, highest - lowest
