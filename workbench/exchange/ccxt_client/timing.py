"""Time as the client needs it: now, durations, waiting; the only place of the client that looks at real time."""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

__all__ = ["NS_PER_MS", "NS_PER_S", "SystemTiming", "Timing"]

NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000


class Timing(Protocol):
    """Our clock. The exchange's clock is this one plus a measured offset."""

    @property
    def speed(self) -> float:
        """Seconds of `now_ns` in a real second: 1, but for a practice market that is played faster."""

    def now_ns(self) -> int:
        """Return the time now in ns UTC."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds of real time since an unnamed instant; never goes back."""

    async def sleep(self, duration_s: float) -> None:
        """Return after `duration_s` real seconds."""


class SystemTiming:
    """The computer's own time."""

    speed = 1.0

    def now_ns(self) -> int:
        """Return the computer's UTC time in ns; it can be set back."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Return nanoseconds since an unnamed instant; never goes back."""
        return time.monotonic_ns()

    async def sleep(self, duration_s: float) -> None:
        """Return after `duration_s` seconds."""
        await asyncio.sleep(duration_s)
