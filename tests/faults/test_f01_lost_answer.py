"""F01: an order's POST ends in a reset, a time-out or a 5xx, executed or not: unknown, never sent again, asked for."""

import asyncio
import time

import pytest

from tests.manual_timing import ManualTiming
from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, limit_order, run
from workbench.exchange import Accepted, CcxtClient, Refused, Unknown, settle_order

GATEWAY = {"status": 504, "body": "<html>Gateway Time-out</html>"}


@pytest.mark.parametrize("was_executed", [True, False])
@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ({"drop": True}, "connection"),
        (GATEWAY, "server_error"),
        ({"status": 503, "body": {"code": -1008, "msg": "Server is overloaded."}}, "server_error"),
        ({"status": 503, "body": {"code": -2010, "msg": "Account has insufficient balance."}}, "server_error"),
        ({"status": 500, "body": {"code": -1000, "msg": "An unknown error occurred."}}, "server_error"),
        ({"status": 400, "body": {"code": -1007, "msg": "Timeout waiting for response."}}, "unclear_refusal"),
        ({"status": 400, "body": {"code": -1006, "msg": "Unexpected response."}}, "unclear_refusal"),
        ({"status": 400, "body": {"code": -9999, "msg": "Something else."}}, "unclear_refusal"),
    ],
)
def test_lost_answer_is_unknown_and_sent_once(answer: dict, cause: str, *, was_executed: bool) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("POST", ORDER, Answer(executes=was_executed, **answer))
        outcome = await client.place_order(limit_order())
        assert isinstance(outcome, Unknown)
        assert outcome.cause == cause
        assert exchange.count("POST", ORDER) == 1
        # Sent at most once: the same ticket again is a question, not an order.
        again = await client.place_order(limit_order())
        assert isinstance(again, Accepted if was_executed else Unknown)
        assert exchange.count("POST", ORDER) == 1

    run(test)


def test_order_without_an_answer_in_time_is_unknown() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        await client.measure_clock()
        await client.market_rules("BTC/USDT")
        never = asyncio.Event()
        exchange.will("POST", ORDER, Answer(executes=True, wait=never))
        outcome = await client.place_order(limit_order())
        never.set()
        assert isinstance(outcome, Unknown)
        assert outcome.cause == "timeout"
        assert exchange.count("POST", ORDER) == 1

    run(test, timeout_s=0.3)


@pytest.mark.parametrize("was_executed", [True, False])
def test_asking_tells_what_became_of_it(*, was_executed: bool) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("POST", ORDER, Answer(drop=True, executes=was_executed))
        ticket = limit_order()
        unknown = await client.place_order(ticket)
        assert isinstance(unknown, Unknown)
        outcome = await settle_order(client, ticket, unknown, ManualTiming(time.time_ns(), is_eager=True))
        if was_executed:
            assert isinstance(outcome, Accepted)
            assert (outcome.was_adopted, outcome.order.order_id) == (True, "1")
        else:
            assert isinstance(outcome, Refused)
            assert outcome.code == "never_arrived"
        assert len(exchange.executed) == was_executed

    run(test)
