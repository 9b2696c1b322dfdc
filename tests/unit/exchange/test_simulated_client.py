"""What the simulated client has of its own: the core's fill rules, and a market played by hand or by a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import numpy as np
import pytest

from tests.manual_timing import ManualTiming
from tests.unit.exchange.ccxt_client.listener import Listener
from tests.unit.exchange.venues import MIDNIGHT, MINUTE, PERPETUAL, SECOND, SPOT, market, order
from workbench.errors import ConfigError, DataError
from workbench.exchange import Accepted, CandleBatch, OrderState, OwnTrade, Refused, SimulatedClient, TradeBatch
from workbench.exchange.outcomes import OrderOutcome
from workbench.exchange.practice import TickSource
from workbench.exchange.simulated import MarketTiming
from workbench.model import Bars, Costs, Instrument, Timeframe

ONE_MINUTE = Timeframe("1m")
COSTS = Costs(taker_fee=0.002, maker_fee=0.001, slippage=0.01)


def prints(*prices: float, symbol: str = SPOT, **rules: Any) -> TickSource:
    """Return prints a second apart from midnight on."""
    kind: Any = "linear_perpetual" if ":" in symbol else "spot"
    times = MIDNIGHT + SECOND * np.arange(len(prices))
    return TickSource(Instrument(symbol, kind, **rules), times, prices, np.ones(len(prices)))


def simulated(*prices: float, symbol: str = SPOT, **rules: Any) -> SimulatedClient:
    """Return a client that has printed the first price."""
    client = SimulatedClient(prints(*prices, symbol=symbol, **rules), costs=COSTS)
    client.step()
    return client


def place(client: SimulatedClient, name: str, *arguments: Any, **more: Any) -> OrderOutcome:
    return now(client.place_order(order(name, *arguments, **more)))


def now(call: Coroutine[Any, Any, Any]) -> Any:
    """Return what a call returns that waits for nothing."""
    try:
        call.send(None)
    except StopIteration as answer:
        return answer.value
    raise AssertionError("the call waits")


def test_market_order_slips_and_pays_the_taker() -> None:
    client = simulated(100.0)
    place(client, "in")
    place(client, "out", "sell")
    bought, sold = now(client.own_trades(SPOT))
    assert (bought.price, bought.fee) == pytest.approx((101.0, 0.202))  # 100 * 1.01, 101 * 0.002
    assert (sold.price, sold.fee) == pytest.approx((99.0, 0.198))  # 100 * 0.99, 99 * 0.002


def test_limit_gets_the_print_that_reaches_it_and_pays_the_maker() -> None:
    client = simulated(100.0, 96.0, 94.0)
    place(client, "low", kind="limit", price=95.0)
    client.step()
    assert now(client.own_trades(SPOT)) == ()
    client.step()
    (trade,) = now(client.own_trades(SPOT))
    assert (trade.price, trade.is_maker, trade.time_ns) == (94.0, True, MIDNIGHT + 2 * SECOND)
    assert trade.fee == pytest.approx(0.094)  # 94 * 0.001


def test_limit_is_filled_at_its_very_level() -> None:
    client = simulated(100.0, 95.0)
    place(client, "low", kind="limit", price=95.0)
    client.step()
    assert len(now(client.own_trades(SPOT))) == 1


def test_stop_slips_from_the_print_that_crosses_it() -> None:
    client = simulated(100.0, 104.0, 106.0)
    place(client, "up", kind="stop", price=105.0)
    client.play(2)
    (trade,) = now(client.own_trades(SPOT))
    assert (trade.price, trade.fee, trade.is_maker) == (
        pytest.approx(107.06),
        pytest.approx(0.21412),
        False,
    )  # 106 * 1.01


def test_stop_that_the_market_has_passed_fills_at_once() -> None:
    outcome = place(simulated(100.0), "up", kind="stop", price=99.0)
    assert isinstance(outcome, Accepted)
    assert (outcome.order.status, outcome.order.average_price) == ("filled", 101.0)


REFUSALS = {
    "min_notional": order("a", quantity=0.04),
    "insufficient_funds": order("a", quantity=99.0),  # 99 * 101 = 9,999, and the fee of it is 20
    "invalid_order": order("a", kind="limit", price=100.0, time_in_force="post_only"),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_refusal_has_a_code_and_stays(code: str) -> None:
    client = simulated(100.0, 90.0, 200.0, min_notional=5.0)
    outcome = now(client.place_order(REFUSALS[code]))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.was_sent) == (code, True)
    while client.step():
        # At 90 there would be cash enough, at 200 the notional is, or the price away: the ticket is spent.
        assert now(client.place_order(REFUSALS[code])) == outcome
    assert now(client.order(SPOT, "a")) is None


def test_exit_is_taken_below_the_smallest_order() -> None:
    client = simulated(100.0, min_notional=5.0)
    place(client, "in")
    assert isinstance(place(client, "small", "sell", 0.01), Refused)
    assert isinstance(place(client, "exit", "sell", 0.01, is_exit=True, reduce_only=True), Accepted)


def test_no_order_is_taken_before_the_first_price() -> None:
    outcome = place(SimulatedClient(prints(100.0)), "early")
    assert isinstance(outcome, Refused)
    assert outcome.code == "market_closed"


def test_first_print_is_still_to_come() -> None:
    client = SimulatedClient(prints(100.0))
    assert now(client.trades(SPOT)) == ()
    assert now(client.candles(SPOT, ONE_MINUTE, 0)) == ()
    client.step()
    assert len(now(client.trades(SPOT))) == len(now(client.candles(SPOT, ONE_MINUTE, 0))) == 1


def test_waiting_order_whose_money_is_gone_expires() -> None:
    client = simulated(100.0, 200.0)
    place(client, "up", quantity=80.0, kind="stop", price=110.0)  # 80 * 110 * 1.01 = 8,888 when it is placed
    own = client.watch_own([SPOT])
    client.step()  # 80 * 200 is too much
    state = now(anext(own))
    assert isinstance(state, OrderState)
    assert (state.status, state.filled) == ("expired", 0.0)
    assert now(client.balances())["USDT"].locked == 0.0


def test_ruined_perpetual_is_liquidated_by_the_exchange() -> None:
    client = simulated(100.0, 96.0, 94.0, symbol=PERPETUAL)
    own = client.watch_own([PERPETUAL])
    place(client, "in", quantity=1_700.0, symbol=PERPETUAL)  # 17 times the cash
    client.play(2)
    events = [now(anext(own)) for _ in range(3)]
    trade = events[-1]
    assert isinstance(trade, OwnTrade)
    assert (trade.side, trade.quantity, trade.client_order_id) == ("sell", 1_700.0, None)
    assert trade.order_id.startswith("liquidation-")
    assert now(client.positions()) == ()


def test_position_is_reversed_by_one_order() -> None:
    client = simulated(100.0, symbol=PERPETUAL)
    place(client, "long", symbol=PERPETUAL)
    outcome = place(client, "turn", "sell", 3.0, symbol=PERPETUAL)
    assert isinstance(outcome, Accepted)
    assert outcome.order.filled == 3.0
    assert now(client.positions())[0].quantity == -2.0
    assert len(now(client.own_trades(PERPETUAL))) == 2


def test_prints_of_one_moment_are_played_one_by_one() -> None:
    source = TickSource(Instrument(SPOT), [MIDNIGHT] * 3 + [MIDNIGHT + SECOND], [100.0, 101.0, 102.0, 103.0], [1.0] * 4)
    client = SimulatedClient(source)
    seen = []
    while client.step():
        seen.append(now(client.trades(SPOT, limit=1))[0].price)
    assert seen == [100.0, 101.0, 102.0, 103.0]


def test_two_markets_are_played_in_order_of_time() -> None:
    other = TickSource(Instrument("ETH/USDT"), [MIDNIGHT, MIDNIGHT + SECOND // 2], [10.0, 11.0], [1.0, 1.0])
    client = SimulatedClient([prints(100.0, 101.0), other])
    streams = {symbol: client.watch_trades(symbol) for symbol in client.symbols}
    told = []
    for symbol in (SPOT, "ETH/USDT", "ETH/USDT", SPOT):
        client.step()
        batch = now(anext(streams[symbol]))
        assert isinstance(batch, TradeBatch)
        told.append((symbol, batch.trades[0].price))
    assert told == [(SPOT, 100.0), ("ETH/USDT", 10.0), ("ETH/USDT", 11.0), (SPOT, 101.0)]
    assert client.step() is False


def test_bars_are_played_as_four_prints_that_make_them_again() -> None:
    bars = Bars.from_arrays(
        SPOT, "1m", MIDNIGHT + MINUTE * np.arange(2), [9, 10], [12, 11], [8, 9], [10, 10], [3.0, 5.0]
    )
    client = SimulatedClient(bars)
    client.play(120)
    assert [one.price for one in now(client.trades(SPOT, limit=4))] == [10.0, 9.0, 11.0, 10.0]
    first, second = now(client.candles(SPOT, ONE_MINUTE, 0))
    assert (first.open, first.high, first.low, first.close, first.volume) == (9.0, 12.0, 8.0, 10.0, 3.0)
    assert (second.volume, second.is_closed) == (5.0, True)


def test_clock_plays_the_market() -> None:
    async def test() -> None:
        timing = ManualTiming(MIDNIGHT)
        client = SimulatedClient(market(SPOT), start=MIDNIGHT, timing=timing)
        trades = Listener(client.watch_trades(SPOT))
        candles = Listener(client.watch_candles(SPOT, ONE_MINUTE))
        await trades.until(lambda _: len(trades.events) == 1)
        while timing.now_ns() < MIDNIGHT + 60 * SECOND:
            count = len(trades.events)
            timing.advance(10)
            await trades.until(lambda events, count=count: len(events) == count + 1)
        closed = [one for batch in candles.of(CandleBatch) for one in batch.candles if one.is_closed]
        assert [(one.time_ns, one.close) for one in closed] == [(MIDNIGHT, 100.0)]
        with pytest.raises(ConfigError, match=r"step\(\) is for a client without a clock"):
            client.step()
        await client.close()
        assert isinstance(await client.place_order(order("after")), Accepted)

    asyncio.run(asyncio.wait_for(test(), 30))


def test_clock_plays_what_is_due_before_each_call() -> None:
    timing = ManualTiming(MIDNIGHT)
    client = SimulatedClient(prints(100.0, 101.0, 102.0), timing=timing)
    timing.advance(1)
    assert [one.price for one in now(client.trades(SPOT))] == [100.0, 101.0]


def test_sleep_of_the_market_ends_as_it_is_played() -> None:
    async def test() -> None:
        timing = MarketTiming(MIDNIGHT)
        first, second, third = (asyncio.create_task(timing.sleep(seconds)) for seconds in (2.0, 1.0, 9.0))
        await timing.sleep(0.0)
        await asyncio.wait({first}, timeout=0.001)
        timing.move_to(MIDNIGHT + SECOND)
        await asyncio.wait_for(second, 60)
        assert not first.done()
        timing.move_to(MIDNIGHT + 2 * SECOND)
        await asyncio.wait_for(first, 60)
        assert not third.done()
        timing.end()
        await asyncio.wait_for(third, 60)
        await asyncio.wait_for(timing.sleep(60.0), 5)
        assert timing.monotonic_ns() == 2 * SECOND

    asyncio.run(test())


def test_settled_waits_for_those_who_listen() -> None:
    async def test() -> None:
        client = SimulatedClient(prints(*range(100, 120)))
        trades = Listener(client.watch_trades(SPOT))
        unheard = client.watch_trades(SPOT)
        client.step()
        await trades.until(lambda events: len(events) == 1)
        count = 1
        while client.step():
            await client.settled()
            count += 1
            assert len(trades.events) == count
        assert len(trades.events) == 20
        await trades.stop()
        assert len([one async for one in closing(client, unheard)]) == 20

    async def closing(client: SimulatedClient, stream: Any) -> Any:
        await client.close()
        async for event in stream:
            yield event

    asyncio.run(asyncio.wait_for(test(), 30))


def test_listener_who_leaves_is_not_waited_for() -> None:
    async def test() -> None:
        client = SimulatedClient(prints(100.0, 101.0))
        stream = client.watch_trades(SPOT)
        client.step()
        await anext(stream)
        await stream.aclose()
        client.step()
        await client.settled()

    asyncio.run(asyncio.wait_for(test(), 30))


BAD_ACCOUNTS = {
    "kind": [SPOT, "ETH/USDT:USDT"],
    "quote": [SPOT, "ETH/BTC"],
    "each once": [SPOT, SPOT],
    "none": [],
}


@pytest.mark.parametrize("why", BAD_ACCOUNTS)
def test_markets_that_are_no_account_are_refused(why: str) -> None:
    with pytest.raises(ConfigError, match=f"markets must be .*{why}"):
        SimulatedClient(BAD_ACCOUNTS[why])


def test_bad_numbers_are_named() -> None:
    with pytest.raises(ConfigError, match=r"cash must be a float > 0 and finite, was 0\.0"):
        SimulatedClient(SPOT, cash=0.0)
    with pytest.raises(DataError, match="start"):
        SimulatedClient(SPOT, start="yesterday")
    client = simulated(100.0)
    for call in (client.own_trades(SPOT, after_id="x"), client.trades(SPOT, after_id="x")):
        with pytest.raises(ConfigError, match="after_id must be the id of a trade, a whole number, was 'x'"):
            now(call)


def test_core_is_loaded_with_the_client_and_not_before() -> None:
    import workbench.exchange as room

    assert room.SimulatedClient is SimulatedClient
    with pytest.raises(AttributeError, match="has no attribute 'SimulatedClients'"):
        room.SimulatedClients  # type: ignore[attr-defined]  # noqa: B018  as above
