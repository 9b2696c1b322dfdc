"""Every fault of streams, candles and the account's events, as the real ccxt client with websockets meets it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import ccxt
import pytest

from tests.unit.exchange.practice.ccxt_clients import live_client
from workbench.exchange.practice import PracticeExchange, SteppedClock
from workbench.model.practice import practice_bars

SYMBOL = "BTC/USDT"
WAIT_S = 90.0
MINUTE = 60_000_000_000
NS_PER_MS = 1_000_000

Play = Callable[[float], Awaitable[None]]
Story = Callable[[Any, list[dict[str, Any]], Play], Awaitable[None]]


@pytest.fixture
def exchange() -> Iterator[PracticeExchange]:
    with PracticeExchange([SYMBOL], clock=SteppedClock()) as running:
        running.advance(60)
        yield running


def tell(exchange: PracticeExchange, story: Story) -> None:
    """Run a story with a client, everything that it hears, and a way to play on until all of that has arrived."""

    async def run() -> None:
        heard: list[dict[str, Any]] = []
        async with live_client(exchange) as client:
            handle = client.handle_message

            def listen(socket: Any, message: dict[str, Any]) -> None:
                heard.append(message.get("event", message))
                handle(socket, message)

            client.handle_message = listen

            async def play(seconds: float) -> None:
                await asyncio.to_thread(exchange.advance, seconds)
                # An answer on the same socket stands behind everything that was sent before it.
                for socket in client.clients.values():
                    number = len(heard) + 1_000_000
                    method = "ping" if "/ws-api" in socket.url else "LIST_SUBSCRIPTIONS"
                    await socket.send({"method": method, "id": number})
                    while not any(str(message.get("id")) == str(number) for message in heard):
                        await asyncio.to_thread(exchange.balances)

            await story(client, heard, play)

    asyncio.run(asyncio.wait_for(run(), WAIT_S))


def kinds(heard: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [message for message in heard if message.get("e") == kind]


async def begin(watching: Awaitable[Any], exchange: PracticeExchange) -> Any:
    """Let the market go on until a first message has come."""
    task = asyncio.ensure_future(watching)
    while not task.done():
        await asyncio.to_thread(exchange.advance, 1)
    return await task


async def subscribe(client: Any, exchange: PracticeExchange) -> asyncio.Future[Any]:
    """Let the client listen to the account's events."""
    orders = asyncio.ensure_future(client.watch_orders(SYMBOL))
    while not exchange._venue.outbox.is_heard("spot"):  # noqa: SLF001 - nothing else tells of a listener
        await asyncio.to_thread(exchange.balances)
    return orders


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (None, [1, 2]),
        ("lost_event", [2]),
        ("duplicate_event", [1, 1, 2]),
        ("reordered_events", [2, 1]),
    ],
)
def test_fills_are_told_as_the_fault_wants_and_stand_in_the_books_as_they_were(
    exchange: PracticeExchange, kind: str | None, numbers: list[int]
) -> None:
    async def story(client: Any, heard: list[dict[str, Any]], play: Play) -> None:
        orders = await subscribe(client, exchange)
        if kind is not None:
            exchange.faults.add(kind)
        for _ in range(2):
            await client.create_order(SYMBOL, "market", "buy", 0.01)
        await play(0)
        await orders
        told = [report["t"] for report in kinds(heard, "executionReport") if report["x"] == "TRADE"]
        assert told == numbers
        assert [int(fill["id"]) for fill in await client.fetch_my_trades(SYMBOL)] == [1, 2]

    tell(exchange, story)


def test_balances_follow_the_fills(exchange: PracticeExchange) -> None:
    async def story(client: Any, heard: list[dict[str, Any]], play: Play) -> None:
        await subscribe(client, exchange)
        await client.create_order(SYMBOL, "market", "buy", 0.01)
        exchange.set_balance("ETH", 3)
        await play(0)
        balances = [{row["a"]: row["f"] for row in one["B"]} for one in kinds(heard, "outboundAccountPosition")]
        assert balances[-2]["BTC"] == "0.01000000"
        assert balances[-1] == {"ETH": "3.00000000"}

    tell(exchange, story)


def test_silent_stream_stays_open_and_says_nothing(exchange: PracticeExchange) -> None:
    async def story(client: Any, heard: list[dict[str, Any]], play: Play) -> None:
        await begin(client.watch_trades(SYMBOL), exchange)
        fault = exchange.faults.add("silent_stream", where="btcusdt@trade", times=None)
        before = len(kinds(heard, "trade"))
        await play(60)
        assert len(kinds(heard, "trade")) == before
        assert fault.hits > 5
        exchange.faults.clear()
        await play(60)
        numbers = [trade["t"] for trade in kinds(heard, "trade")]
        assert len(numbers) > before
        assert numbers[before] - numbers[before - 1] == fault.hits + 1

    tell(exchange, story)


def test_stuck_stream_repeats_its_last_message(exchange: PracticeExchange) -> None:
    async def story(client: Any, heard: list[dict[str, Any]], play: Play) -> None:
        await begin(client.watch_trades(SYMBOL), exchange)
        exchange.faults.add("stuck_stream", where="btcusdt@trade", times=None)
        last = kinds(heard, "trade")[-1]
        before = len(heard)
        await play(60)
        assert len(kinds(heard[before:], "trade")) > 5
        assert {trade["T"] for trade in kinds(heard[before:], "trade")} == {last["T"]}

    tell(exchange, story)


def test_client_comes_back_by_itself_after_its_sockets_were_cut(exchange: PracticeExchange) -> None:
    async def story(client: Any, heard: list[dict[str, Any]], play: Play) -> None:
        await begin(client.watch_trades(SYMBOL), exchange)
        watching = asyncio.ensure_future(client.watch_trades(SYMBOL))
        assert await asyncio.to_thread(exchange.drop_connections) == 1
        with pytest.raises(ccxt.NetworkError):
            await watching
        await begin(client.watch_trades(SYMBOL), exchange)
        before = len(kinds(heard, "trade"))
        await play(60)
        assert len(kinds(heard, "trade")) > before

    tell(exchange, story)


def closed_bars(heard: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(message["k"]["t"], message["k"]["c"]) for message in kinds(heard, "kline") if message["k"]["x"]]


def test_unfinished_candle_is_called_closed_and_closes_again(exchange: PracticeExchange) -> None:
    async def story(client: Any, heard: list[dict[str, Any]], play: Play) -> None:
        await begin(client.watch_ohlcv(SYMBOL, "1m"), exchange)
        exchange.faults.add("unfinished_candle")
        while not closed_bars(heard):
            await play(1)
        await play(60)
        (early_label, early), (label, late), *_ = closed_bars(heard)
        assert early_label == label
        assert early != late

    tell(exchange, story)


def test_revised_candle_closes_wrong_and_then_right(exchange: PracticeExchange) -> None:
    async def story(client: Any, heard: list[dict[str, Any]], play: Play) -> None:
        await begin(client.watch_ohlcv(SYMBOL, "1m"), exchange)
        exchange.faults.add("revised_candle")
        await play(60)
        (first_label, wrong), (label, right), *_ = closed_bars(heard)
        assert first_label == label
        true = practice_bars(SYMBOL, "1m", label * NS_PER_MS, label * NS_PER_MS + MINUTE).close[0]
        assert float(right) == true
        assert float(wrong) == pytest.approx(true * 1.0005)
        served = await client.fetch_ohlcv(SYMBOL, "1m", since=label, limit=1)
        assert served[0][4] == true

    tell(exchange, story)


def test_skipped_candle_is_told_neither_by_stream_nor_on_request(exchange: PracticeExchange) -> None:
    async def story(client: Any, heard: list[dict[str, Any]], play: Play) -> None:
        await begin(client.watch_ohlcv(SYMBOL, "1m"), exchange)
        exchange.faults.add("skipped_candle", times=2)
        first = kinds(heard, "kline")[-1]["k"]["t"]
        for _ in range(4):
            await play(60)
        labels = [label for label, _ in closed_bars(heard)]
        assert labels == [first + 120_000, first + 180_000]
        served = [row[0] for row in await client.fetch_ohlcv(SYMBOL, "1m", since=first, limit=10)]
        assert served == [first + 120_000, first + 180_000, first + 240_000]

    tell(exchange, story)
