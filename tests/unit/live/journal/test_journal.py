from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.journal_cases import HEADER, crash_copy, new_journal, rows
from workbench.errors import JournalError, SessionClosedError
from workbench.live.journal import SNAPSHOT_ROWS, Journal, JournalReader, Note, opening
from workbench.live.journal import stored as stored_module
from workbench.live.journal.ballast import BALLAST_BYTES


def test_what_was_committed_is_there_after_opening_again(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        assert (journal.epoch, len(journal), journal.uncommitted) == (1, 0, 0)
        journal.append(rows(3))
        assert journal.note("state", 7, {"state": "running", "x": 0.1}) == 1
        assert journal.uncommitted == 4  # 3 rows, 1 note
        journal.commit()
        written = journal.hash
        assert journal.uncommitted == 0
    with Journal.open(tmp_path / "journal.db") as again:
        assert (again.epoch, again.session_id, again.header, again.hash) == (2, "s1", HEADER, written)
        assert again.read().tobytes() == rows(3).tobytes()
        assert again.notes() == (Note(1, 1, 3, "state", 7, {"state": "running", "x": 0.1}),)
        again.append(rows(2, 3))
        assert again.note("trade", 8, {}) == 2
        again.commit()
        assert again.read().tobytes() == rows(5).tobytes()
        assert [(note.seq, note.epoch, note.after) for note in again.notes()] == [(1, 1, 3), (2, 2, 5)]


def test_what_was_not_committed_is_gone_after_a_crash_and_a_close(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        journal.append(rows(1))
        journal.commit()
        journal.append(rows(1, 1))
        journal.note("state", 1, {})
        assert len(JournalReader(crash_copy(tmp_path, tmp_path / "crash"))) == 1
    with Journal.open(tmp_path / "journal.db") as again:
        assert (len(again), again.notes()) == (1, ())


def test_a_commit_survives_a_crash_without_a_close(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        for at in range(10):
            journal.append(rows(20, at * 20))
            journal.commit()
            with Journal.open(crash_copy(tmp_path, tmp_path / f"crash{at}")) as copy:
                assert copy.read().tobytes() == rows((at + 1) * 20).tobytes()
                assert copy.hash == journal.hash


@given(st.lists(st.tuples(st.integers(0, 130), st.booleans()), max_size=8), st.integers(0, 600))
def test_rows_come_back_and_the_hash_is_the_same_however_they_were_cut(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, bool]], wanted: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    total = sum(size for size, _ in cuts)
    with new_journal(folder) as journal:
        at = 0
        for size, is_commit in cuts:
            journal.append(rows(size, at))
            at += size
            if is_commit:
                journal.commit()
            assert len(journal) == at
            assert journal.read(wanted).tobytes() == rows(min(wanted, at)).tobytes()
        journal.commit()
        assert JournalReader(journal.path).read(wanted).tobytes() == rows(min(wanted, total)).tobytes()
        assert JournalReader(journal.path).read().tobytes() == rows(total).tobytes()
        whole = tmp_path_factory.mktemp("whole")
        with new_journal(whole, "another session") as other:
            other.append(rows(total))
            other.commit()
            assert other.hash == journal.hash == JournalReader(journal.path).hash


def test_the_hash_sees_every_row_note_time_and_place(tmp_path: Path) -> None:
    def run(name: str, *, first: int = 0, after: int = 2, time_ns: int = 5, kind: str = "state", x: float = 1.0) -> str:
        folder = tmp_path / name
        folder.mkdir()
        with new_journal(folder) as journal:
            journal.append(rows(after, first))
            journal.note(kind, time_ns, {"b": 1, "x": x})
            journal.append(rows(4 - after, first + after))
            journal.commit()
            return journal.hash

    base = run("base")
    assert run("same") == base
    changed = [
        run("row", first=1),
        run("place", after=3),
        run("time", time_ns=6),
        run("kind", kind="run"),
        run("x", x=2.0),
    ]
    assert len({base, *changed}) == 6


def test_notes_of_some_kinds_and_the_buffered_ones_are_read(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        journal.note("state", 1, {})
        journal.note("trade", 2, {})
        journal.commit()
        journal.note("state", 3, {})
        assert [note.time_ns for note in journal.notes("state")] == [1, 3]
        assert [note.time_ns for note in journal.notes()] == [1, 2, 3]
        assert [note.time_ns for note in JournalReader(journal.path).notes("state", "trade")] == [1, 2]


@pytest.mark.parametrize(
    ("kind", "time_ns", "body", "text"),
    [
        ("stat", 1, {}, "kind of a note must be one of adjust, .*was 'stat'"),
        ("state", 1.5, {}, "time_ns of a note must be an int .* was 1.5"),
        ("state", 1 << 63, {}, "64 bits, was 9223372036854775808"),
        ("state", 1, {"x": float("nan")}, "body of a note of kind 'state' must be JSON"),
        ("state", 1, {"x": {1: 2}}, "must have texts as keys, was 1"),
        ("state", 1, {"x": [{"y": {2: 1}}]}, "must have texts as keys, was 2"),
        ("state", 1, {"x": b""}, "must be JSON.*bytes"),
        ("state", 1, [], "must be a mapping, was list"),
        ("intent", 1, {"number": 1}, "client_order_id of an intent must be a text, was None"),
        ("intent", 1, {"client_order_id": ""}, "client_order_id of an intent must be a text, was ''"),
    ],
)
def test_a_note_that_cannot_be_kept_is_refused_and_leaves_nothing(
    tmp_path: Path, kind: str, time_ns: int, body: dict, text: str
) -> None:
    with new_journal(tmp_path) as journal:
        with pytest.raises(JournalError, match=text):
            journal.note(kind, time_ns, body)
        assert journal.uncommitted == 0
        assert journal.note("state", 1, {}) == 1


def test_rows_are_copied_when_they_are_added(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        table = rows(2)
        journal.append(table)
        table["a"] = -1.0
        journal.commit()
        assert journal.read().tobytes() == rows(2).tobytes()


def test_snapshots_are_due_after_many_rows_and_come_back(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        journal.append(np.zeros(SNAPSHOT_ROWS - 1, dtype=stored_module.EVENT))
        assert not journal.is_snapshot_due
        journal.append(rows(1))
        assert journal.is_snapshot_due
        journal.snapshot("ab" * 32)
        assert not journal.is_snapshot_due
        plain = journal.hash
        journal.commit()
        journal.snapshot("cd" * 32)
        journal.commit()
        assert journal.hash != plain  # the rows
    with Journal.open(tmp_path / "journal.db") as again:
        assert again.snapshots() == ((SNAPSHOT_ROWS, "ab" * 32), (SNAPSHOT_ROWS, "cd" * 32))
        assert not again.is_snapshot_due
        again.append(np.zeros(SNAPSHOT_ROWS, dtype=stored_module.EVENT))
        assert again.is_snapshot_due


def test_an_empty_commit_writes_nothing(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        before = (tmp_path / "journal.db-wal").stat().st_size
        journal.commit()
        assert (tmp_path / "journal.db-wal").stat().st_size == before


def test_an_older_epoch_cannot_write_any_more(tmp_path: Path) -> None:
    with new_journal(tmp_path) as old, Journal.open(old.path) as new:
        old.append(rows(1))
        for _ in range(2):
            with pytest.raises(
                JournalError, match=r"opened again \(epoch 2\), so that this writer \(epoch 1\) must stop"
            ):
                old.commit()
        assert old.uncommitted == 1
        new.append(rows(2))
        new.commit()
        assert JournalReader(new.path).read().tobytes() == rows(2).tobytes()


def test_a_journal_is_private_and_never_made_twice(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        journal.append(rows(1))
        journal.commit()
        for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    with pytest.raises(JournalError, match=r"journal\.db is there already"):
        new_journal(tmp_path)
    assert len(JournalReader(tmp_path / "journal.db")) == 1


def test_a_creation_that_was_cut_off_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "journal.db.new").write_bytes(b"half a file")
    with new_journal(tmp_path) as journal:
        assert journal.epoch == 1
    assert not (tmp_path / "journal.db.new").exists()


def test_a_new_file_is_on_the_disk_before_it_has_its_name_and_every_commit_after_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    sync = opening.sync

    def watched_sync(path: Path) -> None:
        # Whole already: nothing of it stands in a log beside it that would not get the name.
        steps.append((path.name, sorted(one.name for one in tmp_path.iterdir())))
        sync(path)

    monkeypatch.setattr(opening, "sync", watched_sync)
    with new_journal(tmp_path) as journal:
        assert steps == [("journal.db.new", ["journal.db.new"]), (tmp_path.name, ["journal.db"])]
        # 2 is FULL: a commit has waited for the disk when it returns.
        assert journal._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # noqa: SLF001  seen nowhere else
        assert journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)  # noqa: SLF001  as above


def test_a_ballast_may_come_later(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.create(path, session_id="one", header=HEADER, has_ballast=False) as journal:
        assert not journal.ballast_path.exists()
        journal.renew_ballast()
        assert journal.ballast_path.stat().st_size == BALLAST_BYTES
        journal.release_ballast()
    with Journal.open(path, has_ballast=False) as journal:
        assert not journal.ballast_path.exists()
    with Journal.open(path) as journal:
        assert journal.ballast_path.stat().st_size == BALLAST_BYTES


def test_a_closed_journal_takes_and_gives_nothing(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    journal.close()
    journal.close()
    calls = [journal.commit, journal.read, journal.notes, journal.history, lambda: journal.append(rows(1))]
    for call in [*calls, lambda: journal.note("state", 1, {}), lambda: journal.snapshot("a")]:
        with pytest.raises(SessionClosedError, match="journal is closed"):
            call()


def test_a_journal_that_is_not_there_is_named(tmp_path: Path) -> None:
    for call in (Journal.open, JournalReader):
        with pytest.raises(JournalError, match=r"journal\.db cannot be opened: .*No such file"):
            call(tmp_path / "journal.db")
    with pytest.raises(JournalError, match=r"nowhere/journal\.db cannot be made"):
        new_journal(tmp_path / "nowhere")
