"""The one writer of a session's journal."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from workbench.errors import JournalError, SessionClosedError
from workbench.live.journal import ballast, stored
from workbench.live.journal.buffer import Buffer
from workbench.live.journal.connection import explain
from workbench.live.journal.note import StoredNote, canonical_text
from workbench.live.journal.opening import make_file, open_file
from workbench.live.journal.reader import JournalReader
from workbench.live.journal.stored_bars import StoredBars
from workbench.live.journal.wal import WalKeeper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from workbench.live.journal.chain import Chain
    from workbench.live.journal.note import Note
    from workbench.live.journal.opening import Opened
    from workbench.live.journal.stored import Snapshot
    from workbench.model import Bars

__all__ = ["SNAPSHOT_ROWS", "Journal"]

SNAPSHOT_ROWS = 10_000
"""After how many rows the next snapshot is due."""


class Journal:
    """Everything that a session must not forget: the rows of its events, and notes.

    Rows and notes are added to a buffer; `commit` makes all of it durable at once, or nothing. One thread adds and
    commits; any thread reads. Make one with `create` or `open`.

    Attributes
    ----------
    path : Path
        The file.
    session_id : str
        Whose journal it is.
    epoch : int
        Which opening this is, from 1: a later one of the same file ends this one's right to write.
    header : dict
        What the session said of itself when it was made.
    backup : Path or None
        The copy that was kept when the file was brought forward from an older version.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.model import EVENT
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Journal.create(Path(folder, "journal.db"), session_id="lesson", header={"mode": "paper"}) as journal:
    ...         journal.append(np.zeros(3, dtype=EVENT))
    ...         number = journal.note("state", 0, {"state": "running"})
    ...         journal.commit()
    ...     with Journal.open(Path(folder, "journal.db")) as journal:
    ...         len(journal), journal.epoch, journal.notes("state")[0].body
    (3, 2, {'state': 'running'})
    """

    def __init__(self, path: Path, opened: Opened) -> None:
        self.path = path
        self.session_id = opened.standing.about.session_id
        self.epoch = opened.standing.head.epoch
        self.backup = opened.backup
        self._reader = JournalReader(path)
        self.header = self._reader.header
        self._lock = threading.RLock()
        self._connection = opened.connection
        self._files = _identity(path)
        self._head, self._chain, self._tail = opened.standing.head, opened.standing.chain, opened.standing.tail
        self._last_snapshot = max((snapshot.rows for snapshot in self._reader.snapshots()), default=0)
        self._buffer = Buffer()
        self._wal = WalKeeper(path)
        self._is_closed = False

    @classmethod
    def create(cls, path: Path | str, *, session_id: str, header: Mapping[str, Any], has_ballast: bool = True) -> Self:
        """Make the journal of a new session and return it, in epoch 1.

        Parameters
        ----------
        path : Path or str
            Where; its folder must be there, and no file of this name.
        session_id : str
            The session's.
        header : mapping
            What the session says of itself, as JSON: the hash of its config, versions, mode.
        has_ballast : bool, default True
            Whether the reserve for a full disk is made too, and not left to `renew_ballast`.

        Raises
        ------
        JournalError
            There is a file already, it cannot be made, or `header` is no JSON.
        """
        about = stored.About(session_id, canonical_text(header, "header of a journal"), time.time_ns())
        make_file(Path(path), about)
        return cls.open(path, has_ballast=has_ballast)

    @classmethod
    def open(cls, path: Path | str, *, has_ballast: bool = True) -> Self:
        """Check a journal, begin its next epoch, and return it.

        A file of an older release is brought forward, and a copy of it kept.

        Parameters
        ----------
        path : Path or str
            The file.
        has_ballast : bool, default True
            As for `create`.

        Raises
        ------
        JournalError
            It is not there, is damaged, was written by a newer release, or cannot be written. The file is as it was.
        """
        opened = open_file(Path(path))
        try:
            journal = cls(Path(path), opened)
        except BaseException:
            opened.connection.close()
            raise
        if has_ballast:
            journal.renew_ballast()
        return journal

    def __enter__(self) -> Self:
        """Return the journal."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the journal; what was not committed is gone."""
        self.close()

    def __len__(self) -> int:
        """Return the number of rows, committed or not."""
        with self._lock:
            return self._chain.rows + self._buffer.rows

    @property
    def uncommitted(self) -> int:
        """How many rows, notes, snapshots and warm-up bars wait for the next commit."""
        return len(self._buffer)

    @property
    def hash(self) -> str:
        """The sha256, in hex, over the committed warm-up bars, rows and notes: the same inputs give the same.

        Neither wall time nor epoch nor the session's id are part of it.
        """
        with self._lock:
            return self._chain.hash(self._head.history_digest)

    @property
    def warning(self) -> str | None:
        """What its keeper should know: a reader that keeps the -wal file from being emptied; None when all is well."""
        return self._wal.warning

    @property
    def ballast_path(self) -> Path:
        """The file that keeps some of the disk free."""
        return self.path.with_name("ballast")

    @property
    def keeps_snapshots(self) -> bool:
        """Always True."""
        return True

    @property
    def is_snapshot_due(self) -> bool:
        """Whether ``SNAPSHOT_ROWS`` rows were added since the last snapshot."""
        return len(self) - self._last_snapshot >= SNAPSHOT_ROWS

    def put_history(self, bars: Bars | None) -> None:
        """Keep the warm-up bars, exactly, for the next commit; None when the session has none.

        Raises
        ------
        JournalError
            There are some already, or rows came before them.
        """
        with self._lock:
            self._check_open()
            if len(self) or self._head.history_digest or self._buffer.history:
                raise JournalError("warm-up bars are kept once, before the first row of events")
            self._buffer.history = None if bars is None else StoredBars.of(bars)

    def history(self) -> Bars | None:
        """Return the warm-up bars with the content they had; None when there are none."""
        with self._lock:
            self._check_open()
            waiting = self._buffer.history
        return self._reader.history() if waiting is None else waiting.bars()

    def append(self, rows: NDArray[np.void]) -> None:
        """Add rows of `EVENT` for the next commit; they are copied."""
        with self._lock:
            self._check_open()
            self._buffer.add_rows(rows)

    def note(self, kind: str, time_ns: int, body: Mapping[str, Any]) -> int:
        """Add a note behind the rows so far, for the next commit, and return its number.

        Parameters
        ----------
        kind : str
            One of ``NOTE_KINDS``.
        time_ns : int
            When it was, in the session's time: nanoseconds UTC.
        body : mapping
            What there is to say, as JSON. An ``intent`` has a ``client_order_id``; other notes may.

        Raises
        ------
        JournalError
            An argument cannot be kept, or the client order id has an intent already; the buffer is as it was.
        """
        with self._lock:
            self._check_open()
            seq = self._chain.notes + len(self._buffer.notes) + 1
            note = StoredNote.of(seq, self.epoch, len(self), kind, time_ns, body)
            if kind == "intent" and note.client_order_id is not None:
                self._refuse_second_intent(note.client_order_id)
            self._buffer.add_note(note)
            return seq

    def snapshot(self, ledger_hash: str) -> None:
        """Add the hash of the ledger after the rows so far, a check on every replay, for the next commit."""
        with self._lock:
            self._check_open()
            self._buffer.snapshots.append((len(self), ledger_hash))
            self._last_snapshot = len(self)

    def commit(self) -> None:
        """Make everything that waits durable, in one transaction.

        Raises
        ------
        JournalError
            It could not be done, nothing of it was kept, and all of it still waits: commit again when the cause is
            gone. When a later epoch has begun, or the files were removed, that never helps.
        """
        with self._lock:
            self._check_open()
            if not self._buffer:
                return
            chain = self._chain.copy()
            try:
                self._check_files()
                self._connection.execute("BEGIN IMMEDIATE")
                head, tail = self._write(chain)
                self._check_files()
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                if isinstance(error, sqlite3.Error):
                    raise explain(self.path, error, "written") from error
                raise
            pages = stored.chunk_count(self._buffer.rows) + len(self._buffer.notes) + 3
            self._head, self._chain, self._tail, self._buffer = head, chain, tail, Buffer()
            self._wal.after_commit(self._connection, pages)

    def read(self, count: int | None = None) -> NDArray[np.void]:
        """Return a copy of the first `count` rows, or of all, committed or not."""
        with self._lock:
            self._check_open()
            committed, waiting = self._chain.rows, self._buffer.events()
        # Outside the lock: the session's thread need not wait for a long read, and the first rows never change.
        wanted = committed + len(waiting) if count is None else count
        rows = self._reader.read(min(wanted, committed))
        return np.concatenate([rows, waiting[: wanted - committed]]) if wanted > committed and len(waiting) else rows

    def notes(self, *kinds: str) -> tuple[Note, ...]:
        """Return the notes of some kinds, or all, oldest first, committed or not."""
        with self._lock:
            self._check_open()
            committed, waiting = self._chain.notes, list(self._buffer.notes)
        found = [note for note in self._reader.notes(*kinds) if note.seq <= committed]
        return (*found, *(note.note() for note in waiting if not kinds or note.kind in kinds))

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return the committed checks on a replay, oldest first."""
        return self._reader.snapshots()

    def release_ballast(self) -> int:
        """Free the reserve that is kept for a full disk and return its bytes; 0 when it is gone already.

        `renew_ballast` or the next `open` makes it anew.
        """
        return ballast.release_ballast(self.ballast_path)

    def renew_ballast(self) -> None:
        """Keep the reserve again, when there is room for it."""
        ballast.make_ballast(self.ballast_path)

    def close(self) -> None:
        """Close the file; what was not committed is gone. More than once is fine."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._buffer = Buffer()
                self._connection.close()

    def _write(self, chain: Chain) -> tuple[stored.Head, bytes]:
        """Write all that waits inside the transaction; return the new head and what the last chunk holds then."""
        found = stored.Head.read(self._connection, self.session_id)
        if found.epoch != self.epoch:
            text = f"{self.path} was opened again (epoch {found.epoch}), so that this writer (epoch {self.epoch})"
            raise JournalError(f"{text} must stop: end it, the later one has taken over")
        if found != self._head:
            raise JournalError(f"{self.path} is not as this writer left it: open it again")
        wall_ns = time.time_ns()
        buffer = self._buffer
        tail = stored.write_rows(self._connection, chain, self._tail, buffer.content()) if buffer.rows else self._tail
        stored.write_notes(self._connection, chain, buffer.notes, wall_ns)
        for number, snapshot in enumerate(buffer.snapshots, found.snapshots + 1):
            stored.Snapshot(*snapshot).write(self._connection, number)
        if buffer.history is not None:
            self._connection.execute("INSERT INTO history VALUES (1, ?, ?, ?)", buffer.history)
        head = stored.Head(
            self.epoch,
            chain.rows,
            chain.notes,
            found.snapshots + len(buffer.snapshots),
            chain.rows_digest,
            chain.notes_digest,
            found.history_digest if buffer.history is None else buffer.history.digest,
        )
        head.write(self._connection, self.session_id)
        return head, tail

    def _roll_back(self) -> None:
        # SQLite itself has ended the transaction after some errors, such as a full disk.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _refuse_second_intent(self, client_order_id: str) -> None:
        try:
            found = self._connection.execute(
                "SELECT seq FROM notes WHERE kind = 'intent' AND client_order_id = ?", (client_order_id,)
            ).fetchone()
        except sqlite3.Error as error:
            raise explain(self.path, error, "read") from error
        if found is not None or client_order_id in self._buffer.intents:
            text = f"client order id {client_order_id!r} has an intent already"
            raise JournalError(f"{text}: an order is never sent twice, ask the exchange what became of it")

    def _check_files(self) -> None:
        # A removed file would still take everything, and nobody would ever see it again.
        if self._files is None or _identity(self.path) != self._files:
            raise JournalError(f"{self.path} cannot be written: it was removed or replaced; put it back or start anew")

    def _check_open(self) -> None:
        if self._is_closed:
            raise SessionClosedError("the journal is closed: read it with JournalReader")


def _identity(path: Path) -> tuple[tuple[int, int], ...] | None:
    """Return which files the names of a journal lead to, or None when one is gone."""
    try:
        found = [path.stat(), path.with_name(f"{path.name}-wal").stat()]
    except OSError:
        return None
    return tuple((each.st_dev, each.st_ino) for each in found)
