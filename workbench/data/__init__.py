"""Market data: the candle store, candle files, downloads, and the made-up markets; `load_bars` reads all of them."""

from __future__ import annotations

from workbench.data.load import load_bars
from workbench.data.series import Series
from workbench.data.spans import Span
from workbench.data.store import CandleStore, SeriesInfo

__all__ = ["CandleStore", "Series", "SeriesInfo", "Span", "load_bars"]
