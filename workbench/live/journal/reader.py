"""Read a journal, beside its writer or after it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.live.journal import stored
from workbench.live.journal.chain import ROW_BYTES
from workbench.live.journal.connection import damaged, reading
from workbench.live.journal.schema import VERSION, file_version, schema_problem

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from workbench.live.journal.chain import Chain
    from workbench.live.journal.note import Note
    from workbench.live.journal.stored import Snapshot
    from workbench.model import Bars

__all__ = ["JournalReader", "Standing"]


class Standing(NamedTuple):
    """What a full check of a journal found."""

    about: stored.About
    head: stored.Head
    chain: Chain
    tail: bytes
    """Rows of the last chunk when it is not full."""


class JournalReader:
    """What a journal holds, read-only: only what was committed, and only what its hash chain proves.

    Any number of readers in any threads and processes may read while one writes. Nothing stays open between two calls,
    so that no reader can block or bloat the journal.

    Parameters
    ----------
    path : Path or str
        The file, ``journal.db`` in the session's folder.

    Attributes
    ----------
    path : Path
        As given.
    session_id : str
        Whose journal it is.
    header : dict
        What the session said of itself when it was made.
    version : int
        Version of the file's tables; one of a newer release is shown as far as this one can read it.

    Raises
    ------
    JournalError
        Here and from every method: the file is not there, cannot be read, or is damaged. The message names it and says
        what to do.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        with self._reading() as connection:
            self.version = file_version(connection, self.path)
            about = stored.About.read(connection)
        self.session_id = about.session_id
        self.header: dict[str, Any] = json.loads(about.header)

    def __len__(self) -> int:
        return self._head().rows

    @property
    def epoch(self) -> int:
        """How often the journal was opened for writing."""
        return self._head().epoch

    @property
    def hash(self) -> str:
        """The sha256, in hex, over warm-up bars, rows and notes: the same inputs give the same."""
        with self._reading() as connection:
            head = stored.Head.read(connection, self.session_id)
            _, chain = stored.read_chunks(connection, head, head.rows)
            for note in stored.read_notes(connection, head):
                chain.add_note(note.chain_text)
            return chain.hash(head.history_digest)

    def read(self, count: int | None = None) -> NDArray[np.void]:
        """Return a copy of the first `count` rows of events, or of all."""
        with self._reading() as connection:
            head = stored.Head.read(connection, self.session_id)
            wanted = head.rows if count is None else max(0, min(count, head.rows))
            content, _ = stored.read_chunks(connection, head, wanted)
        return stored.rows_of(content, wanted)

    def notes(self, *kinds: str) -> tuple[Note, ...]:
        """Return the notes of some kinds, or all, oldest first."""
        with self._reading() as connection:
            found = stored.read_notes(connection, stored.Head.read(connection, self.session_id))
        return tuple(note.note() for note in found if not kinds or note.kind in kinds)

    def history(self) -> Bars | None:
        """Return the warm-up bars, with the content they had; None when the session had none."""
        with self._reading() as connection:
            found = stored.read_history(connection, stored.Head.read(connection, self.session_id))
        return None if found is None else found.bars()

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return the hashes of the ledger that were noted as checks on a replay, oldest first."""
        with self._reading() as connection:
            return stored.read_snapshots(connection, stored.Head.read(connection, self.session_id))

    def check(self) -> Standing:
        """Read everything, prove it by the chain, and return where the journal stands.

        Raises
        ------
        JournalError
            Anything is not as it was written; the message says what.
        """
        with self._reading() as connection:
            problem = schema_problem(connection) if self.version == VERSION else None
            (integrity,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if integrity != "ok" or problem:
                raise stored.DamageError(problem or integrity)
            about = stored.About.read(connection)
            head = stored.Head.read(connection, about.session_id)
            content, chain = stored.read_chunks(connection, head, head.rows)
            (chunks,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
            if chain.rows != head.rows or chunks != stored.chunk_count(head.rows):
                raise stored.DamageError(f"its {head.rows} rows are not what was written")
            for note in stored.read_notes(connection, head):
                chain.add_note(note.chain_text)
            stored.read_history(connection, head)
            stored.read_snapshots(connection, head)
        size = stored.CHUNK_ROWS * ROW_BYTES
        return Standing(about, head, chain, bytes(content[len(content) // size * size :]))

    def _head(self) -> stored.Head:
        with self._reading() as connection:
            return stored.Head.read(connection, self.session_id)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with reading(self.path) as connection:
                yield connection
        except stored.DamageError as error:
            raise damaged(self.path, str(error)) from error
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            # A flipped bit can turn a value into one of any type and size.
            raise damaged(self.path, f"a value is not what was written ({error})") from error
