"""Market data: candle files, downloads, and the made-up markets, all through `load_bars`."""

from __future__ import annotations

from workbench.data.load import load_bars

__all__ = ["load_bars"]
