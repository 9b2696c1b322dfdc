"""What an exchange says of a market and of an account: rules, candles, trades, clock, balances, positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.model.instrument import Instrument
    from workbench.model.orders import OrderSide

__all__ = ["Balance", "Candle", "ClockReading", "ExchangePosition", "MarketRules", "MarketTrade"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRules:
    """The exchange's rules of one market.

    Parameters
    ----------
    instrument : Instrument
        Symbol, kind, lot, tick, smallest order and fees.
    min_quantity, max_quantity : float or None
        Bounds of an order's quantity in the base currency; None = none told.
    min_price, max_price : float or None
        Bounds of an order's price in the quote currency; None = none told.
    max_notional : float or None
        Largest order in the quote currency; None = none told.
    is_active : bool
        Whether orders are taken now.
    """

    instrument: Instrument
    min_quantity: float | None = None
    max_quantity: float | None = None
    min_price: float | None = None
    max_price: float | None = None
    max_notional: float | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Candle:
    """One candle as the exchange told it, checked like a bar.

    Parameters
    ----------
    symbol : str
        Unified symbol.
    time_ns : int
        Open of the interval, ns UTC.
    open, high, low, close : float
        Prices; finite, above 0, ``low <= open, close <= high``.
    volume : float
        Traded amount in the base currency, finite and at least 0.
    is_closed : bool or None
        Whether the exchange says that it is final; None when it does not say. A candle that is not known to be closed
        may change; even a closed one can come again with other numbers (a revision), which is an event of its own.
    """

    symbol: str
    time_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    is_closed: bool | None


@dataclass(frozen=True, slots=True)
class MarketTrade:
    """One trade between others.

    Parameters
    ----------
    symbol : str
        Unified symbol.
    trade_id : str or None
        The exchange's name of it; None when it gives none, and then gaps can be found by time only.
    time_ns : int
        Moment of the trade, ns UTC of the exchange's clock.
    price : float
        Finite and above 0.
    quantity : float
        Amount in the base currency, finite and at least 0.
    side : {"buy", "sell"} or None
        Which side took the other's offer; None when not told.
    """

    symbol: str
    trade_id: str | None
    time_ns: int
    price: float
    quantity: float
    side: OrderSide | None


@dataclass(frozen=True, slots=True)
class ClockReading:
    """How far the exchange's clock is from ours.

    Parameters
    ----------
    offset_ns : int
        Exchange's time minus ours: positive when the exchange is ahead.
    delay_ns : int
        Length of the round trip that was measured; the offset is off by at most half of it.
    measured_ns : int
        When, ns UTC of our clock.
    """

    offset_ns: int
    delay_ns: int
    measured_ns: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What the account has of one currency.

    Parameters
    ----------
    free : float
        What can be spent, at least 0 on spot.
    locked : float
        What open orders hold back.
    """

    free: float
    locked: float

    @property
    def total(self) -> float:
        """Free and locked together."""
        return self.free + self.locked


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangePosition:
    """An open position of a perpetual, as the exchange sees it.

    Parameters
    ----------
    symbol : str
        Unified symbol.
    quantity : float
        In the base currency: above 0 long, below 0 short; never 0.
    entry_price : float or None
        Mean entry price; None when not told.
    mark_price, liquidation_price : float or None
        As told; None when not.
    leverage : float or None
        As told; None when not.
    """

    symbol: str
    quantity: float
    entry_price: float | None
    mark_price: float | None = None
    liquidation_price: float | None = None
    leverage: float | None = None
