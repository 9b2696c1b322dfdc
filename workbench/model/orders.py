"""From the wish to trade to the trade: requests, accepted orders, fills, and refusals by the risk review."""

from dataclasses import dataclass, field
from typing import Final, Literal

from workbench.errors import OrderError
from workbench.model.field_checks import FieldChecks, Interval
from workbench.model.times import is_plausible_time_ns

__all__ = [
    "ORDER_KINDS",
    "ORDER_SIDES",
    "ORDER_STATUSES",
    "BreakerTrip",
    "Denied",
    "ExchangeRequest",
    "Fill",
    "Order",
    "OrderKind",
    "OrderRequest",
    "OrderSide",
    "OrderStatus",
]

OrderSide = Literal["buy", "sell"]
OrderKind = Literal["market", "limit", "stop"]
OrderStatus = Literal["pending", "accepted", "partly_filled", "filled", "cancelled", "expired", "rejected", "unknown"]

ORDER_SIDES: Final[tuple[OrderSide, ...]] = ("buy", "sell")
"""The two sides of an order."""

ORDER_KINDS: Final[tuple[OrderKind, ...]] = ("market", "limit", "stop")
"""The kinds of orders; a stop becomes a market order once the price has crossed its level."""

ORDER_STATUSES: Final[tuple[OrderStatus, ...]] = (
    "pending",
    "accepted",
    "partly_filled",
    "filled",
    "cancelled",
    "expired",
    "rejected",
    "unknown",
)
"""What an order may be: ``rejected`` is the exchange's no, ``unknown`` means that nobody can tell yet."""

_POSITIVE: Final = Interval(0.0, float("inf"))


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A wanted trade, before the risk review.

    Parameters
    ----------
    symbol : str
        The instrument's symbol.
    side : {"buy", "sell"}
        Direction of the trade, whatever the position.
    quantity : float
        Amount in the base currency, finite and above 0; the sign is in ``side``.
    kind : {"market", "limit", "stop"}
        How it is to be filled.
    price : float or None
        Level of a limit or stop order, finite and above 0; ``None`` for a market order.
    time_ns : int
        Moment of the decision, nanoseconds UTC.
    reason : str, default "signal"
        Why: ``signal`` or one of the exit reasons.
    reduce_only : bool, default False
        Whether it may only make the position smaller.

    Raises
    ------
    OrderError
        Any field is out of its range; the message names them all.

    Examples
    --------
    >>> OrderRequest("BTC/USDT", "buy", 0.5, "market", None, 1_735_689_600_000_000_000).reduce_only
    False
    >>> OrderRequest("BTC/USDT", "buy", -1.0, "limit", None, 1_735_689_600_000_000_000)
    Traceback (most recent call last):
        ...
    workbench.errors.OrderError: quantity must be in (0, inf), was -1.0;
    price of a limit order must be in (0, inf), was None
    """

    symbol: str
    side: OrderSide
    quantity: float
    kind: OrderKind
    price: float | None
    time_ns: int
    reason: str = "signal"
    reduce_only: bool = False

    def __post_init__(self) -> None:
        """Check every field."""
        checks = FieldChecks()
        checks.is_name("symbol", self.symbol)
        checks.is_one_of("side", self.side, ORDER_SIDES)
        checks.in_interval("quantity", self.quantity, _POSITIVE)
        checks.is_one_of("kind", self.kind, ORDER_KINDS)
        if self.kind == "market":
            checks.require("price of a market order", self.price, "be None", is_met=self.price is None)
        else:
            checks.in_interval(f"price of a {self.kind} order", self.price, _POSITIVE)
        checks.require(
            "time_ns",
            self.time_ns,
            "be nanoseconds UTC of the years 2009 to 2099",
            is_met=is_plausible_time_ns(self.time_ns),
        )
        checks.raise_if_any(OrderError)


@dataclass(frozen=True, slots=True)
class ExchangeRequest:
    """What the core wants an exchange to do: an order that passed the review, or the cancel of one.

    Parameters
    ----------
    number : int
        Running number within the session, from 0; what the exchange reports of it carries the same.
    symbol : str
        The instrument's symbol.
    side : {"buy", "sell"}
        Direction.
    quantity : float
        Amount in the base currency, above 0, a multiple of the lot.
    kind : {"market", "limit", "stop", "cancel"}
        What to send. A stop of an exit has been crossed already, so that it goes out as a market order.
    price : float
        Level of a limit or stop, event price of a market order; of a cancel the number of the order to cancel.
    time_ns : int
        Moment of the decision, nanoseconds UTC.
    reason : str
        Why: ``signal`` or one of the exit reasons.
    is_exit : bool
        Whether it makes the position smaller.
    may_rest : bool
        Whether it may wait in the book; otherwise what is not filled at once is not wanted.
    """

    number: int
    symbol: str
    side: OrderSide
    quantity: float
    kind: Literal["market", "limit", "stop", "cancel"]
    price: float
    time_ns: int
    reason: str
    is_exit: bool
    may_rest: bool

    @property
    def cancels(self) -> int | None:
        """Number of the order to cancel; None for an order."""
        return int(self.price) if self.kind == "cancel" else None


@dataclass(frozen=True, slots=True)
class Order(OrderRequest):
    """A request that passed the review and has a name of its own.

    Parameters
    ----------
    symbol, side, quantity, kind, price, time_ns, reason, reduce_only
        As for ``OrderRequest``.
    order_id : str
        Unique within its session.
    status : str, default "pending"
        One of ``ORDER_STATUSES``.

    Raises
    ------
    OrderError
        Any field is out of its range.
    """

    order_id: str = field(kw_only=True)
    status: OrderStatus = field(default="pending", kw_only=True)

    def __post_init__(self) -> None:
        """Check every field."""
        OrderRequest.__post_init__(self)
        checks = FieldChecks()
        checks.is_name("order_id", self.order_id)
        checks.is_one_of("status", self.status, ORDER_STATUSES)
        checks.raise_if_any(OrderError)


@dataclass(frozen=True, slots=True)
class Fill:
    """An executed trade, as the core booked it.

    Parameters
    ----------
    sequence : int
        Number of the fill in its session or backtest, from 0.
    symbol : str
        The instrument's symbol.
    side : {"buy", "sell"}
        Direction of the trade.
    quantity : float
        Amount in the base currency, above 0.
    price : float
        Price per unit, slippage included.
    fee : float
        Fee in the quote currency, at least 0.
    time_ns : int
        Moment of the price event that filled it, nanoseconds UTC.
    reason : str
        ``signal`` for a strategy's own trade, else the exit reason.
    is_maker : bool
        Whether the maker fee applied.
    """

    sequence: int
    symbol: str
    side: OrderSide
    quantity: float
    price: float
    fee: float
    time_ns: int
    reason: str
    is_maker: bool

    @property
    def notional(self) -> float:
        """Quantity times price, in the quote currency, without the fee."""
        return self.quantity * self.price

    @property
    def signed_quantity(self) -> float:
        """Quantity, negative for a sale."""
        return self.quantity if self.side == "buy" else -self.quantity


@dataclass(frozen=True, slots=True)
class Denied:
    """An order that our own risk review refused: a value and no exception, as being refused is part of normal trading.

    Parameters
    ----------
    symbol : str
        The instrument's symbol.
    rule : str
        Name of the rule, such as ``max_order_notional``.
    limit : float
        What the rule allows.
    value : float
        What the order asked for.
    time_ns : int
        Moment of the review, nanoseconds UTC.
    side : {"buy", "sell"}
        Direction of the refused order.
    quantity : float
        Amount of the refused order in the base currency.
    """

    symbol: str
    rule: str
    limit: float
    value: float
    time_ns: int
    side: OrderSide
    quantity: float


@dataclass(frozen=True, slots=True)
class BreakerTrip:
    """A breaker that tripped: positions are flattened and entries halted until a ``clear_breaker`` command.

    Parameters
    ----------
    rule : str
        Name of the breaker, such as ``max_drawdown``.
    limit : float
        The fraction at which it trips.
    value : float
        The fraction that was reached.
    time_ns : int
        Moment of the mark that tripped it, nanoseconds UTC.
    """

    rule: str
    limit: float
    value: float
    time_ns: int
