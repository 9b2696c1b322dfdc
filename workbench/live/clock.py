"""Clocks: what a session takes for "now", and how it waits; the only place of the room that looks at real time.

A session waits on an event that commands also set, so it is never asleep: `wait` and `wait_until` may come back early,
and the caller looks again.
"""

from __future__ import annotations

import math
import threading
import time
from typing import Final, Protocol

from workbench.errors import ConfigError

__all__ = ["Clock", "ManualClock", "ReplayClock", "SystemClock"]

_NS_PER_S: Final = 1_000_000_000
# Longest single wait; after it the caller looks again. Keeps far within what the platform's wait can take.
_LONGEST_WAIT_S: Final = 3_600.0
_SLOWEST: Final = 1.0
_FASTEST: Final = 1_000.0


class Clock(Protocol):
    """Time of the market and time that passes, injected wherever either is needed."""

    def now_ns(self) -> int:
        """Return the time of the market in ns UTC."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds of real time since an unnamed instant; never goes back."""

    def wait(self, wake: threading.Event, timeout_s: float) -> None:
        """Return when `wake` is set or after `timeout_s` of real time, possibly earlier."""

    def wait_until(self, wake: threading.Event, time_ns: int) -> None:
        """Return when `wake` is set or the market's time has reached `time_ns`, possibly earlier."""


class SystemClock:
    """The computer's own time.

    Examples
    --------
    >>> clock = SystemClock()
    >>> clock.now_ns() > 1_700_000_000 * 10**9
    True
    """

    def now_ns(self) -> int:
        """Return the computer's UTC time in ns; it can be set back."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Return nanoseconds since an unnamed instant; never goes back."""
        return time.monotonic_ns()

    def wait(self, wake: threading.Event, timeout_s: float) -> None:
        """Return when `wake` is set, after `timeout_s` seconds, or after an hour."""
        wake.wait(min(max(timeout_s, 0.0), _LONGEST_WAIT_S))

    def wait_until(self, wake: threading.Event, time_ns: int) -> None:
        """Return when `wake` is set, when `time_ns` has come, or after an hour."""
        self.wait(wake, (time_ns - self.now_ns()) / _NS_PER_S)


class ManualClock:
    """A clock that stands still until it is moved: for tests and for stepping through a session.

    Parameters
    ----------
    now_ns : int, default 0
        First time of the market in ns UTC; real time starts at 0.

    Examples
    --------
    >>> clock = ManualClock(1_000)
    >>> clock.advance(500)
    >>> clock.now_ns(), clock.monotonic_ns()
    (1500, 500)
    """

    def __init__(self, now_ns: int = 0) -> None:
        self._lock = threading.Condition()
        self._start_ns = now_ns
        self._elapsed_ns = 0
        self._waiting: list[threading.Event] = []

    def now_ns(self) -> int:
        """Return the time of the market in ns UTC."""
        with self._lock:
            return self._start_ns + self._elapsed_ns

    def monotonic_ns(self) -> int:
        """Return how far the clock was moved, in ns."""
        with self._lock:
            return self._elapsed_ns

    def advance(self, duration_ns: int) -> None:
        """Move the clock forward and wake everyone who waits on it.

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
            self._elapsed_ns += duration_ns
            for wake in self._waiting:
                wake.set()

    def join_waiter(self, timeout_s: float = 10.0) -> bool:
        """Return once somebody waits on the clock, or False when nobody did within `timeout_s` real seconds."""
        with self._lock:
            return self._lock.wait_for(lambda: any(not wake.is_set() for wake in self._waiting), timeout_s)

    def wait(self, wake: threading.Event, timeout_s: float) -> None:
        """Return when `wake` is set, also by the next `advance`, or `timeout_s` has passed on this clock."""
        self._wait(wake, self.now_ns() + round(timeout_s * _NS_PER_S))

    def wait_until(self, wake: threading.Event, time_ns: int) -> None:
        """Return when `wake` is set, also by the next `advance`, or at once when `time_ns` has come already."""
        self._wait(wake, time_ns)

    def _wait(self, wake: threading.Event, until_ns: int) -> None:
        with self._lock:
            # Under the lock: an advance comes either before this look or after this event is on the list.
            if self._start_ns + self._elapsed_ns >= until_ns:
                return
            self._waiting.append(wake)
            self._lock.notify_all()
        try:
            wake.wait()
        finally:
            with self._lock:
                self._waiting.remove(wake)


class ReplayClock:
    """A market time that runs at a multiple of real time from the moment the clock is made.

    Parameters
    ----------
    start_ns : int
        First time of the market in ns UTC.
    speed : float, default 1.0
        Market seconds in a real second, 1 to 1,000; ``inf`` never waits: the time is always the last one waited for.
    base : Clock, optional
        Where real time comes from; default `SystemClock`. Its time may not be the one of another replay.

    Raises
    ------
    ConfigError
        A speed outside 1 to 1,000 that is not ``inf``.

    Examples
    --------
    >>> base = ManualClock()
    >>> clock = ReplayClock(1_000_000, speed=60, base=base)
    >>> base.advance(10)
    >>> clock.now_ns()
    1000600
    """

    def __init__(self, start_ns: int, *, speed: float = 1.0, base: Clock | None = None) -> None:
        check_speed(speed)
        self._base = SystemClock() if base is None else base
        self._start_ns = start_ns
        self._speed = speed
        self._origin_ns = self._base.monotonic_ns()
        self._reached_ns = start_ns

    def now_ns(self) -> int:
        """Return the time of the market in ns UTC."""
        if math.isinf(self._speed):
            return self._reached_ns
        return self._start_ns + int((self._base.monotonic_ns() - self._origin_ns) * self._speed)

    def monotonic_ns(self) -> int:
        """Return the base's real time in ns."""
        return self._base.monotonic_ns()

    def wait(self, wake: threading.Event, timeout_s: float) -> None:
        """Return when `wake` is set or after `timeout_s` of real time, possibly earlier."""
        self._base.wait(wake, timeout_s)

    def wait_until(self, wake: threading.Event, time_ns: int) -> None:
        """Return when `wake` is set or the market's time has reached `time_ns`; at once when the speed is ``inf``."""
        if math.isinf(self._speed):
            self._reached_ns = max(self._reached_ns, time_ns)
            return
        # Real time rounds up, or the wait would end a hair before the time has come and spin.
        real_ns = math.ceil((time_ns - self.now_ns()) / self._speed)
        if real_ns > 0:
            self._base.wait(wake, real_ns / _NS_PER_S)


def check_speed(speed: float) -> None:
    """Raise ConfigError unless the speed is 1 to 1,000 or ``inf``."""
    if not (_SLOWEST <= speed <= _FASTEST or speed == math.inf):
        raise ConfigError(f"speed must be 1 to 1000, or inf for no waiting at all, was {speed}")
