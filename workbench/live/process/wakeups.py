"""What wakes the main thread of a session's process: signals, and what becomes of the session."""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import threading
from typing import TYPE_CHECKING, Final

from workbench.live.states import SessionState

if TYPE_CHECKING:
    from workbench.live.session import LiveSession

__all__ = ["Wakeups"]

_HEEDED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)
_IGNORED: Final = (signal.SIGHUP, signal.SIGPIPE)
_NEWS: Final = 0
_BEGINNING: Final = frozenset({SessionState.PREPARED, SessionState.STARTING, SessionState.RECOVERING})


class Wakeups:
    """Signals as numbers, so that nothing runs inside of a signal handler."""

    def __init__(self) -> None:
        self._receiving, self._sending = socket.socketpair()
        for end in (self._receiving, self._sending):
            end.settimeout(0.0)
        signal.set_wakeup_fd(self._sending.fileno(), warn_on_full_buffer=False)
        for number in _HEEDED:
            signal.signal(number, lambda *_: None)
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        self._poll = select.poll()
        self._poll.register(self._receiving, select.POLLIN)

    def watch(self, session: LiveSession) -> None:
        """Wake up when the session trades and when it has ended, too."""
        threading.Thread(target=self._tell_news, args=(session,), name="workbench-end", daemon=True).start()

    def wait(self, timeout_s: float) -> tuple[int, ...]:
        """Return the signals that have come, after waiting for `timeout_s` seconds at most."""
        if not self._poll.poll(timeout_s * 1e3):
            return ()
        with contextlib.suppress(BlockingIOError):
            return tuple(number for number in self._receiving.recv(4_096) if number != _NEWS)
        return ()

    def close(self) -> None:
        """Leave the signals ignored: what comes now is too late to matter."""
        for number in _HEEDED:
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)

    def _tell_news(self, session: LiveSession) -> None:
        # Those who wait for a session that was started again look at what its process says of itself.
        session.wait_for(*(set(SessionState) - _BEGINNING))
        self._wake()
        session.wait()
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._sending.send(bytes([_NEWS]))
