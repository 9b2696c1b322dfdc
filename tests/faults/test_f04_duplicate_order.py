"""F04: a resent order meets "Duplicate order sent": it is ours and open, so it is looked up and adopted."""

import pytest

from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, limit_order, run
from workbench.exchange import Accepted, CcxtClient, Unknown

DUPLICATES = [
    {"code": -2010, "msg": "Duplicate order sent."},
    {"code": -4116, "msg": "ClientOrderId is duplicated."},
    {"code": -1, "msg": "Client order ID already exists"},
]


@pytest.mark.parametrize("body", DUPLICATES)
def test_duplicate_is_adopted(body: dict) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("POST", ORDER, Answer(status=400, body=body, executes=True))
        outcome = await client.place_order(limit_order())
        assert isinstance(outcome, Accepted)
        assert (outcome.was_adopted, outcome.order.client_order_id) == (True, "wb-1")
        assert exchange.count("POST", ORDER) == 1

    run(test)


@pytest.mark.parametrize("body", DUPLICATES)
def test_duplicate_that_is_not_shown_yet_is_unknown_and_no_refusal(body: dict) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("POST", ORDER, Answer(status=400, body=body))
        assert isinstance(await client.place_order(limit_order()), Unknown)

    run(test)


def test_duplicate_whose_question_fails_is_unknown() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("POST", ORDER, Answer(status=400, body=DUPLICATES[0], executes=True))
        exchange.will("GET", ORDER, Answer(status=503, body="busy"))
        assert isinstance(await client.place_order(limit_order()), Unknown)
        assert isinstance(await client.place_order(limit_order()), Accepted)

    run(test)
