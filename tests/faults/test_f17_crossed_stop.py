"""F17: the price is beyond a stop's level already when the stop is placed: the position is left at once, by the ladder.

An exchange refuses such a stop. Without this a session would hold a position that nothing protects, and that its own
prices may show as safe.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.practice_session import BTC, Stage
from tests.unit.live.fake_exchange import own_trade
from tests.unit.live.protected_account import FLAT, account
from tests.unit.live.test_order_line import WAITS_S, request
from tests.unit.live.test_resting_stop import FIRST, StopDesk, rests
from workbench.core.reports import DONE
from workbench.exchange import Refused
from workbench.live.stop_keeper import StopKeeper
from workbench.model import RiskConfig
from workbench.strategy import buy_and_hold

CROSSED = Refused('HTTP 400: {"code": -2010, "msg": "Stop price would trigger immediately."}', "-2010")
# Where a code says it, no word has to.
BYBIT = Refused("expect Falling, but trigger_price >= current", "110093")
OKX = Refused("SL trigger price cannot be higher than the last price", "51280")
OKX_SHORT = Refused("SL trigger price cannot be lower than the last price", "51278")
BINANCE_CONTRACT = Refused("whatever it says", "-2021")


@pytest.fixture
def desk() -> Iterator[StopDesk]:
    made = StopDesk()
    yield made
    made.line.close()


@pytest.mark.parametrize("crossed", [CROSSED, BYBIT, OKX, OKX_SHORT, BINANCE_CONTRACT], ids=lambda one: one.code)
def test_crossed_stop_becomes_an_exit_at_once(desk: StopDesk, crossed: Refused) -> None:
    desk.exchange.answer("place", crossed, rests)
    desk.look(account())
    assert desk.look(account()) == [(0.0, 0.0, FIRST, DONE)]
    assert desk.placed() == [(FIRST, "stop", 1.0, 95.0), (FIRST + 1, "market", 1.0, None)]
    assert desk.orders.unprotected == (BTC,)
    (text,) = [text for text in desk.texts() if "UNPROTECTED" in text]
    assert text.startswith("BTC/USDT is UNPROTECTED: a stop of 1 BTC/USDT at 95 is crossed already: ")
    desk.line.put("own", own_trade(desk.name(FIRST + 1), 1.0, 94.0, side="sell"))
    assert desk.look(FLAT) == [(-1.0, 94.0, FIRST + 1, DONE)]
    desk.look(FLAT)
    assert desk.orders.unprotected == ()
    assert len(desk.placed()) == 2


def test_refusal_that_is_not_certain_to_say_so_sells_nothing(desk: StopDesk) -> None:
    # OKX: of a take-profit; Bybit: too far from the price. Whatever is not known to mean "crossed" is tried again.
    for refused in (Refused("TP trigger price", "51277"), Refused("trigger price too far", "170204")):
        desk.exchange.answer("place", refused)
        desk.look(account())
        desk.look(account())
        desk.line.pass_time(WAITS_S[-1])
    assert {kind for _, kind, *_ in desk.placed()} == {"stop"}
    assert desk.orders.unprotected == ()


def test_session_s_own_exit_waits_for_that_one(desk: StopDesk) -> None:
    desk.exchange.answer("place", CROSSED, rests)
    desk.look(account())
    desk.look(account())
    desk.send(request(1, is_exit=True, side="sell"))
    desk.look(account())
    desk.line.put("own", own_trade(desk.name(FIRST + 1), 1.0, 94.0, side="sell"))
    assert desk.look(FLAT) == [(-1.0, 94.0, FIRST + 1, DONE)]
    assert desk.look(FLAT) == [(0.0, 0.0, 1, DONE)]
    assert [number for number, *_ in desk.placed()] == [FIRST, FIRST + 1]
    assert desk.exchange.asked("cancel") == []


def test_exit_that_is_refused_climbs_the_ladder_and_then_takes_a_person(desk: StopDesk) -> None:
    desk.exchange.answer("place", CROSSED, Refused("too little money", "-2010"))
    desk.look(account())
    for wait_s in (*WAITS_S, 3_600.0):
        desk.look(account())
        desk.line.pass_time(wait_s)
        desk.look(account())
    # The stop and six tries; the sixth stays in flight until a person has looked.
    assert len(desk.placed()) == 7
    assert [name for name, *_ in desk.exchange.calls].count("refresh_markets") == 5
    assert desk.orders.unprotected == (BTC,)
    assert any(one.needs_person and "its exit was refused 6 times" in one.text for one in desk.orders.notices())
    desk.orders.retry_exits()
    desk.look(account())
    desk.look(account())
    assert len(desk.placed()) == 8


def test_price_that_jumps_between_entry_and_stop_is_left_with_one_sale(monkeypatch: pytest.MonkeyPatch) -> None:
    has_jumped = threading.Event()
    look = StopKeeper.look

    def after_the_jump(*arguments: Any) -> list[Any]:
        found = look(*arguments)
        if found:
            assert has_jumped.wait(90)
        return found

    monkeypatch.setattr(StopKeeper, "look", after_the_jump)
    ticks = [(float(second), 100.0 if second <= 65 else 94.0) for second in range(200)]
    stage = Stage(ticks, buy_and_hold(), risk=RiskConfig(stop_loss=0.05), cash=5_000.0, rests_stop=True)
    try:
        stage.start()
        stage.until_any(lambda: stage.session.state == "ACTIVE")
        stage.play(65, bars=1)
        stage.until_any(lambda: len(stage.exchange.trades()) == 1)
        stage.exchange.advance(5)
        has_jumped.set()
        stage.until_any(lambda: stage.session.snapshot().fill_count >= 2 and not stage.session.snapshot().positions)
        stage.play(5)
        assert stage.told("BTC/USDT is UNPROTECTED: a stop of ")
        bought, sold = stage.orders()
        assert (bought[0], sold[0]) == ("buy", "sell")
        assert sold[1] == pytest.approx(bought[1], abs=1e-5)
        stage.check_books()
    finally:
        has_jumped.set()
        stage.stop()
