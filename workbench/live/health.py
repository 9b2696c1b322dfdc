"""How a session is, in one line: its state, the age of its data and how fast it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["SessionHealth"]

_MS_PER_S: Final = 1_000
_STALLED: Final = frozenset({"STALE", "HALTED", "FAILED", "CRASHED", "UNREACHABLE"})


@dataclass(frozen=True, slots=True)
class SessionHealth:
    """Health of a session.

    Attributes
    ----------
    state : str
        State of the session.
    reason : str
        Why it is in that state.
    data_age_s : float or None
        Market seconds since the last price or close; None when the session does not run.
    stale_after_s : float
        Market seconds of silence from which on the session is stale.
    ping_s : float or None
        Real seconds from a question to its answer; None in the session's own process, or when there was no answer.

    Examples
    --------
    >>> SessionHealth("ACTIVE", "trading", 0.4, 90.0, 0.0003)
    ACTIVE, data 0.4 s old (limit 90 s), ping 0.3 ms
    >>> SessionHealth("CRASHED", "its process is gone", None, 90.0, None).is_well
    False
    """

    state: str
    reason: str
    data_age_s: float | None
    stale_after_s: float
    ping_s: float | None

    @property
    def is_well(self) -> bool:
        """Whether the session trades as it should, or has nothing to trade: prepared, stopped as asked, paused."""
        is_fresh = self.data_age_s is None or self.data_age_s <= self.stale_after_s
        return is_fresh and self.state not in _STALLED

    def __repr__(self) -> str:
        parts = [self.state]
        if self.data_age_s is not None:
            parts.append(f"data {self.data_age_s:.1f} s old (limit {self.stale_after_s:g} s)")
        if self.ping_s is not None:
            parts.append(f"ping {self.ping_s * _MS_PER_S:.1f} ms")
        return ", ".join(parts if self.is_well else [*parts, self.reason])
