"""What every client of an exchange does, on both: real ccxt on the practice exchange, and the simulated client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.unit.exchange.ccxt_client.listener import Listener
from tests.unit.exchange.venues import (
    CASH,
    FEE,
    MIDNIGHT,
    MINUTE,
    PERPETUAL,
    SECOND,
    SPOT,
    TICK,
    OpenVenue,
    Venue,
    market,
    order,
    practice,
    simulated,
)
from workbench.errors import ConfigError
from workbench.exchange import Accepted, CandleBatch, OrderState, OwnTrade, Refused, TradeBatch
from workbench.exchange.outcomes import OrderOutcome
from workbench.model import Timeframe

ONE_MINUTE = Timeframe("1m")
Scene = Callable[[Venue], Awaitable[None]]


@pytest.fixture(params=[practice, simulated], ids=["practice", "simulated"])
def run(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Return what runs a test on an exchange that has printed its first price, 100."""
    open_venue: OpenVenue = request.param

    async def whole(test: Scene, symbol: str) -> None:
        async with open_venue(symbol) as venue:
            await venue.play(1)
            await asyncio.wait_for(test(venue), 40)

    def on_venue(test: Scene, symbol: str = SPOT) -> None:
        asyncio.run(whole(test, symbol))

    return on_venue


def accepted(outcome: OrderOutcome) -> OrderState:
    assert isinstance(outcome, Accepted), outcome
    return outcome.order


def refused(outcome: OrderOutcome) -> Refused:
    assert isinstance(outcome, Refused), outcome
    return outcome


def test_market_order_fills_at_once_and_is_paid(run: Any) -> None:
    async def test(venue: Venue) -> None:
        state = accepted(await venue.client.place_order(order("first")))
        assert (state.status, state.filled, state.price, state.client_order_id) == ("filled", 1.0, None, "first")
        assert state.average_price == pytest.approx(100.0, abs=2 * TICK)
        (trade,) = await venue.client.own_trades(SPOT)
        assert (trade.order_id, trade.side, trade.quantity) == (state.order_id, "buy", 1.0)
        assert (trade.price, trade.fee_currency) == (state.average_price, "USDT")
        assert trade.fee == pytest.approx(trade.price * FEE)  # 1 * price * 0.001
        assert (trade.is_maker, trade.time_ns) == (False, pytest.approx(MIDNIGHT, abs=SECOND))
        balances = await venue.client.balances()
        assert balances["USDT"].free == pytest.approx(CASH - trade.price * (1 + FEE))
        assert (balances["BTC"].free, balances["BTC"].locked) == (1.0, 0.0)

    run(test)


def test_limit_waits_locks_its_money_and_fills_when_the_price_crosses(run: Any) -> None:
    async def test(venue: Venue) -> None:
        client = venue.client
        state = accepted(await client.place_order(order("low", kind="limit", price=95.0)))
        assert (state.status, state.filled, state.price) == ("accepted", 0.0, 95.0)
        assert await client.open_orders(SPOT) == await client.open_orders() == (await client.order(SPOT, "low"),)
        locked = (await client.balances())["USDT"]
        assert locked.locked == pytest.approx(95.0, rel=2 * FEE)  # 1 * 95, and the fee where it is taken of the quote
        assert locked.total == CASH
        await venue.play(70)  # 96 at 70 s: not reached
        assert await client.own_trades(SPOT) == ()
        await venue.play(10)  # 94 at 80 s
        filled = await client.order(SPOT, "low")
        assert filled is not None
        assert (filled.status, filled.filled, filled.order_id) == ("filled", 1.0, state.order_id)
        (trade,) = await client.own_trades(SPOT)
        assert 94.0 <= trade.price <= 95.0
        assert (trade.is_maker, trade.time_ns) == (True, pytest.approx(MIDNIGHT + 80 * SECOND, abs=SECOND))
        assert await client.open_orders() == ()
        assert (await client.balances())["USDT"].locked == 0.0

    run(test)


def test_stop_waits_and_sells_when_the_price_falls_through_it(run: Any) -> None:
    async def test(venue: Venue) -> None:
        client = venue.client
        await client.place_order(order("in"))
        state = accepted(await client.place_order(order("out", "sell", kind="stop", price=93.0)))
        assert (state.kind, state.status, state.price) == ("stop", "accepted", 93.0)
        await venue.play(85)  # 94 at 80 s: not reached
        assert len(await client.own_trades(SPOT)) == 1
        await venue.play(10)  # 92 at 90 s
        _, trade = await client.own_trades(SPOT)
        assert (trade.side, trade.quantity) == ("sell", 1.0)
        assert trade.price == pytest.approx(92.0, abs=2 * TICK)
        assert "BTC" not in await client.balances()

    run(test)


def test_cancelled_order_gives_back_what_it_locked_and_never_fills(run: Any) -> None:
    async def test(venue: Venue) -> None:
        client = venue.client
        placed = accepted(await client.place_order(order("low", kind="limit", price=95.0)))
        state = accepted(await client.cancel_order(SPOT, "low"))
        assert (state.status, state.filled, state.order_id) == ("cancelled", 0.0, placed.order_id)
        assert (await client.balances())["USDT"].free == CASH
        again = refused(await client.cancel_order(SPOT, "low"))
        assert again.code == "not_found"
        await venue.play(100)
        assert await client.own_trades(SPOT) == ()
        found = await client.order(SPOT, "low")
        assert found is not None
        assert found.status == "cancelled"

    run(test)


def test_filled_order_can_not_be_cancelled(run: Any) -> None:
    async def test(venue: Venue) -> None:
        await venue.client.place_order(order("done"))
        assert refused(await venue.client.cancel_order(SPOT, "done")).code == "not_found"

    run(test)


def test_unknown_names_are_none_and_not_found(run: Any) -> None:
    async def test(venue: Venue) -> None:
        assert await venue.client.order(SPOT, "nobody") is None
        assert refused(await venue.client.cancel_order(SPOT, "nobody")).code == "not_found"

    run(test)


def test_unknown_symbol_is_a_config_error(run: Any) -> None:
    async def test(venue: Venue) -> None:
        client, other = venue.client, "XYZ/USDT"
        for call in (
            client.market_rules(other),
            client.candles(other, ONE_MINUTE, MIDNIGHT),
            client.trades(other),
            client.place_order(order("x", symbol=other)),
            client.cancel_order(other, "x"),
            client.order(other, "x"),
            client.own_trades(other),
        ):
            with pytest.raises(ConfigError, match="XYZ/USDT"):
                await call

    run(test)


def test_a_ticket_is_sent_once(run: Any) -> None:
    async def test(venue: Venue) -> None:
        first = await venue.client.place_order(order("once"))
        second = await venue.client.place_order(order("once"))
        assert accepted(second).order_id == accepted(first).order_id
        assert isinstance(second, Accepted)
        assert second.was_adopted
        assert len(await venue.client.own_trades(SPOT)) == 1

    run(test)


REFUSED_AT_THE_DOOR = {
    "lot": order("small", quantity=0.0009),  # 0 lots of 0.001
    "min_notional": order("cheap", quantity=0.04, kind="limit", price=100.0),  # 0.04 * 100 = 4 < 5
}


@pytest.mark.parametrize("code", REFUSED_AT_THE_DOOR)
def test_order_against_the_rules_is_refused_at_the_door(run: Any, code: str) -> None:
    async def test(venue: Venue) -> None:
        outcome = refused(await venue.client.place_order(REFUSED_AT_THE_DOOR[code]))
        assert (outcome.code, outcome.was_sent) == (code, False)
        assert await venue.client.open_orders() == ()

    run(test)


REFUSED_BY_THE_EXCHANGE = {
    "market order below the smallest": order("cheap", quantity=0.04),  # 0.04 * 100 = 4 < 5
    "market order beyond the cash": order("big", quantity=101.0),  # 101 * 100 > 10,000
    "limit order beyond the cash": order("big", quantity=106.0, kind="limit", price=95.0),  # 106 * 95 = 10,070
    "coins that are not there": order("short", "sell"),
    "limit on coins that are not there": order("short", "sell", kind="limit", price=120.0),
    "maker that would take": order("post", kind="limit", price=101.0, time_in_force="post_only"),
}


@pytest.mark.parametrize("why", REFUSED_BY_THE_EXCHANGE)
def test_order_that_cannot_be_is_refused_and_changes_nothing(run: Any, why: str) -> None:
    async def test(venue: Venue) -> None:
        outcome = refused(await venue.client.place_order(REFUSED_BY_THE_EXCHANGE[why]))
        assert outcome.was_sent
        assert outcome.reason
        assert await venue.client.own_trades(SPOT) == ()
        assert await venue.client.open_orders() == ()
        balances = await venue.client.balances()
        assert (set(balances), balances["USDT"].free) == ({"USDT"}, CASH)

    run(test)


def test_what_waits_can_not_be_spent_twice(run: Any) -> None:
    async def test(venue: Venue) -> None:
        client = venue.client
        await client.place_order(order("low", quantity=60.0, kind="limit", price=95.0))  # 5,700 of 10,000
        refused(await client.place_order(order("more", quantity=50.0, kind="limit", price=95.0)))  # 4,750 > 4,300
        refused(await client.place_order(order("now", quantity=50.0)))  # 5,000 > 4,300
        accepted(await client.place_order(order("less", quantity=40.0)))  # 4,000
        await client.place_order(order("out", "sell", 30.0, kind="limit", price=120.0))
        refused(await client.place_order(order("twice", "sell", 20.0)))  # 30 of 40 are for sale already
        coins = (await client.balances())["BTC"]
        assert (coins.free, coins.locked) == pytest.approx((10.0, 30.0))

    run(test)


@pytest.mark.parametrize("in_force", ["ioc", "fok"])
def test_impatient_limit_fills_now_or_expires(run: Any, in_force: str) -> None:
    async def test(venue: Venue) -> None:
        client = venue.client
        away = accepted(await client.place_order(order("away", kind="limit", price=95.0, time_in_force=in_force)))
        assert (away.status, away.filled) == ("expired", 0.0)
        assert await client.open_orders() == ()
        near = accepted(await client.place_order(order("near", kind="limit", price=101.0, time_in_force=in_force)))
        assert (near.status, near.filled) == ("filled", 1.0)

    run(test)


def test_own_trades_are_sought_by_id_and_time(run: Any) -> None:
    async def test(venue: Venue) -> None:
        client = venue.client
        await client.place_order(order("one"))
        await venue.play(30)
        await client.place_order(order("two"))
        await client.place_order(order("three", "sell", 2.0))
        first, second, third = await client.own_trades(SPOT)
        assert len({first.trade_id, second.trade_id, third.trade_id}) == 3
        assert await client.own_trades(SPOT, after_id=first.trade_id) == (second, third)
        assert await client.own_trades(SPOT, after_id=third.trade_id) == ()
        assert await client.own_trades(SPOT, since_ns=MIDNIGHT + 20 * SECOND) == (second, third)

    run(test)


def test_candles_of_a_range_are_those_of_the_prints(run: Any) -> None:
    async def test(venue: Venue) -> None:
        await venue.play(99)  # up to 100 s
        two_back = MIDNIGHT - 2 * MINUTE
        candles = await venue.client.candles(SPOT, ONE_MINUTE, two_back)
        assert [one.time_ns for one in candles] == [two_back + number * MINUTE for number in range(4)]
        assert [one.is_closed for one in candles] == [True, True, True, False]
        first, last = candles[0], candles[-1]
        # -120 s is 100 - 12, -70 s is 100 - 7; the open one has 98, 96, 94, 92 and 90.
        assert (first.open, first.high, first.low, first.close, first.volume) == (88.0, 93.0, 88.0, 93.0, 6.0)
        assert (last.open, last.high, last.low, last.close, last.volume) == (98.0, 98.0, 90.0, 90.0, 5.0)
        assert await venue.client.candles(SPOT, ONE_MINUTE, two_back + 1, limit=2) == candles[1:3]
        assert await venue.client.candles(SPOT, ONE_MINUTE, MIDNIGHT + 10 * MINUTE) == ()

    run(test)


def test_market_trades_are_sought_by_id_and_told_up_to_now(run: Any) -> None:
    async def test(venue: Venue) -> None:
        await venue.play(29)  # 0, 10, 20 and 30 s are printed
        latest = await venue.client.trades(SPOT, limit=3)
        assert [one.time_ns for one in latest] == [MIDNIGHT + second * SECOND for second in (10, 20, 30)]
        assert await venue.client.trades(SPOT, after_id=latest[0].trade_id) == latest[1:]
        assert await venue.client.trades(SPOT, after_id=latest[0].trade_id, limit=1) == latest[1:2]
        assert await venue.client.trades(SPOT, since_ns=MIDNIGHT + 20 * SECOND) == latest[1:]

    run(test)


def test_stream_of_trades_brings_each_print_once_and_in_order(run: Any) -> None:
    async def test(venue: Venue) -> None:
        trades = Listener(venue.client.watch_trades(SPOT))
        played = 1
        while not trades.of(TradeBatch):
            # A stream over a socket begins when it is subscribed.
            await venue.play(1)
            played += 1
            await asyncio.wait({trades.task}, timeout=0.01)
        await venue.play(170 - played)
        expected = await venue.client.trades(SPOT, since_ns=trades.of(TradeBatch)[0].trades[0].time_ns)
        assert expected[-1].time_ns == MIDNIGHT + 170 * SECOND
        await trades.until(lambda _: trades.of(TradeBatch)[-1].trades[-1] == expected[-1])
        told = [trade for batch in trades.of(TradeBatch) for trade in batch.trades]
        assert told == list(expected)
        numbers = [int(trade.trade_id or 0) for trade in told]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        await trades.stop()

    run(test)


def test_stream_of_candles_ends_each_as_it_is_in_the_history(run: Any) -> None:
    async def test(venue: Venue) -> None:
        candles = Listener(venue.client.watch_candles(SPOT, ONE_MINUTE))
        played = 1
        while not candles.of(CandleBatch):
            await venue.play(1)
            played += 1
            await asyncio.wait({candles.task}, timeout=0.01)
        await venue.play(175 - played)

        def closed() -> dict[int, Any]:
            return {one.time_ns: one for batch in candles.of(CandleBatch) for one in batch.candles if one.is_closed}

        await candles.until(lambda _: MIDNIGHT + MINUTE in closed())
        history = await venue.client.candles(SPOT, ONE_MINUTE, min(closed()))
        assert [closed()[one.time_ns] for one in history if one.is_closed] == [one for one in history if one.is_closed]
        await candles.stop()

    run(test)


def test_own_stream_tells_orders_and_each_trade_once(run: Any) -> None:
    async def test(venue: Venue) -> None:
        own = Listener(venue.client.watch_own([SPOT], poll_s=0.05))
        probes = 0
        while not own.of(OwnTrade):
            # A stream over a socket begins when it is subscribed.
            await venue.client.place_order(order(f"probe-{probes}", quantity=0.1))
            await asyncio.wait({own.task}, timeout=0.02)
            probes += 1
        await venue.client.place_order(order("low", kind="limit", price=95.0))
        await venue.play(100)
        listed = await venue.client.own_trades(SPOT)
        assert len(listed) == probes + 1
        await own.until(lambda _: len(own.of(OwnTrade)) >= len(listed))
        told = {one.trade_id: (one.price, one.quantity, one.fee, one.side) for one in own.of(OwnTrade)}
        assert told == {one.trade_id: (one.price, one.quantity, one.fee, one.side) for one in listed}
        assert len(own.of(OwnTrade)) == len(listed)
        await own.until(lambda _: "filled" in [one.status for one in own.of(OrderState) if one.price == 95.0])
        statuses = [one.status for one in own.of(OrderState) if one.client_order_id == "low"]
        assert statuses[-1] == "filled"
        assert statuses.count("filled") == 1
        await own.stop()

    run(test)


def test_perpetual_is_opened_told_and_closed(run: Any) -> None:
    async def test(venue: Venue) -> None:
        client = venue.client
        sold = accepted(await client.place_order(order("short", "sell", 2.0, symbol=PERPETUAL)))
        (position,) = await client.positions()
        assert (position.symbol, position.quantity, position.entry_price) == (PERPETUAL, -2.0, sold.average_price)
        margin = (await client.balances())["USDT"]
        assert margin.total == pytest.approx(CASH, abs=1.0)  # but for the fee
        assert 0.0 < margin.locked < 200.0  # of 2 * 100 a part
        wrong = await client.place_order(order("wrong", "sell", 1.0, symbol=PERPETUAL, reduce_only=True))
        assert not isinstance(wrong, Accepted)
        accepted(await client.place_order(order("out", "buy", 2.0, symbol=PERPETUAL, reduce_only=True)))
        assert await client.positions([PERPETUAL]) == ()
        none = await client.place_order(order("none", "buy", 2.0, symbol=PERPETUAL, reduce_only=True))
        assert not isinstance(none, Accepted)
        assert len(await client.own_trades(PERPETUAL)) == 2

    run(test, PERPETUAL)


def test_spot_has_no_positions(run: Any) -> None:
    async def test(venue: Venue) -> None:
        await venue.client.place_order(order("in"))
        assert await venue.client.positions() == ()

    run(test)


def test_rules_are_those_of_the_market(run: Any) -> None:
    async def test(venue: Venue) -> None:
        rules = await venue.client.market_rules(SPOT)
        wanted = market(SPOT).instrument
        told = rules.instrument
        assert (told.symbol, told.lot, told.tick, told.min_notional) == (SPOT, wanted.lot, wanted.tick, 5.0)
        assert rules.is_active
        await venue.client.refresh_markets()
        assert await venue.client.market_rules(SPOT) == rules

    run(test)


def test_clock_is_measured_when_asked(run: Any) -> None:
    async def test(venue: Venue) -> None:
        assert venue.client.clock is None
        reading = await venue.client.measure_clock()
        assert venue.client.clock == reading
        assert abs(reading.offset_ns) < SECOND

    run(test)


def test_closing_ends_the_streams_and_may_come_twice(run: Any) -> None:
    async def test(venue: Venue) -> None:
        trades = Listener(venue.client.watch_trades(SPOT))
        await venue.play(20)
        await venue.client.close()
        await asyncio.wait({trades.task}, timeout=90)
        assert trades.task.done()
        await venue.client.close()

    run(test)
