"""F02: an order reaches the matching engine after its sender has given up and was told "not found"."""

import asyncio
from typing import Any

from tests.manual_timing import ManualTiming
from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, connected, limit_order
from workbench.exchange import Accepted, CcxtClient, OrderTicket, Refused, Unknown, practice_client, settle_order
from workbench.exchange.practice import PracticeExchange, SteppedClock

NS_PER_S = 1_000_000_000


async def lost(exchange: ScriptedExchange, client: CcxtClient) -> tuple[OrderTicket, Unknown]:
    exchange.will("POST", ORDER, Answer(drop=True))
    ticket = limit_order()
    unknown = await client.place_order(ticket)
    assert isinstance(unknown, Unknown)
    return ticket, unknown


def test_window_closes_after_the_request_is_too_old_for_the_engine() -> None:
    async def test() -> None:
        async with connected(timing=ManualTiming(), recv_window_ms=1_000) as (exchange, client):
            _, unknown = await lost(exchange, client)
            assert client.clock is not None
            assert unknown.closes_ns is not None
            # the window 1 s + up to 1 s ahead of the exchange + 1 s margin, and the clock is known to within its delay
            assert unknown.closes_ns - unknown.sent_ns == 3 * NS_PER_S + client.clock.delay_ns

    asyncio.run(asyncio.wait_for(test(), 20))


def test_not_found_before_the_window_closes_proves_nothing() -> None:
    async def test() -> None:
        timing = ManualTiming(is_eager=True)
        async with connected(timing=timing, recv_window_ms=1_000) as (exchange, client):
            ticket, unknown = await lost(exchange, client)
            outcome = await settle_order(client, ticket, unknown, timing, poll_s=0.5)
            assert isinstance(outcome, Refused)
            assert outcome.code == "never_arrived"
            asked = exchange.count("GET", ORDER)
            # At 0, 0.5, ... 3.0 s: a question that is asked before 3 s does not count.
            assert asked == 7

    asyncio.run(asyncio.wait_for(test(), 20))


def test_order_that_arrives_late_is_adopted() -> None:
    async def test() -> None:
        timing = ManualTiming(is_eager=True)
        async with connected(timing=timing) as (exchange, client):
            ticket, unknown = await lost(exchange, client)
            missing = Answer(status=400, body={"code": -2013, "msg": "Order does not exist."})
            exchange.will("GET", ORDER, missing, missing, missing)
            exchange.order("POST", exchange.requests[-1][2])
            outcome = await settle_order(client, ticket, unknown, timing)
            assert isinstance(outcome, Accepted)
            assert (outcome.was_adopted, exchange.count("GET", ORDER)) == (True, 4)
            assert exchange.count("POST", ORDER) == 1

    asyncio.run(asyncio.wait_for(test(), 20))


def test_without_a_rule_at_the_exchange_the_outcome_stays_unknown() -> None:
    async def test() -> None:
        timing = ManualTiming(is_eager=True)
        async with connected(timing=timing) as (exchange, client):
            ticket, unknown = await lost(exchange, client)
            for_ever = Unknown(unknown.cause, unknown.reason, unknown.sent_ns, None)
            assert await settle_order(client, ticket, for_ever, timing, poll_s=10.0) is for_ever

    asyncio.run(asyncio.wait_for(test(), 20))


def test_no_window_is_made_up_for_an_exchange_that_names_none() -> None:
    async def test() -> None:
        timing = ManualTiming(is_eager=True)
        async with connected(timing=timing) as (exchange, client):
            await client.measure_clock()
            hidden: Any = client._exchange  # noqa: SLF001 - the same words, spoken by another exchange
            hidden.id = "okx"
            ticket, unknown = await lost(exchange, client)
            assert unknown.closes_ns is None
            assert await settle_order(client, ticket, unknown, timing, poll_s=10.0) is unknown
            assert exchange.count("POST", ORDER) == 1

    asyncio.run(asyncio.wait_for(test(), 20))


def test_practice_exchange_accepts_late_and_the_client_finds_it() -> None:
    async def test(exchange: PracticeExchange) -> None:
        client = practice_client(exchange.address, clock=exchange.clock)
        try:
            exchange.faults.add("accepted_late", seconds=0.6)
            ticket = OrderTicket(client_order_id="late", symbol="BTC/USDT", side="buy", quantity=0.01)
            unknown = await client.place_order(ticket)
            assert isinstance(unknown, Unknown)
            assert await client.order("BTC/USDT", "late") is None
            await asyncio.to_thread(exchange.advance, 0.7)
            found = await client.order("BTC/USDT", "late")
            assert found is not None
            assert found.status == "filled"
            assert len(await client.own_trades("BTC/USDT")) == 1
        finally:
            await client.close()

    with PracticeExchange(["BTC/USDT"], clock=SteppedClock()) as exchange:
        exchange.advance(60)
        asyncio.run(asyncio.wait_for(test(exchange), 30))
