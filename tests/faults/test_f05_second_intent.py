"""F05: the journal refuses a second intent of one client order id, as an exchange may execute it twice."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.journal_cases import new_journal
from workbench.errors import JournalError
from workbench.live.journal import Journal, JournalReader

REFUSED = "client order id 'a' has an intent already: an order is never sent twice"


def test_a_second_intent_is_refused_before_and_after_the_commit_and_after_a_crash(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        journal.note("intent", 1, {"client_order_id": "a"})
        with pytest.raises(JournalError, match=REFUSED):
            journal.note("intent", 2, {"client_order_id": "a"})
        journal.commit()
        with pytest.raises(JournalError, match=REFUSED):
            journal.note("intent", 3, {"client_order_id": "a"})
        assert journal.note("intent", 4, {"client_order_id": "b"}) == 2
        journal.commit()  # the refused ones are not in the way
    with Journal.open(tmp_path / "journal.db") as again:
        with pytest.raises(JournalError, match=REFUSED):
            again.note("intent", 5, {"client_order_id": "a"})
        assert [note.time_ns for note in again.notes("intent")] == [1, 4]


def test_other_notes_of_the_same_order_are_taken(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        for kind in ("sent", "intent", "sent", "trade", "trade", "outcome"):
            journal.note(kind, 1, {"client_order_id": "a"})
        journal.commit()
        assert len(JournalReader(journal.path).notes()) == 6


def test_the_file_itself_refuses_it_too(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        journal.note("intent", 1, {"client_order_id": "a"})
        journal.commit()
        with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
            copy = """INSERT INTO notes
                SELECT 99, epoch, after, kind, time_ns, body, client_order_id, wall_ns, seal FROM notes"""
            with pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE constraint failed: notes\.client_order_id"):
                other.execute(copy)
