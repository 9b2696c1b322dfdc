"""A button that acts on the second of two deliberate clicks."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Confirmation"]

# A double click is one act, not two: the second click must come after it, and before the first is forgotten.
_LEAST_S: Final = 0.5
_MOST_S: Final = 5.0


class Confirmation:
    """Tells the second of two clicks from the first.

    Parameters
    ----------
    clock : callable, default time.monotonic
        Seconds that never run backwards.

    Examples
    --------
    >>> moments = iter([0.0, 0.2, 1.0])
    >>> confirmation = Confirmation(lambda: next(moments))
    >>> confirmation.click(), confirmation.click(), confirmation.click()
    (False, False, True)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked_at = -math.inf

    @property
    def is_asked(self) -> bool:
        """Whether a first click waits for a second one."""
        return self._clock() - self._asked_at <= _MOST_S

    def click(self) -> bool:
        """Take a click and return whether it confirms the one before it."""
        now = self._clock()
        waited_s = now - self._asked_at
        if waited_s < _LEAST_S:
            return False
        is_confirmed = waited_s <= _MOST_S
        self._asked_at = -math.inf if is_confirmed else now
        return is_confirmed

    def forget(self) -> None:
        """Ask anew: the first click was about something that has gone."""
        self._asked_at = -math.inf
