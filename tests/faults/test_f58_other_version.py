"""F58: a journal of an older release is brought forward after a copy; a newer one is refused, and can be looked at."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.journal_cases import new_journal, rows
from workbench.errors import JournalError
from workbench.live.journal import Journal, JournalReader, opening, reader, schema

ADDED = "CREATE TABLE added (id INTEGER PRIMARY KEY) STRICT"


@pytest.fixture
def old_path(tmp_path: Path) -> Path:
    """Return a journal of version 1."""
    with new_journal(tmp_path) as journal:
        journal.append(rows(70))
        journal.note("state", 1, {"state": "running"})
        journal.commit()
        return journal.path


def become_version_2(monkeypatch: pytest.MonkeyPatch, migration: object) -> None:
    for module in (schema, opening, reader):
        monkeypatch.setattr(module, "VERSION", 2)
    monkeypatch.setattr(schema, "TABLES", {**schema.TABLES, "added": ADDED})
    monkeypatch.setattr(schema, "MIGRATIONS", {1: migration} if migration else {})


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def test_an_older_journal_is_brought_forward_and_a_copy_kept(old_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal.open(old_path) as journal:
        assert journal.backup is None
        before = journal.hash
    become_version_2(monkeypatch, lambda connection: connection.execute(ADDED))
    with Journal.open(old_path) as journal:
        assert (journal.hash, journal.epoch) == (before, 3)
        assert journal.read().tobytes() == rows(70).tobytes()
        backup = journal.backup
        journal.append(rows(1, 70))
        journal.commit()
    assert backup is not None
    assert backup.name == "journal.db.v1"
    assert backup.stat().st_mode & 0o777 == 0o600
    assert (version_of(old_path), version_of(backup)) == (2, 1)
    monkeypatch.undo()
    with Journal.open(backup) as old:
        assert (old.hash, old.epoch) == (before, 3)  # it was opened twice before the copy


@pytest.mark.parametrize("statement", ["CREATE nonsense", "CREATE TABLE notes (id)"])
def test_a_migration_that_fails_leaves_the_journal_as_it_was(
    old_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    def half(connection: sqlite3.Connection) -> None:
        connection.execute(ADDED)
        connection.execute("DELETE FROM notes")
        connection.execute(statement)

    become_version_2(monkeypatch, half)
    with pytest.raises(JournalError, match=r"could not be brought from version 1 to 2: .* it is as it was"):
        Journal.open(old_path)
    monkeypatch.undo()
    with Journal.open(old_path) as journal:
        assert (len(journal), len(journal.notes()), journal.epoch) == (70, 1, 2)


def test_a_version_without_a_way_forward_is_refused(old_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    become_version_2(monkeypatch, None)
    before = old_path.read_bytes()
    with pytest.raises(JournalError, match=r"has version 1; this release knows no way from version 1 on"):
        Journal.open(old_path)
    assert old_path.read_bytes() == before


def test_a_newer_journal_is_refused_untouched_and_can_be_read(old_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        become_version_2(patch, lambda connection: connection.execute(ADDED))
        Journal.open(old_path).close()
    before = old_path.read_bytes()
    with pytest.raises(JournalError, match=r"has version 2, this release of workbench writes 1: update workbench"):
        Journal.open(old_path)
    assert old_path.read_bytes() == before
    viewer = JournalReader(old_path)
    assert (viewer.version, viewer.session_id, len(viewer)) == (2, "s1", 70)
    assert viewer.read().tobytes() == rows(70).tobytes()
    assert viewer.notes()[0].body == {"state": "running"}
    assert viewer.check().head.rows == 70


def test_a_newer_journal_with_other_tables_says_that_it_cannot_be_shown(old_path: Path) -> None:
    with closing(sqlite3.connect(old_path, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE chunks RENAME COLUMN data TO packed")
        connection.execute("PRAGMA user_version=2")
    viewer = JournalReader(old_path)
    with pytest.raises(JournalError, match=r"journal\.db cannot be read: no such column: data"):
        viewer.read()
    assert len(viewer.notes()) == 1


def test_another_database_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE users (id)")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="it is no journal"):
        Journal.open(path)
    assert path.read_bytes() == before


def test_the_columns_of_an_event_are_those_of_this_version() -> None:
    # Whoever changes them must raise the version and bring old rows forward.
    from workbench.model import EVENT

    assert schema.VERSION == 1
    assert EVENT.itemsize == 72
    assert EVENT.names == ("kind", "symbol", "time_ns", "a", "b", "c", "d", "e", "remaining")
