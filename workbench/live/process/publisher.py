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

__all__ = ["PULSE", "PULSE_S", "UPDATE", "Publisher", "topic_of"]

UPDATE: Final = b"update"
PULSE: Final = b"pulse"
PULSE_S: Final = 0.5
"""A pulse comes at least this often, seconds."""

_QUEUE: Final = 5_000
_AT_A_TIME: Final = 64
_SUBSCRIBE, _UNSUBSCRIBE = b"\1", b"\0"


def topic_of(symbol: str) -> bytes:
    """Return what the messages of a symbol's chart begin with, where a session has several.

    Those of a session's only chart begin with nothing, and so do those of the first for who knows of no other.
    """
    return symbol.encode() + b" "


class Publisher:
    """Publishes a session's updates on a socket; used by the server's thread alone, but for `changed`.

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
        self._wake = wake
        symbols = session.chart_symbols
        named = {topic_of(symbol): symbol for symbol in symbols} if len(symbols) > 1 else {}
        self._rows = {
            topic: _Row(session, host, socket, wake, topic, symbol) for topic, symbol in ({b"": None} | named).items()
        }

    @property
    def published(self) -> int:
        """Updates that were sent."""
        return sum(row.published for row in self._rows.values())

    @property
    def dropped(self) -> int:
        """Updates that nobody took in time."""
        return sum(row.dropped for row in self._rows.values())

    @property
    def due_at(self) -> float:
        """When the next pulse is due, on the clock that never goes back; infinity without subscribers."""
        return min(row.due_at for row in self._rows.values())

    def changed(self) -> None:
        """Tell the subscribers soon that the session's state has changed."""
        for row in self._rows.values():
            row.has_changed = True
        self._wake()

    def turn(self) -> None:
        """Greet new subscribers, publish what waits, and pulse when it is time."""
        greeted = self._take_subscriptions()
        for topic, row in self._rows.items():
            row.turn(is_greeting=topic in greeted)

    def end(self) -> None:
        """Publish what waits and the last state, and take the subscriptions back."""
        for row in self._rows.values():
            row.end()

    def _take_subscriptions(self) -> set[bytes]:
        """Count who comes and goes, and return the topics for which anyone came."""
        greeted = set()
        for _ in range(_AT_A_TIME):
            try:
                message = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            # Only the subscriptions to a whole row count, which is what handles ask for.
            row = self._rows.get(message[1:])
            if row is not None and message[:1] == _SUBSCRIBE:
                row.subscribers += 1
                greeted.add(message[1:])
            elif row is not None and message[:1] == _UNSUBSCRIBE:
                row.subscribers = max(0, row.subscribers - 1)
        return greeted


class _Row:
    """The updates of one symbol's chart. Without subscribers the session is not subscribed to: nothing is encoded."""

    def __init__(
        self,
        session: LiveSession,
        host: Host,
        socket: zmq.Socket[bytes],
        wake: Callable[[], None],
        topic: bytes,
        symbol: str | None,
    ) -> None:
        self.published = 0
        self.subscribers = 0
        self.has_changed = False
        self._session = session
        self._host = host
        self._socket = socket
        self._wake = wake
        self._topic = topic
        self._symbol = symbol
        self._queue = UpdateQueue(_QUEUE, wake)
        self._sequence = 0
        self._end_subscription: Callable[[], None] | None = None
        self._pulse_at = 0.0

    @property
    def dropped(self) -> int:
        """Updates that nobody took in time."""
        return self._queue.dropped

    @property
    def due_at(self) -> float:
        """When the next pulse is due; infinity without subscribers."""
        return self._pulse_at + PULSE_S if self.subscribers else float("inf")

    def turn(self, *, is_greeting: bool) -> None:
        """Publish what waits, and pulse when it is time or somebody new is greeted."""
        self._listen(is_wanted=self.subscribers > 0)
        is_all = self._publish()
        if not is_all:
            self._wake()
        elif self.subscribers and (is_greeting or self.has_changed or time.monotonic() >= self.due_at):
            self._pulse()

    def end(self) -> None:
        """Publish what waits and the last state, and take the subscription back."""
        while not self._publish():
            pass
        if self.subscribers:
            self._pulse()
        self._listen(is_wanted=False)

    def _listen(self, *, is_wanted: bool) -> None:
        if is_wanted and self._end_subscription is None:
            self._end_subscription = self._session.subscribe(self._queue.put, self._symbol)
        elif not is_wanted and self._end_subscription is not None:
            self._end_subscription()
            self._end_subscription = None
            self._queue.clear()

    def _publish(self) -> bool:
        """Publish some of what waits, and return whether that was all."""
        updates = self._queue.take(_AT_A_TIME)
        for update in updates:
            text, buffers = encode({"boot": self._host.boot, "update": update})
            self._socket.send_multipart([self._topic + UPDATE, text, *buffers], zmq.NOBLOCK)
            self._sequence = update.sequence
        self.published += len(updates)
        return len(updates) < _AT_A_TIME

    def _pulse(self) -> None:
        """Tell where the session is: who misses an update learns it here, even when none follows."""
        self.has_changed = False
        self._pulse_at = time.monotonic()
        state, reason = str(self._session.state), self._session.reason
        pulse = {"host": asdict(self._host), "sequence": self._sequence, "state": state, "reason": reason}
        text, _ = encode(pulse)
        self._socket.send_multipart([self._topic + PULSE, text], zmq.NOBLOCK)
