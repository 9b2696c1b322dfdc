"""Small markets whose results can be worked out by hand."""

import numpy as np
import pytest

from workbench.model import Bars, Costs, Instrument

HOUR_NS = 3_600_000_000_000
START_NS = 1_735_689_600_000_000_000  # 2025-01-01T00:00Z


def hourly_bars(closes, *, symbol="BTC/USDT", low_factor=1.0, high_factor=1.0, start_ns=START_NS, **instrument):
    """Return bars that open at the close before them, with extremes at the open and close times the factors."""
    close = np.array(closes, dtype=np.float64)
    open_ = np.concatenate((close[:1], close[:-1]))
    return Bars.from_arrays(
        symbol,
        "1h",
        start_ns + HOUR_NS * np.arange(close.size),
        open_,
        np.maximum(open_, close) * high_factor,
        np.minimum(open_, close) * low_factor,
        close,
        np.ones(close.size),
        instruments=Instrument(symbol, **instrument),
    )


@pytest.fixture
def free():
    """No fees and no slippage, so that prices are the whole sum."""
    return Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.0)


@pytest.fixture
def make_bars():
    return hourly_bars


@pytest.fixture
def wavy():
    """Ten days of hourly bars of a seeded random walk: trends, wins and losses in both directions."""
    steps = np.random.default_rng(7).normal(0.0, 0.01, 240)
    return hourly_bars(100.0 * np.exp(np.cumsum(steps)), low_factor=0.998, high_factor=1.002)
