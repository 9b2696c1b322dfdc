"""State of a session: moved by checked transitions only, with a reason that is always an event."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from workbench.live.bounded import BoundedLog
from workbench.live.records import SessionEvent
from workbench.live.states import FINISHED, SessionState, check_transition

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from workbench.live.real_mode import SessionMode

__all__ = ["SessionStatus"]


class SessionStatus:
    """State, reason and events of one session; thread-safe.

    Parameters
    ----------
    capacity : int, default 1000
        Events to keep.
    mode : {"paper", "real"}, default "paper"
        What every event says of the session's money.
    keep : callable, optional
        Called with each event, on the thread on which it happens: a journal writes them down.

    Examples
    --------
    >>> status = SessionStatus()
    >>> status.move(SessionState.STARTING, "started by the user", 0)
    True
    >>> str(status.state), status.reason, len(status.events)
    ('STARTING', 'started by the user', 2)
    """

    def __init__(
        self,
        *,
        capacity: int = 1_000,
        mode: SessionMode = "paper",
        keep: Callable[[SessionEvent], None] | None = None,
    ) -> None:
        self.mode = mode
        self.events: BoundedLog[SessionEvent] = BoundedLog(capacity)
        self._changed = threading.Condition()
        self._listeners: tuple[Callable[[], None], ...] = ()
        self._state = SessionState.PREPARED
        self._reason = "waiting for start()"
        self._keep = keep
        self.note(0, "state", "PREPARED: waiting for start()")

    @property
    def state(self) -> SessionState:
        """The state at this moment."""
        return self._state

    @property
    def reason(self) -> str:
        """Why the session is in its state."""
        return self._reason

    @property
    def is_finished(self) -> bool:
        """Whether the session has ended."""
        return self._state in FINISHED

    def move(self, state: SessionState, reason: str, time_ns: int) -> bool:
        """Go to a state, or give a new reason for it, and return whether the state changed; the end is final.

        Raises
        ------
        SessionError
            The transition is not allowed.
        """
        with self._changed:
            is_change = self._state != state
            if self._state in FINISHED or (not is_change and self._reason == reason):
                return False
            if is_change:
                check_transition(self._state, state)
            self._state = state
            self._reason = reason
            self.note(time_ns, "state", f"{state}: {reason}")
            self._changed.notify_all()
            for listener in self._listeners:
                listener()
            return is_change

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change of state or reason, on the thread that makes it; return how to end that.

        It must be quick, must not raise, and must not ask for another change.
        """

        # A wrapper of its own for each, so that the same one can listen twice.
        def listening() -> None:
            listener()

        def end() -> None:
            with self._changed:
                self._listeners = tuple(kept for kept in self._listeners if kept is not listening)

        with self._changed:
            self._listeners = (*self._listeners, listening)
        return end

    def note(self, time_ns: int, kind: str, text: str) -> None:
        """Add an event."""
        event = SessionEvent(time_ns, kind, text, self.mode)
        self.events.append(event)
        if self._keep is not None and self._state is not SessionState.PREPARED:
            self._keep(event)

    def retell(self, events: Iterable[SessionEvent]) -> None:
        """Show the kept `events`, those of earlier processes and of this one, behind the first of all."""
        with self._changed:
            log: BoundedLog[SessionEvent] = BoundedLog(self.events.capacity)
            log.extend((*self.events.newest()[:1], *events))
            self.events = log

    def wait_for(self, states: Collection[SessionState], timeout_s: float | None) -> bool:
        """Return whether the session came to be in one of the states within the timeout in real seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._state in states, timeout_s)
