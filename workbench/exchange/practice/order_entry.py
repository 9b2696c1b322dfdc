"""From the parameters of a request to an order that its market's filters let through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from workbench.exchange.practice.numbers import EXACT, ZERO, read_decimal
from workbench.exchange.practice.orders import NewOrder, Side
from workbench.exchange.practice.refusals import RefusalError, missing_parameter

if TYPE_CHECKING:
    from decimal import Decimal

    from workbench.exchange.practice.book import Book
    from workbench.exchange.practice.listing import Listing

__all__ = ["PERPETUAL_KINDS", "SPOT_KINDS", "read_order"]

# Binance's word -> what the order is once it works, and whether it waits for a stop (True) or a target (False).
SPOT_KINDS: Final[dict[str, tuple[str, bool | None]]] = {
    "LIMIT": ("LIMIT", None),
    "LIMIT_MAKER": ("LIMIT_MAKER", None),
    "MARKET": ("MARKET", None),
    "STOP_LOSS": ("MARKET", True),
    "STOP_LOSS_LIMIT": ("LIMIT", True),
    "TAKE_PROFIT": ("MARKET", False),
    "TAKE_PROFIT_LIMIT": ("LIMIT", False),
}
"""The order types of spot."""

PERPETUAL_KINDS: Final[dict[str, tuple[str, bool | None]]] = {
    "LIMIT": ("LIMIT", None),
    "MARKET": ("MARKET", None),
    "STOP": ("LIMIT", True),
    "STOP_MARKET": ("MARKET", True),
    "TAKE_PROFIT": ("LIMIT", False),
    "TAKE_PROFIT_MARKET": ("MARKET", False),
}
"""The order types of perpetuals."""

_CLIENT_ID: Final = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_NEVER_OFFERED: Final = (
    "trailingDelta",
    "icebergQty",
    "closePosition",
    "callbackRate",
    "activationPrice",
    "activatePrice",
    "priceMatch",
)
_TIMES_IN_FORCE: Final = frozenset({"GTC", "IOC", "FOK", "GTX"})


def read_order(
    params: dict[str, str], listing: Listing, book: Book, kinds: dict[str, tuple[str, bool | None]], default_id: str
) -> NewOrder:
    """Return the order that a request asks for.

    Parameters
    ----------
    params : dict of str to str
        The parameters as they came.
    listing : Listing
        The market.
    book : Book
        What the market offers now, for orders in the quote and for the price filter.
    kinds : dict
        `SPOT_KINDS` or `PERPETUAL_KINDS`.
    default_id : str
        Client id of an order that came without one.

    Raises
    ------
    RefusalError
        A parameter is missing, has nonsense in it, or breaks a filter.
    """
    _check_offered(params, listing)
    side = _read_side(params)
    wire_kind = params.get("type", "")
    if wire_kind not in kinds:
        raise RefusalError(-1116, "Invalid orderType.")
    kind, is_stop = kinds[wire_kind]
    client_order_id = params.get("newClientOrderId", default_id)
    if _CLIENT_ID.fullmatch(client_order_id) is None:
        legal = "^[\\.A-Z\\:/a-z0-9_-]{1,36}$"
        raise RefusalError(
            -1100, f"Illegal characters found in parameter 'newClientOrderId'; legal range is '{legal}'."
        )
    price = _read_price(params, listing, book) if kind != "MARKET" else None
    stop_price = None
    if is_stop is not None:
        stop_price = read_decimal(params, "stopPrice")
        if stop_price is None:
            raise missing_parameter("stopPrice")
        listing.check_price(stop_price, "stopPrice")
    quantity, quote_quantity = _read_quantity(params, listing, book, side, kind)
    reduce_only = params.get("reduceOnly", "false").lower() == "true"
    if not (reduce_only and listing.is_perpetual):  # what is left of a position can always be closed
        listing.check_notional(quantity, price or stop_price or book.last)
    time_in_force = _read_time_in_force(params, listing, kind)
    return NewOrder(
        symbol=listing.symbol,
        client_order_id=client_order_id,
        side=side,
        kind="LIMIT_MAKER" if time_in_force == "GTX" else kind,
        wire_kind=wire_kind,
        time_in_force=time_in_force,
        quantity=quantity,
        quote_quantity=quote_quantity,
        price=price,
        stop_price=stop_price,
        # A stop sells below and buys above; a target sells above and buys below.
        triggers_below=(side == "SELL") == bool(is_stop),
        reduce_only=reduce_only,
    )


def _check_offered(params: dict[str, str], listing: Listing) -> None:
    """Refuse what is not offered, rather than take an order and leave half of what it says undone."""
    refused = _NEVER_OFFERED if listing.is_perpetual else (*_NEVER_OFFERED, "reduceOnly")
    for name in refused:
        if params.get(name, "false").lower() != "false":
            raise RefusalError(-1106, f"Parameter '{name}' sent when not required.")
    if params.get("positionSide", "BOTH") != "BOTH":
        raise RefusalError(-4061, "Order's position side does not match user's setting.")


def _read_side(params: dict[str, str]) -> Side:
    side = params.get("side")
    if not side:
        raise missing_parameter("side")
    if side not in {"BUY", "SELL"}:
        raise RefusalError(-1117, "Invalid side.")
    return cast("Side", side)


def _read_price(params: dict[str, str], listing: Listing, book: Book) -> Decimal:
    price = read_decimal(params, "price")
    if price is None:
        raise missing_parameter("price")
    listing.check_price(price)
    listing.check_distance(price, book.last)
    return price


def _read_time_in_force(params: dict[str, str], listing: Listing, kind: str) -> str:
    time_in_force = params.get("timeInForce")
    if time_in_force is None:
        if kind == "LIMIT":
            raise missing_parameter("timeInForce")
        return "GTC"
    if time_in_force not in _TIMES_IN_FORCE or (time_in_force == "GTX" and not listing.is_perpetual):
        raise RefusalError(-1115, "Invalid timeInForce.")
    return time_in_force


def _read_quantity(
    params: dict[str, str], listing: Listing, book: Book, side: Side, kind: str
) -> tuple[Decimal, Decimal]:
    """Return the quantity in the base, and the amount in the quote if the order was given in it."""
    quantity = read_decimal(params, "quantity")
    if quantity is not None:
        listing.check_quantity(quantity)
        return quantity, ZERO
    spend = read_decimal(params, "quoteOrderQty")
    if spend is None or kind != "MARKET":
        raise missing_parameter("quantity")
    left, coins = spend, ZERO
    for price, offered in book.levels(side):
        part = min(offered, listing.lot * (EXACT.divide(left, price) // listing.lot))
        coins += part
        left -= EXACT.multiply(part, price)
        if part < offered:
            break
    listing.check_quantity(coins)
    return coins, spend
