"""F46: 429, a ban (418), an HTML page in front of the exchange: calls pause, cancels and exits go first, no retries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.manual_timing import ManualTiming
from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, connected, limit_order, run
from workbench.errors import ExchangeUnavailableError, RateLimitError
from workbench.exchange import CcxtClient, RateBudget, Refused, Unknown

ACCOUNT = "/api/v3/account"
TOO_MANY = {"code": -1003, "msg": "Too much request weight used."}
PAGE = "<html><title>Attention Required! | Cloudflare</title></html>"


@pytest.mark.parametrize("status", [429, 418])
@pytest.mark.parametrize("body", [TOO_MANY, PAGE])
def test_read_says_that_calls_are_too_many(status: int, body: object) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("GET", ACCOUNT, Answer(status=status, body=body, headers={"Retry-After": "1"}))
        with pytest.raises(RateLimitError) as caught:
            await client.balances()
        assert (caught.value.retryable, caught.value.retry_after_s) == (True, 1.0)
        assert exchange.count("GET", ACCOUNT) == 1

    run(test)


@pytest.mark.parametrize("status", [429, 418])
def test_order_beyond_the_limit_is_refused_and_not_sent_again(status: int) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("POST", ORDER, Answer(status=status, body=TOO_MANY, headers={"Retry-After": "60"}))
        outcome = await client.place_order(limit_order())
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.was_sent) == ("rate_limit", True)
        assert exchange.count("POST", ORDER) == 1

    run(test)


@pytest.mark.parametrize(("retry_after", "waits_s"), [("7", 7.0), (None, 5.0), ("soon", 5.0)])
def test_nothing_is_sent_until_the_exchange_takes_calls_again(retry_after: str | None, waits_s: float) -> None:
    async def test() -> None:
        timing = ManualTiming()
        async with connected(timing=timing) as (exchange, client):
            await client.balances()
            headers = {} if retry_after is None else {"Retry-After": retry_after}
            exchange.will("GET", ACCOUNT, Answer(status=429, body=TOO_MANY, headers=headers))
            with pytest.raises(RateLimitError):
                await client.balances()
            waiting = asyncio.create_task(client.balances())
            while not timing.slept_s:
                await asyncio.wait({waiting}, timeout=0.001)
            timing.advance(waits_s - 0.1)
            await asyncio.wait({waiting}, timeout=0.05)
            assert exchange.count("GET", ACCOUNT) == 2
            while not waiting.done():
                timing.advance(0.1)
                await asyncio.wait({waiting}, timeout=0.01)
            assert exchange.count("GET", ACCOUNT) == 3
            await waiting

    asyncio.run(asyncio.wait_for(test(), 20))


def test_during_a_ban_calls_are_refused_at_our_own_door() -> None:
    async def test() -> None:
        timing = ManualTiming()
        async with connected(timing=timing) as (exchange, client):
            await client.market_rules("BTC/USDT")
            await client.measure_clock()
            exchange.will("GET", ACCOUNT, Answer(status=418, body=TOO_MANY, headers={"Retry-After": "300"}))
            with pytest.raises(RateLimitError):
                await client.balances()
            asked = len(exchange.requests)
            with pytest.raises(RateLimitError, match="takes no calls for another 300 s"):
                await client.balances()
            outcome = await client.place_order(limit_order())
            assert isinstance(outcome, Refused)
            assert (outcome.code, outcome.was_sent) == ("rate_limit", False)
            assert len(exchange.requests) == asked
            timing.advance(300)
            waiting = asyncio.create_task(client.balances())
            while not waiting.done():
                timing.advance(1)
                await asyncio.wait({waiting}, timeout=0.01)
            assert waiting.result()

    asyncio.run(asyncio.wait_for(test(), 20))


def test_page_in_place_of_an_answer_leaves_an_order_unknown() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("POST", ORDER, Answer(status=403, body=PAGE, executes=True))
        assert isinstance(await client.place_order(limit_order()), Unknown)
        exchange.will("GET", ACCOUNT, Answer(status=403, body=PAGE))
        with pytest.raises(ExchangeUnavailableError):
            await client.balances()

    run(test)


@asynccontextmanager
async def rationed(
    budget: RateBudget, timing: ManualTiming, *, left: float
) -> AsyncIterator[tuple[ScriptedExchange, CcxtClient]]:
    """Run a client that knows its market and the time, has so much `left` to call, and waits by the test's clock."""
    async with connected(timing=ManualTiming(is_eager=True), budget=budget) as (exchange, client):
        await client.market_rules("BTC/USDT")
        await client.measure_clock()
        client._limiter._timing = timing  # noqa: SLF001 - from here on the test turns the clock
        client._limiter._left, client._limiter._filled_at_ns = left, 0  # noqa: SLF001 - as above
        yield exchange, client


def test_cancels_then_exits_then_entries_then_reads() -> None:
    async def test() -> None:
        timing = ManualTiming()
        # Binance's costs: 1 for an order or a cancel, more for the rest; one call at a time fits.
        budget = RateBudget(cost_per_s=1.0, burst=1.0, reserve=0.0, longest_wait_s=1_000.0)
        async with rationed(budget, timing, left=0.0) as (exchange, client):
            before = len(exchange.requests)
            calls = [
                client.balances(),
                client.place_order(limit_order("entry")),
                client.place_order(limit_order("exit", is_exit=True)),
                client.cancel_order("BTC/USDT", "unknown"),
            ]
            tasks = [asyncio.create_task(call) for call in calls]
            while any(not task.done() for task in tasks):
                await asyncio.wait(tasks, timeout=0.02)
                timing.advance(1.0)
            sent = [params.get("newClientOrderId", method) for method, _, params in exchange.requests[before:]]
            assert sent == ["DELETE", "exit", "entry", "GET"]

    asyncio.run(asyncio.wait_for(test(), 20))


def test_entries_leave_enough_for_an_exit_to_leave_at_once() -> None:
    async def test() -> None:
        timing = ManualTiming()
        # ccxt counts 0.2 for an order: enough for four of them.
        budget = RateBudget(cost_per_s=0.2, burst=0.8, reserve=0.5, longest_wait_s=1_000.0)
        async with rationed(budget, timing, left=0.8) as (exchange, client):
            entries = [asyncio.create_task(client.place_order(limit_order(f"entry-{number}"))) for number in range(4)]
            # Half is kept, so that two wait for a refill, and no time passes here.
            while sum(task.done() for task in entries) < 2:
                await asyncio.wait(entries, timeout=0.01)
            await client.place_order(limit_order("exit", is_exit=True))
            sent = [params["newClientOrderId"] for method, _, params in exchange.requests if method == "POST"]
            assert sent == ["entry-0", "entry-1", "exit"]
            while any(not task.done() for task in entries):
                timing.advance(1.0)
                await asyncio.wait(entries, timeout=0.01)

    asyncio.run(asyncio.wait_for(test(), 20))
