"""The orders of a session that are on their way or open at the exchange, with their age and where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.panels.formats import duration, price, quantity
from workbench.panels.markup import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.live.open_orders import OpenOrder

__all__ = ["open_orders_table", "unknown_orders_table"]

_COLUMNS: Final = (
    Column("Age"),
    Column("Symbol", is_text=True),
    Column("Side", is_text=True),
    Column("Kind", is_text=True),
    Column("Quantity"),
    Column("Filled"),
    Column("Price"),
    Column("State", is_text=True),
)
_STATES: Final[Mapping[str, Cell]] = {
    "intent": Cell("○ recorded, about to leave", "muted"),
    "sent": Cell("◌ on its way", "muted"),
    "unknown": Cell("▲ unknown: the exchange is being asked", "warning"),
    "acknowledged": Cell("● open at the exchange", "up"),
    "partially_filled": Cell("◐ partly filled", "up"),
}
_NS_PER_S: Final = 1_000_000_000


def open_orders_table(orders: Sequence[OpenOrder], now_ns: int, execution: str) -> Table:
    """Return open orders, newest first.

    Parameters
    ----------
    orders : sequence of OpenOrder
        Oldest first.
    now_ns : int
        Time of the market, ns UTC.
    execution : str
        Who fills: ``"simulated"``, ``"exchange"`` or nothing when it is not known.
    """
    is_simulated = execution == "simulated"
    empty = "No order is open: the simulated exchange fills at the next price" if is_simulated else "No order is open"
    return Table(_COLUMNS, [_row(order, now_ns) for order in reversed(orders)], empty)


def unknown_orders_table() -> Table:
    """Return the table of a session that does not tell."""
    return Table(_COLUMNS, (), "Not known here: the session does not tell; look at the exchange")


def _row(order: OpenOrder, now_ns: int) -> list[Cell]:
    # Whole seconds: a text that changed with every look would be sent with every look.
    age_s = max(0, (now_ns - order.time_ns) // _NS_PER_S)
    what = "exit" if order.is_exit else "entry"
    is_buy = order.side == "buy"
    return [
        Cell(duration(age_s) if age_s else "< 1 s", more=order.client_order_id),
        Cell(order.symbol),
        Cell("▲ BUY" if is_buy else "▼ SELL", "up" if is_buy else "down"),
        Cell(f"{what}, {order.kind}"),
        Cell(quantity(order.quantity)),
        Cell(quantity(order.filled)),
        Cell("any" if order.price is None else price(order.price)),
        _STATES.get(order.status, Cell(f"■ {order.status.replace('_', ' ')}, being booked", "muted")),
    ]
