"""F05: Binance takes a client id again once its order is filled, so the client itself sends no ticket twice."""

import asyncio

from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, limit_order, run
from workbench.exchange import Accepted, CcxtClient, OrderTicket, practice_client
from workbench.exchange.practice import PracticeExchange, SteppedClock


def test_ticket_is_sent_once_even_after_its_order_is_filled() -> None:
    async def test(exchange: PracticeExchange) -> None:
        client = practice_client(exchange.address, clock=exchange.clock)
        try:
            ticket = OrderTicket(client_order_id="once", symbol="BTC/USDT", side="buy", quantity=0.01)
            first, second = await client.place_order(ticket), await client.place_order(ticket)
            assert isinstance(first, Accepted)
            assert isinstance(second, Accepted)
            assert first.order.status == second.order.status == "filled"
            assert (first.was_adopted, second.was_adopted) == (False, True)
            assert (await client.balances())["BTC"].total == 0.01
        finally:
            await client.close()

    with PracticeExchange(["BTC/USDT"], clock=SteppedClock()) as exchange:
        exchange.advance(60)
        asyncio.run(asyncio.wait_for(test(exchange), 30))


def test_two_at_once_are_sent_once() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        await asyncio.gather(client.place_order(limit_order()), client.place_order(limit_order()))
        assert exchange.count("POST", ORDER) == len(exchange.executed) == 1

    run(test)


def test_order_that_never_left_may_be_sent() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("GET", "/api/v3/time", *[Answer(status=503, body="busy")] * 5)
        refused = await client.place_order(limit_order())
        assert refused.was_sent is False
        assert exchange.count("POST", ORDER) == 0
        assert isinstance(await client.place_order(limit_order()), Accepted)

    run(test)
