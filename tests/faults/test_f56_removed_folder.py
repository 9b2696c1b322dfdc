"""F56: with a file or folder that is read-only, removed or replaced a commit raises, and nothing is kept in secret."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.journal_cases import new_journal, rows, watched_journal
from workbench.errors import JournalError
from workbench.live.journal import Journal, JournalReader


def test_a_removed_folder_is_an_error_though_the_open_file_would_take_it(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    with new_journal(folder) as journal:
        journal.append(rows(1))
        journal.commit()
        shutil.rmtree(folder)
        journal.append(rows(1, 1))
        for _ in range(2):
            with pytest.raises(
                JournalError, match=r"session/journal\.db cannot be written: it was removed or replaced"
            ):
                journal.commit()
        assert journal.uncommitted == 1
        with pytest.raises(JournalError, match="cannot be opened"):
            journal.notes()


@pytest.mark.parametrize("name", ["journal.db", "journal.db-wal"])
def test_one_removed_file_is_an_error(tmp_path: Path, name: str) -> None:
    with new_journal(tmp_path) as journal:
        (tmp_path / name).unlink()
        journal.append(rows(1))
        with pytest.raises(JournalError, match="removed or replaced"):
            journal.commit()


def test_a_replaced_file_is_an_error(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        shutil.copy(journal.path, tmp_path / "copy")
        (tmp_path / "copy").replace(journal.path)
        journal.append(rows(1))
        with pytest.raises(JournalError, match="removed or replaced"):
            journal.commit()


def test_a_folder_that_comes_back_takes_the_same_commit(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    with new_journal(folder) as journal:
        journal.append(rows(3))
        folder.rename(tmp_path / "away")
        with pytest.raises(JournalError, match="removed or replaced"):
            journal.commit()
        (tmp_path / "away").rename(folder)
        journal.commit()
        assert JournalReader(journal.path).read().tobytes() == rows(3).tobytes()


def test_a_file_that_refuses_writing_is_an_error_until_it_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, connection = watched_journal(tmp_path, monkeypatch)
    with journal:
        connection.execute("PRAGMA query_only=ON")  # every write fails as it does on a read-only disk
        journal.append(rows(1))
        with pytest.raises(JournalError, match=r"readonly.*SQLITE_READONLY.*make it writable"):
            journal.commit()
        connection.execute("PRAGMA query_only=OFF")
        journal.commit()
        assert len(JournalReader(journal.path)) == 1


def test_an_error_of_the_disk_in_any_statement_keeps_the_buffer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, connection = watched_journal(tmp_path, monkeypatch)
    with journal:
        journal.append(rows(2))
        journal.note("state", 1, {})
        before = journal.hash
        for fails_in in range(1, 7):  # BEGIN, read the head, rows, notes, the new head, COMMIT
            connection.fails_in = fails_in
            with pytest.raises(JournalError, match="disk I/O error"):
                journal.commit()
            assert not connection.in_transaction
            assert (journal.hash, journal.uncommitted, len(JournalReader(journal.path))) == (before, 3, 0)
        connection.fails_in = 7  # one more than there are
        journal.commit()
        assert connection.fails_in == 1
        assert JournalReader(journal.path).read().tobytes() == rows(2).tobytes()
        assert journal.hash == JournalReader(journal.path).hash


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.db").mkdir()
    for call in (Journal.open, JournalReader):
        with pytest.raises(JournalError, match=r"journal\.db"):
            call(tmp_path / "journal.db")
