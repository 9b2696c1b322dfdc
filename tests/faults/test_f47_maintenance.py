"""F47: the exchange is under maintenance, at the start or in mid-run: a state to wait in, no crash, no false facts."""

import asyncio

import pytest

from tests.manual_timing import ManualTiming
from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, connected, limit_order, run, trade_message
from workbench.errors import ExchangeUnavailableError
from workbench.exchange import Accepted, CcxtClient, StreamInterrupted, TradeBatch, Unknown

BUSY = [
    {"status": 503, "body": {"code": -1, "msg": "System is under maintenance."}},
    {"status": 503, "body": {"code": -1, "msg": "Come back later."}},
    {"status": 503, "body": "<html>maintenance</html>"},
    {"status": 502, "body": ""},
]


@pytest.mark.parametrize("answer", BUSY)
def test_start_waits_with_an_error_that_may_be_repeated(answer: dict) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("GET", "/api/v3/exchangeInfo", Answer(**answer))
        with pytest.raises(ExchangeUnavailableError) as caught:
            await client.market_rules("BTC/USDT")
        assert caught.value.retryable
        assert (await client.market_rules("BTC/USDT")).instrument.tick == 0.01

    run(test)


@pytest.mark.parametrize("answer", BUSY)
def test_in_mid_run_nothing_is_taken_for_flat_refused_or_gone(answer: dict) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        assert isinstance(await client.place_order(limit_order()), Accepted)
        for method, path in (("GET", ORDER), ("GET", "/api/v3/openOrders"), ("GET", "/api/v3/account")):
            exchange.will(method, path, Answer(**answer))
        exchange.will("GET", "/api/v3/myTrades", Answer(**answer))
        for call in (client.order("BTC/USDT", "wb-1"), client.open_orders(), client.balances()):
            with pytest.raises(ExchangeUnavailableError):
                await call
        with pytest.raises(ExchangeUnavailableError):
            await client.own_trades("BTC/USDT")
        exchange.will("POST", ORDER, Answer(**answer))
        exchange.will("DELETE", ORDER, Answer(**answer))
        assert isinstance(await client.place_order(limit_order("wb-2")), Unknown)
        assert isinstance(await client.cancel_order("BTC/USDT", "wb-1"), Unknown)
        assert isinstance(await client.cancel_order("BTC/USDT", "wb-1"), Accepted)

    run(test)


def test_stream_tells_of_the_maintenance_and_goes_on_after_it() -> None:
    async def test() -> None:
        timing = ManualTiming(is_eager=False)
        async with connected(timing=timing) as (exchange, client):
            exchange.refuses_sockets_with = 503
            stream = client.watch_trades("BTC/USDT", silent_after_s=3_600.0)
            interruptions: list[StreamInterrupted] = []
            # ccxt itself waits before it dials again, in real time: two refusals are 0.2 s apart.
            while len(interruptions) < 2:
                asking = asyncio.ensure_future(anext(stream))
                while not asking.done():
                    timing.advance(1.0)
                    await asyncio.wait({asking}, timeout=0.02)
                event = asking.result()
                assert isinstance(event, StreamInterrupted)
                interruptions.append(event)
            assert {event.cause for event in interruptions} == {"unavailable"}
            assert [event.retry_in_s for event in interruptions] == [0.1, 0.2]
            exchange.refuses_sockets_with = None
            asking = asyncio.ensure_future(anext(stream))
            while not exchange.sockets["market"]:
                timing.advance(1.0)
                await asyncio.wait({asking}, timeout=0.02)
            await exchange.send("market", trade_message(1))
            while not asking.done() or isinstance(asking.result(), StreamInterrupted):
                if asking.done():
                    asking = asyncio.ensure_future(anext(stream))
                timing.advance(1.0)
                await asyncio.wait({asking}, timeout=0.02)
            assert isinstance(asking.result(), TradeBatch)
            await stream.aclose()

    asyncio.run(asyncio.wait_for(test(), 30))
