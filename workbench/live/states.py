"""The states of a session and which may follow which."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError, SessionError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FINISHED", "RUNNING", "SessionState", "check_transition", "states_named"]


class SessionState(StrEnum):
    """What a session is doing; each member is the text of its name.

    Attributes
    ----------
    PREPARED
        Made and not started.
    STARTING
        Feeding history to the indicators.
    RECOVERING
        Taking up a session that ended without an end: its record is run again, its orders are asked for.
    ACTIVE
        Trading.
    EXITS_ONLY
        Paused by the user: no new entries, exits and stops go on.
    STALE
        No price for too long: nothing can be filled and nothing is decided until one comes.
    HALTED
        Entries halted by a breaker, because the strategy failed on several bars in a row or wants entries on and on
        beyond the limit of orders per minute, or because the exchange refuses the exit of a position, which then is
        unprotected; stops go on.
    STOPPING
        Ending; with ``stop(flatten=True)`` waiting for the prices that close the positions.
    STOPPED
        Ended as asked, or because the feed ended.
    FAILED
        Ended by an error, or given up because it did not end in time.
    CRASHED
        Told by a handle alone: the session's process is gone without having ended the session, so nothing is traded
        until it is resumed.
    UNREACHABLE
        Told by a handle alone: the session's process is there and does not answer.

    Examples
    --------
    >>> SessionState.EXITS_ONLY == "EXITS_ONLY"
    True
    >>> SessionState.EXITS_ONLY
    'EXITS_ONLY'
    """

    PREPARED = "PREPARED"
    STARTING = "STARTING"
    RECOVERING = "RECOVERING"
    ACTIVE = "ACTIVE"
    EXITS_ONLY = "EXITS_ONLY"
    STALE = "STALE"
    HALTED = "HALTED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    FAILED = "FAILED"
    CRASHED = "CRASHED"
    UNREACHABLE = "UNREACHABLE"

    def __repr__(self) -> str:
        # A state is shown as what it equals.
        return repr(self.value)


def states_named(names: Iterable[SessionState | str]) -> set[SessionState]:
    """Return the states of these names.

    Raises
    ------
    ConfigError
        There is no such state; the message lists those there are.

    Examples
    --------
    >>> states_named(["ACTIVE"])
    {'ACTIVE'}
    """
    wanted = set(names)
    known: set[SessionState | str] = set(SessionState)
    if unknown := sorted(wanted - known, key=str):
        raise ConfigError(f"state must be one of {', '.join(SessionState)}, was {', '.join(map(repr, unknown))}")
    return {SessionState(name) for name in wanted}


RUNNING: Final = frozenset({SessionState.ACTIVE, SessionState.EXITS_ONLY, SessionState.STALE, SessionState.HALTED})
FINISHED: Final = frozenset({SessionState.STOPPED, SessionState.FAILED})

_ENDING: Final = frozenset({SessionState.STOPPING, *FINISHED})
_FOLLOWERS: Final[dict[SessionState, frozenset[SessionState]]] = {
    # A session that was never started has nothing to end: stopping it is its end.
    SessionState.PREPARED: frozenset({SessionState.STARTING, *FINISHED}),
    SessionState.STARTING: RUNNING | _ENDING | {SessionState.RECOVERING},
    SessionState.RECOVERING: RUNNING | _ENDING,
    **{state: (RUNNING - {state}) | _ENDING for state in RUNNING},
    SessionState.STOPPING: FINISHED,
    SessionState.STOPPED: frozenset(),
    SessionState.FAILED: frozenset(),
    # No session is ever in them: they are what a handle says when it cannot ask.
    SessionState.CRASHED: frozenset(),
    SessionState.UNREACHABLE: frozenset(),
}


def check_transition(before: SessionState, after: SessionState) -> None:
    """Raise SessionError unless a session may go from one state to the other.

    Examples
    --------
    >>> check_transition(SessionState.STOPPED, SessionState.ACTIVE)
    Traceback (most recent call last):
    ...
    workbench.errors.SessionError: a session cannot go from STOPPED to ACTIVE; from STOPPED it can go nowhere
    """
    if after not in _FOLLOWERS[before]:
        ways = ", ".join(sorted(_FOLLOWERS[before])) or "nowhere"
        raise SessionError(f"a session cannot go from {before} to {after}; from {before} it can go {_to(ways)}")


def _to(ways: str) -> str:
    return ways if ways == "nowhere" else f"to {ways}"
