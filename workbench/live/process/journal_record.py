"""A session's journal as the record that its thread writes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from workbench.live.journal import NOTE_KINDS
from workbench.live.journal.ballast import make_ballast

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from workbench.live.journal import Journal, Note
    from workbench.model import Bars

__all__ = ["JournalRecord"]

_NOTICE: Final = "notice"
_ABOUT: Final = "about"


class JournalRecord:
    """Implements `workbench.live.record.SessionRecord` on a journal.

    What a session notes beyond the journal's own kinds is kept as a ``notice`` that says what it is about.

    Parameters
    ----------
    journal : Journal
        Where to.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __len__(self) -> int:
        return len(self._journal)

    @property
    def uncommitted(self) -> int:
        """Rows and notes that a crash would lose."""
        return self._journal.uncommitted

    def put_history(self, bars: Bars | None) -> None:
        """Keep the bars that the indicators were fed before the first row."""
        self._journal.put_history(bars)

    def history(self) -> Bars | None:
        """Return the bars before the first row."""
        return self._journal.history()

    def append(self, events: NDArray[np.void]) -> None:
        """Add rows of `EVENT`."""
        self._journal.append(events)

    def read(self, count: int | None = None) -> NDArray[np.void]:
        """Return the first `count` rows, or all."""
        return self._journal.read(count)

    def note(self, kind: str, time_ns: int, body: Mapping[str, Any]) -> int:
        """Add a note behind the rows so far, and return its number."""
        if kind in NOTE_KINDS:
            return self._journal.note(kind, time_ns, body)
        return self._journal.note(_NOTICE, time_ns, {**body, _ABOUT: kind})

    def notes(self, *kinds: str) -> tuple[Note, ...]:
        """Return the notes of some kinds, or all, oldest first."""
        stored = {kind if kind in NOTE_KINDS else _NOTICE for kind in kinds}
        found = (_as_noted(note) for note in self._journal.notes(*sorted(stored)))
        return tuple(note for note in found if not kinds or note.kind in kinds)

    def commit(self) -> None:
        """Make safe what was added, all of it or nothing; JournalError when it could not be written."""
        self._journal.commit()

    def release_reserve(self) -> None:
        """Give up the room that was set aside for the time when there is none."""
        self._journal.release_ballast()

    def restore_reserve(self) -> None:
        """Set that room aside again, if the disk has it."""
        make_ballast(self._journal.ballast_path)

    def close(self) -> None:
        """Close the journal; what was not committed is gone."""
        self._journal.close()


def _as_noted(note: Note) -> Note:
    """Return a note of the journal as the session wrote it."""
    if note.kind != _NOTICE or _ABOUT not in note.body:
        return note
    body = {name: value for name, value in note.body.items() if name != _ABOUT}
    return replace(note, kind=note.body[_ABOUT], body=body)
