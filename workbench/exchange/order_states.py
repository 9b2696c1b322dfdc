"""What an exchange says of our orders and trades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.model.orders import OrderSide, OrderStatus

__all__ = ["OrderState", "OwnTrade"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """What an exchange says of one order at one moment.

    Parameters
    ----------
    symbol : str
        Unified symbol.
    order_id : str
        The exchange's name of the order; never empty.
    client_order_id : str or None
        Our name of it; None when the exchange does not repeat it, or somebody else placed it without one.
    side : {"buy", "sell"}
        Direction.
    kind : str
        ``market``, ``limit`` or ``stop``, or the exchange's own word for a kind that we never send.
    quantity : float
        Amount ordered, in the base currency.
    filled : float
        Amount filled so far, 0 to `quantity`.
    average_price : float or None
        Mean price of what is filled; None while nothing is, or when it is not told.
    price : float or None
        Level of a limit or stop order.
    status : str
        One of ``ORDER_STATUSES`` of the model: ``accepted`` (waits), ``partly_filled``, ``filled``, ``cancelled``,
        ``expired``, ``rejected``; ``unknown`` for a word that is not known.
    time_ns : int
        When the exchange took it, ns UTC of the exchange's clock; 0 when it does not tell.
    update_ns : int
        When it last changed, ns UTC of the exchange's clock; 0 when it does not tell.
    """

    symbol: str
    order_id: str
    client_order_id: str | None
    side: OrderSide
    kind: str
    quantity: float
    filled: float
    average_price: float | None
    price: float | None
    status: OrderStatus
    time_ns: int = 0
    update_ns: int = 0

    @property
    def is_open(self) -> bool:
        """Whether more of it may still be filled; an unknown status counts as open, as it may be."""
        return self.status in {"pending", "accepted", "partly_filled", "unknown"}

    @property
    def remaining(self) -> float:
        """Amount that is not filled, in the base currency, at least 0."""
        return max(0.0, self.quantity - self.filled)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTrade:
    """One trade of ours as the exchange executed it; `trade_id` is unique for its symbol and is booked once.

    Parameters
    ----------
    symbol : str
        Unified symbol.
    trade_id : str
        The exchange's name of the trade; never empty. The same trade has the same one in streams and over REST.
    order_id : str
        The exchange's name of the order.
    client_order_id : str or None
        Our name of the order; None where the exchange's list of trades does not tell (Binance's does not).
    side : {"buy", "sell"}
        Direction.
    quantity : float
        Amount in the base currency, above 0, before any fee.
    price : float
        Price per unit, above 0.
    fee : float
        What was charged, in `fee_currency`; below 0 for a rebate.
    fee_currency : str or None
        In what it was charged: quote, base, or a third coin; None when the exchange does not tell.
    time_ns : int
        Moment of the trade, ns UTC of the exchange's clock.
    is_maker : bool or None
        Whether our order had been waiting; None when the exchange does not tell.
    """

    symbol: str
    trade_id: str
    order_id: str
    client_order_id: str | None
    side: OrderSide
    quantity: float
    price: float
    fee: float
    fee_currency: str | None
    time_ns: int
    is_maker: bool | None
