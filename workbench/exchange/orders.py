"""What goes to an exchange as an order and what comes back: a ticket, one of three outcomes, states and own trades."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from workbench.errors import OrderError
from workbench.model.field_checks import FieldChecks, Interval
from workbench.model.orders import ORDER_KINDS, ORDER_SIDES

if TYPE_CHECKING:
    from workbench.model.orders import OrderKind, OrderSide, OrderStatus

__all__ = [
    "TIMES_IN_FORCE",
    "UNKNOWN_CAUSES",
    "Accepted",
    "OrderOutcome",
    "OrderState",
    "OrderTicket",
    "OwnTrade",
    "Refused",
    "TimeInForce",
    "Unknown",
    "UnknownCause",
]

TimeInForce = Literal["gtc", "ioc", "fok", "post_only"]
UnknownCause = Literal["timeout", "connection", "server_error", "bad_answer", "unclear_refusal"]

TIMES_IN_FORCE: Final[tuple[TimeInForce, ...]] = ("gtc", "ioc", "fok", "post_only")
"""How long an order may wait: until cancelled; fill what you can now; all now or nothing; only as the maker."""

UNKNOWN_CAUSES: Final[tuple[UnknownCause, ...]] = (
    "timeout",
    "connection",
    "server_error",
    "bad_answer",
    "unclear_refusal",
)
"""Why nobody can tell what an order did: no answer in time; the line broke; the server's own error (5xx); an answer
that is no order (no JSON, no id, cut off, too large); or a refusal that is not on the short list of definite ones."""

_POSITIVE: Final = Interval(0.0, math.inf)
# What every exchange of note takes as a client id; the strictest are 36 (Binance) and 32 (OKX) characters long.
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTicket:
    """One order as it is to be sent, with the name by which it can be asked for ever after.

    Parameters
    ----------
    client_order_id : str
        Our own name of the order, unique for the account: 1 to 32 of ``A-Z a-z 0-9 _ -``. An exchange may take the same
        name again once its order is filled, so never send a ticket twice: ask for it.
    symbol : str
        Unified symbol, such as ``"BTC/USDT"``.
    side : {"buy", "sell"}
        Direction.
    quantity : float
        Amount in the base currency, finite and above 0. It is rounded down to the lot at the door.
    kind : {"market", "limit", "stop"}, default "market"
        A stop becomes a market order once the price has crossed its level.
    price : float or None, default None
        Level of a limit or stop, finite and above 0; None for a market order. A limit is rounded so that it never pays
        more or takes less, a stop against us.
    time_in_force : {"gtc", "ioc", "fok", "post_only"}, default "gtc"
        Only a limit order may have another than ``gtc``.
    reduce_only : bool, default False
        Whether it may only make a perpetual's position smaller; ignored for spot, which has no such flag.
    is_exit : bool, default False
        Whether it makes the position smaller, so that it goes before entries when calls are rationed.

    Raises
    ------
    OrderError
        Any field is out of its range or of a wrong type; the message names them all.

    Examples
    --------
    >>> OrderTicket(client_order_id="wb-1", symbol="BTC/USDT", side="buy", quantity=0.5).kind
    'market'
    >>> OrderTicket(client_order_id="wb 1", symbol="BTC/USDT", side="buy", quantity=-0.5)
    Traceback (most recent call last):
        ...
    workbench.errors.OrderError: client_order_id must be 1 to 32 of A-Z a-z 0-9 _ -, was 'wb 1';
    quantity must be in (0, inf), was -0.5
    """

    client_order_id: str
    symbol: str
    side: OrderSide
    quantity: float
    kind: OrderKind = "market"
    price: float | None = None
    time_in_force: TimeInForce = "gtc"
    reduce_only: bool = False
    is_exit: bool = False

    def __post_init__(self) -> None:
        """Check every field."""
        checks = FieldChecks()
        name = self.client_order_id
        is_name = isinstance(name, str) and _CLIENT_ID.fullmatch(name) is not None
        checks.require("client_order_id", name, "be 1 to 32 of A-Z a-z 0-9 _ -", is_met=is_name)
        checks.is_name("symbol", self.symbol)
        checks.is_one_of("side", self.side, ORDER_SIDES)
        checks.in_interval("quantity", self.quantity, _POSITIVE)
        checks.is_one_of("kind", self.kind, ORDER_KINDS)
        if self.kind == "market":
            checks.require("price of a market order", self.price, "be None", is_met=self.price is None)
        else:
            checks.in_interval(f"price of a {self.kind} order", self.price, _POSITIVE)
        checks.is_one_of("time_in_force", self.time_in_force, TIMES_IN_FORCE)
        if self.kind != "limit":
            only = f"be 'gtc' for a {self.kind} order"
            checks.require("time_in_force", self.time_in_force, only, is_met=self.time_in_force == "gtc")
        checks.require("reduce_only", self.reduce_only, "be a bool", is_met=isinstance(self.reduce_only, bool))
        checks.require("is_exit", self.is_exit, "be a bool", is_met=isinstance(self.is_exit, bool))
        checks.raise_if_any(OrderError)


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


@dataclass(frozen=True, slots=True)
class Accepted:
    """The exchange has the order, or has taken the cancel.

    Parameters
    ----------
    order : OrderState
        The order as the exchange answered. After a cancel it may be filled in part.
    was_adopted : bool, default False
        Whether the answer was "duplicate" and the order was then found by its client id: it is ours, sent before.
    """

    order: OrderState
    was_adopted: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Definitely no: nothing was executed, and this ticket will never be.

    Parameters
    ----------
    reason : str
        Why, in words; never a secret.
    code : str
        The exchange's own code (``"-2010"``), or a word of ours: ``lot``, ``min_quantity``, ``max_quantity``,
        ``price``, ``min_notional``, ``order_kind``, ``market_closed``, ``rate_limit``, ``auth``, ``nonce``,
        ``insufficient_funds``, ``not_found``, ``never_arrived``, ``expired``, ``invalid_order``.
    was_sent : bool, default True
        Whether the exchange said it; False when it was refused at our own door.
    """

    reason: str
    code: str
    was_sent: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell yet: the order may have been executed, may still be, or may never have arrived.

    Never send it again. Ask by client id; "not found" counts only from `closes_ns` on.

    Parameters
    ----------
    cause : str
        One of ``UNKNOWN_CAUSES``.
    reason : str
        What happened, in words; never a secret.
    sent_ns : int
        When the request left, ns UTC of the exchange's clock as we know it.
    closes_ns : int or None
        Exchange time from which on the request can no longer be accepted, ns UTC: what is not found after it never
        arrived. None when the exchange has no such rule, so that only a person can decide.
    """

    cause: UnknownCause
    reason: str
    sent_ns: int
    closes_ns: int | None


OrderOutcome: TypeAlias = Accepted | Refused | Unknown
"""What placing or cancelling an order came to."""
