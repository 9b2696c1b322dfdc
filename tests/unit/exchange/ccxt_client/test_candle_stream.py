"""The stream of candles through the real ccxt: every change, the exchange's own word on closing, every hole."""

import asyncio
from typing import Any

import pytest

from tests.manual_timing import ManualTiming
from tests.scripted_exchange import ScriptedExchange, connected, run
from tests.unit.exchange.ccxt_client.listener import Listener
from workbench.errors import ConfigError
from workbench.exchange import BadRecord, Candle, CandleBatch, CcxtClient, StreamGap, StreamInterrupted
from workbench.model.timeframe import Timeframe

SYMBOL, MINUTE = "BTC/USDT", Timeframe("1m")
START_MS = 1_735_689_600_000
NS_PER_MINUTE = 60_000_000_000
START_NS = START_MS * 1_000_000


def kline(minute: int, close: float = 10.0, *, is_closed: bool = False, **changes: Any) -> dict[str, Any]:
    start = START_MS + minute * 60_000
    numbers = {"o": "10.0", "c": str(close), "h": "12.0", "l": "9.0", "v": "5.0"}
    bar = {"t": start, "T": start + 59_999, "s": "BTCUSDT", "i": "1m", "x": is_closed, **numbers, **changes}
    return {"e": "kline", "E": start, "s": "BTCUSDT", "k": bar}


def row(minute: int, close: float = 10.0) -> list[Any]:
    start = START_MS + minute * 60_000
    return [start, "10.0", "12.0", "9.0", str(close), "5.0", start + 59_999, "50", 1, "0", "0", "0"]


def candles(events: list[Any]) -> list[tuple[int, float, bool | None]]:
    """Return minute, close and flag of every candle that was told."""
    told = [one for event in events if isinstance(event, CandleBatch) for one in event.candles]
    return [((one.time_ns - START_NS) // NS_PER_MINUTE, one.close, one.is_closed) for one in told]


class CandleListener(Listener):
    async def until_candle(self, minute: int, close: float = 10.0) -> None:
        await self.until(lambda events: any(one[:2] == (minute, close) for one in candles(events)))


def test_candle_comes_whenever_it_changes_and_with_the_exchanges_word() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        listener = CandleListener(client.watch_candles(SYMBOL, MINUTE))
        await exchange.subscribed("market")
        for message in (kline(0, 10.0), kline(0, 11.0), kline(0, 11.0), kline(0, 11.5, is_closed=True), kline(1, 9.5)):
            await exchange.send("market", message)
            await listener.until_candle((message["k"]["t"] - START_MS) // 60_000, float(message["k"]["c"]))
        await listener.stop()
        assert candles(listener.events) == [(0, 10.0, False), (0, 11.0, False), (0, 11.5, True), (1, 9.5, False)]
        batch = listener.events[0]
        assert (batch.symbol, batch.timeframe, batch.is_backfill) == (SYMBOL, "1m", False)
        assert batch.candles[0] == Candle(SYMBOL, START_NS, 10.0, 12.0, 9.0, 10.0, 5.0, is_closed=False)

    run(test)


def test_closing_and_the_next_candle_at_once_are_both_told() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        listener = CandleListener(client.watch_candles(SYMBOL, MINUTE))
        await exchange.subscribed("market")
        for minute in range(20):
            await exchange.send("market", kline(minute, 11.0, is_closed=True), kline(minute + 1, 9.5))
            await listener.until_candle(minute + 1, 9.5)
        await listener.stop()
        closed = [minute for minute, _, is_closed in candles(listener.events) if is_closed]
        assert closed == list(range(20))
        assert listener.of(StreamGap) == []

    run(test)


def test_revision_of_a_closed_candle_is_told() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        listener = CandleListener(client.watch_candles(SYMBOL, MINUTE))
        await exchange.subscribed("market")
        await exchange.send("market", kline(0, 11.0, is_closed=True))
        await listener.until_candle(0, 11.0)
        await exchange.send("market", kline(1, 10.0))
        await listener.until_candle(1, 10.0)
        await exchange.send("market", kline(0, 11.5, is_closed=True))
        await listener.until_candle(0, 11.5)
        await listener.stop()
        assert candles(listener.events) == [(0, 11.0, True), (1, 10.0, False), (0, 11.5, True)]

    run(test)


def test_hole_is_told_and_filled_with_what_became_of_the_last_one() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.klines = [row(0, 11.5), row(1), row(2), row(3)]
        listener = CandleListener(client.watch_candles(SYMBOL, MINUTE))
        await exchange.subscribed("market")
        await exchange.send("market", kline(0, 11.0))
        await listener.until_candle(0, 11.0)
        await exchange.send("market", kline(4, 9.5))
        await listener.until_candle(4, 9.5)
        await listener.stop()
        (gap,) = listener.of(StreamGap)
        assert (gap.after_ns, gap.before_ns) == (START_NS, START_NS + 4 * NS_PER_MINUTE)
        assert (gap.missing, gap.recovered, gap.is_whole) == (3, 3, True)
        # The open candle of before is told anew, as it closed.
        assert candles(listener.events)[1:] == [
            (0, 11.5, True),
            (1, 10.0, True),
            (2, 10.0, True),
            (3, 10.0, True),
            (4, 9.5, False),
        ]
        assert [event.is_backfill for event in listener.of(CandleBatch)] == [False, True, False]

    run(test)


def test_hole_that_rest_does_not_know_is_told_as_it_is() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.klines = [row(0), row(2)]
        listener = CandleListener(client.watch_candles(SYMBOL, MINUTE))
        await exchange.subscribed("market")
        await exchange.send("market", kline(0, 10.0, is_closed=True), kline(4))
        await listener.until_candle(4)
        await listener.stop()
        (gap,) = listener.of(StreamGap)
        assert (gap.missing, gap.recovered, gap.is_whole) == (3, 1, False)

    run(test)


def test_silent_line_is_told_and_asked_about() -> None:
    async def test() -> None:
        timing = ManualTiming()
        async with connected(timing=timing) as (exchange, client):
            listener = CandleListener(client.watch_candles(SYMBOL, MINUTE))
            await exchange.subscribed("market")
            await exchange.send("market", kline(0))
            await listener.until_candle(0)
            exchange.klines = [row(0, 11.0), row(1)]
            timing.advance(89.0)
            await asyncio.wait({listener.task}, timeout=0.05)
            assert listener.of(StreamInterrupted) == []
            timing.advance(1.5)  # one interval and 30 s are 90 s
            await listener.until_candle(1)
            await exchange.subscribed("market")
            await listener.stop()
            assert [event.cause for event in listener.of(StreamInterrupted)] == ["silent"]
            assert candles(listener.events) == [(0, 10.0, False), (0, 11.0, True), (1, 10.0, True)]

    asyncio.run(asyncio.wait_for(test(), 20))


@pytest.mark.parametrize("change", [{"c": "nan"}, {"c": "0"}, {"h": "8.0"}, {"v": "-1"}, {"l": None}, {"t": 5}])
def test_candle_that_cannot_be_is_left_out_and_told(change: dict[str, Any]) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        listener = CandleListener(client.watch_candles(SYMBOL, MINUTE))
        await exchange.subscribed("market")
        await exchange.send("market", kline(0))
        await listener.until_candle(0)
        await exchange.send("market", kline(1, **change))
        await listener.until(lambda events: any(isinstance(event, BadRecord) for event in events))
        await exchange.send("market", kline(1, 9.5))
        await listener.until_candle(1, 9.5)
        await listener.stop()
        assert [one[0] for one in candles(listener.events)] == [0, 1]

    run(test)


def test_exchange_without_a_stream_is_polled() -> None:
    async def test() -> None:
        timing = ManualTiming(START_NS + 90_000_000_000)
        async with connected(timing=timing) as (exchange, client):
            hidden: Any = client._exchange  # noqa: SLF001 - takes the stream away
            hidden.has = {**hidden.has, "watchOHLCV": False}
            exchange.klines = [row(0), row(1)]
            listener = CandleListener(client.watch_candles(SYMBOL, MINUTE))
            await listener.until_candle(1)
            exchange.klines = [row(0), row(1, 11.0), row(2)]
            timing.advance(45.0)
            await listener.until_candle(2)
            await listener.stop()
            # By the exchange's clock, minute 1 is open at 1:30 and closed at 2:15.
            assert candles(listener.events) == [(0, 10.0, True), (1, 10.0, False), (1, 11.0, True), (2, 10.0, False)]
            assert exchange.sockets["market"] == []

    asyncio.run(asyncio.wait_for(test(), 20))


def test_timeframe_that_the_exchange_lacks_is_refused() -> None:
    async def test(_: ScriptedExchange, client: CcxtClient) -> None:
        with pytest.raises(ConfigError, match="practice has no candles of 7m; it has 1s, 1m"):
            await anext(client.watch_candles(SYMBOL, Timeframe("7m")))

    run(test)
