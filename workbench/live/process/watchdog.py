"""Which sessions hang: told from their heartbeats by the time for which they were seen in one and the same step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from workbench.live.process.heartbeat import Beat

__all__ = ["HangTimer", "step_budget_s"]

_LEAST_BUDGET_S: Final = 10.0
# A look that comes later than this says that the machine slept or was overloaded, and the session with it.
_LONGEST_GAP_S: Final = 2.0


def step_budget_s(bar_s: float, chosen_s: float | None = None) -> float:
    """Return how long a step may take, in real seconds.

    Parameters
    ----------
    bar_s : float
        Real length of a bar, in seconds.
    chosen_s : float, optional
        What the user says instead of the larger of ten seconds and one bar.

    Examples
    --------
    >>> step_budget_s(60.0), step_budget_s(0.06), step_budget_s(60.0, 1.5)
    (60.0, 10.0, 1.5)
    """
    return max(_LEAST_BUDGET_S, bar_s) if chosen_s is None else chosen_s


@dataclass(slots=True)
class HangTimer:
    """Adds up for how long one session was seen in the same step.

    Only time in which this watch itself ran counts, look by look: while the machine sleeps, a virtual machine is paused
    or the whole system is out of breath, nobody looks, so nobody is blamed. A process that was stopped by a signal is
    not blamed either, and has its whole budget again when it goes on.

    Parameters
    ----------
    budget_s : float
        Seconds that a step may take.

    Examples
    --------
    >>> from workbench.live.process.heartbeat import Beat
    >>> timer, busy = HangTimer(1.0), Beat(1, 7, begun_ns=5, ended_ns=4, summary={})
    >>> [timer.look(second, busy) for second in (0.0, 0.6, 1.2)]
    [False, False, True]
    """

    budget_s: float
    busy_s: float = 0.0
    _step: int = -1
    _looked_s: float | None = None

    def look(self, now_s: float, beat: Beat | None, *, is_stopped: bool = False) -> bool:
        """Take what the heartbeat says, and return whether the session hangs.

        Parameters
        ----------
        now_s : float
            Monotonic time, in seconds.
        beat : Beat or None
            The heartbeat; None when there is none yet.
        is_stopped : bool, default False
            Whether the process is stopped by a signal.
        """
        before_s, self._looked_s = self._looked_s, now_s
        if beat is None or not beat.is_busy or is_stopped or beat.step != self._step:
            self._step = -1 if beat is None else beat.step
            self.busy_s = 0.0
            return False
        passed_s = 0.0 if before_s is None else now_s - before_s
        if passed_s <= _LONGEST_GAP_S:
            self.busy_s += passed_s
        return self.busy_s > self.budget_s
