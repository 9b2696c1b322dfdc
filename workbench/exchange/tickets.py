"""One order as it is to be sent, checked before anything else happens."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from workbench.errors import OrderError
from workbench.model.field_checks import FieldChecks, Interval
from workbench.model.orders import ORDER_KINDS, ORDER_SIDES

if TYPE_CHECKING:
    from workbench.model.orders import OrderKind, OrderSide

__all__ = ["TIMES_IN_FORCE", "OrderTicket", "TimeInForce"]

TimeInForce = Literal["gtc", "ioc", "fok", "post_only"]

TIMES_IN_FORCE: Final[tuple[TimeInForce, ...]] = ("gtc", "ioc", "fok", "post_only")
"""How long an order may wait: until cancelled; fill what you can now; all now or nothing; only as the maker."""

_POSITIVE: Final = Interval(0.0, math.inf)
# What every exchange of note takes as a client id; the strictest are 36 (Binance) and 32 (OKX) characters long.
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTicket:
    """One order as it is to be sent, with the name by which it can be asked for ever after.

    Parameters
    ----------
    client_order_id : str
        Our own name of the order, unique for the account: 1 to 32 of ``A-Z a-z 0-9 _ -``; OKX takes letters and digits
        only. An exchange may take the same name again once its order is filled, so never send a ticket twice: ask for
        it.
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
