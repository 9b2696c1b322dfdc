"""F23: the exchange's clock is seconds from ours: measured, signed by, and no order beyond a limit."""

import asyncio
import time

import pytest

from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, limit_order, run
from workbench.errors import ExchangeError
from workbench.exchange import Accepted, CcxtClient, OrderTicket, Refused, practice_client
from workbench.exchange.ccxt_client.settings import ClientSettings
from workbench.exchange.practice import PracticeExchange, SteppedClock

MS = 1_000_000
OUTSIDE = {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}


@pytest.mark.parametrize("skew_ms", [-3_000, 3_000, -300_000])
def test_orders_are_signed_with_the_exchanges_time(skew_ms: int) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.skew_ms = skew_ms
        assert isinstance(await client.place_order(limit_order()), Accepted)
        assert client.clock is not None
        # The scripted exchange tells its time in whole ms, and the offset is off by half the round trip at most.
        assert abs(client.clock.offset_ns / MS - skew_ms) <= 1 + client.clock.delay_ns / MS / 2
        signed_ms = int(exchange.requests[-1][2]["timestamp"])
        assert abs(signed_ms - time.time_ns() / MS - skew_ms) < 2_000

    run(test)


@pytest.mark.parametrize("skew_ms", [-3_000, 3_000])
def test_practice_exchange_takes_orders_of_a_client_that_measured(skew_ms: int) -> None:
    async def test(exchange: PracticeExchange) -> None:
        client = practice_client(exchange.address, clock=exchange.clock)
        try:
            await asyncio.to_thread(exchange.set_skew, skew_ms)
            ticket = OrderTicket(client_order_id="skewed", symbol="BTC/USDT", side="buy", quantity=0.01)
            assert isinstance(await client.place_order(ticket), Accepted)
        finally:
            await client.close()

    with PracticeExchange(["BTC/USDT"], clock=SteppedClock()) as exchange:
        exchange.advance(60)
        asyncio.run(asyncio.wait_for(test(exchange), 30))


def test_bad_time_is_a_definite_refusal_and_the_clock_is_measured_again() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        await client.measure_clock()
        asked = exchange.count("GET", "/api/v3/time")
        exchange.will("POST", ORDER, Answer(status=400, body=OUTSIDE))
        refused = await client.place_order(limit_order())
        assert isinstance(refused, Refused)
        assert (refused.code, refused.was_sent) == ("-1021", True)
        exchange.skew_ms = 3_000
        assert isinstance(await client.place_order(limit_order("wb-2")), Accepted)
        assert exchange.count("GET", "/api/v3/time") > asked
        assert client.clock is not None
        assert abs(client.clock.offset_ns - 3_000 * MS) < 2_000 * MS

    run(test)


def test_read_with_a_bad_time_may_be_repeated_and_measures_first() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("GET", "/api/v3/account", Answer(status=400, body=OUTSIDE))
        with pytest.raises(ExchangeError) as caught:
            await client.balances()
        assert caught.value.retryable
        assert client.clock is None
        await client.balances()
        assert client.clock is not None

    run(test)


def test_no_order_is_sent_when_the_clock_cannot_be_measured() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("GET", "/api/v3/time", *[Answer(body="<html>"), Answer(status=503, body={})] * 3)
        refused = await client.place_order(limit_order())
        assert isinstance(refused, Refused)
        assert (refused.code, refused.was_sent) == ("clock", False)
        assert exchange.count("POST", ORDER) == 0

    run(test)


def test_no_order_is_sent_when_the_clocks_are_too_far_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    # A server on this machine only plays an exchange and may have any date; here it stands for a real one.
    monkeypatch.setattr(ClientSettings, "is_practice", property(lambda _: False))
    # For which the guard before real money has to stand open.
    monkeypatch.setattr("workbench.exchange.ccxt_client.real_trading.require_permission", lambda _: None)

    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.skew_ms = 61_000
        refused = await client.place_order(limit_order())
        assert isinstance(refused, Refused)
        assert (refused.code, refused.was_sent) == ("clock", False)
        assert "61.0 s from ours" in refused.reason
        assert exchange.count("POST", ORDER) == 0

    run(test)


def test_of_several_round_trips_the_fastest_counts() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        gates = [asyncio.Event() for _ in range(2)]
        # Two answers are written at once and arrive late, so that their middle lies far behind the truth.
        stale = {"serverTime": exchange.now_ms()}
        exchange.will("GET", "/api/v3/time", *[Answer(body=stale, wait=gate) for gate in gates])
        for delay_s, gate in zip((0.15, 0.25), gates, strict=True):
            asyncio.get_running_loop().call_later(delay_s, gate.set)
        reading = await client.measure_clock()
        assert reading.delay_ns < 100 * MS
        assert abs(reading.offset_ns) <= reading.delay_ns / 2 + MS

    run(test)
