"""Which orders may be open at an exchange, by the notes of a session alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.reports import RESTING_STOPS
from workbench.errors import JournalError
from workbench.live.order_notes import NoteReader
from workbench.live.report_book import ReportBook
from workbench.model import Instrument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.order_state import Intent
    from workbench.live.order_journal import OrderNote

__all__ = ["left_orders"]


def left_orders(notes: Sequence[OrderNote]) -> tuple[Intent, ...]:
    """Return the orders of which the notes do not say that they have ended, by number.

    One that was seen open after its end is among them. A stop that protects a position is to rest, and so is not.

    Raises
    ------
    JournalError
        A note of orders is not as it was written.
    """
    try:
        symbols = {note.body["symbol"] for note in notes if note.kind == "intent" and note.body["kind"] != "cancel"}
        book = ReportBook(tuple(Instrument.of(symbol) for symbol in sorted(symbols)))
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"an intent is not as it was written: {error!r}") from error
    reader = NoteReader(book)
    for note in notes:
        reader.read(note)
    alive = [order for order in book.orders.take_doubtful() if order.is_open]
    left = {order.intent.number: order.intent for order in (*book.orders.unfinished(), *alive)}
    return tuple(left[number] for number in sorted(left) if number < RESTING_STOPS)
