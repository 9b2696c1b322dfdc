"""Connections to a journal's file, and what their errors mean."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from workbench.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["connect_writer", "damaged", "explain", "reading", "sync"]

_READ_TIMEOUT_S: Final = 5.0
# There is one writer, so only an opening or a migration by another process can make it wait.
_WRITE_TIMEOUT_S: Final = 2.0
_HEADER_BYTES: Final = 100
_DAMAGED: Final = {"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT", "SQLITE_MISMATCH", "SQLITE_TOOBIG"}
_REPAIR: Final = (
    "keep the file and its -wal as they are, copy the folder before anything else, and save what can be proven with "
    "workbench.live.journal.salvage(path, new_path); what is missing there, the exchange's order history has"
)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a read-only connection in one read transaction, which ends with the block.

    A new one each time: no cursor stays open that would keep the writer from emptying its -wal file, and nothing is
    carried through a fork or shared by threads. Never ``immutable``, which would leave the -wal file out.

    Raises
    ------
    JournalError
        The file is not there, cannot be read, or is damaged.
    """
    _check_there(path)
    try:
        with closing(_connect(path, "ro", _READ_TIMEOUT_S)) as connection:
            connection.execute("BEGIN")
            yield connection
    except sqlite3.Error as error:
        raise explain(path, error, "read") from error


def connect_writer(path: Path, *, is_draft: bool = False) -> sqlite3.Connection:
    """Return the connection that writes: every commit is on the disk when it returns.

    Parameters
    ----------
    path : Path
        The file.
    is_draft : bool, default False
        Wait for the disk in no commit: the file counts for nothing until its maker has waited for the whole of it.

    Raises
    ------
    sqlite3.Error
        The file cannot be opened.
    JournalError
        Its file system cannot do write-ahead logging.
    """
    connection = _connect(path, "rw", _WRITE_TIMEOUT_S)
    try:
        connection.execute("PRAGMA synchronous=OFF" if is_draft else "PRAGMA synchronous=FULL")
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            _refuse_mode(path, mode)
        connection.execute("PRAGMA wal_autocheckpoint=0")  # the writer does it itself and looks at the answer
        connection.execute(f"PRAGMA journal_size_limit={4 << 20}")
    except BaseException:
        connection.close()
        raise
    return connection


def explain(path: Path, error: sqlite3.Error, doing: str) -> JournalError:
    """Return the error to raise for one of SQLite: what could not be done to which file, why, and the way out."""
    name: str = getattr(error, "sqlite_errorname", None) or ""
    family = "_".join(name.split("_")[:2])
    if family in _DAMAGED:
        return damaged(path, str(error))
    hints = {
        "SQLITE_FULL": "the disk is full: free some space, then it goes on; release_ballast() frees a reserve at once",
        "SQLITE_IOERR": "the disk or its file system fails: nothing of this commit was kept; it can be tried again",
        "SQLITE_READONLY": "the file or its folder is read-only: make it writable",
        "SQLITE_CANTOPEN": "its folder must be there and be writable, for readers too: copy it to one that is",
        "SQLITE_BUSY": "another process is writing to it: only one may",
        "SQLITE_PERM": "the file's permissions forbid it",
    }
    hint = hints.get(family, "nothing was kept of it")
    return JournalError(f"{path} cannot be {doing}: {error} ({name or 'no code'}); {hint}")


def damaged(path: Path, what: str) -> JournalError:
    """Return the error for a journal whose content cannot be believed."""
    return JournalError(f"{path} is damaged: {what}; {_REPAIR}")


def sync(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _connect(path: Path, mode: str, timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_mode(path: Path, mode: str) -> None:
    raise JournalError(f"{path} cannot be written: its journal_mode must be wal, was {mode}; use a local disk")


def _check_there(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise JournalError(f"{path} cannot be opened: {error}") from error
    # SQLite takes an empty file for a new database and throws the -wal file beside it away.
    if size < _HEADER_BYTES:
        raise damaged(path, f"it has {size} bytes")
