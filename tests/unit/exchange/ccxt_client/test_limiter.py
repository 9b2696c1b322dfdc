import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.manual_timing import ManualTiming
from workbench.errors import ConfigError, RateLimitError
from workbench.exchange.ccxt_client.limiter import CallPriority, RateBudget, RateLimiter

CANCEL, EXIT, ENTRY, ACCOUNT, MARKET = CallPriority


def limited(
    test: Callable[[RateLimiter, ManualTiming], Awaitable[None]], *, reserve: float = 0.0, burst: float = 4.0
) -> None:
    """Run a test with a limiter of 2 a second."""

    async def whole() -> None:
        timing = ManualTiming()
        budget = RateBudget(cost_per_s=2.0, burst=burst, reserve=reserve, longest_wait_s=30.0)
        limiter = RateLimiter("testex", budget, timing)
        await asyncio.wait_for(test(limiter, timing), 10)
        await limiter.close()

    asyncio.run(whole())


async def after(timing: ManualTiming, duration_s: float, tasks: list[asyncio.Task[None]]) -> list[bool]:
    timing.advance(duration_s)
    for _ in range(20):
        await asyncio.wait(tasks, timeout=0)
        await asyncio.wait(tasks, timeout=0.001)
    return [task.done() for task in tasks]


def test_burst_goes_at_once_and_the_rest_waits_for_the_refill() -> None:
    async def test(limiter: RateLimiter, timing: ManualTiming) -> None:
        tasks = [asyncio.create_task(limiter.acquire(1.0, MARKET)) for _ in range(7)]
        assert await after(timing, 0.0, tasks) == [True] * 4 + [False] * 3
        assert await after(timing, 0.5, tasks) == [True] * 5 + [False] * 2  # 0.5 s * 2 = 1
        assert await after(timing, 0.4, tasks) == [True] * 5 + [False] * 2
        assert await after(timing, 0.6, tasks) == [True] * 7

    limited(test)


def test_pause_fills_the_budget_no_further_than_the_burst() -> None:
    async def test(limiter: RateLimiter, timing: ManualTiming) -> None:
        timing.advance(1_000.0)
        tasks = [asyncio.create_task(limiter.acquire(1.0, MARKET)) for _ in range(6)]
        assert sum(await after(timing, 0.0, tasks)) == 4

    limited(test)


def test_most_urgent_call_goes_first_and_equals_in_order() -> None:
    async def test(limiter: RateLimiter, timing: ManualTiming) -> None:
        await limiter.acquire(4.0, MARKET)
        went: list[str] = []

        async def call(name: str, priority: CallPriority) -> None:
            await limiter.acquire(1.0, priority)
            went.append(name)

        wanted = [("read", MARKET), ("entry", ENTRY), ("account", ACCOUNT), ("exit 1", EXIT), ("exit 2", EXIT)]
        tasks = [asyncio.create_task(call(*one)) for one in wanted]
        await after(timing, 0.0, tasks)
        # The cancel comes last of all and passes everybody.
        tasks.append(asyncio.create_task(call("cancel", CANCEL)))
        for _ in range(6):
            await after(timing, 0.5, tasks)
        assert went == ["cancel", "exit 1", "exit 2", "entry", "account", "read"]

    limited(test)


def test_reserve_is_for_cancels_and_exits() -> None:
    async def test(limiter: RateLimiter, timing: ManualTiming) -> None:
        reads = [asyncio.create_task(limiter.acquire(1.0, ENTRY)) for _ in range(4)]
        assert sum(await after(timing, 0.0, reads)) == 2  # half of 4 is kept
        urgent = [asyncio.create_task(limiter.acquire(1.0, priority)) for priority in (CANCEL, EXIT)]
        assert await after(timing, 0.0, urgent) == [True, True]

    limited(test, reserve=0.5)


def test_call_that_costs_more_than_the_burst_goes_when_nothing_was_spent() -> None:
    async def test(limiter: RateLimiter, timing: ManualTiming) -> None:
        await limiter.acquire(10.0, MARKET)
        later = [asyncio.create_task(limiter.acquire(1.0, MARKET))]
        assert await after(timing, 3.4, later) == [False]  # 4 - 10 + 6.8 = 0.8
        assert await after(timing, 0.1, later) == [True]

    limited(test)


def test_pause_holds_everybody_and_the_longest_counts() -> None:
    async def test(limiter: RateLimiter, timing: ManualTiming) -> None:
        limiter.pause(10.0)
        limiter.pause(3.0)
        assert limiter.banned_for_s == 10.0
        tasks = [asyncio.create_task(limiter.acquire(1.0, CANCEL))]
        assert await after(timing, 9.9, tasks) == [False]
        assert await after(timing, 0.1, tasks) == [False]  # nothing is left after a pause
        assert await after(timing, 0.5, tasks) == [True]

    limited(test)


def test_long_ban_refuses_at_once() -> None:
    async def test(limiter: RateLimiter, timing: ManualTiming) -> None:
        limiter.pause(31.0)
        with pytest.raises(RateLimitError, match="testex takes no calls for another 31 s") as caught:
            await limiter.acquire(1.0, CANCEL)
        assert (caught.value.retryable, caught.value.retry_after_s) == (True, 31.0)
        timing.advance(31.6)
        await limiter.acquire(1.0, CANCEL)

    limited(test)


def test_caller_who_gives_up_costs_nothing() -> None:
    async def test(limiter: RateLimiter, timing: ManualTiming) -> None:
        await limiter.acquire(4.0, MARKET)
        tasks = [asyncio.create_task(limiter.acquire(1.0, MARKET)) for _ in range(2)]
        await after(timing, 0.0, tasks)
        tasks[0].cancel()
        assert await after(timing, 0.5, tasks) == [True, True]

    limited(test)


def test_closing_cancels_whoever_waits() -> None:
    async def test(limiter: RateLimiter, timing: ManualTiming) -> None:
        await limiter.acquire(4.0, MARKET)
        tasks = [asyncio.create_task(limiter.acquire(1.0, MARKET))]
        await after(timing, 0.0, tasks)
        await limiter.close()
        await asyncio.wait(tasks)
        assert tasks[0].cancelled()

    limited(test)


def test_budget_names_every_bad_field() -> None:
    with pytest.raises(ConfigError) as caught:
        RateBudget(cost_per_s=0.0, burst=-1.0, reserve=1.0, longest_wait_s=float("nan"))
    for field in ("cost_per_s", "burst", "reserve", "longest_wait_s"):
        assert field in str(caught.value)
