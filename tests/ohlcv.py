"""Random bars as the core takes them: a float64 table of open, high, low, close, volume."""

import numpy as np
from numpy.typing import NDArray


def random_ohlcv(rows: int, seed: int = 0) -> NDArray[np.float64]:
    """Return a geometric random walk of shape (5, rows), read-only like the values of Bars."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, rows)))
    open_ = np.concatenate([[100.0], close[:-1]])[:rows] * (1.0 + rng.normal(0.0, 0.001, rows))
    high = np.maximum(open_, close) * (1.0 + np.abs(rng.normal(0.0, 0.004, rows)))
    low = np.minimum(open_, close) * (1.0 - np.abs(rng.normal(0.0, 0.004, rows)))
    table = np.array([open_, high, low, close, rng.uniform(1.0, 100.0, rows)])
    table.setflags(write=False)
    return table
