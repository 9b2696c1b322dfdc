"""The thread that writes a widget to its page, there only while there is something to write."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PageWriter"]

_CLOSE_TIMEOUT_S: Final = 2.0


class PageWriter:
    """Starts a thread when there is work and lets it go when there is none, so that no widget ever has two writers.

    Parameters
    ----------
    name : str
        Name of the thread.
    has_work : callable
        Whether a page waits for something.
    write : callable
        What the thread runs; it returns once `is_over` says so.
    """

    def __init__(self, name: str, has_work: Callable[[], bool], write: Callable[[], None]) -> None:
        self.work = threading.Event()
        """Set to end the writer's wait for work."""
        self.closing = threading.Event()
        """Set for good by `close`."""
        self._name = name
        self._has_work = has_work
        self._write = write
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def is_writing(self) -> bool:
        """Whether the thread is there."""
        return self._thread is not None

    def ensure(self) -> None:
        """Start the thread if there is work and it is not there; from any thread."""
        with self._lock:
            if self._thread is None and self._is_wanted():
                self._thread = threading.Thread(target=self._write, name=self._name, daemon=True)
                self._thread.start()

    def is_over(self, at_end: Callable[[], object] = lambda: None) -> bool:
        """Return whether the thread that asks must return, after a call of `at_end`."""
        # Decided under the lock, so that a message that comes now finds either this thread or none.
        with self._lock:
            if self._is_wanted():
                return False
            at_end()
            self._thread = None
            return True

    def close(self) -> None:
        """End the thread, and wait for it unless it asks itself."""
        self.closing.set()
        self.work.set()
        with self._lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_CLOSE_TIMEOUT_S)

    def _is_wanted(self) -> bool:
        return not self.closing.is_set() and self._has_work()
