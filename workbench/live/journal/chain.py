"""The hash chain of a journal: which rows and notes it holds, in one number."""

from __future__ import annotations

import hashlib
import json
from typing import Final, Self

from workbench.model import EVENT

__all__ = ["ROW_BYTES", "Chain", "seal"]

ROW_BYTES: Final = EVENT.itemsize
"""Bytes of one row of `EVENT`."""


class Chain:
    """Running digests over rows and over notes.

    Rows and notes have a stream of bytes each, so that neither the cut of rows into commits and chunks nor the moment
    at which a note was made durable matters; a note says itself how many rows came before it. Wall time, epoch and
    the session's id are not part of it: the same inputs give the same hash.
    """

    __slots__ = ("_note_stream", "_row_stream", "notes", "rows")

    def __init__(self) -> None:
        self._row_stream = hashlib.sha256()
        self._note_stream = hashlib.sha256()
        self.rows = 0
        self.notes = 0

    def copy(self) -> Self:
        """Return a chain that goes on from here without changing this one."""
        other = object.__new__(type(self))
        other._row_stream, other._note_stream = self._row_stream.copy(), self._note_stream.copy()
        other.rows, other.notes = self.rows, self.notes
        return other

    def add_rows(self, data: bytes | bytearray) -> None:
        """Go on over whole rows of `EVENT`, as stored."""
        self._row_stream.update(data)
        self.rows += len(data) // ROW_BYTES

    def add_note(self, text: str) -> None:
        """Go on over the canonical text of one note, which has no line break."""
        self._note_stream.update(f"{text}\n".encode())
        self.notes += 1

    @property
    def rows_digest(self) -> bytes:
        """The sha256 of all rows."""
        return self._row_stream.digest()

    @property
    def notes_digest(self) -> bytes:
        """The sha256 of all notes."""
        return self._note_stream.digest()

    def hash(self, history_digest: bytes) -> str:
        """Return the sha256, in hex, over the warm-up bars, the rows and the notes."""
        return hashlib.sha256(history_digest.ljust(32, b"\0") + self.rows_digest + self.notes_digest).hexdigest()


def seal(*values: int | str | bytes) -> bytes:
    """Return the sha256 of values that stand outside the chain, so that a flipped bit in them is seen too.

    Examples
    --------
    >>> seal(1, "a") == seal(1, "a"), seal(1, "a") == seal(2, "a"), seal("ab", "c") == seal("a", "bc")
    (True, False, False)
    """
    text = json.dumps([value.hex() if isinstance(value, bytes) else value for value in values])
    return hashlib.sha256(text.encode()).digest()
