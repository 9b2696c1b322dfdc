"""Which orders of a session may be open at the exchange although no process looks after them, by its journal alone."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from workbench.errors import JournalError
from workbench.live.journal import JournalReader
from workbench.live.left_orders import left_orders
from workbench.live.order_notes import KINDS
from workbench.live.process.record import CRASHED, FINISHED

if TYPE_CHECKING:
    from workbench.core.order_state import Intent
    from workbench.live.process.folders import SessionFolder
    from workbench.live.process.record import ProcessRecord

__all__ = ["NOT_STOPPED", "has_traded", "orders_left", "record_of_end"]

NOT_STOPPED: Final = "not stopped yet"
"""How the reason of a session begins that was to stop and has left orders at the exchange."""

_MOST_NAMED: Final = 10


def orders_left(folder: SessionFolder) -> tuple[str, ...]:
    """Return the orders of which the journal does not say that they have ended, in words; see `left_orders`.

    Of a journal that cannot be read nothing is known, which is said in the place of orders.
    """
    if not folder.journal.is_file():
        return ()
    try:
        return tuple(_text(intent) for intent in left_orders(JournalReader(folder.journal).notes(*KINDS)))
    except JournalError as error:
        return (f"orders of which nobody knows, for the journal cannot be read ({error})",)


def has_traded(folder: SessionFolder) -> bool:
    """Return whether orders of a session may have left, whatever became of them; a journal that is damaged hides it."""
    if not folder.journal.is_file():
        return False
    try:
        return bool(JournalReader(folder.journal).notes("intent"))
    except JournalError:
        return True


def record_of_end(folder: SessionFolder, record: ProcessRecord, what: str, reason: str) -> ProcessRecord:
    """Return what is to be written of a session that a person has ended.

    Parameters
    ----------
    folder : SessionFolder
        Where it is.
    record : ProcessRecord
        What was written before.
    what : {"stop", "kill"}
        What was asked. A stop has not ended a session of which orders may be open; a kill leaves them as they are.
    reason : str
        How it ended; with a state before a colon, or none.
    """
    left = orders_left(folder)
    phase = FINISHED
    if left:
        more = "" if len(left) <= _MOST_NAMED else f" and {len(left) - _MOST_NAMED} more"
        reason += f"; may be open at the exchange: {', '.join(left[:_MOST_NAMED])}{more}"
        if what != "kill":
            phase = CRASHED
            again = f"`workbench stop {folder.name}` tries again to cancel them, `workbench kill {folder.name}`"
            reason = f"{NOT_STOPPED} ({reason}); {again} leaves them there"
    return replace(record, phase=phase, reason=reason, time_s=time.time())


def _text(intent: Intent) -> str:
    price = "" if intent.price is None else f" at {intent.price:.10g}"
    return f"{intent.kind} {intent.side} {intent.quantity:.8g} {intent.symbol}{price} ({intent.client_order_id})"
