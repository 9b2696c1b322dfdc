"""F88: an answer is cut off, far too long, a bomb of compressed nothing, or never ends: limits, and an error."""

import asyncio
import gzip
import json
from typing import Any

import pytest

from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, limit_order, run
from workbench.errors import ExchangeError, ExchangeUnavailableError
from workbench.exchange import CcxtClient, OrderTicket, Unknown, practice_client
from workbench.exchange.practice import PracticeExchange, SteppedClock

ACCOUNT = "/api/v3/account"
LIMIT = 100_000
LONG = json.dumps({"balances": [{"asset": "USDT", "free": "1", "locked": "0"}], "padding": "x" * LIMIT}).encode()
BOMB = gzip.compress(b'{"padding": "' + b" " * 50_000_000 + b'"}')


@pytest.mark.parametrize(
    "answer", [{"body": LONG}, {"body": BOMB, "headers": {"Content-Encoding": "gzip"}}], ids=["long", "bomb"]
)
def test_answer_beyond_the_limit_is_not_read(answer: dict[str, Any]) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("GET", ACCOUNT, Answer(**answer))
        with pytest.raises(ExchangeUnavailableError) as caught:
            await client.balances()
        assert caught.value.retryable
        exchange.will("POST", ORDER, Answer(executes=True, **answer))
        outcome = await client.place_order(limit_order())
        assert isinstance(outcome, Unknown)
        assert outcome.cause == "bad_answer"
        assert (await client.balances())["USDT"].free == 100.5

    assert len(BOMB) < LIMIT
    run(test, max_body_bytes=LIMIT)


def test_answer_up_to_the_limit_is_read() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("GET", ACCOUNT, Answer(body=LONG))
        assert (await client.balances())["USDT"].free == 1.0

    run(test, max_body_bytes=len(LONG))


def test_answer_that_never_ends_is_given_up() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        await client.balances()
        never = asyncio.Event()
        exchange.will("GET", ACCOUNT, Answer(wait=never))
        with pytest.raises(ExchangeError) as caught:
            await asyncio.wait_for(client.balances(), 5)
        never.set()
        assert caught.value.retryable

    run(test, timeout_s=0.3)


@pytest.mark.parametrize("fault", ["truncated_body", "huge_body", "garbage_body", "no_order_id"])
def test_practice_exchange_garbles_an_order_that_it_executed(fault: Any) -> None:
    async def test(exchange: PracticeExchange) -> None:
        client = practice_client(exchange.address, clock=exchange.clock)
        try:
            await client.measure_clock()
            exchange.faults.add(fault, where="POST /api/v3/order")
            ticket = OrderTicket(client_order_id="garbled", symbol="BTC/USDT", side="buy", quantity=0.01)
            outcome = await client.place_order(ticket)
            assert isinstance(outcome, Unknown)
            found = await client.order("BTC/USDT", "garbled")
            assert found is not None
            assert found.status == "filled"
        finally:
            await client.close()

    with PracticeExchange(["BTC/USDT"], clock=SteppedClock()) as exchange:
        exchange.advance(60)
        asyncio.run(asyncio.wait_for(test(exchange), 30))
