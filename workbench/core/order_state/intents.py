"""An order that is about to be sent, as it is recorded before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from workbench.model import OrderKind, OrderSide

__all__ = ["Intent", "NamedOrder"]


class NamedOrder(Protocol):
    """An order that can be asked for."""

    @property
    def symbol(self) -> str:
        """Unified symbol."""

    @property
    def client_order_id(self) -> str:
        """Our name of the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One order that is wanted; recorded for good before it is sent, and sent once.

    Parameters
    ----------
    number : int
        Running number of the request within the session.
    client_order_id : str
        Our name of the order, by which it can be asked for ever after.
    symbol : str
        Unified symbol.
    side : {"buy", "sell"}
        Direction.
    quantity : float
        Amount in the base currency, above 0.
    kind : {"market", "limit", "stop"}
        What is sent.
    price : float or None
        Level of a limit or stop; None for a market order.
    time_in_force : str
        How long it may wait at the exchange.
    is_exit : bool
        Whether it makes the position smaller.
    time_ns : int
        Moment of the decision, ns UTC.
    expires_ns : int
        Time of our clock from which on it is too old to be sent, ns UTC.
    """

    number: int
    client_order_id: str
    symbol: str
    side: OrderSide
    quantity: float
    kind: OrderKind
    price: float | None
    time_in_force: str
    is_exit: bool
    time_ns: int
    expires_ns: int

    @property
    def text(self) -> str:
        """The order as people know it: its number, and what it does.

        Examples
        --------
        >>> names = {"client_order_id": "wb0n3", "symbol": "BTC/USDT", "side": "buy", "kind": "market", "price": None}
        >>> when = {"time_in_force": "gtc", "is_exit": False, "time_ns": 0, "expires_ns": 0}
        >>> Intent(number=3, quantity=0.5, **names, **when).text
        'order 3 (buy 0.5 BTC/USDT)'
        """
        what = f"{self.side} {self.quantity:.8g} {self.symbol}"
        if self.is_protective_stop:
            return f"the stop at the exchange ({what} at {self.price:.10g})"
        return f"order {self.number} ({what})"

    @property
    def is_protective_stop(self) -> bool:
        """Whether it is to rest at the exchange until the price hurts, and so is no exit that is wanted now."""
        return self.is_exit and self.kind == "stop"
