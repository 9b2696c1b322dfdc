"""The exchange serves exactly the market that `load_bars("practice", ...)` computes without it."""

import asyncio
from typing import Any

import aiohttp
import ccxt
import numpy as np
import pytest

from tests.unit.exchange.practice.ccxt_clients import sync_client
from workbench.data import load_bars
from workbench.exchange.practice import PracticeExchange, SteppedClock
from workbench.model.bars import Bars
from workbench.model.practice import PRACTICE_LIVE_START, practice_ticks

MINUTE = 60_000_000_000
NS_PER_MS = 1_000_000
SYMBOLS = ["BTC/USDT", "ETH/BTC", "BTC/USDT:USDT"]
WAIT_S = 90.0


@pytest.fixture(scope="module")
def late_exchange() -> Any:
    """Yield three markets, played until twelve past two on the second day."""
    with PracticeExchange(SYMBOLS, clock=SteppedClock()) as running:
        running.advance(26 * 3_600 + 12 * 60)
        # The thread for slow requests comes with the first one; no single test shall have started it.
        sync_client(running).fetch_ohlcv("BTC/USDT")
        yield running


def rows_of(bars: Bars) -> list[list[float]]:
    columns = zip(bars.time_ns.tolist(), *bars.values[:, 0].tolist(), strict=True)
    return [[time_ns // NS_PER_MS, *values] for time_ns, *values in columns]


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("timeframe", ["1m", "5m", "1h", "4h", "12h", "1d", "3d", "1w"])
def test_closed_candles_are_the_bars(late_exchange: PracticeExchange, symbol: str, timeframe: str) -> None:
    now_ns = late_exchange.clock.now_ns()
    bars = load_bars("practice", symbol, timeframe, start=now_ns - 30 * 86_400_000_000_000, end=now_ns)[-300:]
    first_ms = int(bars.time_ns[0]) // NS_PER_MS
    served = sync_client(late_exchange).fetch_ohlcv(symbol, timeframe, since=first_ms, limit=500)
    assert served[: len(bars)] == rows_of(bars)
    assert len(served) - len(bars) in {0, 1}  # the one that is still open


def test_open_candle_is_what_was_printed_in_it(late_exchange: PracticeExchange) -> None:
    now_ns = late_exchange.clock.now_ns()
    minutes = load_bars("practice", "BTC/USDT", "1m", start=now_ns - 12 * MINUTE, end=now_ns)
    last = sync_client(late_exchange).fetch_ohlcv("BTC/USDT", "1h", limit=1)[0]
    assert last == [
        int(minutes.time_ns[0]) // NS_PER_MS,
        minutes.open[0],
        minutes.high.max(),
        minutes.low.min(),
        minutes.close[-1],
        minutes.volume.sum(),
    ]


@pytest.mark.parametrize("end_in_minute_ms", [0, 30_000, 59_999])
def test_end_of_a_range_never_cuts_a_candle(late_exchange: PracticeExchange, end_in_minute_ms: int) -> None:
    start = PRACTICE_LIVE_START
    bars = load_bars("practice", "BTC/USDT", "1m", start=start, end=start + 4 * MINUTE)
    until = (start + 3 * MINUTE) // NS_PER_MS + end_in_minute_ms
    client = sync_client(late_exchange)
    assert client.fetch_ohlcv("BTC/USDT", "1m", since=start // NS_PER_MS, params={"until": until}) == rows_of(bars)
    assert client.fetch_ohlcv("BTC/USDT", "1m", limit=2, params={"until": until}) == rows_of(bars)[-2:]


def test_range_that_begins_inside_the_open_candle_is_empty(late_exchange: PracticeExchange) -> None:
    since = late_exchange.clock.now_ns() // NS_PER_MS - 1
    assert sync_client(late_exchange).fetch_ohlcv("BTC/USDT", "1h", since=since) == []


def test_prints_are_the_ticks_numbered_without_a_gap_over_midnight(late_exchange: PracticeExchange) -> None:
    midnight = PRACTICE_LIVE_START + 86_400_000_000_000
    day = PRACTICE_LIVE_START // 86_400_000_000_000
    client = sync_client(late_exchange)
    before = client.fetch_trades("BTC/USDT", since=midnight // NS_PER_MS - 60_000, limit=500)
    after = client.fetch_trades("BTC/USDT", since=midnight // NS_PER_MS, limit=500)
    ticks = practice_ticks("BTC/USDT", day + 1)
    assert [trade["price"] for trade in after] == ticks.price[:500].tolist()
    assert [trade["amount"] for trade in after] == ticks.volume[:500].tolist()
    assert [trade["timestamp"] * NS_PER_MS for trade in after] == ticks.time_ns[:500].tolist()
    numbers = [int(trade["id"]) for trade in before + after]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_prints_before_the_start_are_numbered_too(late_exchange: PracticeExchange) -> None:
    midnight_ms = PRACTICE_LIVE_START // NS_PER_MS
    client = sync_client(late_exchange)
    for days in (2, 1, 0):
        around = midnight_ms - days * 86_400_000
        before = client.fetch_trades("BTC/USDT", since=around - 60_000, limit=500, params={"until": around - 1})
        after = client.fetch_trades("BTC/USDT", since=around, limit=1)
        assert int(after[0]["id"]) - int(before[-1]["id"]) == 1


def test_prints_of_long_ago_are_refused_and_not_counted_through(late_exchange: PracticeExchange) -> None:
    client = sync_client(late_exchange)
    with pytest.raises(ccxt.BadRequest, match="30 days"):
        client.fetch_trades("BTC/USDT", since=PRACTICE_LIVE_START // NS_PER_MS - 31 * 86_400_000)
    with pytest.raises(ccxt.BadRequest, match="30 days"):
        client.public_get_aggtrades({"symbol": "BTCUSDT", "fromId": 0})


def test_prints_can_be_asked_for_by_number(late_exchange: PracticeExchange) -> None:
    client = sync_client(late_exchange)
    first = client.fetch_trades("BTC/USDT", since=PRACTICE_LIVE_START // NS_PER_MS, limit=1)[0]
    ticks = practice_ticks("BTC/USDT", PRACTICE_LIVE_START // 86_400_000_000_000)
    last_of_day = int(first["id"]) + len(ticks.price) - 1
    for number in (int(first["id"]), last_of_day, last_of_day + 1):
        answer = client.public_get_aggtrades({"symbol": "BTCUSDT", "fromId": number, "limit": 2})
        assert int(answer[0]["a"]) == number


async def heard(exchange: PracticeExchange, streams: list[str], seconds: int) -> list[dict[str, Any]]:
    """Return what streams told while the exchange's time went on."""
    messages: list[dict[str, Any]] = []
    async with aiohttp.ClientSession() as session, session.ws_connect(exchange.address.spot_stream_url) as socket:
        await socket.send_json({"method": "SUBSCRIBE", "params": streams, "id": 1})
        assert (await socket.receive_json()) == {"result": None, "id": 1}
        for _ in range(seconds // 20):
            await asyncio.to_thread(exchange.advance, 20)
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 2})
        while (message := await socket.receive_json()).get("id") != 2:
            messages.append(message)
    return messages


def test_streams_tell_every_tick_once_and_close_the_bars_of_the_history() -> None:
    with PracticeExchange(["BTC/USDT"], clock=SteppedClock(PRACTICE_LIVE_START - 5 * MINUTE)) as exchange:
        streams = ["btcusdt@trade", "btcusdt@kline_1m", "btcusdt@kline_5m"]
        told = asyncio.run(asyncio.wait_for(heard(exchange, streams, 600), WAIT_S))
    day = PRACTICE_LIVE_START // 86_400_000_000_000
    start, end = PRACTICE_LIVE_START - 5 * MINUTE, PRACTICE_LIVE_START + 5 * MINUTE
    times, prices, volumes = (
        np.concatenate(columns)
        for columns in zip(practice_ticks("BTC/USDT", day - 1), practice_ticks("BTC/USDT", day), strict=True)
    )
    due = (times > start) & (times <= end)
    trades = [message for message in told if message["e"] == "trade"]
    assert [trade["T"] * NS_PER_MS for trade in trades] == times[due].tolist()
    assert [float(trade["p"]) for trade in trades] == prices[due].tolist()
    assert [float(trade["q"]) for trade in trades] == volumes[due].tolist()
    for timeframe in ("1m", "5m"):
        closed = [m["k"] for m in told if m["e"] == "kline" and m["k"]["x"] and m["k"]["i"] == timeframe]
        rows = [[bar["t"], *(float(bar[name]) for name in "ohlcv")] for bar in closed]
        assert rows == rows_of(load_bars("practice", "BTC/USDT", timeframe, start=start, end=end))
