"""Make the file of a journal, and take it over for writing."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from workbench.errors import JournalError
from workbench.live.journal.chain import Chain
from workbench.live.journal.connection import connect_writer, explain, sync
from workbench.live.journal.reader import JournalReader, Standing
from workbench.live.journal.schema import APPLICATION_ID, TABLES, VERSION, migrate
from workbench.live.journal.stored import About, Head

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Opened", "make_file", "open_file"]


class Opened(NamedTuple):
    """A journal's file, taken over by a new epoch."""

    connection: sqlite3.Connection
    standing: Standing
    backup: Path | None


def make_file(path: Path, about: About) -> None:
    """Make the file of a new journal: after a crash there is a whole one or none.

    Raises
    ------
    JournalError
        There is a file of this name, or it cannot be made.
    """
    if path.exists():
        raise JournalError(f"{path} is there already: open it, or move it away")
    fresh = path.with_name(f"{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        # Made by hand, as SQLite would let others read it; its -wal file gets the same permissions.
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        _fill(fresh, about)
        sync(fresh)
        fresh.rename(path)
        sync(path.parent)
    except sqlite3.Error as error:
        raise explain(path, error, "made") from error
    except OSError as error:
        raise JournalError(f"{path} cannot be made: {error}") from error


def open_file(path: Path) -> Opened:
    """Check a journal's file, bring it forward to this version, and begin its next epoch.

    All checks come before it is opened for writing: a file that is refused is left exactly as it was.

    Raises
    ------
    JournalError
        It is not there, is damaged, was written by a newer release, or cannot be written.
    """
    reader = JournalReader(path)
    if reader.version > VERSION:
        text = f"{path} has version {reader.version}, this release of workbench writes {VERSION}"
        raise JournalError(f"{text}: update workbench to go on; JournalReader shows what this release can read of it")
    standing = reader.check()
    try:
        connection = connect_writer(path)
        try:
            backup = migrate(connection, path, reader.version)
            if backup is not None:
                standing = JournalReader(path).check()
            return Opened(connection, _begin_epoch(path, connection, standing), backup)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise explain(path, error, "opened for writing") from error


def _begin_epoch(path: Path, connection: sqlite3.Connection, standing: Standing) -> Standing:
    session_id = standing.about.session_id
    head = standing.head._replace(epoch=standing.head.epoch + 1)
    connection.execute("BEGIN IMMEDIATE")
    if Head.read(connection, session_id) != standing.head:
        raise JournalError(f"{path} was changed while it was opened: another process writes to it")
    head.write(connection, session_id)
    connection.execute("COMMIT")
    return standing._replace(head=head)


def _fill(path: Path, about: About) -> None:
    chain = Chain()
    connection = connect_writer(path, is_draft=True)
    try:
        connection.execute("BEGIN IMMEDIATE")
        for statement in TABLES.values():
            connection.execute(statement)
        about.write(connection)
        Head(0, 0, 0, 0, chain.rows_digest, chain.notes_digest, b"").write(connection, about.session_id)
        connection.execute(f"PRAGMA application_id={APPLICATION_ID:d}")
        connection.execute(f"PRAGMA user_version={VERSION:d}")
        connection.execute("COMMIT")
    finally:
        connection.close()
