"""What a process gives to the session that it runs, so that the session outlives it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from workbench.live.spool import EventSpool

if TYPE_CHECKING:
    from workbench.live.record import SessionRecord

__all__ = ["NoPulse", "Pulse", "SessionHost"]


class Pulse(Protocol):
    """Told by a session's thread before and after each piece of work, for a watchdog; must be quick and never raise."""

    def begin(self) -> None:
        """Work begins."""

    def end(self) -> None:
        """Work has ended; the thread may wait now for as long as it likes."""


class NoPulse:
    """For sessions that nobody watches from outside."""

    def begin(self) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SessionHost:
    """What a session gets from the process that it lives in; the default is a session that ends with its process.

    Parameters
    ----------
    session_id : str, optional
        Its id: of a session that goes on the one that it had; default a new one.
    record : SessionRecord, optional
        Where its inputs and notes are kept. One that was begun is gone on with. Default: a record in memory.
    pulse : Pulse, optional
        Told when the session's thread is at work.
    is_muted : bool, default False
        Whether the strategy is not asked any more, because it hung: exits and stops go on.
    is_paused : bool, default False
        Whether nothing may enter from the first moment on: a person ends the session, or closes its position.
    """

    session_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    record: SessionRecord = field(default_factory=EventSpool)
    pulse: Pulse = field(default_factory=NoPulse)
    is_muted: bool = False
    is_paused: bool = False
