"""F10: fill events are lost, doubled, late, out of order, or known over REST only: each trade is told once."""

import asyncio
from typing import Any

import pytest

from tests.scripted_exchange import ScriptedExchange, run
from workbench.errors import AuthError
from workbench.exchange import CcxtClient, OrderState, OrderTicket, OwnTrade, StreamInterrupted, practice_client
from workbench.exchange.practice import PracticeExchange, SteppedClock

SYMBOL = "BTC/USDT"


def fill(number: int, filled: float, *, status: str = "PARTIALLY_FILLED", execution: str = "TRADE") -> dict[str, Any]:
    """Return the event of fill `number` of one order of 1.0, after which `filled` is filled."""
    when = 1_900_000_000_000 + number
    order = {"s": "BTCUSDT", "c": "mine", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "1.0", "p": "100.0", "i": 7}
    last = {"l": "0.25", "L": "100.0", "n": "0.025", "N": "USDT", "t": number if execution == "TRADE" else -1}
    total = {"z": str(filled), "Z": str(filled * 100), "x": execution, "X": status, "O": when, "W": when}
    event = {"e": "executionReport", "E": when, "T": when, "r": "NONE", "m": False, "P": "0", **order, **last, **total}
    return {"subscriptionId": 0, "event": event}


def listed(number: int) -> dict[str, Any]:
    """Return the same fill as the list of own trades has it."""
    when = 1_900_000_000_000 + number
    money = {"price": "100.0", "qty": "0.25", "quoteQty": "25", "commission": "0.025", "commissionAsset": "USDT"}
    return {"symbol": "BTCUSDT", "id": number, "orderId": 7, "time": when, "isBuyer": True, "isMaker": False, **money}


async def heard(client: CcxtClient, exchange: ScriptedExchange, trades: int, act: Any) -> list[Any]:
    """Return what the own stream tells until it has told so many trades."""
    events: list[Any] = []
    stream = client.watch_own([SYMBOL], poll_s=0.02)

    async def listen() -> None:
        async for event in stream:
            events.append(event)
            if sum(isinstance(one, OwnTrade) for one in events) == trades:
                return

    task = asyncio.create_task(listen())
    await exchange.subscribed("user")
    await act()
    await task
    await stream.aclose()
    return events


def ids(events: list[Any]) -> list[str]:
    return [event.trade_id for event in events if isinstance(event, OwnTrade)]


@pytest.mark.parametrize("order", [[1, 2, 3, 4], [1, 1, 2, 2, 3, 4, 1], [3, 1, 4, 2], [4], [], [2]])
def test_every_trade_is_told_once_whatever_the_stream_does(order: list[int]) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        async def act() -> None:
            await exchange.send("user", *[fill(number, 0.25 * number) for number in order])
            exchange.own_trades = [listed(number) for number in (1, 2, 3, 4)]

        events = await heard(client, exchange, 4, act)
        assert sorted(ids(events)) == ["1", "2", "3", "4"]
        assert sum(event.quantity for event in events if isinstance(event, OwnTrade)) == 1.0

    run(test)


def test_trade_is_the_same_whoever_tells_it() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.own_trades = [listed(1)]
        (over_rest,) = await client.own_trades(SYMBOL)

        async def act() -> None:
            await exchange.send("user", fill(2, 0.5))

        exchange.own_trades = []
        events = await heard(client, exchange, 1, act)
        (streamed,) = [event for event in events if isinstance(event, OwnTrade)]
        for name in ("symbol", "order_id", "side", "quantity", "price", "fee", "fee_currency", "is_maker"):
            assert getattr(streamed, name) == getattr(over_rest, name)
        assert (streamed.trade_id, streamed.client_order_id) == ("2", "mine")

    run(test)


def test_totals_of_an_order_never_go_back() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        stream = client.watch_own([SYMBOL], poll_s=600.0)
        states: list[OrderState] = []

        async def listen() -> None:
            async for event in stream:
                if isinstance(event, OrderState):
                    states.append(event)
                    if event.status == "filled":
                        return

        task = asyncio.create_task(listen())
        await exchange.subscribed("user")
        for event in (fill(1, 0.25), fill(3, 0.75), fill(2, 0.5), fill(3, 0.75), fill(4, 1.0, status="FILLED")):
            await exchange.send("user", event)
            # Each is taken in before the next comes, or ccxt would keep the last of them only.
            await client.order(SYMBOL, "mine")
        await task
        await stream.aclose()
        assert [state.filled for state in states] == [0.25, 0.75, 1.0]

    run(test)


def test_trade_during_an_interruption_is_told() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        stream = client.watch_own([SYMBOL], poll_s=600.0)
        events: list[Any] = []

        async def listen() -> None:
            async for event in stream:
                events.append(event)
                if isinstance(event, OwnTrade):
                    return

        task = asyncio.create_task(listen())
        await exchange.subscribed("user")
        while not exchange.count("GET", "/api/v3/myTrades"):
            await client.order(SYMBOL, "mine")
        exchange.own_trades = [listed(1)]
        await exchange.hang_up("user")
        await task
        await stream.aclose()
        assert ids(events) == ["1"]
        assert any(isinstance(event, StreamInterrupted) and event.cause == "disconnected" for event in events)

    run(test)


def test_refused_login_of_the_stream_is_tried_again() -> None:
    # ccxt itself waits for ever after one: it stumbles over its own bookkeeping and leaves the login pending.
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.login_refusals.extend([{"code": -1021, "msg": "Timestamp for this request is outside."}] * 2)

        async def act() -> None:
            await exchange.send("user", fill(1, 0.25))

        events = await heard(client, exchange, 1, act)
        assert ids(events) == ["1"]
        assert sum(isinstance(event, StreamInterrupted) for event in events) >= 2
        logins = [params for method, name, params in exchange.requests if name == "userDataStream.subscribe.signature"]
        assert len(logins) == 3
        assert all({"apiKey", "signature", "timestamp"} <= set(params) for params in logins)

    run(test)


def test_revoked_key_ends_the_stream_with_an_auth_error() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.login_refusals.append({"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."})
        stream = client.watch_own([SYMBOL], poll_s=600.0)
        with pytest.raises(AuthError):
            async for _ in stream:
                pass
        await stream.aclose()

    run(test)


@pytest.mark.parametrize("fault", [None, "lost_event", "duplicate_event", "reordered_events"])
def test_practice_exchange_and_stream_agree_on_every_trade(fault: Any) -> None:
    async def test(exchange: PracticeExchange) -> None:
        client = practice_client(exchange.address, clock=exchange.clock)
        stream = client.watch_own([SYMBOL], poll_s=0.05)
        told: list[OwnTrade] = []

        async def listen() -> None:
            async for event in stream:
                if isinstance(event, OwnTrade):
                    told.append(event)
                if len(told) == 6:
                    return

        try:
            task = asyncio.create_task(listen())
            if fault is not None:
                exchange.faults.add(fault, times=3)
            for number in range(6):
                side = "sell" if number % 2 else "buy"
                await client.place_order(
                    OrderTicket(client_order_id=f"order-{number}", symbol=SYMBOL, side=side, quantity=0.01)
                )
            await task
            listed = await client.own_trades(SYMBOL)
            assert sorted(trade.trade_id for trade in told) == sorted(trade.trade_id for trade in listed)
            by_id = {trade.trade_id: trade for trade in listed}
            for trade in told:
                one = by_id[trade.trade_id]
                assert (trade.quantity, trade.price, trade.fee) == (one.quantity, one.price, one.fee)
        finally:
            await stream.aclose()
            await client.close()

    with PracticeExchange([SYMBOL], clock=SteppedClock()) as exchange:
        exchange.advance(60)
        asyncio.run(asyncio.wait_for(test(exchange), 30))
