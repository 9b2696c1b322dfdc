"""Orders as a request names them, which spot and perpetuals read alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workbench.exchange.practice.numbers import read_integer
from workbench.exchange.practice.order_entry import read_order
from workbench.exchange.practice.refusals import RefusalError, missing_parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workbench.exchange.practice.orders import PracticeFill, PracticeOrder
    from workbench.exchange.practice.routes import Request
    from workbench.exchange.practice.section import Section
    from workbench.exchange.practice.venue import Venue

__all__ = ["all_orders", "cancel_all", "cancelled", "found_order", "open_orders", "own_fills", "placed"]

_MOST_ROWS: Final = 1_000
_USUAL_ROWS: Final = 500

Kinds = dict[str, tuple[str, bool | None]]


def placed(section: Section, venue: Venue, request: Request, kinds: Kinds) -> PracticeOrder:
    """Place the order that a request asks for, after the second look at the request's age.

    Raises
    ------
    RefusalError
        As for `read_order` and `MatchingEngine.place`, or the request has become too old.
    """
    params = request.params
    symbol = params.get("symbol")
    if not symbol:
        raise missing_parameter("symbol")
    listing = section.listing(symbol)
    if request.receipt is not None:
        venue.guard.check_again(request.receipt)
    wanted = read_order(params, listing, section.book(symbol), kinds, venue.next_client_id())
    return section.engine.place(wanted, venue.now_ms())


def found_order(section: Section, request: Request, *, code: int = -2013, id_names: tuple[str, str]) -> PracticeOrder:
    """Return the order that a request names by the exchange's number or the client's id.

    Parameters
    ----------
    section : Section
        Where to look.
    request : Request
        What names it.
    code : int
        Of the refusal when there is none: -2013 for a question, -2011 for a cancellation.
    id_names : tuple of str
        What number and client id are called.
    """
    symbol = request.params.get("symbol")
    order_id = read_integer(request.params, id_names[0])
    client_id = request.params.get(id_names[1])
    if order_id is None and not client_id:
        raise RefusalError(-1102, f"Param '{id_names[1]}' or '{id_names[0]}' must be sent, but both were empty/null!")
    if symbol is None:
        order = section.engine.find_anywhere(order_id, client_id)
    else:
        order = section.engine.find(section.listing(symbol).symbol, order_id, client_id)
    if order is None:
        raise RefusalError(code, "Order does not exist." if code == -2013 else "Unknown order sent.")  # noqa: PLR2004
    return order


def cancelled(section: Section, venue: Venue, request: Request, *, id_names: tuple[str, str]) -> PracticeOrder:
    """Cancel the order that a request names and return it."""
    order = found_order(section, request, code=-2011, id_names=id_names)
    if venue.faults.strike("filled_before_cancel", f"{order.wanted.symbol} {order.wanted.client_order_id}"):
        section.engine.fill_resting(order, venue.now_ms())
    section.engine.cancel(order, venue.now_ms())
    return order


def cancel_all(section: Section, venue: Venue, request: Request) -> list[PracticeOrder]:
    """Cancel all open orders of a market and return them.

    Raises
    ------
    RefusalError
        There are none.
    """
    orders = section.engine.open_orders(section.listing(request.params.get("symbol")).symbol)
    if not orders:
        raise RefusalError(-2011, "Unknown order sent.")
    for order in orders:
        section.engine.cancel(order, venue.now_ms())
    return orders


def open_orders(section: Section, request: Request) -> list[PracticeOrder]:
    """Return the open orders of a market, or of all."""
    symbol = request.params.get("symbol")
    return section.engine.open_orders(None if symbol is None else section.listing(symbol).symbol)


def all_orders(section: Section, request: Request) -> list[PracticeOrder]:
    """Return the orders of a market, oldest first, as the request bounds them by number, time and count."""
    symbol = section.listing(request.params.get("symbol")).symbol
    of_symbol = [order for order in section.engine.orders.values() if order.wanted.symbol == symbol]
    chosen = _bounded(of_symbol, request, "orderId", lambda order: order.order_id, lambda order: order.created_ms)
    return list(chosen)


def own_fills(section: Section, request: Request) -> list[PracticeFill]:
    """Return the account's fills in a market, oldest first, as the request bounds them by number, time and count."""
    symbol = section.listing(request.params.get("symbol")).symbol
    order_id = read_integer(request.params, "orderId")
    of_symbol = [
        fill
        for fill in section.engine.fills
        if fill.symbol == symbol and (order_id is None or fill.order_id == order_id)
    ]
    return list(_bounded(of_symbol, request, "fromId", lambda fill: fill.trade_id, lambda fill: fill.time_ms))


def _bounded(
    rows: list[Any],
    request: Request,
    id_name: str,
    number: Callable[[Any], int],
    time_ms: Callable[[Any], int],
) -> Iterable[Any]:
    """Return the rows that a request wants: from a number or time on the first, else the last."""
    params = request.params
    first, start, end = (read_integer(params, name) for name in (id_name, "startTime", "endTime"))
    count = max(1, min(read_integer(params, "limit", _USUAL_ROWS) or _USUAL_ROWS, _MOST_ROWS))
    chosen = [
        row
        for row in rows
        if (first is None or number(row) >= first)
        and (start is None or time_ms(row) >= start)
        and (end is None or time_ms(row) <= end)
    ]
    return chosen[-count:] if first is None and start is None else chosen[:count]
