import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbench.errors import SessionError
from workbench.live.process.folders import read_json
from workbench.live.process.lock import FileLock, LockedError, claim_symbols, holder_of, is_locked, left_behind
from workbench.live.process.process_table import ProcessId, own_id, session_of, wait_for_end

TAKE = """
import os, sys
from pathlib import Path
from workbench.live.process.lock import FileLock
os.setsid()
lock = FileLock(Path(sys.argv[1]))
lock.acquire()
{more}
print("taken", flush=True)
sys.stdin.read()
"""
# A fork below Python, which runs none of its hooks.
FORK_IN_C = """
import ctypes
if ctypes.CDLL(None).fork() == 0:
    os.read(int(sys.argv[2]), 1)
    os._exit(0)
"""
FORK = """
child = os.fork()
if child == 0:
    os.read(int(sys.argv[2]), 1)
    os._exit(0)
"""
PLENTY_S = 120.0


@contextmanager
def holder(path: Path, more: str = "pass") -> Iterator[subprocess.Popen[str]]:
    """Run a process that holds the lock; its forked child, if any, ends with this block."""
    reading, writing = os.pipe()
    command = [sys.executable, "-c", TAKE.format(more=more), str(path), str(reading)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[reading])
    try:
        assert process.stdout.readline() == "taken\n"
        yield process
    finally:
        os.close(writing)
        process.kill()
        process.communicate()
        os.close(reading)


def test_lock_is_held_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    with FileLock(path):
        assert is_locked(path)
        assert holder_of(path) == own_id()
    assert not is_locked(path)
    assert holder_of(path) is None


def test_second_one_is_refused_and_told_by_whom(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with FileLock(path), pytest.raises(LockedError, match=f"is locked by process {os.getpid()}"):
        FileLock(path).acquire(timeout_s=0.0)


def test_lock_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path) as process:
        assert holder_of(path).pid == process.pid
        process.kill()
        process.wait(PLENTY_S)
        assert not is_locked(path)
        FileLock(path).acquire()


def test_child_that_python_forked_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path, FORK) as process:
        process.kill()
        process.wait(PLENTY_S)
        assert not is_locked(path)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="the system does not tell who has a file open")
def test_child_that_a_dead_holder_left_behind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path, FORK_IN_C) as process:
        assert left_behind(path) == ()
        process.kill()
        process.wait(PLENTY_S)
        assert is_locked(path)
        assert holder_of(path) is None
        (child,) = left_behind(path)
        assert session_of(child.pid) == process.pid
        with pytest.raises(LockedError, match=f"left behind: end it with `kill -9 {child.pid}`"):
            FileLock(path).acquire(timeout_s=0.0)
        os.kill(child.pid, signal.SIGKILL)
        assert wait_for_end(child, PLENTY_S)
        assert not is_locked(path)


def test_number_of_a_dead_holder_that_another_process_has_now_is_no_holder() -> None:
    assert own_id().is_alive
    assert not ProcessId(os.getpid(), own_id().started + 1).is_alive


def test_lock_is_not_taken_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SessionError, match="cannot be locked"):
        FileLock(tmp_path / "lock").acquire()
    assert not (tmp_path / "elsewhere").exists()


def test_lock_file_is_for_its_user_alone_and_says_who_holds_it(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock", {"session": "one"}):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
        assert read_json(tmp_path / "lock") == {"session": "one", "pid": os.getpid(), "started": own_id().started}


def test_symbol_of_an_account_is_claimed_once(tmp_path: Path) -> None:
    locks = claim_symbols(tmp_path, "practice spot", ("BTC/USDT", "ETH/USDT"), "first")
    with pytest.raises(SessionError, match="ETH/USDT on account practice spot is traded by session 'first'"):
        claim_symbols(tmp_path, "practice spot", ("ADA/USDT", "ETH/USDT"), "second")
    # All or none: the symbol that was free is free again.
    others = claim_symbols(tmp_path, "practice spot", ("ADA/USDT",), "third")
    elsewhere = claim_symbols(tmp_path, "practice linear_perpetual", ("BTC/USDT", "ETH/USDT"), "fourth")
    for lock in (*locks, *others, *elsewhere):
        lock.close()
    for lock in claim_symbols(tmp_path, "practice spot", ("BTC/USDT", "ETH/USDT"), "fifth"):
        lock.close()
