"""What is asked of every equity curve of a sweep, in one compiled pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.compiled import inlined_kernel, kernel, place

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


@kernel(_nrt=False)
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
