"""F03: an order is answered with 200 and something that is no order: neither a success nor a failure."""

import json

import pytest

from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, limit_order, order_document, run
from workbench.errors import ExchangeUnavailableError
from workbench.exchange import CcxtClient, Unknown

GOOD = order_document("wb-1", {"symbol": "BTCUSDT", "quantity": "0.5", "type": "LIMIT", "side": "BUY"}, order_id=1)


@pytest.mark.parametrize(
    "body",
    [
        "<html>Welcome</html>",
        "",
        "null",
        "ok",
        {},
        [],
        {"symbol": "BTCUSDT"},
        {name: value for name, value in GOOD.items() if name != "orderId"},
        GOOD | {"orderId": None},
        GOOD | {"clientOrderId": "another"},
        GOOD | {"origQty": "nan"},
        json.dumps(GOOD)[:-20],
    ],
)
def test_answer_that_is_no_order_is_unknown(body: object) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("POST", ORDER, Answer(body=body, executes=True))
        outcome = await client.place_order(limit_order())
        assert isinstance(outcome, Unknown)
        assert outcome.cause == "bad_answer"
        assert exchange.count("POST", ORDER) == 1
        found = await client.order("BTC/USDT", "wb-1")
        assert found is not None
        assert found.order_id == "1"

    run(test)


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "", {}, "null", {"balances": "none"}, [1, 2]])
def test_answer_that_tells_no_balances_is_an_error_and_not_an_empty_account(body: object) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("GET", "/api/v3/account", Answer(body=body))
        with pytest.raises(ExchangeUnavailableError) as caught:
            await client.balances()
        assert caught.value.retryable
        assert (await client.balances())["USDT"].free == 100.5

    run(test)


@pytest.mark.parametrize("body", ["<html>Welcome</html>", {}, [{}], [{"orderId": 1}]])
def test_answer_that_tells_no_orders_is_an_error_and_not_an_empty_list(body: object) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("GET", "/api/v3/openOrders", Answer(body=body))
        with pytest.raises(ExchangeUnavailableError):
            await client.open_orders("BTC/USDT")
        assert await client.open_orders("BTC/USDT") == ()

    run(test)
