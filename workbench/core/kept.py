"""What a run keeps of its log and its trace: all of it, or the newest rows and the hash of all."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.core.ledger import MARK_ROWS, new_trace, table_bytes
from workbench.core.records import FILL_ROW, LOG

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Table = NDArray[np.void]

_FIRST_TRACE_ROWS: Final = 256
_MARK_BYTES: Final = 8


class KeptLog:
    """The log of a run in pieces; of one that keeps only its newest rows, older pieces leave their hash.

    Parameters
    ----------
    kept : int, optional
        How many rows to keep at least; default all.
    """

    def __init__(self, kept: int | None) -> None:
        self._kept = kept
        self._pieces: list[Table] = []
        self._held = 0
        self._digest = hashlib.sha256()
        self.rows = 0
        """Rows that ever came."""
        self.fills = 0
        """Fills among them."""

    def extend(self, pieces: list[Table]) -> None:
        """Take more rows; they are final."""
        for piece in pieces:
            if len(piece):
                self._digest.update(table_bytes(piece))
                self._pieces.append(piece)
                self._held += len(piece)
                self.rows += len(piece)
                self.fills += int(np.count_nonzero(piece["kind"] == FILL_ROW))
        if self._kept is not None and self._held > 2 * self._kept:
            # A copy: a view would hold on to the rows that are to go.
            self._pieces = [self.table()[-self._kept :].copy()]
            self._held = self._kept

    def table(self) -> Table:
        """Return the rows that are kept."""
        if len(self._pieces) != 1:
            # Many small pieces would be joined again and again.
            self._pieces = [np.concatenate(self._pieces) if self._pieces else np.zeros(0, LOG)]
        return self._pieces[0]

    def digest(self) -> bytes:
        """Return the hash of all rows that ever came."""
        return self._digest.digest()


class KeptTrace:
    """The trace of a run; of one that keeps only its newest rows, older ones leave their hash.

    Parameters
    ----------
    kept : int, optional
        How many rows to keep at least; default all.
    """

    def __init__(self, kept: int | None) -> None:
        self._kept = kept
        self._digest = hashlib.sha256()
        self._marks = bytearray()
        self.buffer = new_trace(_FIRST_TRACE_ROWS if kept is None else 2 * kept)
        """Where the compiled loop writes."""
        self.dropped = 0
        """Rows that are not kept any more."""
        self.peak = -math.inf
        """The highest equity among them, quote currency."""

    def make_room(self, taken: int, rows: int) -> int:
        """Make room for more `rows` behind those that are `taken`, and return how many of those are left."""
        if taken + rows <= len(self.buffer):
            return taken
        if self._kept is not None and taken > self._kept:
            taken -= self._drop(taken - self._kept, taken)
        if taken + rows > len(self.buffer):
            grown = new_trace(max(2 * len(self.buffer), taken + rows))
            grown[:taken] = self.buffer[:taken]
            self.buffer = grown
        return taken

    def digest(self, taken: int) -> bytes:
        """Return the hash of all rows that ever came, `taken` of them in the buffer."""
        whole = self._digest.copy()
        whole.update(table_bytes(self.buffer[:taken]))
        return whole.digest()

    def marks(self) -> tuple[bytes, ...]:
        """Return the beginning of the hash after each so many dropped rows."""
        return tuple(bytes(self._marks[at : at + _MARK_BYTES]) for at in range(0, len(self._marks), _MARK_BYTES))

    def _drop(self, count: int, taken: int) -> int:
        """Take the oldest rows into the hash, move the others to the front, and return how many went."""
        begin = 0
        while begin < count:
            # A mark stands at whole multiples of the run's rows, wherever the buffer begins.
            end = min(count, begin + MARK_ROWS - self.dropped % MARK_ROWS)
            self._digest.update(table_bytes(self.buffer[begin:end]))
            self.dropped += end - begin
            if self.dropped % MARK_ROWS == 0:
                self._marks += self._digest.digest()[:_MARK_BYTES]
            begin = end
        self.peak = max(self.peak, float(self.buffer["equity"][:count].max()))
        self.buffer[: taken - count] = self.buffer[count:taken].copy()
        self.buffer[taken - count :] = np.zeros((), self.buffer.dtype)
        return count


def marks_of(trace: Table) -> tuple[bytes, ...]:
    """Return the marks that a run with this whole `trace` leaves: the hash after each so many rows."""
    digest = hashlib.sha256()
    marks = []
    for end in range(MARK_ROWS, len(trace) + 1, MARK_ROWS):
        digest.update(table_bytes(trace[end - MARK_ROWS : end]))
        marks.append(digest.digest()[:_MARK_BYTES])
    return tuple(marks)
