"""Locks that end with their process: on a session's folder, and on an account's symbol."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, Self

from workbench.errors import SessionError
from workbench.live.process.folders import private_folder, read_json
from workbench.live.process.process_table import ProcessId, holders_of, own_id, session_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["FileLock", "LockedError", "claim_symbols", "holder_of", "is_locked", "left_behind", "wait_until_free"]

# Long enough to outlast a look by `is_locked`, which holds the lock for a moment.
_TRY_S: Final = 0.25
_PAUSE_S: Final = 0.01
_CLAIMS: Final = ".claims"


class LockedError(SessionError):
    """Another process holds the lock."""


class FileLock:
    """An exclusive lock on a file, held until `close` or the end of the process, whichever way it ends.

    The system keeps it with the open file: it survives no kill, and a child made by ``exec`` does not inherit it. A
    child made by ``fork`` would; `holder_of` names such a child, and in one that Python made the file is closed.

    Parameters
    ----------
    path : Path
        The file; made if need be, readable by this user alone, never through a link.
    about : mapping, optional
        What else to write into it for people and other processes.
    """

    def __init__(self, path: Path, about: Mapping[str, Any] | None = None) -> None:
        self.path = path
        self._about = dict(about or {})
        self._handle: int | None = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def acquire(self, *, timeout_s: float = _TRY_S) -> None:
        """Take the lock, waiting for it for `timeout_s` seconds at most.

        Raises
        ------
        LockedError
            Another process holds it; the message says which.
        SessionError
            The file cannot be opened.
        """
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SessionError(f"{self.path} cannot be locked: {error}") from error
        if not _lock(handle, timeout_s):
            os.close(handle)
            raise LockedError(f"{self.path} is locked {_by_whom(self.path)}")
        process = own_id()
        content = json.dumps({**self._about, "pid": process.pid, "started": process.started}).encode()
        os.ftruncate(handle, 0)
        os.pwrite(handle, content, 0)
        self._handle = handle
        _held.add(self)

    def close(self) -> None:
        """Give the lock back; the file stays, so that everybody locks the same one."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
            _held.discard(self)


_held: Final[weakref.WeakSet[FileLock]] = weakref.WeakSet()


def _close_copies() -> None:
    """Close the copies of a forked child: the locks stay with the parent, and end with it."""
    for lock in list(_held):
        lock.close()


os.register_at_fork(after_in_child=_close_copies)


def _lock(handle: int, timeout_s: float) -> bool:
    until = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE_S)
        else:
            return True


def is_locked(path: Path) -> bool:
    """Return whether some process holds the lock of this file; no file is no lock."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two who look do not see each other.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def holder_of(path: Path) -> ProcessId | None:
    """Return the process that took the lock of this file and still lives; None when there is none.

    A lock that is held while this is None belongs to a child that a dead holder left behind.
    """
    found = read_json(path)
    pid, started = found.get("pid"), found.get("started")
    if not isinstance(pid, int) or not isinstance(started, int) or pid < 1 or not is_locked(path):
        return None
    process = ProcessId(pid, started)
    return process if process.is_alive else None


def wait_until_free(path: Path, timeout_s: float) -> bool:
    """Return whether nobody held the lock of this file within `timeout_s` seconds."""
    until = time.monotonic() + timeout_s
    while is_locked(path):
        if time.monotonic() >= until:
            return False
        time.sleep(_PAUSE_S)
    return True


def left_behind(path: Path) -> tuple[ProcessId, ...]:
    """Return the processes that keep the lock of this file although its holder is dead; none where nobody tells."""
    if holder_of(path) is not None or not is_locked(path):
        return ()
    dead = read_json(path).get("pid")
    # Of those that have it open, the ones in the dead one's session: others may just be looking.
    return tuple(one for one in holders_of(path) if session_of(one.pid) == dead)


def _by_whom(path: Path) -> str:
    holder = holder_of(path)
    if holder is not None:
        return f"by process {holder.pid}"
    pid = read_json(path).get("pid", "unknown")
    children = " ".join(str(one.pid) for one in left_behind(path))
    if not children:
        return f"by a process that the dead process {pid} started"
    return f"by a child that the dead process {pid} left behind: end it with `kill -9 {children}`"


def claim_symbols(root: Path, account: str, symbols: Iterable[str], session: str) -> tuple[FileLock, ...]:
    """Take the right to trade symbols on an account for this process, all or none.

    Parameters
    ----------
    root : Path
        Folder of all sessions.
    account : str
        Names the account the same way in every session.
    symbols : iterable of str
        What to trade.
    session : str
        Name of the session that takes them, for the message of whoever comes later.

    Raises
    ------
    SessionError
        Another session trades one of them on this account; it is named.
    """
    folder = private_folder(root / _CLAIMS)
    with contextlib.ExitStack() as taken:
        locks = []
        for symbol in sorted(symbols):
            mark = hashlib.sha256(f"{account}\n{symbol}".encode()).hexdigest()[:24]
            lock = FileLock(folder / f"{mark}.lock", {"session": session, "account": account, "symbol": symbol})
            try:
                locks.append(taken.enter_context(lock))
            except LockedError as error:
                other = read_json(lock.path).get("session", "another session")
                raise SessionError(
                    f"{symbol} on account {account} is traded by session {other!r} ({error}): "
                    "two sessions cannot share a position; stop that one first, or choose another symbol"
                ) from error
        taken.pop_all()
    return tuple(locks)
