"""The stream of trades through the real ccxt: nothing lost, nothing twice, every hole told."""

import asyncio
from typing import Any

import pytest

from tests.manual_timing import ManualTiming
from tests.scripted_exchange import ScriptedExchange, connected, run, trade_message, trade_row
from tests.unit.exchange.ccxt_client.listener import Listener
from workbench.errors import ConfigError
from workbench.exchange import BadRecord, CcxtClient, StreamGap, StreamInterrupted, TradeBatch
from workbench.exchange.ccxt_client.unread import unread_rows

SYMBOL = "BTC/USDT"


class TradeListener(Listener):
    async def until_trade(self, number: int) -> None:
        await self.until(lambda events: str(number) in ids(events))


def ids(events: list[Any]) -> list[str]:
    return [trade.trade_id for event in events if isinstance(event, TradeBatch) for trade in event.trades]


def gaps(events: list[Any]) -> list[tuple[Any, ...]]:
    return [
        (event.after_id, event.before_id, event.missing, event.recovered)
        for event in events
        if isinstance(event, StreamGap)
    ]


def test_trades_come_once_in_order_with_all_they_have() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        listener = TradeListener(client.watch_trades(SYMBOL))
        await exchange.subscribed("market")
        await exchange.send("market", *[trade_message(number, 100.0 + number) for number in (1, 2, 2, 3, 1, 4)])
        await listener.until_trade(4)
        await listener.stop()
        assert ids(listener.events) == ["1", "2", "3", "4"]
        first = listener.events[0]
        assert (first.symbol, first.is_backfill) == (SYMBOL, False)
        trade = first.trades[0]
        assert (trade.price, trade.quantity, trade.time_ns) == (101.0, 0.5, 1_735_689_600_001_000_000)
        assert gaps(listener.events) == []

    run(test)


def test_last_of_two_that_come_at_once_is_told_without_a_third() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        listener = TradeListener(client.watch_trades(SYMBOL))
        await exchange.subscribed("market")
        for first in range(1, 40, 2):
            await exchange.send("market", trade_message(first), trade_message(first + 1))
            await listener.until_trade(first + 1)
        await listener.stop()
        assert ids(listener.events) == [str(number) for number in range(1, 41)]

    run(test)


def test_hole_is_told_and_filled_before_what_comes_behind_it() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.trades = [trade_row(number) for number in range(1, 10)]
        listener = TradeListener(client.watch_trades(SYMBOL))
        await exchange.subscribed("market")
        await exchange.send("market", trade_message(2), trade_message(6), trade_message(7))
        await listener.until_trade(7)
        await listener.stop()
        assert ids(listener.events) == ["2", "3", "4", "5", "6", "7"]
        assert gaps(listener.events) == [("2", "6", 3, 3)]
        kinds = [(type(event), getattr(event, "is_backfill", None)) for event in listener.events]
        assert kinds[:4] == [(TradeBatch, False), (StreamGap, None), (TradeBatch, True), (TradeBatch, False)]
        assert listener.events[1].is_whole

    run(test)


def test_hole_that_rest_does_not_know_is_told_as_it_is() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.trades = [trade_row(number) for number in (4, 5)]
        listener = TradeListener(client.watch_trades(SYMBOL))
        await exchange.subscribed("market")
        await exchange.send("market", trade_message(1), trade_message(6))
        await listener.until_trade(6)
        exchange.trades = []
        await exchange.send("market", trade_message(9))
        await listener.until_trade(9)
        await listener.stop()
        assert gaps(listener.events) == [("1", "6", 4, 2), ("6", "9", 2, 0)]
        assert [event.is_whole for event in listener.events if isinstance(event, StreamGap)] == [False, False]
        assert ids(listener.events) == ["1", "4", "5", "6", "9"]

    run(test)


def test_hole_is_filled_without_a_key_from_the_latest_trades() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.trades = [trade_row(number) for number in range(1, 10)]
        assert [trade.trade_id for trade in await client.trades(SYMBOL, after_id="7")] == ["8", "9"]
        assert exchange.count("GET", "/api/v3/trades") == 1
        assert exchange.count("GET", "/api/v3/historicalTrades") == 0

    run(test, credentials=None)


def test_broken_line_is_told_and_nothing_is_lost() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.trades = [trade_row(number) for number in range(1, 10)]
        listener = TradeListener(client.watch_trades(SYMBOL))
        await exchange.subscribed("market")
        await exchange.send("market", trade_message(1))
        await listener.until_trade(1)
        await exchange.hang_up("market")
        await exchange.subscribed("market")
        await exchange.send("market", trade_message(5))
        await listener.until_trade(5)
        await listener.stop()
        assert ids(listener.events) == ["1", "2", "3", "4", "5"]
        (broken,) = [event for event in listener.events if isinstance(event, StreamInterrupted)]
        assert (broken.cause, broken.symbol) == ("disconnected", SYMBOL)
        assert broken.last_data_ns == 1_735_689_600_001_000_000

    run(test)


def test_silent_line_is_told_closed_and_asked_about() -> None:
    async def test() -> None:
        timing = ManualTiming()
        async with connected(timing=timing) as (exchange, client):
            listener = TradeListener(client.watch_trades(SYMBOL, silent_after_s=30.0))
            await exchange.subscribed("market")
            await exchange.send("market", trade_message(1))
            await listener.until_trade(1)
            silent = exchange.sockets["market"][0]
            exchange.trades = [trade_row(number) for number in (1, 2, 3)]
            timing.advance(29.9)
            await asyncio.wait({listener.task}, timeout=0.05)
            assert not any(isinstance(event, StreamInterrupted) for event in listener.events)
            timing.advance(0.2)
            await listener.until_trade(3)
            await exchange.subscribed("market")
            assert silent.closed
            (interruption,) = [event for event in listener.events if isinstance(event, StreamInterrupted)]
            assert (interruption.cause, interruption.retry_in_s) == ("silent", 0.0)
            assert gaps(listener.events) == [("1", "3", 2, 2)]
            await exchange.send("market", trade_message(4))
            await listener.until_trade(4)
            await listener.stop()
            assert ids(listener.events) == ["1", "2", "3", "4"]

    asyncio.run(asyncio.wait_for(test(), 20))


def test_line_that_brings_something_in_time_is_not_silent() -> None:
    async def test() -> None:
        timing = ManualTiming()
        async with connected(timing=timing) as (exchange, client):
            listener = TradeListener(client.watch_trades(SYMBOL, silent_after_s=30.0))
            await exchange.subscribed("market")
            for number in range(1, 6):
                await exchange.send("market", trade_message(number))
                await listener.until_trade(number)
                timing.advance(20.0)
                await asyncio.wait({listener.task}, timeout=0.02)
            await listener.stop()
            assert listener.of(StreamInterrupted) == []

    asyncio.run(asyncio.wait_for(test(), 20))


def test_data_that_repeat_themselves_are_silence() -> None:
    async def test() -> None:
        timing = ManualTiming()
        async with connected(timing=timing) as (exchange, client):
            listener = TradeListener(client.watch_trades(SYMBOL, silent_after_s=30.0))
            await exchange.subscribed("market")
            await exchange.send("market", trade_message(1))
            await listener.until_trade(1)
            for _ in range(4):
                timing.advance(10.0)
                await exchange.send("market", trade_message(1))
                await asyncio.wait({listener.task}, timeout=0.02)
            await listener.until(lambda events: any(isinstance(event, StreamInterrupted) for event in events))
            await listener.stop()

    asyncio.run(asyncio.wait_for(test(), 20))


@pytest.mark.parametrize(
    "change",
    [{"p": "0"}, {"p": "-1"}, {"p": "nan"}, {"p": "Infinity"}, {"q": "-1"}, {"T": 5}, {"p": None}, {"t": "abc"}],
)
def test_trade_that_cannot_be_is_left_out_and_told(change: dict[str, Any]) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        listener = TradeListener(client.watch_trades(SYMBOL))
        await exchange.subscribed("market")
        await exchange.send("market", trade_message(1), trade_message(2) | change)
        await exchange.send("market", trade_message(3))
        await listener.until_trade(3)
        await listener.stop()
        assert ids(listener.events) == ["1", "3"]
        assert sum(isinstance(event, BadRecord) for event in listener.events) == 1
        assert gaps(listener.events) == [("1", "3", 1, 0)]

    run(test)


def test_exchange_without_a_stream_is_polled() -> None:
    async def test() -> None:
        timing = ManualTiming()
        async with connected(timing=timing) as (exchange, client):
            hidden: Any = client._exchange  # noqa: SLF001 - takes the stream away
            hidden.has = {**hidden.has, "watchTrades": False}
            exchange.trades = [trade_row(1)]
            listener = TradeListener(client.watch_trades(SYMBOL))
            await listener.until_trade(1)
            exchange.trades = [trade_row(number) for number in (1, 2, 3)]
            await asyncio.wait({listener.task}, timeout=0.02)
            timing.advance(2.0)
            await listener.until_trade(3)
            await listener.stop()
            assert ids(listener.events) == ["1", "2", "3"]
            assert exchange.sockets["market"] == []

    asyncio.run(asyncio.wait_for(test(), 20))


def test_trades_of_ids_with_holes_are_told_once_and_filled_after_an_interruption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workbench.exchange.ccxt_client.trade_stream._COUNTS_TRADES", frozenset())

    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.trades = [trade_row(number) for number in (10, 17, 23, 31)]
        listener = TradeListener(client.watch_trades(SYMBOL))
        await exchange.subscribed("market")
        await exchange.send("market", trade_message(3), trade_message(10), trade_message(3))
        await listener.until_trade(10)
        assert gaps(listener.events) == []
        await exchange.hang_up("market")
        await exchange.subscribed("market")
        await exchange.send("market", trade_message(31))
        await listener.until_trade(31)
        await listener.stop()
        assert ids(listener.events) == ["3", "10", "17", "23", "31"]
        assert gaps(listener.events) == [("10", "31", None, 2)]

    run(test)


def test_unknown_symbol_is_refused() -> None:
    async def test(_: ScriptedExchange, client: CcxtClient) -> None:
        with pytest.raises(ConfigError, match="does not trade 'BTC/USD'; did you mean 'BTC/USDT'"):
            await anext(client.watch_trades("BTC/USD"))

    run(test)


def test_closed_client_ends_its_streams() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        listener = TradeListener(client.watch_trades(SYMBOL))
        await exchange.subscribed("market")
        await client.close()
        await asyncio.wait_for(listener.task, 60)

    run(test)


def test_closed_client_ends_the_stream_of_the_account_at_once() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        listener = Listener(client.watch_own([SYMBOL], poll_s=600.0))
        await exchange.subscribed("user")
        await client.close()
        await asyncio.wait_for(listener.task, 60)

    run(test)


def test_two_streams_of_one_market_do_not_disturb_each_other() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        first, second = TradeListener(client.watch_trades(SYMBOL)), TradeListener(client.watch_trades(SYMBOL))
        await exchange.subscribed("market")
        await exchange.send("market", trade_message(1))
        await asyncio.wait({first.task}, timeout=0.05)
        await second.stop()
        exchange.trades = [trade_row(1)]
        await exchange.send("market", trade_message(2))
        await first.until_trade(2)
        await first.stop()

    run(test)


def test_nothing_is_unread_in_a_cache_that_is_not_there() -> None:
    assert unread_rows(None, SYMBOL) == []
