"""One row of numbers for the updates of a session, over restarts of its process."""

from __future__ import annotations

import threading

__all__ = ["Numbering"]


class Numbering:
    """Maps the numbers of each server, which may begin anew, to numbers that only grow; thread-safe.

    A change of server, and an update that is known to be lost, leave out a number, so that readers see the gap, even
    when a new server says 0.

    Examples
    --------
    >>> numbering = Numbering()
    >>> numbering.shown("first", 41), numbering.shown("first", 42)
    (41, 42)
    >>> numbering.shown("second", 1), numbering.shown("first", 43), numbering.shown("second", 2)
    (45, None, 46)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._boot = ""
        self._gone: set[str] = set()
        self._base = 0
        self._last = 0

    def shown(self, boot: str, sequence: int) -> int | None:
        """Return the number under which readers see a server's number; None for a server that was replaced."""
        with self._lock:
            if boot in self._gone:
                return None
            if boot != self._boot:
                if self._boot:
                    self._gone.add(self._boot)
                    self._base = self._last + 2
                self._boot = boot
            number = self._base + sequence
            self._last = max(self._last, number)
            return number

    def skip(self) -> None:
        """Leave out a number: something is lost."""
        with self._lock:
            self._base += 1
