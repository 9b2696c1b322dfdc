"""F24, F52: the computer slept, or its clock was set, while a session trades at an exchange.

Guards that nothing enters on what was decided before, that orders which wait are cancelled, that the exchange's clock
is measured anew, and that people are told how long nobody watched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.live.fake_exchange import state_of
from tests.unit.live.markets import JOIN_S, SECOND
from tests.unit.live.test_clock_watch import Computer
from tests.unit.live.test_exchange_session import EnterBelow, FakeSource, Floor
from workbench.errors import ExchangeTimeoutError
from workbench.exchange import Accepted
from workbench.live import LiveSession, Market
from workbench.strategy import buy_and_hold

HOURS_NS = 7_200 * SECOND


class MeasuredSource(FakeSource):
    """Counts how often the exchange's clock is measured."""

    measured = 0
    is_silent = False

    def open(self, *arguments: Any) -> Market:
        return super().open(*arguments)._replace(measure_clock=self._measure)

    def _measure(self) -> None:
        self.measured += 1
        if self.is_silent:
            raise ExchangeTimeoutError("no answer", exchange="fake", retryable=True)


class JumpingFloor(Floor):
    """A session on a computer whose clock can jump."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**changes)
        self.computer = Computer()
        self.source = MeasuredSource(self.exchange, self.clock)
        config = self.session.config
        object.__setattr__(config, "source", self.source)
        self.session = LiveSession(config, clock=self.computer, callbacks=self.session._callbacks)  # noqa: SLF001

    def jump(self, duration_ns: int) -> None:
        """Let the computer's time jump, and the session have a look."""
        self.computer.set_ns += duration_ns
        self.trade(62)


@pytest.fixture
def open_floor() -> Iterator[Any]:
    floors: list[JumpingFloor] = []

    def begin(**changes: Any) -> JumpingFloor:
        floors.append(JumpingFloor(**changes))
        return floors[-1]

    yield begin
    for floor in floors:
        floor.session.kill()
        floor.session.close()


@pytest.mark.parametrize(
    ("jump_ns", "told"),
    [
        (HOURS_NS, "the computer slept, or its clock was set ahead: 7,200 s that nobody watched"),
        (-HOURS_NS, "the clock of the computer was set back by 7,200 s"),
    ],
)
def test_an_order_that_waits_is_cancelled_after_a_jump_and_the_clock_measured(
    open_floor: Any, jump_ns: int, told: str
) -> None:
    floor = open_floor(strategy=EnterBelow())
    floor.exchange.answer("place", lambda ticket: Accepted(state_of(ticket.client_order_id, "accepted", filled=0.0)))
    floor.begin()
    ticket = floor.asked("place")
    floor.jump(jump_ns)
    assert floor.asked("cancel") == ticket.client_order_id
    assert told in floor.texts()
    assert floor.session.resume()  # obeyed in a turn after the one that saw the jump
    assert floor.source.measured == 1
    assert not floor.session.snapshot().is_paused


def test_an_entry_decided_before_the_jump_is_not_sent_after_it(open_floor: Any) -> None:
    floor = open_floor(strategy=buy_and_hold())
    floor.session.start()
    floor.trade(1)
    assert floor.clock.join_waiter(JOIN_S)
    # The bar closes with the first price of the second minute, which is the first one after the sleep.
    floor.computer.set_ns += HOURS_NS
    floor.clock.advance(HOURS_NS)
    floor.trade(61)
    floor.bars.get(timeout=JOIN_S)
    floor.trade(62)
    assert floor.session.wait_for("STALE", timeout_s=JOIN_S)
    assert floor.exchange.asked("place") == []


def test_a_clock_that_cannot_be_measured_is_told_and_the_session_lives(open_floor: Any) -> None:
    floor = open_floor(strategy=EnterBelow())
    floor.source.is_silent = True
    floor.exchange.answer("place", lambda ticket: Accepted(state_of(ticket.client_order_id, "accepted", filled=0.0)))
    floor.begin()
    floor.asked("place")
    floor.jump(HOURS_NS)
    floor.asked("cancel")
    assert floor.session.pause()
    assert any("the clock of the exchange could not be measured anew" in text for text in floor.texts())
    assert not floor.session.is_finished
