"""F32: the exchange does not tell what it holds, or what became of an order: not to know is not to hold nothing.

Guards that a look that failed books nothing, halts nothing and is repeated, and that an order whose question fails is
never taken for one that the exchange does not have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.manual_timing import ManualTiming
from tests.practice_session import BTC, HurriedClock, Stage, staged
from tests.scripted_exchange import ORDER, Answer, connected, limit_order
from workbench.errors import ExchangeError
from workbench.exchange import Accepted, Unknown, settle_order
from workbench.live.account_watch import AccountWatch
from workbench.live.holdings_line import HoldingsLine, HoldingsTold
from workbench.strategy import buy_and_hold

TICKS = [(float(second), 100.0) for second in range(1_200)]
FAILURES = [
    Answer(status=503, body="busy"),
    Answer(status=500, body={"code": -1000, "msg": "An unknown error occurred."}),
    Answer(status=429, body={"code": -1003, "msg": "Too many requests."}, headers={"Retry-After": "0"}),
    Answer(status=200, body="<html>Welcome</html>"),
    Answer(status=200, body={}),
    Answer(drop=True),
]


@contextmanager
def holding() -> Iterator[Stage]:
    """Run a session that has bought for half of its account at 100."""
    with staged(TICKS, buy_and_hold(), clock=HurriedClock(), cash=5_000.0) as stage:
        stage.play(65, bars=1)
        stage.until(lambda: stage.session.snapshot().fill_count == 1)
        yield stage


def test_a_look_that_fails_changes_nothing_and_the_next_one_sees_all(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, ...]] = []
    look = AccountWatch.look

    def counted(*arguments: Any) -> tuple[str, ...]:
        told.append(look(*arguments))
        return told[-1]

    monkeypatch.setattr(AccountWatch, "look", counted)
    faults: list[str] = []
    heed = HoldingsLine.heed

    def noted(line: HoldingsLine, told: HoldingsTold) -> Any:
        faults.extend([told.fault] if told.held is None else [])
        return heed(line, told)

    monkeypatch.setattr(HoldingsLine, "heed", noted)
    with holding() as stage:
        before = stage.session.snapshot()
        stage.exchange.faults.add("maintenance", where="GET /api/v3/account", times=None)
        failed = "the exchange did not say what it holds"
        stage.until_any(lambda: len(faults) >= 3)
        # People are told once, not each time.
        stage.wait_told(failed)
        assert sum(failed in text for text in stage.texts()) == 1
        # Whoever took that for an empty account would book the position away, or halt.
        assert stage.session.snapshot().positions == before.positions
        assert stage.session.state == "ACTIVE"
        assert not any(told)
        # What somebody else does meanwhile is seen as soon as the exchange tells it.
        stage.exchange.trade_as_other(BTC, "buy", 1.0)
        stage.exchange.faults.clear()
        stage.until_any(lambda: stage.session.state == "HALTED")
        assert "the exchange has 1 BTC more than was booked" in stage.session.reason
        assert sum("the exchange says again what it holds" in text for text in stage.texts()) == 1
        assert stage.session.snapshot().positions == before.positions
        assert stage.session.parity().is_identical


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: f"{one.status} {one.body}"[:24])
def test_an_order_whose_question_fails_is_not_one_that_never_arrived(failure: Answer) -> None:
    async def test() -> None:
        timing = ManualTiming(is_eager=True)
        async with connected(timing=timing, recv_window_ms=1_000) as (exchange, client):
            exchange.will("POST", ORDER, Answer(drop=True, executes=True))
            ticket = limit_order()
            unknown = await client.place_order(ticket)
            assert isinstance(unknown, Unknown)
            assert unknown.closes_ns is not None
            # Asked at 0, 0.5, ... 4.5 s: the window closed at 3 s, and not one of the answers says "no such order".
            exchange.will("GET", ORDER, *[failure] * 10)
            outcome = await settle_order(client, ticket, unknown, timing, poll_s=0.5)
            assert timing.now_ns() > unknown.closes_ns
            assert isinstance(outcome, Accepted)
            assert outcome.was_adopted
            assert exchange.count("GET", ORDER) == 11
            assert exchange.count("POST", ORDER) == len(exchange.executed) == 1

    asyncio.run(asyncio.wait_for(test(), 30))


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: f"{one.status} {one.body}"[:24])
def test_balances_and_open_orders_that_are_not_told_are_an_error(failure: Answer) -> None:
    async def test() -> None:
        async with connected() as (exchange, client):
            exchange.will("GET", "/api/v3/account", failure)
            with pytest.raises(ExchangeError):
                await client.balances()
            exchange.will("GET", "/api/v3/openOrders", failure)
            with pytest.raises(ExchangeError):
                await client.open_orders("BTC/USDT")

    asyncio.run(asyncio.wait_for(test(), 30))
