"""Exchanges: everything that speaks to one, and the only room that knows ccxt."""

from __future__ import annotations

from workbench.exchange.history import (
    CandleArchive,
    CandleClient,
    CandlePage,
    exchange_names,
    fetch_ohlcv_history,
    open_archive,
    open_candle_client,
)

__all__ = [
    "CandleArchive",
    "CandleClient",
    "CandlePage",
    "exchange_names",
    "fetch_ohlcv_history",
    "open_archive",
    "open_candle_client",
]
