"""One order of a simulated account, from its ticket to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.exchange.order_states import OrderState

if TYPE_CHECKING:
    from workbench.exchange.tickets import OrderTicket
    from workbench.model.orders import OrderStatus

__all__ = ["SimulatedOrder"]

# Part of an order that is nothing: float sums of fills against its quantity.
_NOTHING: Final = 1e-9


@dataclass(slots=True)
class SimulatedOrder:
    """An order that was taken.

    Parameters
    ----------
    ticket : OrderTicket
        What was asked for.
    order_id : str
        The exchange's name of it.
    quantity, price : float, float or None
        As ordered, on the market's steps.
    reduce_only : bool
        Whether it may only make a perpetual's position smaller.
    reserved : float
        What it sets aside while it waits: quote currency of a purchase, base currency of a sale on spot.
    time_ns : int
        When it was taken, ns UTC.
    """

    ticket: OrderTicket
    order_id: str
    quantity: float
    price: float | None
    reduce_only: bool
    reserved: float
    time_ns: int
    status: OrderStatus = "accepted"
    filled: float = 0.0
    spent: float = 0.0
    update_ns: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it waits for its price."""
        return self.status == "accepted"

    def is_reached(self, price: float) -> bool:
        """Return whether the order is due at this price of the market."""
        if self.price is None:
            return True
        side = 1.0 if self.ticket.side == "buy" else -1.0
        ahead = side if self.ticket.kind == "stop" else -side
        return ahead * price >= ahead * self.price

    def take_fill(self, quantity: float, price: float, time_ns: int) -> None:
        """Book what was executed; the order ends, and what is left of it expires."""
        self.filled += quantity
        self.spent += quantity * price
        self.end("filled" if self.filled >= self.quantity * (1.0 - _NOTHING) else "expired", time_ns)

    def end(self, status: OrderStatus, time_ns: int) -> None:
        """Close the order."""
        self.status = status
        self.update_ns = time_ns

    def state(self) -> OrderState:
        """Return what the exchange says of it now."""
        return OrderState(
            symbol=self.ticket.symbol,
            order_id=self.order_id,
            client_order_id=self.ticket.client_order_id,
            side=self.ticket.side,
            kind=self.ticket.kind,
            quantity=self.quantity,
            filled=self.filled,
            average_price=self.spent / self.filled if self.filled else None,
            price=self.price,
            status=self.status,
            time_ns=self.time_ns,
            update_ns=self.update_ns or self.time_ns,
        )
