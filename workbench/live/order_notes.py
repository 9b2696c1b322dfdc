"""What a journal keeps of orders: records to bodies of notes and back.

- ``intent``: an `Intent` by its fields; of a cancel ``client_order_id`` (the cancel's own), ``number``, ``symbol``,
  ``kind`` "cancel" and ``cancels``, the number of the order.
- ``sent``: ``client_order_id`` and ``number`` of an order that has left.
- ``order_state``: ``number``, and an `OrderState` by its fields; ``client_order_id`` is ours in any case.
- ``trade``: an `OwnTrade` by its fields; or only ``complete_to_ns``, up to which all own trades are known.
- ``outcome``: ``client_order_id``, ``number``, ``status`` (``unknown``, ``never_arrived``, ``expired``), ``reason``;
  ``refused`` is the same of an order that the exchange did not take.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from workbench.core.order_state import Ended, Intent
from workbench.errors import JournalError
from workbench.exchange import OrderState, OwnTrade

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.live.order_journal import OrderNote
    from workbench.live.report_book import ReportBook
    from workbench.model import ExchangeRequest

__all__ = ["KINDS", "NoteReader", "cancel_body", "ended_body", "intent_body", "state_body", "trade_body"]

KINDS = ("intent", "sent", "order_state", "trade", "outcome", "refused")


def intent_body(intent: Intent) -> dict[str, Any]:
    """Return the body of an intent's note."""
    return asdict(intent)


def cancel_body(request: ExchangeRequest, client_order_id: str) -> dict[str, Any]:
    """Return the body of the intent to cancel an order."""
    return {
        "client_order_id": client_order_id,
        "number": request.number,
        "symbol": request.symbol,
        "kind": "cancel",
        "cancels": request.cancels,
    }


def state_body(number: int, client_order_id: str, state: OrderState) -> dict[str, Any]:
    """Return the body of the note of what the exchange says of an order."""
    return {**asdict(state), "client_order_id": client_order_id, "number": number}


def trade_body(trade: OwnTrade) -> dict[str, Any]:
    """Return the body of a trade's note."""
    return asdict(trade)


def ended_body(number: int, client_order_id: str, status: str, reason: str) -> dict[str, Any]:
    """Return the body of the note of what sending an order came to."""
    return {"client_order_id": client_order_id, "number": number, "status": status, "reason": reason}


class NoteReader:
    """Feeds notes to a book, as what they tell of was fed to one before.

    Parameters
    ----------
    book : ReportBook
        A new one.
    """

    def __init__(self, book: ReportBook) -> None:
        self.complete_to_ns: int | None = None
        # When the oldest request was wanted; 0 while there is none.
        self.begun_ns = 0
        # Numbers of all requests that were recorded, and of the orders that were to be cancelled.
        self.recorded: set[int] = set()
        self.cancelled: set[int] = set()
        self._book = book

    def read(self, note: OrderNote) -> None:
        """Take a note; those of other kinds are left out.

        Raises
        ------
        JournalError
            A note of orders is not as it was written.
        """
        if note.kind not in KINDS:
            return
        try:
            self._read(note.kind, note.body)
            if note.kind == "intent":
                self.begun_ns = min(note.time_ns, self.begun_ns or note.time_ns)
        except (KeyError, TypeError, ValueError) as error:
            raise JournalError(f"note of kind {note.kind!r} is not about an order: {error!r}") from error

    def _read(self, kind: str, body: Mapping[str, Any]) -> None:
        book = self._book
        if kind == "intent":
            self.recorded.add(body["number"])
            if body["kind"] == "cancel":
                self.cancelled.add(body["cancels"])
            else:
                book.expect(Intent(**body))
        elif kind == "sent":
            book.orders.sent(body["number"])
        elif kind == "order_state":
            book.state(body["number"], OrderState(**{name: body[name] for name in body if name != "number"}))
        elif kind == "trade":
            if "complete_to_ns" in body:
                self.complete_to_ns = body["complete_to_ns"]
            else:
                book.trade(OwnTrade(**body))
        elif body["status"] == "unknown":
            book.orders.doubt(body["number"])
        else:
            book.end(body["number"], Ended(body["status"], body["reason"]))
