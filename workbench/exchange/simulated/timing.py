"""The time of a market that stands still until it is played on."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Final

__all__ = ["MarketTiming"]

_NS_PER_S: Final = 1_000_000_000


class MarketTiming:
    """The time of the last print that was played. Whoever sleeps is woken as the market passes the end of his sleep.

    Parameters
    ----------
    now_ns : int
        First time of the market, ns UTC.
    """

    speed = 1.0

    def __init__(self, now_ns: int) -> None:
        self._start_ns = self._now_ns = now_ns
        self._is_over = False
        self._order = itertools.count()
        self._sleeping: list[tuple[int, int, asyncio.Future[None]]] = []

    def now_ns(self) -> int:
        """Return the time of the market in ns UTC."""
        return self._now_ns

    def monotonic_ns(self) -> int:
        """Return how far the market has come, in ns."""
        return self._now_ns - self._start_ns

    async def sleep(self, duration_s: float) -> None:
        """Return when `duration_s` seconds of the market have passed; at once when it has ended."""
        if duration_s <= 0.0 or self._is_over:
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        until_ns = self._now_ns + round(duration_s * _NS_PER_S)
        heapq.heappush(self._sleeping, (until_ns, next(self._order), turn))
        await turn

    def move_to(self, time_ns: int) -> None:
        """Let the time pass up to `time_ns`; it never goes back."""
        self._now_ns = max(self._now_ns, time_ns)
        while self._sleeping and self._sleeping[0][0] <= self._now_ns:
            self._wake_first()

    def end(self) -> None:
        """Wake everyone: no time passes any more."""
        self._is_over = True
        while self._sleeping:
            self._wake_first()

    def _wake_first(self) -> None:
        turn = heapq.heappop(self._sleeping)[2]
        if not turn.done():
            turn.set_result(None)
