"""What a journal has been told and has not yet made durable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.live.journal.stored import STORED_EVENT
from workbench.model import EVENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.live.journal.note import StoredNote
    from workbench.live.journal.stored_bars import StoredBars

__all__ = ["Buffer"]


class Buffer:
    """Rows, notes, snapshots and warm-up bars that wait for the next commit."""

    __slots__ = ("_parts", "history", "intents", "notes", "rows", "snapshots")

    def __init__(self) -> None:
        self._parts: list[NDArray[np.void]] = []
        self.rows = 0
        self.notes: list[StoredNote] = []
        self.intents: set[str] = set()
        self.snapshots: list[tuple[int, str]] = []
        self.history: StoredBars | None = None

    def __len__(self) -> int:
        return self.rows + len(self.notes) + len(self.snapshots) + (self.history is not None)

    def add_rows(self, events: NDArray[np.void]) -> None:
        """Keep a copy of rows of `EVENT`."""
        if len(events):
            self._parts.append(np.array(events, dtype=EVENT))
            self.rows += len(events)

    def add_note(self, note: StoredNote) -> None:
        """Keep a note."""
        self.notes.append(note)
        if note.kind == "intent" and note.client_order_id is not None:
            self.intents.add(note.client_order_id)

    def events(self) -> NDArray[np.void]:
        """Return a copy of the rows."""
        return np.concatenate(self._parts) if self._parts else np.zeros(0, dtype=EVENT)

    def content(self) -> bytes:
        """Return the rows as they are stored."""
        return b"".join([part.astype(STORED_EVENT, copy=False).tobytes() for part in self._parts])
