"""Stops at exchanges that keep them in a list of their own: placed, found again, followed and cancelled by our name.

OKX is ccxt's own, spoken to by a server on this machine that answers as its pages say.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from tests.scripted_exchange import KEY, SECRET, UNLIMITED, ScriptedExchange
from workbench.errors import ExchangeUnavailableError
from workbench.exchange import Accepted, CcxtClient, ClientSettings, Credentials, OrderTicket, Refused
from workbench.exchange.ccxt_client.order_dialects import stop_list
from workbench.live.resting_stop import is_impossible

BTC = "BTC/USDT"
NAME = "wb0123456789abcdn7"
TIME_MS = "1735689600000"
NOT_THERE = {"code": "51603", "data": [], "msg": "Order does not exist"}


def good(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": list(rows)}


def failed(code: str, words: str) -> dict[str, Any]:
    return {"code": "1", "msg": "", "data": [{"sCode": code, "sMsg": words}]}


def stop_row(state: str, **changes: Any) -> dict[str, Any]:
    """Return a stop as it stands in OKX's list of algo orders."""
    numbers = {"sz": "0.5", "slTriggerPx": "95", "slOrdPx": "-1", "actualSz": "", "actualPx": ""}
    names = {"algoId": "900", "algoClOrdId": NAME, "clOrdId": "", "ordId": "", "instId": "BTC-USDT", "instType": "SPOT"}
    fixed = {"ordType": "conditional", "side": "sell", "state": state, "cTime": TIME_MS, "ordPx": "", "tdMode": "cash"}
    return {**numbers, **names, **fixed, **changes}


def order_row(**changes: Any) -> dict[str, Any]:
    """Return the market order that a stop has become."""
    numbers = {"sz": "0.5", "accFillSz": "0.5", "avgPx": "94.9", "fillPx": "94.9", "px": ""}
    names = {"ordId": "77", "clOrdId": "", "algoId": "900", "algoClOrdId": NAME, "instId": "BTC-USDT"}
    fixed = {"instType": "SPOT", "ordType": "market", "side": "sell", "state": "filled", "cTime": TIME_MS}
    return {**numbers, **names, **fixed, "uTime": TIME_MS, "fillTime": TIME_MS, **changes}


class Okx(ScriptedExchange):
    """Answers by method and path; what is not scripted is not there."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, list[dict[str, Any]]] = {}

    def says(self, what: str, *documents: dict[str, Any]) -> None:
        self.answers[what] = list(documents)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        asked = json.loads(text) if text else dict(request.query)
        what = f"{request.method} {request.path.removeprefix('/api/v5/')}"
        self.requests.append((request.method, request.path.removeprefix("/api/v5/"), asked))
        if what == "GET public/instruments":
            return web.json_response(good(instrument()))
        if what == "GET public/time":
            return web.json_response(good({"ts": str(self.now_ms())}))
        planned = self.answers.get(what)
        assert planned, what
        return web.json_response(planned.pop(0) if len(planned) > 1 else planned[0])

    def asked(self, method: str, path: str) -> list[Any]:
        return [said for one, where, said in self.requests if (one, where) == (method, path)]


def instrument() -> dict[str, Any]:
    names = {"instType": "SPOT", "instId": "BTC-USDT", "baseCcy": "BTC", "quoteCcy": "USDT", "state": "live"}
    numbers = {"tickSz": "0.01", "lotSz": "0.0001", "minSz": "0.0001", "maxMktSz": "1000", "maxLmtSz": "1000"}
    return {**names, **numbers, "lever": "", "ctVal": "", "settleCcy": "", "uly": "", "alias": "", "listTime": TIME_MS}


def run(okx: Okx, test: Callable[[CcxtClient], Awaitable[Any]], exchange: str = "okx") -> Any:
    async def whole() -> Any:
        async with okx.running() as server:
            key = Credentials(KEY, SECRET, password="canary-word-1")  # noqa: S106  made up
            settings = ClientSettings(
                exchange=exchange, base_url=server.base_url, credentials=key, budget=UNLIMITED, timeout_s=5.0
            )
            client = CcxtClient(settings)
            try:
                return await asyncio.wait_for(test(client), 30)
            finally:
                await client.close()

    return asyncio.run(whole())


def protective_stop() -> OrderTicket:
    return OrderTicket(
        client_order_id=NAME, symbol=BTC, side="sell", quantity=0.5, kind="stop", price=95.0, is_exit=True
    )


def test_stop_is_placed_under_the_name_by_which_the_list_of_stops_knows_it() -> None:
    okx = Okx()
    okx.says("POST trade/order-algo", good({"algoId": "900", "algoClOrdId": NAME, "clOrdId": "", "sCode": "0"}))
    outcome = run(okx, lambda client: client.place_order(protective_stop()))
    assert isinstance(outcome, Accepted)
    state = outcome.order
    assert (state.order_id, state.kind, state.quantity, state.price) == ("900", "stop", 0.5, 95.0)
    assert (state.status, state.filled) == ("accepted", 0.0)
    (sent,) = okx.asked("POST", "trade/order-algo")
    assert (sent["algoClOrdId"], sent["slTriggerPx"], sent["slOrdPx"], sent["sz"]) == (NAME, "95", "-1", "0.5")


def test_order_that_is_answered_by_its_name_alone_is_accepted() -> None:
    okx = Okx()
    okx.says("POST trade/batch-orders", good({"ordId": "5", "clOrdId": "wb1n1", "sCode": "0", "sMsg": ""}))
    ticket = OrderTicket(client_order_id="wb1n1", symbol=BTC, side="buy", quantity=0.25)
    outcome = run(okx, lambda client: client.place_order(ticket))
    assert isinstance(outcome, Accepted)
    state = outcome.order
    assert (state.order_id, state.client_order_id, state.quantity, state.is_open) == ("5", "wb1n1", 0.25, True)


def test_answer_without_a_name_is_no_order() -> None:
    okx = Okx()
    okx.says("POST trade/order-algo", good({"algoId": "", "sCode": "0"}))
    outcome = run(okx, lambda client: client.place_order(protective_stop()))
    assert getattr(outcome, "cause", None) == "bad_answer"


def test_stop_that_waits_is_found_in_its_own_list() -> None:
    okx = Okx()
    okx.says("GET trade/order", NOT_THERE)
    okx.says("GET trade/order-algo", good(stop_row("live")))
    state = run(okx, lambda client: client.order(BTC, NAME))
    assert okx.asked("GET", "trade/order-algo") == [{"instId": "BTC-USDT", "algoClOrdId": NAME}]
    assert (state.order_id, state.status, state.kind, state.price) == ("900", "accepted", "stop", 95.0)


def test_stop_that_was_triggered_is_the_order_that_it_has_become() -> None:
    okx = Okx()
    okx.says("GET trade/order", NOT_THERE, good(order_row()))
    okx.says("GET trade/order-algo", good(stop_row("effective", ordId="77", actualSz="0.5")))
    state = run(okx, lambda client: client.order(BTC, NAME))
    assert okx.asked("GET", "trade/order")[1] == {"instId": "BTC-USDT", "ordId": "77"}
    # By this name its trades are told.
    assert (state.order_id, state.client_order_id) == ("77", NAME)
    assert (state.status, state.filled, state.average_price) == ("filled", 0.5, 94.9)


@pytest.mark.parametrize("child", [NOT_THERE, {"code": "50026", "data": [], "msg": "System error"}])
def test_triggered_stop_whose_order_is_not_told_is_never_taken_for_one_that_did_nothing(child: dict[str, Any]) -> None:
    for order_id in ("", "77"):
        okx = Okx()
        okx.says("GET trade/order", NOT_THERE, child)
        okx.says("GET trade/order-algo", good(stop_row("effective", ordId=order_id)))
        with pytest.raises(Exception, match=f"did not tell order {NAME}|what the stop {NAME} has become") as caught:
            run(okx, lambda client: client.order(BTC, NAME))
        assert isinstance(caught.value, ExchangeUnavailableError) or order_id


def test_stop_that_ended_without_a_trade_has_filled_nothing() -> None:
    okx = Okx()
    okx.says("GET trade/order", NOT_THERE)
    okx.says("GET trade/order-algo", good(stop_row("canceled")))
    state = run(okx, lambda client: client.order(BTC, NAME))
    assert (state.status, state.filled) == ("cancelled", 0.0)


def test_no_such_stop_is_none() -> None:
    okx = Okx()
    okx.says("GET trade/order", NOT_THERE)
    okx.says("GET trade/order-algo", NOT_THERE)
    assert run(okx, lambda client: client.order(BTC, NAME)) is None


def test_stop_is_cancelled_in_its_own_list() -> None:
    okx = Okx()
    okx.says("POST trade/cancel-order", failed("51400", "Cancellation failed as the order does not exist"))
    okx.says("POST trade/cancel-algos", good({"algoId": "900", "algoClOrdId": NAME, "sCode": "0", "sMsg": ""}))
    outcome = run(okx, lambda client: client.cancel_order(BTC, NAME))
    assert okx.asked("POST", "trade/cancel-algos") == [[{"instId": "BTC-USDT", "algoClOrdId": NAME}]]
    # The answer says nothing of what was filled before: that is asked for.
    assert not isinstance(outcome, Refused)


def test_stops_are_listed_with_the_open_orders() -> None:
    okx = Okx()
    okx.says("GET trade/orders-pending", good())
    okx.says("GET trade/orders-algo-pending", good(stop_row("live")))
    (state,) = run(okx, lambda client: client.open_orders(BTC))
    assert state.order_id == "900"
    assert okx.asked("GET", "trade/orders-algo-pending") == [{"instId": "BTC-USDT", "ordType": "conditional"}]


def test_where_a_stop_cannot_be_found_again_none_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.exchange.ccxt_client.order_desk.stop_list", lambda *_, **__: None)
    okx = Okx()
    outcome = run(okx, lambda client: client.place_order(protective_stop()))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.was_sent) == ("order_kind", False)
    assert "a stop at okx could not be asked for or cancelled" in outcome.reason
    # So the session tells it once, watches the level itself, and does not try again.
    assert is_impossible(outcome.reason)
    assert okx.asked("POST", "trade/order-algo") == []


@pytest.mark.parametrize("exchange", ["bybit", "kraken", "no-such"])
def test_other_exchanges_are_not_known(exchange: str) -> None:
    assert stop_list(exchange, is_spot=True) is None
    assert stop_list(exchange, is_spot=False) is None
