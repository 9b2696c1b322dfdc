"""F55: on a full disk a commit raises and keeps its buffer, and goes on when the reserve or others give room."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journal_cases import crash_copy, new_journal, rows, watched_journal
from workbench.errors import JournalError
from workbench.live.journal import Journal, JournalReader, ballast

ROOT = Path(__file__).parents[2]

# No file may grow beyond a limit: the system refuses the write itself, as a full disk does.
LIMITED = """
import resource, sys
from pathlib import Path
from tests.journal_cases import new_journal, rows
from workbench.errors import JournalError
from workbench.live.journal import Journal, JournalReader

folder = Path(sys.argv[1])
with new_journal(folder) as journal:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    kept = 0
    try:
        while True:
            journal.append(rows(10, kept))
            journal.note("trade", kept, {"text": "x" * 100})
            journal.commit()
            kept += 10
    except JournalError as error:
        print(error)
    assert kept > 100, kept
    assert journal.uncommitted == 11
    for _ in range(3):
        try:
            journal.commit()
        except JournalError:
            pass
        else:
            raise AssertionError("it fits all at once")
    reader = JournalReader(journal.path)
    assert reader.read().tobytes() == rows(kept).tobytes()
    assert len(reader.notes()) == kept // 10
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    journal.commit()
    kept += 10
    assert reader.read().tobytes() == rows(kept).tobytes()
    assert len(reader.notes()) == kept // 10
    whole = journal.hash
with Journal.open(folder / "journal.db") as again:
    assert again.hash == whole and len(again) == kept
print("all is well")
"""

# A disk of two megabytes of its own, for which a name space of one's own is needed.
SMALL_DISK = """
import os, sys
from pathlib import Path
from tests.journal_cases import new_journal, rows
from workbench.errors import JournalError
from workbench.live.journal import JournalReader

folder = Path(sys.argv[1])

def fill(journal, kept):
    try:
        while True:
            journal.append(rows(10, kept))
            journal.commit()
            kept += 10
    except JournalError as error:
        print(error)
    return kept

with new_journal(folder) as journal:
    first = fill(journal, 0)
    assert first > 100, first
    freed = journal.release_ballast()
    assert freed == 1 << 20, freed
    journal.commit()
    second = fill(journal, first + 10)
    assert second - first >= 500, (first, second)   # 50 commits and more
    assert journal.release_ballast() == 0
    assert JournalReader(journal.path).read().tobytes() == rows(second).tobytes()
print("all is well")
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment, check=False, cwd=ROOT)


def test_a_file_that_may_not_grow_is_an_error_and_it_goes_on_when_it_may(tmp_path: Path) -> None:
    done = run(sys.executable, "-c", LIMITED, str(tmp_path))
    assert done.returncode == 0, done.stderr
    message, end = done.stdout.splitlines()
    assert "journal.db cannot be written" in message
    assert "nothing of this commit was kept" in message
    assert end == "all is well"


def test_the_reserve_of_a_full_disk_gives_room_for_many_commits(tmp_path: Path) -> None:
    mount = 'mount -t tmpfs -o size=2m none "$1" || exit 99; exec "$2" -c "$3" "$1"'
    try:
        done = run("unshare", "-rm", "sh", "-c", mount, "sh", str(tmp_path), sys.executable, SMALL_DISK)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if done.returncode in {1, 99} and "all is well" not in done.stdout and "Traceback" not in done.stderr:
        pytest.skip("this user may not mount a disk")
    assert done.returncode == 0, done.stderr
    assert "the disk is full: free some space" in done.stdout
    assert done.stdout.endswith("all is well\n")


def test_a_commit_that_finds_no_page_is_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, connection = watched_journal(tmp_path, monkeypatch)
    with journal:
        journal.append(rows(60))
        journal.note("state", 1, {})
        journal.commit()
        before = journal.hash
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 1}")
        journal.append(rows(600, 60))
        assert journal.note("intent", 2, {"client_order_id": "a"}) == 2
        for _ in range(2):
            with pytest.raises(JournalError, match=r"journal\.db cannot be written: .* the disk is full"):
                journal.commit()
        assert (journal.hash, journal.uncommitted, len(journal)) == (before, 601, 660)
        assert journal.read().tobytes() == rows(660).tobytes()
        with Journal.open(crash_copy(tmp_path, tmp_path / "crash")) as copy:
            assert (copy.hash, len(copy), len(copy.notes())) == (before, 60, 1)
        connection.execute("PRAGMA max_page_count=100000")
        journal.commit()
        with Journal.open(crash_copy(tmp_path, tmp_path / "later")) as copy:
            assert copy.hash == journal.hash
            assert copy.read().tobytes() == rows(660).tobytes()
            assert [note.kind for note in copy.notes()] == ["state", "intent"]


def test_the_reserve_takes_real_room_and_is_made_again_when_it_is_opened(tmp_path: Path) -> None:
    with new_journal(tmp_path) as journal:
        found = journal.ballast_path.stat()
        assert found.st_size == ballast.BALLAST_BYTES
        assert found.st_blocks * 512 >= ballast.BALLAST_BYTES  # no hole
        assert journal.release_ballast() == ballast.BALLAST_BYTES
        assert journal.release_ballast() == 0
        assert not journal.ballast_path.exists()
    with Journal.open(tmp_path / "journal.db") as journal:
        assert journal.ballast_path.stat().st_size == ballast.BALLAST_BYTES


def test_a_disk_without_room_for_the_reserve_does_not_stop_a_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    new_journal(tmp_path).close()
    (tmp_path / "ballast").unlink()
    monkeypatch.setattr(ballast.os, "fsync", full)
    with Journal.open(tmp_path / "journal.db") as journal:
        journal.append(rows(1))
        journal.commit()
        assert len(JournalReader(journal.path)) == 1
