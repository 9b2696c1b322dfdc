"""A session that goes on where its record ends, with an order at the exchange: stopped, or decided anew otherwise."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.process_sessions import eventually
from tests.unit.live.fake_exchange import state_of
from tests.unit.live.kept_record import KeptRecord
from tests.unit.live.markets import JOIN_S, MIDNIGHT, SECOND, session_config
from tests.unit.live.test_exchange_session import NO_ANSWER, EnterBelow, FakeSource, Floor
from workbench.exchange import Accepted
from workbench.live import LiveSession, ManualClock
from workbench.live.host import SessionHost
from workbench.strategy import Strategy, enter_long, hold


class LostSource(FakeSource):
    """A scripted exchange that can be reached again after some tries."""

    def __init__(self, before: FakeSource, failures: float) -> None:
        super().__init__(before.exchange, before.clock)
        self.failures = failures

    def open(self, *arguments: Any, since_ns: int | None = None) -> Any:
        assert since_ns is not None
        self.failures -= 1
        if self.failures >= 0:
            raise NO_ANSWER
        return super().open(*arguments)


class Crashed:
    """A session that died with an entry at rest, and the one that goes on with it."""

    def __init__(self) -> None:
        record = KeptRecord()
        self.floor = Floor(strategy=EnterBelow())
        self.floor.session = LiveSession(
            self.floor.session.config, clock=self.floor.clock, host=SessionHost(session_id="one", record=record)
        )
        self.exchange = self.floor.exchange
        self.exchange.answer("place", lambda ticket: Accepted(self.state(ticket.client_order_id)))
        self.floor.begin()
        self.name = self.floor.asked("place").client_order_id
        # As a crash leaves it, without the check on its replay that a session writes at its end.
        self.left = record.survivor()
        self.floor.session.kill()
        self.exchange.answer("order", self.state(self.name))
        self.session: Any = None

    def state(self, name: str) -> Any:
        return state_of(name, "accepted", filled=0.0)

    def go_on(self, failures: float = 0, strategy: Any = None, *, is_muted: bool = False) -> None:
        # Each process listens on a loop of its own.
        self.exchange.streams.clear()
        source = LostSource(self.floor.source, failures)
        config = session_config(source=source, execution="exchange", speed=1.0, strategy=strategy or EnterBelow())
        host = SessionHost(session_id="one", record=self.left, is_muted=is_muted)
        self.session = LiveSession(config, clock=self.floor.clock, host=host).start()
        assert self.floor.clock.join_waiter(JOIN_S)

    def let_pass(self, seconds: int) -> None:
        for _ in range(seconds):
            self.floor.clock.advance(SECOND)
            # One of the two comes: it waits for the next second, or it has ended.
            eventually(lambda: self.session.is_finished or self.floor.clock.join_waiter(0.0), JOIN_S)


@pytest.fixture
def crashed() -> Iterator[Crashed]:
    one = Crashed()
    yield one
    for session in (one.floor.session, one.session):
        if session is not None:
            session.kill()
            session.close()


def test_a_stop_tries_to_reach_the_exchange_while_an_order_may_be_open_there(crashed: Crashed) -> None:
    crashed.go_on(failures=3)
    crashed.session.ask_to_stop()
    assert crashed.floor.clock.join_waiter(JOIN_S)
    assert not crashed.session.is_finished
    crashed.let_pass(2)
    assert crashed.session.wait(JOIN_S)
    assert crashed.exchange.asked("cancel") == [[crashed.name]]
    assert crashed.session.reason == "stopped by the user"


def test_a_stop_gives_an_exchange_that_stays_away_fifteen_seconds(
    crashed: Crashed, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(wake: threading.Event, timeout_s: float) -> None:
        waits.append(timeout_s)
        ManualClock.wait(crashed.floor.clock, wake, timeout_s)

    monkeypatch.setattr(crashed.floor.clock, "wait", wait)
    crashed.go_on(failures=float("inf"))
    crashed.session.ask_to_stop()
    assert crashed.floor.clock.join_waiter(JOIN_S)
    crashed.let_pass(14)
    assert not crashed.session.is_finished
    crashed.floor.clock.advance(SECOND)
    assert crashed.session.wait(JOIN_S)
    assert crashed.session.reason == "stopped by the user before its market could be reached"
    assert crashed.exchange.asked("cancel") == []
    # Each time later, but each second for a stop.
    assert waits == [1.0] * 16


# ---- what may never enter again ----


class EnterLower(Strategy):
    """Waits to buy at 80, and so is not the strategy that the record is of."""

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
        return enter_long(limit=80.0) if position.is_flat else hold()


def test_a_session_that_decides_otherwise_when_it_is_run_again_may_only_leave(crashed: Crashed) -> None:
    crashed.go_on(strategy=EnterLower())
    session = crashed.session
    assert session.wait_for("EXITS_ONLY", timeout_s=JOIN_S)
    assert session.reason.startswith("the record, run again, does not do what it did: order 0 was limit buy ")
    assert session.reason.endswith("flatten() closes its position and stop() ends it, then start a new session")
    # What rests is withdrawn as by any pause, and no person can let it enter again.
    assert crashed.floor.asked("cancel") == crashed.name
    assert session.resume()
    assert session.state == "EXITS_ONLY"
    assert any(event.text.startswith("entries stay paused: the record, run again") for event in session.events())


def test_a_session_that_decides_the_same_when_it_is_run_again_goes_on(crashed: Crashed) -> None:
    crashed.go_on()
    assert crashed.session.wait_for("ACTIVE", timeout_s=JOIN_S)


def test_a_hang_that_an_older_version_noted_as_a_failure_promises_no_way_back(crashed: Crashed) -> None:
    crashed.go_on(is_muted=True)
    crashed.left = crashed.left.survivor()
    crashed.session.kill()
    hung = "the strategy did not return from its last bar and is not asked again"
    crashed.left.note("pause", MIDNIGHT, {"reason": hung, "by": "strategy"})
    crashed.go_on(is_muted=True)
    assert crashed.session.wait_for("EXITS_ONLY", timeout_s=JOIN_S)
    assert "resume()" not in crashed.session.reason


def test_a_session_whose_strategy_hung_cannot_be_resumed_and_says_the_way_out(crashed: Crashed) -> None:
    crashed.go_on(is_muted=True)
    session = crashed.session
    way_out = "flatten() closes its position and stop() ends it, then start a new session"
    reason = f"the strategy did not return from its last bar and is not asked again; stops and exits go on; {way_out}"
    for _ in range(2):
        assert session.wait_for("EXITS_ONLY", timeout_s=JOIN_S)
        assert session.reason == reason
        assert session.resume()
        assert any(event.text == f"entries stay paused: {reason}" for event in session.events())
        # And so it stays in the process after.
        crashed.left = crashed.left.survivor()
        session.kill()
        crashed.go_on(is_muted=True)
        session = crashed.session
