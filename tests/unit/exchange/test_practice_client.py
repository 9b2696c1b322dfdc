"""The real ccxt client on the practice exchange, spot and perpetuals, from the first question to the last fill."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.unit.exchange.ccxt_client.listener import Listener
from workbench.errors import ConfigError
from workbench.exchange import (
    Accepted,
    CandleBatch,
    CcxtClient,
    OrderState,
    OrderTicket,
    OwnTrade,
    Refused,
    StreamGap,
    StreamInterrupted,
    TradeBatch,
    practice_client,
)
from workbench.exchange.practice import PracticeExchange, RunningClock, SteppedClock
from workbench.exchange.practice_client import PracticeTiming
from workbench.model.timeframe import Timeframe

SPOT, PERPETUAL = "BTC/USDT", "BTC/USDT:USDT"
KINDS = [("spot", SPOT), ("linear_perpetual", PERPETUAL)]


def on_practice(
    test: Callable[[PracticeExchange, CcxtClient], Awaitable[None]], kind: str = "spot", seconds: float = 60.0
) -> None:
    """Run a test on a practice exchange whose clock stands still."""

    async def whole(exchange: PracticeExchange) -> None:
        client = practice_client(exchange.address, kind=kind, clock=exchange.clock)
        try:
            await asyncio.wait_for(test(exchange, client), 40)
        finally:
            await client.close()

    with PracticeExchange([SPOT, PERPETUAL], clock=SteppedClock()) as exchange:
        exchange.advance(seconds)
        asyncio.run(whole(exchange))


def order(name: str, symbol: str, side: str = "buy", **more: object) -> OrderTicket:
    return OrderTicket(client_order_id=name, symbol=symbol, side=side, quantity=0.01, **more)


@pytest.mark.parametrize(("kind", "symbol"), KINDS)
def test_order_is_placed_filled_and_booked(kind: str, symbol: str) -> None:
    async def test(_: PracticeExchange, client: CcxtClient) -> None:
        outcome = await client.place_order(order("first", symbol))
        assert isinstance(outcome, Accepted)
        assert (outcome.order.status, outcome.order.filled, outcome.order.price) == ("filled", 0.01, None)
        (trade,) = await client.own_trades(symbol)
        assert (trade.quantity, trade.price, trade.side) == (0.01, outcome.order.average_price, "buy")
        assert await client.own_trades(symbol, after_id=trade.trade_id) == ()
        positions = await client.positions()
        assert [(one.symbol, one.quantity) for one in positions] == ([] if kind == "spot" else [(PERPETUAL, 0.01)])
        sold = await client.place_order(order("second", symbol, "sell", is_exit=True, reduce_only=True))
        assert isinstance(sold, Accepted)
        assert await client.positions([symbol]) == ()

    on_practice(test, kind)


@pytest.mark.parametrize(("kind", "symbol"), KINDS)
def test_stops_and_limits_are_found_and_cancelled_by_our_name(kind: str, symbol: str) -> None:
    async def test(_: PracticeExchange, client: CcxtClient) -> None:
        await client.place_order(order("held", symbol))
        await client.place_order(order("limit", symbol, kind="limit", price=90_000.0))
        await client.place_order(order("stop", symbol, "sell", kind="stop", price=80_000.0, is_exit=True))
        waiting = {one.client_order_id: one for one in await client.open_orders(symbol)}
        assert set(waiting) == {"limit", "stop"}
        assert (waiting["stop"].kind, waiting["stop"].price) == ("stop", 80_000.0)
        assert (waiting["limit"].kind, waiting["limit"].price) == ("limit", 90_000.0)
        for name in ("limit", "stop"):
            assert await client.order(symbol, name) == waiting[name]
            outcome = await client.cancel_order(symbol, name)
            assert isinstance(outcome, Accepted)
            assert outcome.order.status == "cancelled"
        assert await client.open_orders(symbol) == ()
        again = await client.cancel_order(symbol, "stop")
        assert isinstance(again, Refused)
        assert again.code == "not_found"
        assert await client.order(symbol, "nobody") is None

    on_practice(test, kind)


def test_order_that_cannot_be_paid_is_refused() -> None:
    async def test(_: PracticeExchange, client: CcxtClient) -> None:
        ticket = OrderTicket(client_order_id="big", symbol=SPOT, side="buy", quantity=1.0)
        outcome = await client.place_order(ticket)
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.was_sent) == ("-2010", True)
        assert await client.own_trades(SPOT) == ()

    on_practice(test)


@pytest.mark.parametrize(("kind", "symbol"), KINDS)
def test_streams_tell_what_rest_tells(kind: str, symbol: str) -> None:
    async def test(exchange: PracticeExchange, client: CcxtClient) -> None:
        trades = Listener(client.watch_trades(symbol))
        candles = Listener(client.watch_candles(symbol, Timeframe("1m")))
        own = Listener(client.watch_own([symbol], poll_s=0.05))
        # Streams are subscribed when each has brought something.
        while not (trades.of(TradeBatch) and candles.of(CandleBatch)):
            await asyncio.to_thread(exchange.advance, 1)
        probes = 0
        while not own.of(OrderState):
            await client.place_order(order(f"probe-{probes}", symbol))
            await asyncio.wait({own.task}, timeout=0.02)
            probes += 1
        for number in range(4):
            side = "sell" if number % 2 else "buy"
            await client.place_order(order(f"order-{number}", symbol, side))
            await asyncio.to_thread(exchange.advance, 20)
        since_ns = trades.of(TradeBatch)[0].trades[0].time_ns
        expected = await client.trades(symbol, since_ns=since_ns)
        await trades.until(lambda _: trades.of(TradeBatch)[-1].trades[-1] == expected[-1])
        told = [trade for batch in trades.of(TradeBatch) for trade in batch.trades]
        assert told == list(expected)
        assert trades.of(StreamGap) == []
        listed = await client.own_trades(symbol)
        await own.until(lambda _: len(own.of(OwnTrade)) >= len(listed) == probes + 4)
        assert len(own.of(OwnTrade)) == len(listed)
        strip = {"client_order_id"}
        names = [name for name in OwnTrade.__slots__ if name not in strip]
        by_id = {trade.trade_id: trade for trade in listed}
        for trade in own.of(OwnTrade):
            assert [getattr(trade, name) for name in names] == [getattr(by_id[trade.trade_id], name) for name in names]
        filled = {state.client_order_id for state in own.of(OrderState) if state.status == "filled"}
        assert {f"order-{number}" for number in range(4)} <= filled
        closed = {one.time_ns: one for batch in candles.of(CandleBatch) for one in batch.candles if one.is_closed}
        assert closed
        for candle in await client.candles(symbol, Timeframe("1m"), min(closed)):
            if candle.is_closed:
                assert closed[candle.time_ns] == candle
        for listener in (trades, candles, own):
            await listener.stop()

    on_practice(test, kind)


def test_cut_lines_lose_nothing() -> None:
    async def test(exchange: PracticeExchange, client: CcxtClient) -> None:
        trades = Listener(client.watch_trades(SPOT))
        while not trades.of(TradeBatch):
            await asyncio.to_thread(exchange.advance, 1)
        for cut in range(3):
            # A line that is being dialled is not there to be cut, so it is tried until one was.
            while len(trades.of(StreamInterrupted)) <= cut:
                await asyncio.to_thread(exchange.drop_connections)
                await asyncio.wait({trades.task}, timeout=0.01)
            await asyncio.to_thread(exchange.advance, 30)
            before = len(trades.of(TradeBatch))
            while len(trades.of(TradeBatch)) == before:
                await asyncio.to_thread(exchange.advance, 1)
        told = [trade.trade_id for batch in trades.of(TradeBatch) for trade in batch.trades]
        numbers = [int(one) for one in told]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert {event.cause for event in trades.of(StreamInterrupted)} == {"disconnected"}
        await trades.stop()

    on_practice(test)


def test_spot_account_is_heard_by_a_signed_subscription() -> None:
    async def test(exchange: PracticeExchange, client: CcxtClient) -> None:
        own = Listener(client.watch_own([SPOT], poll_s=600.0))
        while not own.of(OwnTrade):
            await client.place_order(order(f"try-{len(exchange.orders())}", SPOT))
            await asyncio.wait({own.task}, timeout=0.02)
        hidden = client._exchange  # noqa: SLF001 - where ccxt keeps its lines
        assert [url for url in hidden.clients if url.endswith("/ws-api/v3")]
        await own.stop()

    on_practice(test)


def test_clock_of_a_fast_market_is_the_clients() -> None:
    clock = RunningClock(speed=60.0)
    timing = PracticeTiming(clock)
    assert timing.speed == 60.0
    assert abs(timing.now_ns() - clock.now_ns()) < 60 * 10**9

    async def test(exchange: PracticeExchange) -> None:
        client = practice_client(exchange.address)
        try:
            reading = await client.measure_clock()
            # A second of real time is a minute there, so the two agree to within a few real milliseconds.
            assert abs(reading.offset_ns) < 30 * 10**9
            assert isinstance(await client.place_order(order("fast", SPOT)), Accepted)
        finally:
            await client.close()

    with PracticeExchange([SPOT], speed=60.0) as exchange:
        asyncio.run(asyncio.wait_for(test(exchange), 30))


def test_without_an_exchange_the_message_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match="no practice exchange is running: start one"):
        practice_client()
