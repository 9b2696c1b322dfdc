"""Save what can be proven of a damaged journal."""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workbench.live.journal import stored
from workbench.live.journal.chain import ROW_BYTES, Chain
from workbench.live.journal.connection import damaged, reading
from workbench.live.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from workbench.live.journal.note import StoredNote
    from workbench.live.journal.stored_bars import StoredBars

__all__ = ["Salvaged", "salvage"]


class Salvaged(NamedTuple):
    """What was saved: so many rows and notes from the beginning, and whether the head says that this was all."""

    rows: int
    notes: int
    is_complete: bool


class _Found(NamedTuple):
    about: stored.About
    history: StoredBars | None
    rows: NDArray[np.void]
    notes: list[StoredNote]
    is_complete: bool


def salvage(path: Path | str, new_path: Path | str) -> Salvaged:
    """Make a new journal of the longest beginning of a damaged one that its hash chain proves.

    What comes behind it is not there: the session that goes on with it must ask the exchange for its orders and
    trades. The damaged file is only read.

    Parameters
    ----------
    path : Path or str
        The damaged journal.
    new_path : Path or str
        Where to make the new one; there must be no file.

    Returns
    -------
    Salvaged
        How much was saved.

    Raises
    ------
    JournalError
        Not even whose journal it was, or its warm-up bars, can be proven, or the new one cannot be made.
    """
    path = Path(path)
    with reading(path) as connection:
        found = _proven(connection, path)
    rows = found.rows
    header = json.loads(found.about.header)
    with Journal.create(new_path, session_id=found.about.session_id, header=header) as journal:
        if found.history is not None:
            journal.put_history(found.history.bars())
        for note in found.notes:
            journal.append(rows[len(journal) : note.after])
            journal.note(note.kind, note.time_ns, note.note().body)
        journal.append(rows[len(journal) :])
        journal.commit()
    return Salvaged(len(rows), len(found.notes), found.is_complete)


def _proven(connection: sqlite3.Connection, path: Path) -> _Found:
    head: stored.Head | None = None
    history: StoredBars | None = None
    with _until_damage():
        # Only a sealed head says that nothing comes behind, and which warm-up bars there were.
        about = stored.About.read(connection)
        head = stored.Head.read(connection, about.session_id)
        history = stored.read_history(connection, head)
    if head is None or bool(head.history_digest) != (history is not None):
        raise damaged(path, "neither whose journal it is nor where it stood can be proven")
    content = bytearray()
    notes: list[StoredNote] = []
    with _until_damage():
        for part in stored.each_chunk(connection):
            content += part
    with _until_damage():
        notes.extend(stored.each_note(connection, Chain()))  # what came before an error is kept
    rows = min(len(content) // ROW_BYTES, head.rows)
    if len(notes) < head.notes:
        # The next note, which is lost, may have come right behind the last one.
        rows = min(rows, notes[-1].after if notes else 0)
    kept = [note for note in notes[: head.notes] if note.after <= rows]
    is_complete = rows == head.rows and len(kept) == head.notes
    return _Found(about, history, stored.rows_of(content, rows), kept, is_complete)


@contextmanager
def _until_damage() -> Iterator[None]:
    """Read as far as it can be believed."""
    try:
        yield
    except (stored.DamageError, sqlite3.Error, TypeError, ValueError, LookupError, OverflowError):
        return
