"""Exchanges: everything that speaks to one, and the only room that knows ccxt."""

from __future__ import annotations

from workbench.exchange.history import CandleClient, exchange_names, fetch_ohlcv_history

__all__ = ["CandleClient", "exchange_names", "fetch_ohlcv_history"]
