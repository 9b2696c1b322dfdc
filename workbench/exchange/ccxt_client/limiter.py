"""One queue for every call to an exchange: never more than it allows, cancels and exits first, and its bans kept."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError, RateLimitError
from workbench.exchange.ccxt_client.timing import NS_PER_S
from workbench.model.field_checks import FieldChecks, Interval

if TYPE_CHECKING:
    from workbench.exchange.ccxt_client.timing import Timing

__all__ = ["CallPriority", "RateBudget", "RateLimiter"]

_POSITIVE: Final = Interval(0.0, float("inf"))
_FRACTION: Final = Interval(0.0, 1.0, includes_low=True)
# Refilling a budget piece by piece loses its last bits.
_ROUNDING: Final = 1e-9


class CallPriority(IntEnum):
    """Which call goes first when calls are rationed."""

    CANCEL = 0
    EXIT = 1
    ENTRY = 2
    ACCOUNT = 3
    MARKET = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RateBudget:
    """How many calls an exchange takes, in the cost units of ccxt.

    Parameters
    ----------
    cost_per_s : float
        Cost that is refilled each second; above 0.
    burst : float
        Cost that may be spent at once after a pause; above 0.
    reserve : float, default 0.2
        Fraction of the burst that only cancels and exits may spend, in [0, 1).
    longest_wait_s : float, default 10.0
        A call that would have to wait longer is refused at once; above 0.

    Raises
    ------
    ConfigError
        Any field is out of its range.
    """

    cost_per_s: float
    burst: float
    reserve: float = 0.2
    longest_wait_s: float = 10.0

    def __post_init__(self) -> None:
        """Check every field."""
        checks = FieldChecks()
        checks.in_interval("cost_per_s", self.cost_per_s, _POSITIVE)
        checks.in_interval("burst", self.burst, _POSITIVE)
        checks.in_interval("reserve", self.reserve, _FRACTION)
        checks.in_interval("longest_wait_s", self.longest_wait_s, _POSITIVE)
        checks.raise_if_any(ConfigError)


class RateLimiter:
    """Hands out permission to call, the most urgent call first. Belongs to one event loop.

    Parameters
    ----------
    exchange : str
        Name for errors.
    budget : RateBudget
        What the exchange allows.
    timing : Timing
        Real time and waiting.
    """

    def __init__(self, exchange: str, budget: RateBudget, timing: Timing) -> None:
        self._exchange = exchange
        self._budget = budget
        self._timing = timing
        self._left = budget.burst
        self._filled_at_ns = timing.monotonic_ns()
        self._closed_until_ns = 0
        self._waiting: list[tuple[CallPriority, int, float, asyncio.Future[None]]] = []
        self._count = 0
        self._arrived = asyncio.Event()
        self._server: asyncio.Task[None] | None = None

    @property
    def banned_for_s(self) -> float:
        """Seconds until the exchange takes calls again; 0 when it takes them now."""
        return max(0.0, (self._closed_until_ns - self._timing.monotonic_ns()) / NS_PER_S)

    def pause(self, duration_s: float) -> None:
        """Let no call through for `duration_s` seconds, as the exchange asked for fewer; the longest pause holds."""
        until_ns = self._timing.monotonic_ns() + int(duration_s * NS_PER_S)
        self._closed_until_ns = max(self._closed_until_ns, until_ns)
        self._left = min(self._left, 0.0)

    async def acquire(self, cost: float, priority: CallPriority) -> None:
        """Return once a call of this `cost` and `priority` may leave.

        Raises
        ------
        RateLimitError
            The exchange does not want calls for longer than ``longest_wait_s``; nothing was sent.
        """
        banned_s = self.banned_for_s
        if banned_s > self._budget.longest_wait_s:
            text = f"{self._exchange} takes no calls for another {banned_s:.0f} s, as it was asked too often"
            refusal = RateLimitError(text, exchange=self._exchange, retryable=True)
            refusal.retry_after_s = banned_s
            raise refusal
        self._refill()
        if not self._waiting and self._wait_s(cost, priority) <= 0.0:
            self._left -= cost
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (priority, self._count, cost, turn))
        self._arrived.set()
        if self._server is None or self._server.done():
            self._server = asyncio.create_task(self._serve())
        await turn

    async def close(self) -> None:
        """Stop serving; whoever still waits is cancelled."""
        for *_, turn in self._waiting:
            turn.cancel()
        self._waiting.clear()
        if self._server is not None:
            self._server.cancel()
            await asyncio.gather(self._server, return_exceptions=True)
            self._server = None

    async def _serve(self) -> None:
        while self._waiting:
            priority, _, cost, turn = self._waiting[0]
            if turn.done():
                heapq.heappop(self._waiting)
                continue
            self._refill()
            wait_s = self._wait_s(cost, priority)
            if wait_s > 0.0:
                await self._wait(wait_s)
                continue
            heapq.heappop(self._waiting)
            self._left -= cost
            turn.set_result(None)

    async def _wait(self, wait_s: float) -> None:
        """Wait, or until somebody comes, who may be more urgent than whoever is first now."""
        self._arrived.clear()
        waits = [asyncio.ensure_future(self._timing.sleep(wait_s)), asyncio.ensure_future(self._arrived.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _refill(self) -> None:
        now_ns = self._timing.monotonic_ns()
        since_ns = max(self._filled_at_ns, self._closed_until_ns)
        if now_ns > since_ns:
            gained = (now_ns - since_ns) / NS_PER_S * self._budget.cost_per_s
            self._left = min(self._budget.burst, self._left + gained)
        self._filled_at_ns = max(now_ns, self._filled_at_ns)

    def _wait_s(self, cost: float, priority: CallPriority) -> float:
        """Return how long a call still has to wait, without the others."""
        floor = 0.0 if priority <= CallPriority.EXIT else self._budget.burst * self._budget.reserve
        # A call that costs more than everything may leave when nothing was spent, or it would wait for ever.
        needed = min(cost + floor, self._budget.burst) - self._left
        if needed <= _ROUNDING * self._budget.burst:
            needed = 0.0
        return self.banned_for_s + needed / self._budget.cost_per_s
