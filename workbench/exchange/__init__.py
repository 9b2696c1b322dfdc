"""Exchanges: everything that speaks to one, and the only room that knows ccxt."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from workbench.exchange.ccxt_client import CcxtClient, ClientSettings, Credentials, RateBudget
from workbench.exchange.history import (
    CandleArchive,
    CandleClient,
    CandlePage,
    exchange_names,
    fetch_ohlcv_history,
    open_archive,
    open_candle_client,
)
from workbench.exchange.market_data import Balance, Candle, ClockReading, ExchangePosition, MarketRules, MarketTrade
from workbench.exchange.order_states import OrderState, OwnTrade
from workbench.exchange.outcomes import TOO_MANY_ORDERS, Accepted, Refused, Unknown
from workbench.exchange.practice.registry import find_practice_exchange
from workbench.exchange.practice_client import practice_client
from workbench.exchange.protocol import ExchangeClient
from workbench.exchange.quantities import held_base, sellable_quantity, split_quantity
from workbench.exchange.settle import look_up, settle_order
from workbench.exchange.streams import BadRecord, CandleBatch, StreamGap, StreamInterrupted, TradeBatch
from workbench.exchange.tickets import OrderTicket

if TYPE_CHECKING:
    from workbench.exchange.simulated import SimulatedClient

__all__ = [
    "TOO_MANY_ORDERS",
    "Accepted",
    "BadRecord",
    "Balance",
    "Candle",
    "CandleArchive",
    "CandleBatch",
    "CandleClient",
    "CandlePage",
    "CcxtClient",
    "ClientSettings",
    "ClockReading",
    "Credentials",
    "ExchangeClient",
    "ExchangePosition",
    "MarketRules",
    "MarketTrade",
    "OrderState",
    "OrderTicket",
    "OwnTrade",
    "RateBudget",
    "Refused",
    "SimulatedClient",
    "StreamGap",
    "StreamInterrupted",
    "TradeBatch",
    "Unknown",
    "exchange_names",
    "fetch_ohlcv_history",
    "find_practice_exchange",
    "held_base",
    "look_up",
    "open_archive",
    "open_candle_client",
    "practice_client",
    "sellable_quantity",
    "settle_order",
    "split_quantity",
]


def __getattr__(name: str) -> object:
    """Load the simulated client when it is first used: it brings the compiled core, which no real exchange needs."""
    if name != "SimulatedClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.simulated"), name)
