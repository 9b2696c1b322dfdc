"""Tables of a journal's file, its version, and the way from an older version to this one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from workbench.errors import JournalError
from workbench.live.journal.connection import damaged, sync

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["APPLICATION_ID", "MIGRATIONS", "TABLES", "VERSION", "file_version", "migrate", "schema_problem"]

APPLICATION_ID: Final = 0x776F726B  # "work"
VERSION = 1
"""Version of the tables below, kept as SQLite's ``user_version``. Whoever changes a table, or the columns of `EVENT`,
raises it and adds the step to ``MIGRATIONS``."""

TABLES: Final = {
    # Written once.
    "about": """CREATE TABLE about (
        id INTEGER PRIMARY KEY CHECK (id = 1), session_id TEXT NOT NULL, header TEXT NOT NULL,
        created_wall_ns INTEGER NOT NULL, seal BLOB NOT NULL) STRICT""",
    # Where the journal stands; each commit changes it, and only an equal epoch may.
    "head": """CREATE TABLE head (
        id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, rows INTEGER NOT NULL, notes INTEGER NOT NULL,
        snapshots INTEGER NOT NULL, rows_digest BLOB NOT NULL, notes_digest BLOB NOT NULL,
        history_digest BLOB NOT NULL, seal BLOB NOT NULL) STRICT""",
    # The warm-up bars.
    "history": """CREATE TABLE history (
        id INTEGER PRIMARY KEY CHECK (id = 1), about TEXT NOT NULL, time_ns BLOB NOT NULL, bar_values BLOB NOT NULL)
        STRICT""",
    # Rows of EVENT, as many to a chunk as fit into one page; the last chunk is written again until it is full.
    "chunks": "CREATE TABLE chunks (number INTEGER PRIMARY KEY, digest BLOB NOT NULL, data BLOB NOT NULL) STRICT",
    "notes": """CREATE TABLE notes (
        seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, after INTEGER NOT NULL, kind TEXT NOT NULL,
        time_ns INTEGER NOT NULL, body TEXT NOT NULL, client_order_id TEXT, wall_ns INTEGER NOT NULL,
        seal BLOB NOT NULL) STRICT""",
    # An exchange may take a client order id again once its order has filled, so that this must refuse it.
    "one_intent": "CREATE UNIQUE INDEX one_intent ON notes (client_order_id) WHERE kind = 'intent'",
    "snapshots": """CREATE TABLE snapshots (
        number INTEGER PRIMARY KEY, rows INTEGER NOT NULL, ledger_hash TEXT NOT NULL, seal BLOB NOT NULL) STRICT""",
}
"""Each table and index with the statement that makes it."""

MIGRATIONS: Mapping[int, Callable[[sqlite3.Connection], None]] = {}
"""By version: how a file of it becomes one of the next, inside a transaction."""


def file_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of a file's tables.

    Raises
    ------
    JournalError
        It is no journal.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID or version < 1:
        raise damaged(path, "it is no journal, or its first page is broken")
    return int(version)


def schema_problem(connection: sqlite3.Connection) -> str | None:
    """Return how the tables of a file differ from those of this version, or None.

    A flipped bit in the text of the unique index would switch it off without any other sign.
    """
    found = dict(connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall())
    different = sorted(name for name in found.keys() | TABLES.keys() if found.get(name) != TABLES.get(name))
    return f"its table {different[0]} is not as it was made" if different else None


def migrate(connection: sqlite3.Connection, path: Path, version: int) -> Path | None:
    """Bring a file forward to this version, after a copy of it was kept beside it.

    Parameters
    ----------
    connection : sqlite3.Connection
        The one that writes, outside a transaction.
    path : Path
        The file.
    version : int
        Its version, at most ``VERSION``.

    Returns
    -------
    Path or None
        The copy; None when nothing had to be done.

    Raises
    ------
    JournalError
        There is no way forward from this version, or it failed; the file is as it was.
    """
    if version == VERSION:
        return None
    missing = [step for step in range(version, VERSION) if step not in MIGRATIONS]
    if missing:
        raise JournalError(f"{path} has version {version}; this release knows no way from version {missing[0]} on")
    backup = path.with_name(f"{path.name}.v{version}")
    try:
        _copy(connection, backup)
        connection.execute("BEGIN IMMEDIATE")
        for step in range(version, VERSION):
            MIGRATIONS[step](connection)
        connection.execute(f"PRAGMA user_version={VERSION:d}")
        connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        text = f"{path} could not be brought from version {version} to {VERSION}: {error}"
        raise JournalError(f"{text}; it is as it was, open it with the release that wrote it") from error
    return backup


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    # Never by reading the file: closing it would drop the locks that this process holds on it.
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    sync(target.parent)
