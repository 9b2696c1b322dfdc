"""F25: the key is revoked while a position is open: told at once, tried a few times, and mended without a restart.

Guards that nothing new is opened, that the exit climbs its ladder and no further, that the position is called
unprotected, and that a session whose key works again hears of its own fills again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.practice_session import BTC, HurriedClock, Stage, staged
from tests.unit.live.fake_exchange import FakeExchange, own_trade
from tests.unit.live.test_order_line import WAITS_S, Desk, request
from workbench.core.reports import DONE
from workbench.errors import AuthError
from workbench.live import order_tasks
from workbench.model import RiskConfig
from workbench.strategy import buy_and_hold

# Bought at 100; 90 is below the stop at 95.
TICKS = [(float(second), 100.0 if second < 130 else 90.0) for second in range(1_200)]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Have a session that has bought, and asks soon for what usually waits for a minute."""
    monkeypatch.setattr(order_tasks, "_AUDIT_S", 0.1)
    monkeypatch.setattr(order_tasks, "_POLL_S", 0.1)
    monkeypatch.setattr("workbench.core.order_state.procedures.RETRIES_S", (0.05,) * len(WAITS_S))
    risk = RiskConfig(stop_loss=0.05)
    with staged(TICKS, buy_and_hold(), cash=5_000.0, clock=HurriedClock(), risk=risk) as one:
        one.play(65, bars=1)
        one.until(lambda: one.session.snapshot().fill_count == 1)
        yield one


def refusals(stage: Stage) -> list[str]:
    return [text for text in stage.texts() if "was refused: the key is not accepted, HTTP 401" in text]


def unprotected(stage: Stage) -> Any:
    return stage.told(f"{BTC} is UNPROTECTED: its exit was refused 6 times")


def test_it_is_told_at_once_and_nothing_new_is_opened(stage: Stage) -> None:
    stage.exchange.revoke_key()
    stage.wait_told("own orders and fills are not told: practice did not tell")
    stage.until_any(lambda: stage.session.snapshot().is_paused)
    assert stage.session.state == "EXITS_ONLY"
    assert "-2015" in stage.session.reason
    # Not to know is not to hold nothing.
    assert stage.session.snapshot().position(BTC) is not None


def test_an_exit_is_tried_six_times_and_then_a_person_is_called(stage: Stage) -> None:
    stage.exchange.revoke_key()
    stage.wait_told("own orders and fills are not told: practice did not tell")
    stage.play(66)
    for _ in range(len(WAITS_S)):
        count = len(refusals(stage))
        stage.until_any(lambda count=count: len(refusals(stage)) > count or unprotected(stage))  # type: ignore[misc]
        stage.play(1)
    stage.until_any(lambda: unprotected(stage))
    # The sixth stays in flight; whatever the price does then, no other is sent.
    stage.play(300)
    stage.until_any(lambda: stage.counts["ticks"] > 400)
    assert len(refusals(stage)) == len(WAITS_S)
    assert stage.orders() == [("buy", pytest.approx(stage.session.snapshot().position(BTC).quantity))]


def test_a_key_that_works_again_sells_and_its_fill_is_booked(stage: Stage) -> None:
    stage.exchange.revoke_key()
    stage.wait_told("own orders and fills are not told: practice did not tell")
    stage.play(66)
    stage.until_any(lambda: len(refusals(stage)) >= 1)
    stage.exchange.revoke_key(is_revoked=False)
    stage.session.resume()
    for _ in range(len(WAITS_S)):
        stage.play(1)
        if stage.session.snapshot().position(BTC) is None:
            break
        stage.until_any(lambda: len(stage.exchange.trades()) == 2 or len(refusals(stage)) > 1)
    stage.until_any(lambda: stage.session.snapshot().position(BTC) is None)
    assert [side for side, _ in stage.orders()] == ["buy", "sell"]
    stage.check_books()


def test_the_stream_of_own_orders_is_listened_to_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fills of an order may be told by the stream alone for a while: lists of trades lag behind it."""
    begun: list[Any] = []
    watch_own = FakeExchange.watch_own

    def counted(exchange: FakeExchange, symbols: Any, *, poll_s: float) -> Any:
        begun.append(symbols)
        return watch_own(exchange, symbols, poll_s=poll_s)

    monkeypatch.setattr(FakeExchange, "watch_own", counted)
    desk = Desk()
    try:
        refused = AuthError("the key is not accepted", exchange="fake", retryable=False)
        desk.send(request(1))
        for times in (2, 3):
            desk.line.put("own", refused)
            (text,) = desk.texts()
            assert text == "own orders and fills are not told: the key is not accepted"
            desk.line.pass_time(60.0)
            assert len(begun) == times
        desk.line.put("own", own_trade(desk.name(1), 1.0, 101.0))
        assert desk.reports() == [(1.0, 101.0, 1, DONE)]
    finally:
        desk.line.close()
