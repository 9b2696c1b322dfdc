"""What a result is compared with: holding the same markets over the same bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from workbench.model import Bars
    from workbench.research.statistics import Floats


def buy_and_hold(bars: Bars, *, cash: float) -> Floats:
    """Return the worth at each close of cash put in equal parts into every symbol at its first open, without costs.

    Parameters
    ----------
    bars : Bars
        One or many symbols; a missing bar keeps the close before it, and cash waits for a symbol's first bar.
    cash : float
        Starting cash.

    Returns
    -------
    ndarray of float64, shape (n,)
        Quote currency.
    """
    worth = np.zeros(len(bars))
    rows = np.arange(len(bars))
    for symbol in range(bars.n_symbols):
        opens, closes, valid = bars.values[0, symbol], bars.values[3, symbol], bars.valid[symbol]
        seen = np.maximum.accumulate(np.where(valid, rows, -1))
        if seen[-1] < 0:
            worth += 1.0
            continue
        first = int(valid.argmax())
        worth += np.where(seen < 0, 1.0, closes[np.maximum(seen, first)] / opens[first])
    return worth * (cash / bars.n_symbols)
