"""What people ask of a running session, handed to its thread in order, with an answer when it was done."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

__all__ = ["Ask", "Mailbox"]


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """One request.

    Attributes
    ----------
    name : str
        Name of a command, or ``"stop_flat"`` for a stop that waits until the positions are closed.
    is_done : threading.Event
        Set when the session's thread has carried it out, or when there is no such thread any more.
    """

    name: str
    is_done: threading.Event = field(default_factory=threading.Event)


class Mailbox:
    """Requests to one session's thread; the same one again while it waits is the same request.

    Examples
    --------
    >>> mailbox = Mailbox()
    >>> mailbox.ask("pause") is mailbox.ask("pause")
    True
    >>> [ask.name for ask in mailbox.take()], mailbox.wake.is_set()
    (['pause'], True)
    """

    def __init__(self) -> None:
        self.wake = threading.Event()
        self._lock = threading.Lock()
        self._asks: deque[Ask] = deque()
        self._is_closed = False

    def ask(self, name: str) -> Ask:
        """Add a request and wake the thread; the answer is there at once when nobody listens any more."""
        with self._lock:
            # Only the newest counts: pause, resume, pause are three different wishes.
            waiting = self._asks[-1] if self._asks and self._asks[-1].name == name else None
            ask = waiting or Ask(name)
            if self._is_closed:
                ask.is_done.set()
            elif waiting is None:
                self._asks.append(ask)
        self.wake.set()
        return ask

    def take(self) -> tuple[Ask, ...]:
        """Return the waiting requests, oldest first, and forget them."""
        with self._lock:
            asks = tuple(self._asks)
            self._asks.clear()
        return asks

    def has_any(self, *names: str) -> bool:
        """Return whether a request of one of these names waits; it waits on."""
        with self._lock:
            return any(ask.name in names for ask in self._asks)

    def close(self) -> None:
        """Answer everything that waits or will come: nobody listens any more."""
        with self._lock:
            self._is_closed = True
            asks = tuple(self._asks)
            self._asks.clear()
        for ask in asks:
            ask.is_done.set()
