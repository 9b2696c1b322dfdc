"""What a session measures and says about itself: useful, rebuilt by a replay, and never worth an error."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from workbench.errors import JournalError
from workbench.live.journal.connection import reading
from workbench.live.journal.note import canonical_text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Sample", "Telemetry", "read_telemetry"]

_BATCH: Final = 200
_TABLE: Final = """CREATE TABLE IF NOT EXISTS samples (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, time_ns INTEGER NOT NULL, body TEXT NOT NULL) STRICT"""


class Sample(NamedTuple):
    """One point of equity, one timing, one line of the log."""

    kind: str
    time_ns: int
    body: Mapping[str, Any]


class Telemetry:
    """Samples in a file of their own, apart from the journal: written in batches, the oldest dropped.

    Nothing here may stop a session: what cannot be written is counted in `lost` and forgotten, and a file that is
    damaged is replaced by an empty one.

    Parameters
    ----------
    path : Path or str
        The file, ``telemetry.db`` in the session's folder; made when it is not there.
    max_samples : int, default 500000
        How many are kept; at about 100 bytes each this is 50 MB.

    Attributes
    ----------
    lost : int
        How many samples could not be written.
    """

    def __init__(self, path: Path | str, *, max_samples: int = 500_000) -> None:
        self.path = Path(path)
        self.lost = 0
        self._max_samples = max_samples
        self._lock = threading.Lock()
        self._waiting: list[tuple[str, int, str]] = []

    def __enter__(self) -> Self:
        """Return the telemetry."""
        return self

    def __exit__(self, *_: object) -> None:
        """Write what waits."""
        self.flush()

    def put(self, kind: str, time_ns: int, body: Mapping[str, Any]) -> None:
        """Add a sample; it is on the disk after the next `flush`, which comes by itself after some.

        Parameters
        ----------
        kind : str
            Such as ``equity``, ``timing`` or ``log``.
        time_ns : int
            When it was, nanoseconds UTC.
        body : mapping
            What there is to say, as JSON; a sample that is no JSON is lost.
        """
        try:
            text = canonical_text(body, f"body of a sample of kind {kind!r}")
        except JournalError:
            self.lost += 1
            return
        with self._lock:
            self._waiting.append((kind, time_ns, text))
            is_due = len(self._waiting) >= _BATCH
        if is_due:
            self.flush()

    def flush(self) -> None:
        """Write what waits; never raises."""
        with self._lock:
            batch, self._waiting = self._waiting, []
            if not batch:
                return
            try:
                self._write(batch)
            except sqlite3.DatabaseError as error:
                self.lost += len(batch)
                if getattr(error, "sqlite_errorname", "") in {"SQLITE_CORRUPT", "SQLITE_NOTADB"}:
                    self._discard()
            except (sqlite3.Error, OSError, OverflowError):
                self.lost += len(batch)

    def _write(self, batch: list[tuple[str, int, str]]) -> None:
        self.path.touch(mode=0o600)
        with closing(sqlite3.connect(self.path, isolation_level=None, timeout=0.5)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(_TABLE)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO samples (kind, time_ns, body) VALUES (?, ?, ?)", batch)
            connection.execute(
                "DELETE FROM samples WHERE number <= (SELECT max(number) FROM samples) - ?", (self._max_samples,)
            )
            connection.execute("COMMIT")

    def _discard(self) -> None:
        for name in (self.path.name, f"{self.path.name}-wal", f"{self.path.name}-shm"):
            try:
                self.path.with_name(name).unlink(missing_ok=True)
            except OSError:
                return


def read_telemetry(path: Path | str, *kinds: str) -> tuple[Sample, ...]:
    """Return the samples of some kinds, or all, oldest first.

    Raises
    ------
    JournalError
        The file is not there or cannot be read.
    """
    with reading(Path(path)) as connection:
        found = connection.execute("SELECT kind, time_ns, body FROM samples ORDER BY number").fetchall()
    return tuple(Sample(kind, time_ns, json.loads(body)) for kind, time_ns, body in found if not kinds or kind in kinds)
