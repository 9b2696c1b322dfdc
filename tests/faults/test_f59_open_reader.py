"""F59: a reader that keeps a transaction open is noticed; our own readers keep none."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.journal_cases import new_journal, rows
from workbench.live.journal import Journal, JournalReader, wal

PAGES = 30


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a log of 30 pages be emptied, and one of 60 be worth a warning."""
    monkeypatch.setattr(wal, "CHECKPOINT_PAGES", PAGES)
    monkeypatch.setattr(wal, "WARN_PAGES", 2 * PAGES)


def write(journal: Journal, commits: int) -> None:
    for _ in range(commits):
        journal.append(rows(20, len(journal)))
        journal.commit()


def log_bytes(journal: Journal) -> int:
    return journal.path.with_name("journal.db-wal").stat().st_size


def test_the_log_stays_small_without_such_a_reader(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        write(journal, 300)
        assert log_bytes(journal) < 4 * PAGES * 4_152  # pages of 4,096 bytes, each behind 24 or more of its own
        assert journal.warning is None


def test_our_own_readers_leave_the_log_small(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        reader = JournalReader(journal.path)
        for _ in range(100):
            write(journal, 3)
            assert len(reader.read()) == len(journal)
            assert (reader.notes(), reader.epoch) == ((), 1)
        assert log_bytes(journal) < 4 * PAGES * 4_152
        assert journal.warning is None


def test_a_reader_with_an_open_transaction_is_warned_of_and_harms_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with new_journal(tmp_path) as journal:
        write(journal, 5)
        with closing(sqlite3.connect(journal.path, isolation_level=None)) as pinned, caplog.at_level(logging.WARNING):
            pinned.execute("BEGIN")
            assert pinned.execute("SELECT rows FROM head").fetchone() == (100,)
            write(journal, 300)
            assert journal.warning is not None
            assert "journal.db has grown to" in journal.warning
            assert "a reader has kept a transaction open" in journal.warning
            assert len(caplog.records) == 1  # said once
            assert len(JournalReader(journal.path)) == 305 * 20
            assert log_bytes(journal) > 4 * PAGES * 4_152
        write(journal, 60)
        assert journal.warning is None
        assert journal.read().tobytes() == rows(365 * 20).tobytes()


def test_a_log_that_cannot_be_emptied_does_not_undo_the_commit(tmp_path: Path) -> None:
    keeper = wal.WalKeeper(tmp_path / "journal.db")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
        keeper.after_commit(connection, PAGES)
    assert keeper.warning is not None
    assert "could not be emptied: not authorized" in keeper.warning
