"""F60: readers never block the writer, and the writer never blocks a reader."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.journal_cases import crash_copy, files_of, new_journal, rows
from workbench.errors import JournalError
from workbench.live.journal import Journal, JournalReader, connection, wal

COMMITS = 150


def test_four_readers_and_a_writer_never_meet_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "CHECKPOINT_PAGES", 20)
    monkeypatch.setattr(connection, "_WRITE_TIMEOUT_S", 0.0)  # the first lock would be an error at once
    problems: list[BaseException] = []
    reads = [0] * 4
    is_over = threading.Event()

    with new_journal(tmp_path) as journal:
        shared = JournalReader(journal.path)

        def read(number: int) -> None:
            own = JournalReader(journal.path)
            try:
                while not is_over.is_set() or not reads[number]:
                    seen = len(own)
                    got = (journal if number == 0 else shared if number == 1 else own).read()
                    assert len(got) >= seen
                    assert got.tobytes() == rows(len(got)).tobytes()
                    numbers = [note.seq for note in own.notes()]
                    assert numbers == list(range(1, len(numbers) + 1))
                    reads[number] += 1
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
                problems.append(error)

        threads = [threading.Thread(target=read, args=(number,), name=f"reader {number}") for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            for at in range(COMMITS):
                journal.append(rows(7, at * 7))
                journal.note("state", at, {"text": "x" * 300})
                journal.commit()
        finally:
            is_over.set()
            for thread in threads:
                thread.join(90)
        assert problems == []
        assert all(reads)
        assert journal.read().tobytes() == rows(COMMITS * 7).tobytes()


def test_another_writer_is_an_error_that_keeps_the_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_WRITE_TIMEOUT_S", 0.01)
    with new_journal(tmp_path) as journal, closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        journal.append(rows(2))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match=r"database is locked .*another process is writing to it"):
            journal.commit()
        assert len(JournalReader(journal.path)) == 0
        with pytest.raises(JournalError, match="another process is writing"):
            Journal.open(journal.path)
        other.execute("ROLLBACK")
        journal.commit()
        assert JournalReader(journal.path).read().tobytes() == rows(2).tobytes()


def test_a_reader_cannot_write_and_leaves_the_log_of_a_crash_alone(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        journal.append(rows(2))
        journal.commit()
        with connection.reading(journal.path) as only, pytest.raises(sqlite3.OperationalError, match="readonly"):
            only.execute("DELETE FROM chunks")


def test_the_last_reader_leaves_what_a_crash_left(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        journal.append(rows(2))
        journal.commit()
        path = crash_copy(tmp_path, tmp_path / "crash")
    before = files_of(path.parent)
    assert len(JournalReader(path).read()) == 2
    assert files_of(path.parent) == before
