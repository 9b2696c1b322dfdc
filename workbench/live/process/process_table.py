"""What the system knows of other processes: whether they live, since when, stopped or not, and what they hold open."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

__all__ = [
    "ProcessId",
    "end_session",
    "ending_text",
    "holders_of",
    "id_of",
    "is_stopped",
    "own_id",
    "reap",
    "resident_bytes",
    "send",
    "session_of",
    "wait_for_end",
]

_PROC: Final = Path("/proc")
_POLL_S: Final = 0.02
_PAGE: Final = resource.getpagesize()
# Positions in /proc/PID/stat behind the name, which may itself hold blanks and brackets.
_STATE, _SESSION, _THREADS, _START = 0, 3, 17, 19


class ProcessId(NamedTuple):
    """A process that cannot be mistaken for a later one with its number.

    Attributes
    ----------
    pid : int
        Number of the process.
    started : int
        When it started, in ticks since the machine did; 0 where the system does not tell.
    """

    pid: int
    started: int

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; a dead one that nobody has reaped does not."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return not self.started
        fields = _stat_fields(self.pid)
        if fields is None:
            return not _PROC.is_dir()
        # One whose first thread has ended, and others not yet, still holds its files and locks.
        is_dead = fields[_STATE] in "ZX" and int(fields[_THREADS]) <= 1
        return not is_dead and (not self.started or int(fields[_START]) == self.started)


def own_id() -> ProcessId:
    """Return the id of this process."""
    return id_of(os.getpid())


def id_of(pid: int) -> ProcessId:
    """Return the id of a running process."""
    fields = _stat_fields(pid)
    return ProcessId(pid, 0 if fields is None else int(fields[_START]))


def is_stopped(pid: int) -> bool:
    """Return whether a process was stopped by a signal or a debugger: it does nothing, and is not to blame for it."""
    fields = _stat_fields(pid)
    return fields is not None and fields[_STATE] in "Tt"


def resident_bytes(pid: int | None = None) -> int:
    """Return the memory that a process has in use; without `pid` this one. Where the system does not tell, its peak."""
    try:
        text = (_PROC / ("self" if pid is None else str(pid)) / "statm").read_text()
        return int(text.split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        if pid is not None:
            return 0
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def send(process: ProcessId, number: signal.Signals) -> bool:
    """Send a signal to a process, if it is still the one that is meant; return whether it was sent."""
    if not process.is_alive:
        return False
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def wait_for_end(process: ProcessId, timeout_s: float) -> bool:
    """Return whether a process, of whatever parent, ended within `timeout_s` seconds."""
    until = time.monotonic() + timeout_s
    try:
        handle = os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else None
    except OSError:
        handle = None
    try:
        while process.is_alive:
            left_s = until - time.monotonic()
            if left_s <= 0.0:
                return False
            if handle is None:
                time.sleep(min(_POLL_S, left_s))
            else:
                waiting = select.poll()
                waiting.register(handle, select.POLLIN)
                waiting.poll(math.ceil(left_s * 1e3))
        return True
    finally:
        if handle is not None:
            os.close(handle)


def end_session(leader: int) -> tuple[int, ...]:
    """Kill what a process that led a session of its own has left running there, and return the numbers."""
    found = tuple(pid for pid in _numbers() if pid != leader and session_of(pid) == leader)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if not _PROC.is_dir():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
    return found


def reap() -> list[tuple[int, int]]:
    """Return the number and wait status of each child that has ended, after killing what it left running."""
    found: list[tuple[int, int]] = []
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return found
        if ended is None:
            return found
        # Before it is reaped, when its number cannot yet be another's.
        end_session(ended.si_pid)
        found.append(os.waitpid(ended.si_pid, 0))


def ending_text(status: int) -> str:
    """Return how a process ended, by its wait status.

    Examples
    --------
    >>> ending_text(9), ending_text(256)
    ('killed by SIGKILL', 'ended with exit code 1')
    """
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended with exit code {os.waitstatus_to_exitcode(status)}"


def session_of(pid: int) -> int:
    """Return the number of the process that leads the session which a process belongs to; 0 where nobody tells."""
    fields = _stat_fields(pid)
    return 0 if fields is None else int(fields[_SESSION])


def holders_of(path: Path) -> tuple[ProcessId, ...]:
    """Return the processes of this user that have a file open; none where the system does not tell."""
    try:
        wanted = path.stat()
    except OSError:
        return ()
    return tuple(id_of(pid) for pid in _numbers() if _has_open(pid, wanted))


def _numbers() -> list[int]:
    """Return the numbers of all processes; none where the system does not tell."""
    try:
        return [int(one.name) for one in _PROC.iterdir() if one.name.isdigit()]
    except OSError:
        return []


def _has_open(pid: int, wanted: os.stat_result) -> bool:
    try:
        for entry in (_PROC / str(pid) / "fd").iterdir():
            try:
                found = entry.stat()
            except OSError:
                continue
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                return True
    except OSError:
        return False
    return False


def _stat_fields(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()
