"""Notes: what a session has to remember besides the rows of its events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.errors import JournalError

__all__ = ["NOTE_KINDS", "Note", "StoredNote", "canonical_text", "client_order_id_of", "note_text"]

NOTE_KINDS: Final = frozenset(
    {
        "adjust",
        "breaker",
        "command",
        "finished",
        "hang",
        "intent",
        "notice",
        "order_state",
        "outcome",
        "pause",
        "refused",
        "run",
        "sent",
        "state",
        "trade",
    }
)
"""What a note may be about."""

CLIENT_ORDER_ID: Final = "client_order_id"
_LARGEST_INT: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Note:
    """One note of a journal.

    Attributes
    ----------
    seq : int
        Its number, from 1; the order of notes is that of their numbers, not of their times.
    epoch : int
        Which opening of the journal wrote it, from 1.
    after : int
        How many rows of events came before it.
    kind : str
        One of ``NOTE_KINDS``.
    time_ns : int
        When it was, in the session's time: nanoseconds UTC.
    body : Mapping[str, JSON]
        What there is to say; a copy.
    """

    seq: int
    epoch: int
    after: int
    kind: str
    time_ns: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredNote:
    """A note as it is kept: its body as canonical text."""

    seq: int
    epoch: int
    after: int
    kind: str
    time_ns: int
    text: str
    client_order_id: str | None

    @classmethod
    def of(cls, seq: int, epoch: int, after: int, kind: str, time_ns: int, body: Mapping[str, Any]) -> StoredNote:
        """Return a checked note.

        Raises
        ------
        JournalError
            The kind is unknown, the time is out of range, the body is not JSON, or an intent has no client order id.
        """
        if kind not in NOTE_KINDS:
            raise JournalError(f"kind of a note must be one of {', '.join(sorted(NOTE_KINDS))}, was {kind!r}")
        if type(time_ns) is not int or not -_LARGEST_INT <= time_ns <= _LARGEST_INT:
            raise JournalError(f"time_ns of a note must be an int of nanoseconds UTC in 64 bits, was {time_ns!r}")
        text = canonical_text(body, f"body of a note of kind {kind!r}")
        client_order_id = client_order_id_of(body)
        if kind == "intent" and client_order_id is None:
            raise JournalError(f"{CLIENT_ORDER_ID} of an intent must be a text, was {body.get(CLIENT_ORDER_ID)!r}")
        return cls(seq, epoch, after, kind, time_ns, text, client_order_id)

    def note(self) -> Note:
        """Return the note with its body as an object."""
        return Note(self.seq, self.epoch, self.after, self.kind, self.time_ns, json.loads(self.text))

    @property
    def chain_text(self) -> str:
        """What the chain runs over: everything but number, epoch and wall time."""
        return note_text(self.kind, self.time_ns, self.after, self.text)


def client_order_id_of(body: Mapping[str, Any]) -> str | None:
    """Return the client order id that a note is about, if it is about one."""
    value = body.get(CLIENT_ORDER_ID)
    return value if isinstance(value, str) and value else None


def note_text(kind: str, time_ns: int, after: int, body_text: str) -> str:
    """Return a note as one line of JSON.

    Examples
    --------
    >>> note_text("state", 5, 2, '{"state":"running"}')
    '["state",5,2,{"state":"running"}]'
    """
    return f"[{json.dumps(kind)},{time_ns},{after},{body_text}]"


def canonical_text(value: Mapping[str, Any], what: str) -> str:
    """Return a mapping as JSON that is the same for equal mappings: sorted keys, no blanks, ASCII, exact floats.

    Raises
    ------
    JournalError
        It is no JSON: a key is no text, a number ``nan`` or infinite, or a value of another type. `what` names it.

    Examples
    --------
    >>> canonical_text({"b": 0.1, "a": [None, True]}, "the example")
    '{"a":[null,true],"b":0.1}'
    """
    if not isinstance(value, Mapping):
        raise JournalError(f"{what} must be a mapping, was {type(value).__name__}")
    _check_keys(value, what)
    try:
        return json.dumps(dict(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise JournalError(f"{what} must be JSON (no nan, inf or other objects): {error}") from error


def _check_keys(value: object, what: str) -> None:
    """Refuse keys that JSON would turn into text: what is read must be what was written."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise JournalError(f"{what} must have texts as keys, was {key!r}")
            _check_keys(inner, what)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_keys(inner, what)
