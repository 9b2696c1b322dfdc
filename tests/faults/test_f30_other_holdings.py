"""F30: the exchange holds something else than was booked: entries halt, one report says what, and a person decides.

The protection is `workbench.live.account_watch`: without it a session trades on over holdings that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.practice_session import BTC, HurriedClock, Stage, staged
from workbench.live.reconciliation import Difference, Reconciliation
from workbench.strategy import buy_and_hold

TICKS = [(float(second), 100.0) for second in range(1_200)]


@contextmanager
def holding(before: float = 0.0, **changes: Any) -> Iterator[Stage]:
    """Run a session that has bought for half of its account at 100, on an account that held some coins before."""
    with staged(TICKS, buy_and_hold(), coins=before, clock=HurriedClock(), cash=5_000.0, **changes) as stage:
        stage.play(65, bars=1)
        if "feed" in changes:
            # Of whole candles the next one tells the price at which a decision is carried out.
            stage.play(60, bars=2)
        stage.until(lambda: stage.session.snapshot().fill_count == 1)
        yield stage


def position(stage: Stage) -> float:
    held = stage.session.snapshot().position(BTC)
    return 0.0 if held is None else held.quantity


def test_coins_that_were_there_before_are_not_the_session_s(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[tuple[Difference, ...]] = []
    look = Reconciliation.look

    def counted(*arguments: Any) -> tuple[Difference, ...]:
        looks.append(look(*arguments))
        return looks[-1]

    monkeypatch.setattr(Reconciliation, "look", counted)
    with holding(before=3.0) as stage:
        stage.until_any(lambda: len(looks) >= 3)
        assert looks == [()] * len(looks)
        assert stage.session.state == "ACTIVE"


@pytest.mark.parametrize(("answer", "kept"), [("adopt", 1.0), ("ignore", 0.0)])
def test_entries_halt_until_a_person_decides(answer: str, kept: float) -> None:
    with holding() as stage:
        bought = position(stage)
        stage.exchange.trade_as_other(BTC, "buy", 1.0)
        stage.until_any(lambda: stage.session.state == "HALTED")
        assert "the exchange has 1 BTC more than was booked" in stage.session.reason
        stage.session.resume()
        stage.wait_told("entries stay paused until reconcile()")
        assert stage.session.snapshot().is_paused
        stage.session.reconcile(answer)
        stage.until_any(lambda: stage.session.state == "EXITS_ONLY")
        assert position(stage) == pytest.approx(bought + kept)
        assert stage.session.parity().is_identical


def test_without_single_prices_it_is_adopted_at_the_last_close() -> None:
    with holding(feed="candles") as stage:
        bought = position(stage)
        stage.exchange.trade_as_other(BTC, "buy", 1.0)
        stage.until_any(lambda: stage.session.state == "HALTED")
        stage.session.reconcile("adopt")
        stage.until_any(lambda: position(stage) == pytest.approx(bought + 1.0))


def test_what_somebody_sold_is_taken_out_of_the_position() -> None:
    with holding() as stage:
        bought = position(stage)
        stage.exchange.trade_as_other(BTC, "sell", 2.0)
        stage.until_any(lambda: stage.session.state == "HALTED")
        assert "2 BTC less than was booked" in stage.session.reason
        stage.session.reconcile("adopt")
        stage.until_any(lambda: position(stage) == pytest.approx(bought - 2.0))


def test_flatten_sells_what_was_bought_by_hand_too() -> None:
    with holding() as stage:
        stage.exchange.trade_as_other(BTC, "buy", 1.0)
        stage.until_any(lambda: stage.session.state == "HALTED")
        stage.session.reconcile("flatten")
        stage.play(5)
        stage.until_any(lambda: position(stage) == 0.0)
        assert float(stage.exchange.balances()["BTC"]) == 0.0


def test_an_exchange_that_does_not_answer_does_not_hold_nothing() -> None:
    with holding() as stage:
        stage.exchange.faults.add("maintenance", where="GET /api/v3/account", times=None)
        stage.wait_told("did not say what it holds")
        assert stage.session.state == "ACTIVE"
