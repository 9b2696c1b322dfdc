"""F57: a journal that is cut or has flipped bits opens with an exact beginning of its commits, or is refused."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.journal_cases import crash_copy, files_of, new_journal, rows
from workbench.errors import JournalError
from workbench.live.journal import Journal, JournalReader, Note, salvage, wal
from workbench.model.synthetic import synthetic_bars

DAMAGES = 150
COMMITS = 60


class Written:
    """A journal of many commits, with what it held after each."""

    def __init__(self, folder: Path, *, pages: int) -> None:
        self.states: dict[str, tuple[bytes, tuple[Note, ...]]] = {}
        with pytest.MonkeyPatch.context() as patch, new_journal(folder) as journal:
            patch.setattr(wal, "CHECKPOINT_PAGES", pages)
            self._remember(journal)
            journal.put_history(synthetic_bars("BTC/USDT", "1h", 200, start="2025-01-01"))
            for at in range(COMMITS):
                journal.append(rows(9, at * 9))
                journal.note("trade", at, {"text": "x" * (at * 37 % 400), "client_order_id": f"id{at}"})
                journal.note("intent", at, {"client_order_id": f"id{at}"})
                journal.append(rows(at % 2, at * 9 + 9))
                if at % 7 == 0:
                    journal.snapshot(f"{at:064x}")
                journal.commit()
                self._remember(journal)
            crash_copy(folder, folder / "crash")
        self.files = files_of(folder / "crash")

    def _remember(self, journal: Journal) -> None:
        self.states[journal.hash] = journal.read().tobytes(), journal.notes()

    def is_one(self, reader: Journal | JournalReader) -> bool:
        """Tell whether a journal holds exactly what was there after one of the commits."""
        state = self.states.get(reader.hash)
        return state is not None and state == (reader.read().tobytes(), reader.notes())


@pytest.fixture(scope="module")
def in_log(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Return a journal whose commits are all in the -wal file."""
    return Written(tmp_path_factory.mktemp("log"), pages=10**9)


@pytest.fixture(scope="module")
def in_both(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Return a journal most of whose commits are in the file, and the others in the -wal file."""
    return Written(tmp_path_factory.mktemp("both"), pages=40)


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / "journal.db"


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def flip(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def wipe(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content))
    return content[:start] + bytes(min(512, len(content) - start)) + content[start + 512 :]


def refusal(path: Path, files: dict[str, bytes]) -> str | None:
    """Return why a journal is refused, or None; one that is refused must be as it was."""
    try:
        Journal.open(path).close()
    except JournalError as error:
        assert files_of(path.parent) == files
        return str(error)
    return None


@pytest.mark.parametrize("damage", [cut, flip, wipe])
@pytest.mark.parametrize("name", ["journal.db", "journal.db-wal"])
@pytest.mark.parametrize("place", ["in_log", "in_both"])
def test_a_damaged_journal_is_exact_or_refused(
    tmp_path: Path, request: pytest.FixtureRequest, place: str, name: str, damage: Callable
) -> None:
    written: Written = request.getfixturevalue(place)
    chance = random.Random(f"{place} {name} {damage.__name__}")
    refused = opened = 0
    for number in range(DAMAGES // 6):
        folder = tmp_path / str(number)
        folder.mkdir()
        files = {**written.files, name: damage(written.files[name], chance)}
        path = put(folder, files)
        problem = refusal(path, files)
        if problem is None:
            with Journal.open(path) as journal:
                assert written.is_one(journal)
            opened += 1
        else:
            assert str(path) in problem
            assert "salvage(path, new_path)" in problem
            refused += 1
    # The -wal file has a sum for each page: what is behind the damage is as if it had never been written. In the file
    # a page may be damaged that is newer in the -wal file.
    assert opened if name == "journal.db-wal" else (refused or place == "in_log")


@pytest.mark.parametrize("name", ["journal.db", "journal.db-wal"])
def test_a_reader_of_a_damaged_journal_gets_what_was_written_or_an_error(
    tmp_path: Path, in_both: Written, name: str
) -> None:
    chance = random.Random(name)
    for number in range(DAMAGES // 6):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = put(folder, {**in_both.files, name: flip(in_both.files[name], chance)})
        try:
            reader = JournalReader(path)
            rows_read = reader.read(100)
        except JournalError:
            continue
        whole = b"".join(next(reversed(in_both.states.values()))[:1])
        assert whole.startswith(rows_read.tobytes())
        try:
            assert written_notes(in_both)[: len(reader.notes())] == reader.notes()
        except JournalError:
            continue


def written_notes(written: Written) -> tuple[Note, ...]:
    return next(reversed(written.states.values()))[1]


@pytest.mark.parametrize("table", ["rows", "note", "epoch of a note", "id of a note", "epoch", "history", "snapshot"])
def test_a_changed_value_is_refused(tmp_path: Path, in_both: Written, table: str) -> None:
    path = put(tmp_path, in_both.files)
    changes = {
        "rows": "UPDATE chunks SET data = zeroblob(length(data)) WHERE number = 3",
        "note": "UPDATE notes SET time_ns = time_ns + 1 WHERE seq = 5",
        "epoch of a note": "UPDATE notes SET epoch = 7 WHERE seq = 5",
        "id of a note": "UPDATE notes SET client_order_id = 'other' WHERE seq = 6",
        "epoch": "UPDATE head SET epoch = 0",
        "history": "UPDATE history SET bar_values = zeroblob(length(bar_values))",
        "snapshot": "UPDATE snapshots SET ledger_hash = 'aa' WHERE number = 1",
    }
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(changes[table])
    connection.close()
    with pytest.raises(JournalError, match=r"journal\.db is damaged: .* not what was written"):
        Journal.open(path)


@pytest.mark.parametrize("change", ["DROP INDEX one_intent", "CREATE TABLE more (id)"])
def test_other_tables_are_refused(tmp_path: Path, in_both: Written, change: str) -> None:
    path = put(tmp_path, in_both.files)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(change)
    connection.close()
    with pytest.raises(JournalError, match=r"its table (one_intent|more) is not as it was made"):
        Journal.open(path)


def test_an_empty_file_does_not_cost_the_log(tmp_path: Path, in_log: Written) -> None:
    path = put(tmp_path, {**in_log.files, "journal.db": b""})
    with pytest.raises(JournalError, match="is damaged: it has 0 bytes"):
        Journal.open(path)
    assert files_of(tmp_path)["journal.db-wal"] == in_log.files["journal.db-wal"]


def test_salvage_saves_exactly_the_beginning_that_is_proven(tmp_path: Path, in_both: Written) -> None:
    chance = random.Random(5)
    all_rows, all_notes = next(reversed(in_both.states.values()))
    saved = []
    for number in range(40):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = put(folder, {**in_both.files, "journal.db": wipe(in_both.files["journal.db"], chance)})
        try:
            result = salvage(path, folder / "saved.db")
        except JournalError:
            continue
        with Journal.open(folder / "saved.db") as journal:
            assert all_rows.startswith(journal.read().tobytes())
            assert journal.notes() == all_notes[: len(journal.notes())]
            assert (len(journal), len(journal.notes())) == result[:2]
            assert journal.history() == synthetic_bars("BTC/USDT", "1h", 200, start="2025-01-01")
            # No row without the notes that came before it, no note without the rows that came before it.
            following = all_notes[len(journal.notes()) :]
            assert not following or len(journal) <= following[0].after
            saved.append(len(journal))
    assert len(saved) > 5
    assert len(set(saved)) > 1


def test_salvage_of_a_sound_journal_saves_all(tmp_path: Path, in_both: Written) -> None:
    path = put(tmp_path, in_both.files)
    result = salvage(path, tmp_path / "saved.db")
    assert result == (COMMITS * 9 + COMMITS // 2, COMMITS * 2, True)
    assert JournalReader(tmp_path / "saved.db").hash == list(in_both.states)[-1]
    assert np.array_equal(JournalReader(path).read(), JournalReader(tmp_path / "saved.db").read())
