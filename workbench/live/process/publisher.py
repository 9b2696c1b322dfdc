"""Numbered updates of a session to whoever subscribes, and a pulse by which a lost one is noticed."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import zmq

from workbench.live.process.codec import encode
from workbench.live.process.update_queue import UpdateQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.live.process.messages import Host
    from workbench.live.session import LiveSession

__all__ = ["PULSE", "PULSE_S", "UPDATE", "Publisher"]

UPDATE: Final = b"update"
PULSE: Final = b"pulse"
PULSE_S: Final = 0.5
"""A pulse comes at least this often, seconds."""

_QUEUE: Final = 5_000
_AT_A_TIME: Final = 64
_SUBSCRIBE, _UNSUBSCRIBE = b"\1", b"\0"


class Publisher:
    """Publishes one session's updates on a socket; used by the server's thread alone, but for `changed`.

    Without subscribers the session is not subscribed to, so nothing is queued or encoded.

    Parameters
    ----------
    session : LiveSession
        The session.
    host : Host
        The process, for the messages.
    socket : zmq.Socket
        A bound XPUB socket that tells every subscription.
    wake : callable
        Called on any thread when `turn` has something to do.
    """

    def __init__(self, session: LiveSession, host: Host, socket: zmq.Socket[bytes], wake: Callable[[], None]) -> None:
        self.socket = socket
        self.published = 0
        self._session = session
        self._host = host
        self._wake = wake
        self._queue = UpdateQueue(_QUEUE, wake)
        self._subscribers = 0
        self._sequence = 0
        self._end_subscription: Callable[[], None] | None = None
        self._pulse_at = 0.0
        self._has_changed = False

    @property
    def dropped(self) -> int:
        """Updates that nobody took in time."""
        return self._queue.dropped

    @property
    def due_at(self) -> float:
        """When the next pulse is due, on the clock that never goes back; infinity without subscribers."""
        return self._pulse_at + PULSE_S if self._subscribers else float("inf")

    def changed(self) -> None:
        """Tell the subscribers soon that the session's state has changed."""
        self._has_changed = True
        self._wake()

    def turn(self) -> None:
        """Greet new subscribers, publish what waits, and pulse when it is time."""
        is_greeting = self._take_subscriptions()
        self._listen(is_wanted=self._subscribers > 0)
        is_all = self._publish()
        if not is_all:
            self._wake()
        elif self._subscribers and (is_greeting or self._has_changed or time.monotonic() >= self.due_at):
            self._pulse()

    def end(self) -> None:
        """Publish what waits and the last state, and take the subscription back."""
        while not self._publish():
            pass
        if self._subscribers:
            self._pulse()
        self._listen(is_wanted=False)

    def _take_subscriptions(self) -> bool:
        """Count who comes and goes, and return whether anyone came."""
        has_new = False
        for _ in range(_AT_A_TIME):
            try:
                message = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            # Only the subscription to everything counts, which is what handles ask for.
            if message == _SUBSCRIBE:
                self._subscribers += 1
                has_new = True
            elif message == _UNSUBSCRIBE:
                self._subscribers = max(0, self._subscribers - 1)
        return has_new

    def _listen(self, *, is_wanted: bool) -> None:
        if is_wanted and self._end_subscription is None:
            self._end_subscription = self._session.subscribe(self._queue.put)
        elif not is_wanted and self._end_subscription is not None:
            self._end_subscription()
            self._end_subscription = None
            self._queue.clear()

    def _publish(self) -> bool:
        """Publish some of what waits, and return whether that was all."""
        updates = self._queue.take(_AT_A_TIME)
        for update in updates:
            text, buffers = encode({"boot": self._host.boot, "update": update})
            self.socket.send_multipart([UPDATE, text, *buffers], zmq.NOBLOCK)
            self._sequence = update.sequence
        self.published += len(updates)
        return len(updates) < _AT_A_TIME

    def _pulse(self) -> None:
        """Tell where the session is: who misses an update learns it here, even when none follows."""
        self._has_changed = False
        self._pulse_at = time.monotonic()
        state, reason = str(self._session.state), self._session.reason
        pulse = {"host": asdict(self._host), "sequence": self._sequence, "state": state, "reason": reason}
        text, _ = encode(pulse)
        self.socket.send_multipart([PULSE, text], zmq.NOBLOCK)
