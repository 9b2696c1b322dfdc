"""The orders of a session that are on their way to the exchange or open there, for people to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.core.order_state import LiveOrder, LiveOrderStatus
    from workbench.model.orders import OrderKind, OrderSide

__all__ = ["OpenOrder"]


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """One order of which more may still be heard.

    Attributes
    ----------
    symbol : str
        What is traded.
    side : {"buy", "sell"}
        Its direction.
    kind : str
        ``"market"``, ``"limit"`` or ``"stop"``.
    quantity, filled : float
        Amounts in base units: ordered, and filled as far as it is known.
    price : float or None
        Limit or trigger in the quote currency; None for one at any price.
    is_exit : bool
        Whether it makes a position smaller.
    status : str
        Where it stands; one of the statuses of a live order, such as ``"sent"``, ``"unknown"`` or ``"acknowledged"``.
    time_ns : int
        Time of the market at which it was wanted, ns UTC.
    client_order_id : str
        Our name of it, which the exchange knows as well.
    """

    symbol: str
    side: OrderSide
    kind: OrderKind
    quantity: float
    filled: float
    price: float | None
    is_exit: bool
    status: LiveOrderStatus
    time_ns: int
    client_order_id: str

    @classmethod
    def of(cls, order: LiveOrder) -> OpenOrder:
        """Return what is known of an `order` now."""
        intent = order.intent
        return cls(
            symbol=intent.symbol,
            side=intent.side,
            kind=intent.kind,
            quantity=order.ordered,
            filled=order.told,
            price=intent.price,
            is_exit=intent.is_exit,
            status=order.status,
            time_ns=intent.time_ns,
            client_order_id=intent.client_order_id,
        )
