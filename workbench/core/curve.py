"""What is asked of every equity curve of a sweep, compiled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.compiled import inlined_kernel, kernel, place, record_kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Rows of an equity curve that are looked at together, and how many of them next to each other.
_BLOCK = 128
_COLUMNS = 16


@inlined_kernel
def _see(value: float, peak: float, lowest: float, worst: float) -> tuple[float, float, float]:
    if value > peak:
        if lowest < peak:
            worst = max(worst, (peak - lowest) / peak)
        return value, value, worst
    return peak, min(lowest, value), worst


@inlined_kernel
def _extremes_by_column(
    equity: NDArray[np.float64], begin: int, highs: NDArray[np.float64], lows: NDArray[np.float64]
) -> None:
    """Write the extremes of each column of a block, passing over nan: a loop that the compiler makes of vectors."""
    for column in range(_COLUMNS):
        highest, lowest = -math.inf, math.inf
        for row in range(begin + column, begin + _BLOCK, _COLUMNS):
            value = equity[place(row)]
            highest, lowest = max(highest, value), min(lowest, value)
        highs[place(column)], lows[place(column)] = highest, lowest


@kernel
def new_columns() -> NDArray[np.float64]:
    """Return what `see_piece` writes to."""
    return np.empty((2, _COLUMNS))


@inlined_kernel
def see_piece(
    equity: NDArray[np.float64], columns: NDArray[np.float64], peak: float, lowest: float, worst: float
) -> tuple[float, float, float]:
    """Return the peak so far, the lowest equity after it and the worst fall from an earlier one, after more marks."""
    highs, lows = columns[0], columns[1]
    rows = equity.shape[0]
    whole = rows - rows % _BLOCK
    for begin in range(0, whole, _BLOCK):
        _extremes_by_column(equity, begin, highs, lows)
        highest, low = -math.inf, lowest
        for column in range(_COLUMNS):
            highest, low = max(highest, highs[place(column)]), min(low, lows[place(column)])
        if highest <= peak:
            lowest = low
        else:
            for row in range(begin, begin + _BLOCK):
                peak, lowest, worst = _see(equity[place(row)], peak, lowest, worst)
    for row in range(whole, rows):
        peak, lowest, worst = _see(equity[place(row)], peak, lowest, worst)
    return peak, lowest, worst


@inlined_kernel
def largest_fall(peak: float, lowest: float, worst: float) -> float:
    """Return the larger one of the fall that lasts and the worst of those before it."""
    return max(worst, (peak - lowest) / peak)


@kernel
def worst_fall(equity: NDArray[np.float64], start: float) -> float:
    """Return the largest fall below the highest equity so far, as a fraction of it; at least 0.

    Only the lowest equity after each peak is divided: a fall from one peak is the larger the lower it ends. The
    extremes of a block are looked at first: where none of its rows is a new peak, only its lowest one counts.

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
    peak, lowest, worst = see_piece(equity, new_columns(), start, start, 0.0)
    return largest_fall(peak, lowest, worst)


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
        At least one. The others are nan where the sum is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> moments(np.array([3.0, -1.0]))
    (2.0, 8.0, 1.0, 4.0)
    """
    total = 0.0
    for value in returns:
        total += value
    if not math.isfinite(total):
        return total, math.nan, math.nan, math.nan
    mean = total / returns.shape[0]
    squares, shortfall = 0.0, 0.0
    lowest, highest = math.inf, -math.inf
    for value in returns:
        squares += (value - mean) * (value - mean)
        if value < 0.0:
            shortfall += value * value
        lowest, highest = min(lowest, value), max(highest, value)
    return total, squares, shortfall, highest - lowest
