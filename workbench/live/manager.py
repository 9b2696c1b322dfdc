"""All sessions of a process: by name or id, at most a hundred at once, finished ones cleaned up after an hour."""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError, SessionError, SessionLimitError, SessionNotFoundError
from workbench.live.clock import SystemClock
from workbench.live.live_core import open_core
from workbench.live.session import LiveSession

if TYPE_CHECKING:
    from workbench.live.callbacks import EngineCallbacks
    from workbench.live.clock import Clock
    from workbench.live.live_core import CoreFactory
    from workbench.live.session_config import LiveSessionConfig

__all__ = ["LiveSessionManager", "default_manager"]

_NS_PER_S: Final = 1_000_000_000
_EXIT_S: Final = 5.0


class LiveSessionManager:
    """Makes sessions, finds them again, and forgets those that have ended; thread-safe.

    A session that has not ended is never removed, whatever its age. Finished ones stay readable for `ttl_s`, and at
    most `max_sessions` of them are kept.

    Parameters
    ----------
    max_sessions : int, default 100
        Sessions at once that have not ended, at least 1.
    ttl_s : float, default 3600
        Seconds for which a finished session is kept, at least 0; measured from when the manager first saw it finished.
    clock : Clock, optional
        Real time, also for the sessions; default the computer's.

    Raises
    ------
    ConfigError
        A limit is out of its range.
    """

    def __init__(self, *, max_sessions: int = 100, ttl_s: float = 3_600.0, clock: Clock | None = None) -> None:
        if max_sessions < 1 or not ttl_s >= 0.0:
            raise ConfigError(f"max_sessions must be >= 1, was {max_sessions}; ttl_s must be >= 0, was {ttl_s}")
        self.max_sessions = max_sessions
        self.ttl_s = ttl_s
        self._clock = SystemClock() if clock is None else clock
        self._lock = threading.RLock()
        self._sessions: dict[str, LiveSession] = {}
        self._finished_ns: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.sessions())

    def create(
        self,
        config: LiveSessionConfig,
        *,
        callbacks: EngineCallbacks | None = None,
        open_core: CoreFactory = open_core,
    ) -> LiveSession:
        """Return a new session, prepared and not started, or the one that runs under this name with the same config.

        A finished session gives its name free.

        Parameters
        ----------
        config : LiveSessionConfig
            What to run.
        callbacks : EngineCallbacks, optional
            For a new session; one that is attached to keeps its own.
        open_core : callable, optional
            Makes the core; another one is for tests.

        Raises
        ------
        SessionError
            A session of this name has not ended and is configured otherwise; the differences are named.
        SessionLimitError
            There are `max_sessions` already.
        ConfigError, DataError
            As for `LiveSession`.
        """
        with self._lock:
            self._clean()
            known = self._by_name(config.name)
            if known is not None:
                return _attached(known, config)
            unfinished = [
                session.name for session in self._sessions.values() if session.session_id not in self._finished_ns
            ]
            if len(unfinished) >= self.max_sessions:
                raise SessionLimitError(
                    f"at most {self.max_sessions} sessions may run at once, and so many do; end one first, "
                    f"for example workbench.attach({unfinished[0]!r}).stop()"
                )
            session = LiveSession(config, clock=self._clock, callbacks=callbacks, open_core=open_core)
            self._sessions[session.session_id] = session
            return session

    def get(self, name_or_id: str) -> LiveSession:
        """Return a session by `name_or_id`; of several with one name the one that has not ended, or the newest.

        Raises
        ------
        SessionNotFoundError
            There is none; the message lists those there are.
        """
        with self._lock:
            self._clean()
            found = self._sessions.get(name_or_id) or self._by_name(name_or_id)
            named = [session for session in self._sessions.values() if session.name == name_or_id]
            found = found or (named[-1] if named else None)
            if found is None:
                names = ", ".join(sorted({session.name for session in self._sessions.values()})) or "none"
                raise SessionNotFoundError(f"no session has the name or id {name_or_id!r}; there are: {names}")
            return found

    def sessions(self) -> tuple[LiveSession, ...]:
        """Return all sessions, oldest first, finished ones that are still kept included."""
        with self._lock:
            self._clean()
            return tuple(self._sessions.values())

    def stop_all(self, *, flatten: bool = False, timeout_s: float = 30.0) -> None:
        """Stop every session within `timeout_s` real seconds in all; `flatten` as in `LiveSession.stop`."""
        sessions = self.sessions()
        until_ns = self._clock.monotonic_ns() + round(timeout_s * _NS_PER_S)
        # All are asked before any is waited for, so they end side by side; and without threads of our own, which
        # cannot be started any more when the interpreter exits.
        for session in sessions:
            session.ask_to_stop(flatten=flatten)
        for session in sessions:
            left_s = max(0, until_ns - self._clock.monotonic_ns()) / _NS_PER_S
            session.stop(flatten=flatten, timeout_s=left_s)

    def _by_name(self, name: str) -> LiveSession | None:
        """Return the session of this name that has not ended."""
        named = (session for session in self._sessions.values() if session.name == name)
        return next((session for session in named if session.session_id not in self._finished_ns), None)

    def _clean(self) -> None:
        """Note which sessions have ended, and remove those that did long ago."""
        now_ns = self._clock.monotonic_ns()
        for session_id, session in self._sessions.items():
            if session.is_finished:
                self._finished_ns.setdefault(session_id, now_ns)
        too_many = len(self._finished_ns) - self.max_sessions
        for rank, (session_id, finished_ns) in enumerate(list(self._finished_ns.items())):
            if rank < too_many or now_ns - finished_ns >= self.ttl_s * _NS_PER_S:
                del self._finished_ns[session_id]
                self._sessions.pop(session_id).close()


def _attached(session: LiveSession, config: LiveSessionConfig) -> LiveSession:
    differences = session.config.differences(config)
    if differences:
        raise SessionError(
            f"session {session.name!r} has not ended and is another one ({'; '.join(differences)}): "
            "stop it first, or choose another name",
            session_id=session.session_id,
        )
    return session


_default: LiveSessionManager | None = None
_default_lock = threading.Lock()


def default_manager() -> LiveSessionManager:
    """Return the manager of this process, made when it is first asked for; its sessions are stopped at exit."""
    global _default  # noqa: PLW0603  the one per process, and lazy
    with _default_lock:
        if _default is None:
            _default = LiveSessionManager()
            atexit.register(_default.stop_all, timeout_s=_EXIT_S)
        return _default
