"""The exchange's own time: it starts where the practice market goes live and may run up to a thousand times faster."""

from __future__ import annotations

import threading
import time
from typing import Final, Protocol

from workbench.errors import ConfigError
from workbench.model.practice import PRACTICE_LIVE_START

__all__ = ["PracticeClock", "RunningClock", "SteppedClock"]

_NS_PER_S: Final = 1_000_000_000
_SLOWEST: Final = 1.0
_FASTEST: Final = 1_000.0


class PracticeClock(Protocol):
    """What time it is on the exchange."""

    @property
    def speed(self) -> float:
        """Seconds of the exchange in a real one."""

    def now_ns(self) -> int:
        """Return the exchange's time in ns UTC."""

    def real_seconds_until(self, time_ns: int) -> float | None:
        """Return how many real seconds it takes until `time_ns`, at least 0; None when no waiting brings it about."""


class RunningClock:
    """A time that runs by itself.

    Parameters
    ----------
    start_ns : int, default `PRACTICE_LIVE_START`
        Time of the exchange at its origin, ns UTC.
    speed : float, default 1.0
        Seconds of the exchange in a real one, 1 to 1,000.
    origin_ns : int, optional
        Reading of ``time.monotonic_ns()`` at which the exchange's time is `start_ns`; default now. All processes of a
        machine share these readings, so a client that is told `start_ns`, `speed` and `origin_ns` knows the exchange's
        time without asking.

    Raises
    ------
    ConfigError
        The speed is out of its range.

    Examples
    --------
    >>> clock = RunningClock(1_000, speed=60)
    >>> clock.now_ns() >= 1_000
    True
    """

    def __init__(
        self, start_ns: int = PRACTICE_LIVE_START, *, speed: float = 1.0, origin_ns: int | None = None
    ) -> None:
        if not _SLOWEST <= speed <= _FASTEST:
            raise ConfigError(f"speed must be in [1, 1000], was {speed}")
        self.speed = float(speed)
        self.start_ns = start_ns
        self.origin_ns = time.monotonic_ns() if origin_ns is None else origin_ns

    def now_ns(self) -> int:
        """Return the exchange's time in ns UTC."""
        return self.start_ns + int((time.monotonic_ns() - self.origin_ns) * self.speed)

    def real_seconds_until(self, time_ns: int) -> float:
        """Return how many real seconds it takes until `time_ns`, a time of the exchange, at least 0."""
        return max(0.0, (time_ns - self.now_ns()) / self.speed / _NS_PER_S)


class SteppedClock:
    """A time that stands still until it is moved: for tests, and for stepping through a market by hand.

    Parameters
    ----------
    start_ns : int, default `PRACTICE_LIVE_START`
        First time of the exchange, ns UTC.

    Examples
    --------
    >>> clock = SteppedClock(1_000)
    >>> clock.advance(500)
    >>> clock.now_ns()
    1500
    """

    def __init__(self, start_ns: int = PRACTICE_LIVE_START) -> None:
        self._lock = threading.Lock()
        self._now_ns = start_ns

    @property
    def speed(self) -> float:
        """1: real time plays no part."""
        return 1.0

    def now_ns(self) -> int:
        """Return the exchange's time in ns UTC."""
        with self._lock:
            return self._now_ns

    def advance(self, duration_ns: int) -> None:
        """Move the time forward.

        Parameters
        ----------
        duration_ns : int
            Nanoseconds, not negative.

        Raises
        ------
        ConfigError
            The duration is negative.
        """
        if duration_ns < 0:
            raise ConfigError(f"duration_ns must be >= 0, was {duration_ns}")
        with self._lock:
            self._now_ns += duration_ns

    def real_seconds_until(self, time_ns: int) -> float | None:
        """Return 0 when `time_ns` has come, else None."""
        return 0.0 if time_ns <= self.now_ns() else None
