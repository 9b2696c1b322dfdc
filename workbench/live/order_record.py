"""What an order line writes into the journal of its session: intents before their orders leave, and how each ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import JournalError
from workbench.live.notices import Notice
from workbench.live.order_journal import NoJournal
from workbench.live.order_notes import ended_body, intent_body

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.order_state import Ended, Intent
    from workbench.live.order_journal import OrderJournal

__all__ = ["OrderRecord"]


class OrderRecord:
    """Writes notes of orders; what cannot be written is told, and nobody has to catch anything.

    Parameters
    ----------
    now_ns : callable
        Returns the time of a note that has none of its own, ns UTC.
    tell : callable
        Takes what people should know.
    """

    def __init__(self, now_ns: Callable[[], int], tell: Callable[[Notice], None]) -> None:
        self.journal: OrderJournal = NoJournal()
        self._now_ns = now_ns
        self._tell = tell
        self._unnoted: dict[int, Intent] = {}

    def note(self, kind: str, time_ns: int, body: dict[str, Any]) -> bool:
        """Add a note for the next commit; return whether that worked."""
        try:
            self.journal.note(kind, time_ns or self._now_ns(), body)
        except JournalError as error:
            self._unrecorded(error)
            return False
        return True

    def intent(self, intent: Intent) -> bool:
        """Add the note of an order before it leaves; return whether that worked, and remember it if not."""
        is_noted = self.note("intent", intent.time_ns, intent_body(intent))
        if is_noted:
            self._unnoted.pop(intent.number, None)
        else:
            self._unnoted[intent.number] = intent
        return is_noted

    def has_intent(self, number: int) -> bool:
        """Return whether an order has a note, after trying once more to write one that could not be written."""
        unnoted = self._unnoted.get(number)
        return unnoted is None or self.intent(unnoted)

    def ended(self, number: int, client_order_id: str, ended: Ended) -> None:
        """Add the note of an order that will never be."""
        kind = "refused" if ended.is_rejection else "outcome"
        self.note(kind, 0, ended_body(number, client_order_id, ended.status, ended.reason))

    def doubted(self, number: int, client_order_id: str, reason: str) -> None:
        """Add the note of an order of which nobody can tell."""
        self.note("outcome", 0, ended_body(number, client_order_id, "unknown", reason))

    def commit(self) -> bool:
        """Make everything durable that waits; return whether that worked."""
        try:
            self.journal.commit()
        except JournalError as error:
            self._unrecorded(error)
            return False
        return True

    def _unrecorded(self, error: JournalError) -> None:
        self._tell(Notice(0, "order", f"orders could not be recorded, so that none leaves: {error}", needs_person=True))
