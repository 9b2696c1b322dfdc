"""Between a session's thread and the server's: updates that never make the session wait, and a bell that wakes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.live.records import StepUpdate

__all__ = ["UpdateQueue", "Waker"]


class Waker:
    """A bell that any thread may ring, and that a poller hears as a readable file."""

    def __init__(self) -> None:
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)  # noqa: FBT003  the parameter has no name
        self._bell.setblocking(False)  # noqa: FBT003  the parameter has no name
        self._is_ringing = False

    def fileno(self) -> int:
        """Return the file to poll."""
        return self._ear.fileno()

    def wake(self) -> None:
        """Ring; nothing happens when it rings already or is closed."""
        if not self._is_ringing:
            self._is_ringing = True
            with contextlib.suppress(OSError):
                self._bell.send(b"\0")

    def quiet(self) -> None:
        """Stop the ringing; call it before looking at what it rang for."""
        with contextlib.suppress(OSError):
            self._ear.recv(64)
        # Who rings before this line has put down what it rings for, and the look comes after.
        self._is_ringing = False

    def close(self) -> None:
        """Take the bell away."""
        self._bell.close()
        self._ear.close()


class UpdateQueue:
    """Updates on their way out. When nobody takes them they are dropped, and the next one shows that by its number.

    Parameters
    ----------
    capacity : int
        Updates that may wait, at least 1.
    wake : callable
        Called, on the session's thread, when there is something to take.
    """

    def __init__(self, capacity: int, wake: Callable[[], None]) -> None:
        self._capacity = capacity
        self._wake = wake
        self._lock = threading.Lock()
        self._updates: deque[StepUpdate] = deque()
        self.dropped = 0

    def put(self, update: StepUpdate) -> None:
        """Add an update; a full queue is emptied first, as after a gap only the newest counts."""
        with self._lock:
            if len(self._updates) >= self._capacity:
                self.dropped += len(self._updates)
                self._updates.clear()
            self._updates.append(update)
        self._wake()

    def take(self, limit: int) -> list[StepUpdate]:
        """Return at most `limit` updates, oldest first."""
        with self._lock:
            return [self._updates.popleft() for _ in range(min(limit, len(self._updates)))]

    def clear(self) -> None:
        """Forget all updates: nobody listens."""
        with self._lock:
            self._updates.clear()
