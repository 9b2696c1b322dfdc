"""What a session keeps of itself so that it can be run again: its inputs and its notes, in memory or in a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from workbench.model import Bars

__all__ = ["RecordedNote", "SessionRecord"]


class RecordedNote(Protocol):
    """One note as it is read back."""

    @property
    def after(self) -> int:
        """How many rows were recorded before it."""

    @property
    def kind(self) -> str:
        """What it is about, such as ``command`` or ``intent``."""

    @property
    def time_ns(self) -> int:
        """Time of the market, ns UTC; 0 when it has none."""

    @property
    def body(self) -> Mapping[str, Any]:
        """What it says; plain values that JSON knows."""


class SessionRecord(Protocol):
    """The inputs of a session's core, rows of `EVENT`, and notes on what happened around them.

    What is added is readable at once, and safe from a crash after `commit`. The session's thread adds and commits; any
    thread reads.
    """

    def __len__(self) -> int:
        """Return the number of rows."""

    @property
    def uncommitted(self) -> int:
        """Rows and notes that a crash would lose."""

    def put_history(self, bars: Bars | None) -> None:
        """Keep the bars that the indicators were fed before the first row."""

    def history(self) -> Bars | None:
        """Return the bars before the first row."""

    def append(self, events: NDArray[np.void]) -> None:
        """Add rows of `EVENT`."""

    def read(self, count: int | None = None) -> NDArray[np.void]:
        """Return the first `count` rows, or all."""

    def note(self, kind: str, time_ns: int, body: Mapping[str, Any]) -> int:
        """Add a note behind the rows so far, and return its number."""

    def notes(self, *kinds: str) -> Sequence[RecordedNote]:
        """Return the notes of some kinds, or all, oldest first."""

    @property
    def keeps_snapshots(self) -> bool:
        """Whether checks on a replay are kept at all."""

    @property
    def is_snapshot_due(self) -> bool:
        """Whether so much was added since the last `snapshot` that it is time for one."""

    def snapshot(self, ledger_hash: str) -> None:
        """Add the hash of the ledger after the rows so far: whoever runs them again can check that it did the same."""

    def snapshots(self) -> Sequence[tuple[int, str]]:
        """Return those checks, oldest first: a number of rows, and the hash of the ledger after them."""

    def commit(self) -> None:
        """Make safe what was added, all of it or nothing.

        Raises
        ------
        JournalError
            It could not be written; it stays to be tried again.
        """

    def release_ballast(self) -> int:
        """Free the room that is kept for a full disk, so that exits can still be recorded; return its bytes."""

    def renew_ballast(self) -> None:
        """Keep such room again."""

    def close(self) -> None:
        """Give back what the record holds."""
