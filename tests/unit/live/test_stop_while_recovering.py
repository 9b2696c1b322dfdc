"""A stop of a session that goes on where its record ends, with an order at an exchange that cannot be reached."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.live.fake_exchange import state_of
from tests.unit.live.kept_record import KeptRecord
from tests.unit.live.markets import JOIN_S, SECOND, session_config
from tests.unit.live.test_exchange_session import NO_ANSWER, EnterBelow, FakeSource, Floor
from workbench.exchange import Accepted
from workbench.live import LiveSession, ManualClock
from workbench.live.host import SessionHost


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
        self.record = KeptRecord()
        self.floor = Floor(strategy=EnterBelow())
        self.floor.session = LiveSession(
            self.floor.session.config, clock=self.floor.clock, host=SessionHost(session_id="one", record=self.record)
        )
        self.exchange = self.floor.exchange
        self.exchange.answer("place", lambda ticket: Accepted(self.state(ticket.client_order_id)))
        self.floor.begin()
        self.name = self.floor.asked("place").client_order_id
        self.floor.session.kill()
        self.exchange.answer("order", self.state(self.name))
        self.session: Any = None

    def state(self, name: str) -> Any:
        return state_of(name, "accepted", filled=0.0)

    def go_on(self, failures: float) -> None:
        config = session_config(
            source=LostSource(self.floor.source, failures), execution="exchange", speed=1.0, strategy=EnterBelow()
        )
        host = SessionHost(session_id="one", record=self.record.survivor())
        self.session = LiveSession(config, clock=self.floor.clock, host=host).start()
        assert self.floor.clock.join_waiter(JOIN_S)

    def let_pass(self, seconds: int) -> None:
        for _ in range(seconds):
            self.floor.clock.advance(SECOND)
            if not self.session.is_finished:
                self.floor.clock.join_waiter(JOIN_S)


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
