"""Books, tickers and subscriptions as the real ccxt client sees them."""

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any

import aiohttp
import ccxt
import pytest

from tests.unit.exchange.practice.ccxt_clients import live_client, sync_client
from workbench.exchange.practice import PracticeExchange, SteppedClock
from workbench.model.practice import practice_bars

SPOT = "BTC/USDT"
PERPETUAL = "BTC/USDT:USDT"
WAIT_S = 90.0
DAY = 86_400_000_000_000


@pytest.fixture
def exchange() -> Iterator[PracticeExchange]:
    with PracticeExchange([SPOT, "ETH/USDT", PERPETUAL], clock=SteppedClock()) as running:
        running.advance(90)
        yield running


async def begin(watching: Awaitable[Any], exchange: PracticeExchange) -> Any:
    """Let the market go on until a first message has come."""
    task = asyncio.ensure_future(watching)
    while not task.done():
        await asyncio.to_thread(exchange.advance, 1)
    return await task


def run(story: Any) -> None:
    asyncio.run(asyncio.wait_for(story, WAIT_S))


def last_price(exchange: PracticeExchange) -> float:
    return float(exchange._venue.spot.prices["BTCUSDT"])  # noqa: SLF001 - the price that the streams must show


@pytest.mark.parametrize(("symbol", "tick"), [(SPOT, 0.01), (PERPETUAL, 0.1)])
def test_book_stands_around_the_last_print(exchange: PracticeExchange, symbol: str, tick: float) -> None:
    client = sync_client(exchange)
    last = client.fetch_ticker(symbol)["last"]
    book = client.fetch_order_book(symbol)
    assert len(book["bids"]) == len(book["asks"]) == 20
    for level in range(20):
        assert book["bids"][level][0] == pytest.approx(last - tick * (level + 1))
        assert book["asks"][level][0] == pytest.approx(last + tick * (level + 1))
    assert client.fetch_order_book(symbol, 5)["bids"] == book["bids"][:5]


def test_ticker_tells_the_last_24_hours(exchange: PracticeExchange) -> None:
    ticker = sync_client(exchange).fetch_ticker(SPOT)
    now = exchange.clock.now_ns()
    minutes = practice_bars(SPOT, "1m", now - DAY, now)
    assert ticker["high"] >= minutes.high.max()
    assert ticker["low"] <= minutes.low.min()
    assert ticker["open"] == minutes.open[0]
    assert ticker["bid"] < ticker["last"] < ticker["ask"]
    assert ticker["baseVolume"] == pytest.approx(minutes.volume.sum(), rel=1e-3)


def test_tickers_of_all_markets_come_at_once(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    assert set(client.fetch_tickers()) == {SPOT, "ETH/USDT"}
    assert set(client.fetch_bids_asks()) == {SPOT, "ETH/USDT"}
    assert set(client.fetch_tickers([PERPETUAL])) == {PERPETUAL}


def test_watched_book_follows_the_price_and_never_crosses(exchange: PracticeExchange) -> None:
    async def story() -> None:
        async with live_client(exchange) as client:
            await begin(client.watch_order_book(SPOT), exchange)
            for _ in range(30):
                book = await begin(client.watch_order_book(SPOT), exchange)
                assert book["bids"][0][0] < book["asks"][0][0]
                assert len(book["bids"]) == len(book["asks"]) == 20

    run(story())


def test_watched_book_of_a_perpetual_is_chained_without_a_gap(exchange: PracticeExchange) -> None:
    async def story() -> None:
        async with live_client(exchange) as client:
            for _ in range(10):
                book = await begin(client.watch_order_book(PERPETUAL), exchange)
                assert book["bids"][0][0] < book["asks"][0][0]

    run(story())


def test_watched_tickers_show_the_last_price(exchange: PracticeExchange) -> None:
    async def story() -> None:
        async with live_client(exchange) as client:
            ticker = await begin(client.watch_ticker(SPOT), exchange)
            quotes = (await begin(client.watch_bids_asks([SPOT]), exchange))[SPOT]
            small = (await begin(client.watch_tickers([SPOT, "ETH/USDT"]), exchange)).popitem()[1]
            assert ticker["last"] == pytest.approx(last_price(exchange), rel=0.01)
            assert quotes["ask"] - quotes["bid"] == pytest.approx(0.02)
            assert small["last"] > 0

    run(story())


def test_stream_that_is_left_says_nothing_more(exchange: PracticeExchange) -> None:
    async def story() -> None:
        async with live_client(exchange) as client:
            await begin(client.watch_trades(SPOT), exchange)
            assert exchange._venue.next_due_ns() is not None  # noqa: SLF001 - whether it plays
            await client.un_watch_trades(SPOT)
            assert exchange._venue.next_due_ns() is None  # noqa: SLF001 - as above

    run(story())


def test_market_is_played_no_longer_once_its_last_listener_is_gone(exchange: PracticeExchange) -> None:
    async def story() -> None:
        venue = exchange._venue  # noqa: SLF001 - as above
        async with live_client(exchange) as client:
            await begin(client.watch_trades(SPOT), exchange)
            orders = asyncio.ensure_future(client.watch_orders(SPOT))
            while not venue.outbox.is_heard("spot"):
                await asyncio.to_thread(exchange.balances)
            orders.cancel()
        while venue.next_due_ns() is not None or venue.outbox.is_heard("spot"):
            await asyncio.to_thread(exchange.balances)

    run(story())


@pytest.mark.parametrize(
    "names",
    [["btcusdt@nonsense"], ["nosuch@trade"], ["btcusdt@kline_7m"], ["btcusdt@markPrice"], ["btcusdt"], ["!ticker@arr"]],
)
def test_stream_that_does_not_exist_is_refused(exchange: PracticeExchange, names: list[str]) -> None:
    async def story() -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(exchange.address.spot_stream_url) as socket:
            await socket.send_json({"method": "SUBSCRIBE", "params": names, "id": 7})
            answer = await socket.receive_json()
            assert answer["id"] == 7
            assert "error" in answer
            await socket.send_str("no json")
            assert "error" in await socket.receive_json()

    run(story())


@pytest.mark.parametrize("by_url", [False, True])
def test_stream_begins_when_it_is_asked_for_and_not_when_somebody_last_listened(
    exchange: PracticeExchange, by_url: bool
) -> None:
    async def story() -> None:
        def let_an_hour_pass() -> int:  # in which nobody asks for anything
            exchange.clock.advance(3_600 * 1_000_000_000)
            return exchange.clock.now_ns() // 1_000_000

        begun_ms = let_an_hour_pass()
        url = f"{exchange.url}/ws?streams=btcusdt@trade" if by_url else exchange.address.spot_stream_url
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            if not by_url:
                begun_ms = let_an_hour_pass()
                await socket.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1})
                assert await socket.receive_json() == {"result": None, "id": 1}
            await asyncio.to_thread(exchange.advance, 30)
            assert (await socket.receive_json())["T"] > begun_ms

    run(story())


def test_address_with_a_stream_that_does_not_exist_is_closed_and_nothing_is_played(exchange: PracticeExchange) -> None:
    async def story() -> None:
        url = f"{exchange.url}/stream?streams=btcusdt@trade/btcusdt@nonsense"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            assert (await socket.receive()).type == aiohttp.WSMsgType.CLOSE
        while exchange._venue.next_due_ns() is not None:  # noqa: SLF001 - whether it plays
            await asyncio.to_thread(exchange.balances)

    run(story())


def test_combined_stream_wraps_each_message_with_its_name(exchange: PracticeExchange) -> None:
    async def story() -> None:
        url = f"{exchange.url}/stream?streams=btcusdt@trade/btcusdt@aggTrade"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            await asyncio.to_thread(exchange.advance, 30)
            first, second = await socket.receive_json(), await socket.receive_json()
            assert [first["stream"], second["stream"]] == ["btcusdt@trade", "btcusdt@aggTrade"]
            assert first["data"]["t"] == second["data"]["a"]

    run(story())


def test_unknown_market_and_frame_are_refused(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    with pytest.raises(ccxt.BadSymbol, match="-1121"):
        client.public_get_ticker_24hr({"symbol": "NOSUCH"})
    with pytest.raises(ccxt.BadRequest, match="-1120"):
        client.public_get_klines({"symbol": "BTCUSDT", "interval": "7m"})
    with pytest.raises(ccxt.BadRequest, match="-1102"):
        client.public_get_klines({"interval": "1m"})


@pytest.mark.parametrize(("kind", "executed"), [("dropped", 0), ("executed_then_dropped", 1), ("rate_limited", 0)])
def test_order_over_the_websocket_can_fail_too(exchange: PracticeExchange, kind: str, executed: int) -> None:
    async def story() -> None:
        async with live_client(exchange) as client:
            fault = exchange.faults.add(kind, where="POST /api/v3/order")
            with pytest.raises((ccxt.NetworkError, ccxt.DDoSProtection)):
                await client.create_order_ws(SPOT, "market", "buy", 0.01)
            assert fault.hits == 1
            assert len(exchange.trades()) == executed

    run(story())


def test_requests_over_the_websocket_are_answered_as_over_http(exchange: PracticeExchange) -> None:
    async def story() -> None:
        async with live_client(exchange) as client:
            order = await client.create_order_ws(SPOT, "limit", "buy", 0.01, 90_000)
            assert order["status"] == "open"
            assert (await client.fetch_order_ws(order["id"], SPOT))["id"] == order["id"]
            assert (await client.cancel_order_ws(order["id"], SPOT))["status"] == "canceled"
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order_ws(SPOT, "market", "buy", 10)

    run(story())
