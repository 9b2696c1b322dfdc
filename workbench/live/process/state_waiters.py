"""Handles that wait for a session to come into a state, parked until it does or their time is over."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.errors import DataError, SessionError

if TYPE_CHECKING:
    from workbench.live.process.messages import Question

__all__ = ["StateWaiters"]

_MOST: Final = 256
_LONGEST_S: Final = 60.0
_STATES: Final = 16


class _Waiter(NamedTuple):
    asker: bytes
    number: str
    states: frozenset[str]
    until: float


class StateWaiters:
    """The parked questions of one server; times are real seconds of one clock that never goes back."""

    def __init__(self) -> None:
        self._waiters: list[_Waiter] = []

    @property
    def due_at(self) -> float:
        """When the first one's time is over; infinity when nobody waits."""
        return min((waiter.until for waiter in self._waiters), default=math.inf)

    def add(self, asker: bytes, question: Question, now: float) -> None:
        """Park a question with the arguments ``states`` and ``timeout_s`` (at most a minute).

        Raises
        ------
        DataError
            The arguments are not these.
        SessionError
            Too many wait already.
        """
        states: Any = question.arguments.get("states")
        timeout_s: Any = question.arguments.get("timeout_s")
        is_named = isinstance(states, tuple) and len(states) <= _STATES and all(isinstance(one, str) for one in states)
        is_number = isinstance(timeout_s, int | float) and not isinstance(timeout_s, bool)
        if not is_named or not is_number or not 0 <= timeout_s <= _LONGEST_S:
            raise DataError(f"wait_for takes states, at most {_STATES}, and timeout_s in [0, {_LONGEST_S:g}]")
        if len(self._waiters) >= _MOST:
            raise SessionError(f"{_MOST} handles wait for this session already")
        self._waiters.append(_Waiter(asker, question.id, frozenset(states), now + timeout_s))

    def due(self, state: str, now: float) -> list[tuple[bytes, str, bool]]:
        """Return, and forget, who need not wait any more: who asked, the question's id, whether the state came."""
        over = [waiter for waiter in self._waiters if state in waiter.states or now >= waiter.until]
        self._waiters = [waiter for waiter in self._waiters if state not in waiter.states and now < waiter.until]
        return [(waiter.asker, waiter.number, state in waiter.states) for waiter in over]
