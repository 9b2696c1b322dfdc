"""The course of orders as the notes of a journal tell it: recorded, sent, answered, traded, ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workbench.live.order_notes import KINDS
from workbench.live.order_story import Moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.live.record import RecordedNote

__all__ = ["OrderCourse"]

_ENDS: Final = ("outcome", "refused")
_WHAT: Final = {"order_state": "answer"}


class OrderCourse:
    """What notes say of orders; without notes, as of a session in memory, nothing.

    Parameters
    ----------
    notes : sequence of RecordedNote
        All of them, oldest first.
    """

    def __init__(self, notes: Sequence[RecordedNote]) -> None:
        self._notes = [note for note in notes if note.kind in KINDS]
        intents = [note.body for note in self._notes if note.kind == "intent"]
        self._names: dict[int, str] = {body["number"]: body["client_order_id"] for body in intents}

    def number_of(self, client_order_id: str) -> int | None:
        """Return the number of the request of this name."""
        return next((number for number, name in self._names.items() if name == client_order_id), None)

    def name_of(self, number: int | None) -> str | None:
        """Return the client order id of a request."""
        return None if number is None else self._names.get(number)

    def ended(self, number: int) -> str | None:
        """Return why an order ended without the exchange's having carried it out, or that nobody knows."""
        ends = [note.body for note in self._notes if note.kind in _ENDS and note.body["number"] == number]
        if not ends:
            return None
        return f"{ends[-1]['status'].replace('_', ' ')}: {ends[-1]['reason']}"

    def moments(self, number: int) -> tuple[Moment, ...]:
        """Return the course of one order as it was recorded; the exchange's own moments are by its clock."""
        names = {self._names.get(number)}
        order_ids = {
            note.body["order_id"]
            for note in self._notes
            if note.kind == "order_state" and note.body["number"] == number
        }
        return tuple(
            Moment(note.time_ns, _WHAT.get(note.kind, note.kind), _text(note.kind, note.body))
            for note in self._notes
            if _is_about(note.kind, note.body, number, names, order_ids)
        )


def _is_about(kind: str, body: Mapping[str, Any], number: int, names: set[str | None], order_ids: set[str]) -> bool:
    if kind == "trade":
        return "complete_to_ns" not in body and (
            body["order_id"] in order_ids or (body["client_order_id"] is not None and body["client_order_id"] in names)
        )
    return bool(body["number"] == number or (kind == "intent" and body.get("cancels") == number))


def _text(kind: str, body: Mapping[str, Any]) -> str:
    if kind == "intent":
        if body["kind"] == "cancel":
            return f"to cancel order {body['cancels']}"
        price = "" if body["price"] is None else f" at {body['price']:.10g}"
        order = f"{body['kind']} {body['side']} {body['quantity']:.10g}{price}"
        return f"{order}, {body['time_in_force']}, recorded before it left"
    if kind == "sent":
        return "left for the exchange"
    if kind == "order_state":
        return f"{body['status'].replace('_', ' ')}, {body['filled']:.10g} of {body['quantity']:.10g} filled"
    if kind == "trade":
        fee = f"fee {body['fee']:.10g} {body['fee_currency'] or ''}".rstrip()
        return f"{body['quantity']:.10g} at {body['price']:.10g}, {fee}"
    return f"{body['status'].replace('_', ' ')}: {body['reason']}"
