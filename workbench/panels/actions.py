"""What a panel's buttons do: label, tool tip, when it means something, and what is asked of the session's handle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.panels.handle import SessionHandle

__all__ = ["ACTIONS", "ANSWER_ACTIONS", "KILL", "RUNNING", "Action", "Situation"]

KILL: Final = "kill"

RUNNING: Final = frozenset({"ACTIVE", "EXITS_ONLY", "STALE", "HALTED"})
_CAN_STOP: Final = RUNNING | {"STARTING", "RECOVERING", "UNREACHABLE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What decides which buttons mean something.

    Attributes
    ----------
    state, reason : str
        Of the session. A reason that waits for a person names the command that answers it, such as ``resume()``.
    is_paused, is_halted : bool
        Whether entries are paused, and whether a breaker has tripped.
    can_start : bool
        Whether nothing is wrong with the parameters.
    """

    state: str
    reason: str = ""
    is_paused: bool = False
    is_halted: bool = False
    can_start: bool = True

    @property
    def is_running(self) -> bool:
        """Whether the session trades, or could if nothing held it back."""
        return self.state in RUNNING

    @property
    def can_resume(self) -> bool:
        """Whether entries wait for this alone, and no other question of the session stands before."""
        return (self.is_running and self.state != "HALTED" and self.is_paused) or self.asks_for("resume")

    @property
    def can_stop(self) -> bool:
        """Whether there is something to end."""
        return self.state in _CAN_STOP

    def asks_for(self, command: str) -> bool:
        """Whether the session waits for a command of a person.

        Examples
        --------
        >>> Situation(state="HALTED", reason="the strategy failed; resume() allows entries again").asks_for("resume")
        True
        """
        return self.is_running and f"{command}()" in self.reason


@dataclass(frozen=True, slots=True)
class Action:
    """One button."""

    label: str
    tip: str
    is_useful: Callable[[Situation], bool]
    run: Callable[[SessionHandle], object]


ACTIONS: Final[Mapping[str, Action]] = {
    "start": Action(
        "Start",
        "Start the session with the parameters below",
        lambda now: now.state == "PREPARED" and now.can_start,
        lambda handle: handle.start(),
    ),
    "pause": Action(
        "Pause",
        "Let no new entries through; stops and exits go on",
        lambda now: now.state in {"ACTIVE", "STALE"} and not now.is_paused,
        lambda handle: handle.pause(),
    ),
    "resume": Action(
        "Resume",
        "Let entries through again",
        lambda now: now.can_resume,
        lambda handle: handle.resume(),
    ),
    "flatten": Action(
        "Flatten",
        "Close all positions at their next price, then pause",
        lambda now: now.is_running,
        lambda handle: handle.flatten(),
    ),
    "clear_breaker": Action(
        "Clear breaker",
        "Allow entries again after a breaker tripped, and measure losses from now",
        lambda now: now.is_running and now.is_halted,
        lambda handle: handle.clear_breaker(),
    ),
    "stop": Action(
        "Stop",
        "End the session: entry orders are cancelled, positions are kept and reported",
        lambda now: now.can_stop,
        lambda handle: handle.stop(),
    ),
    KILL: Action(
        "Kill",
        "End the session at once, orders and positions untouched; takes a second click",
        lambda now: now.can_stop or now.state == "STOPPING",
        lambda handle: handle.kill(),
    ),
}
"""By name, in their order."""

ANSWER_ACTIONS: Final[Mapping[str, Action]] = {
    "adopt": Action(
        "Adopt",
        "Take the difference to the exchange into the session's position at the last price",
        lambda now: now.asks_for("reconcile"),
        lambda handle: handle.reconcile("adopt"),
    ),
    "adopt_flatten": Action(
        "Adopt, flatten",
        "Take the difference into the session's position, then close everything",
        lambda now: now.asks_for("reconcile"),
        lambda handle: handle.reconcile("flatten"),
    ),
    "ignore": Action(
        "Ignore",
        "Leave the difference to its owner for good",
        lambda now: now.asks_for("reconcile"),
        lambda handle: handle.reconcile("ignore"),
    ),
}
"""What may be answered to a difference between the exchange and what was booked."""
