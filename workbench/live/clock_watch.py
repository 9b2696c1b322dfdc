"""Whether the computer slept, or its clock was set, while nobody looked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from workbench.live.clock import Clock

__all__ = ["ClockWatch"]

_NS_PER_S: Final = 1_000_000_000
# A clock that is slewed gains or loses less between two looks; a step of this size makes a signed order too old.
_JUMP_NS: Final = 2 * _NS_PER_S


class ClockWatch:
    """Compares the computer's time with the time that passes, which stands still while it sleeps.

    Parameters
    ----------
    clock : Clock
        Real time: the computer's, and the one that never goes back.

    Examples
    --------
    >>> from workbench.live.clock import ManualClock
    >>> clock = ManualClock(0)
    >>> watch = ClockWatch(clock)
    >>> clock.advance(60 * 10**9)
    >>> watch.jump_ns()
    0
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._apart_ns = self._measure()

    def jump_ns(self) -> int:
        """Return how far the computer's time jumped since the last call, ns; 0 when it did not, below 0 backward."""
        apart_ns = self._measure()
        jump_ns = apart_ns - self._apart_ns
        if abs(jump_ns) < _JUMP_NS:
            return 0
        self._apart_ns = apart_ns
        return jump_ns

    def _measure(self) -> int:
        return self._clock.now_ns() - self._clock.monotonic_ns()


def jump_text(jump_ns: int) -> str:
    """Return in words what a jump means.

    Examples
    --------
    >>> jump_text(7_200_000_000_000)
    'the computer slept, or its clock was set ahead: 7,200 s that nobody watched'
    >>> jump_text(-5_000_000_000)
    'the clock of the computer was set back by 5 s'
    """
    seconds = f"{abs(jump_ns) / _NS_PER_S:,.0f} s"
    if jump_ns > 0:
        return f"the computer slept, or its clock was set ahead: {seconds} that nobody watched"
    return f"the clock of the computer was set back by {seconds}"
