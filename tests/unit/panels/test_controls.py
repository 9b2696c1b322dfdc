import threading

import pytest

from tests.unit.panels.fake_session import FakeSession
from tests.unit.panels.test_session_panel import press
from workbench.panels.actions import Situation
from workbench.panels.controls import Controls

ACTIVE = Situation(state="ACTIVE")


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def session() -> FakeSession:
    return FakeSession(bars=0)


@pytest.fixture
def controls(session: FakeSession, clock: Clock) -> Controls:
    controls = Controls(session, lambda _complaint: None, clock)
    controls.refresh(ACTIVE)
    return controls


def label(controls: Controls) -> str:
    controls.refresh(ACTIVE)
    return str(controls.buttons["kill"].description)


def test_first_click_on_kill_asks_and_the_second_kills(controls: Controls, session: FakeSession, clock: Clock) -> None:
    press(controls.buttons["kill"])
    assert (label(controls), session.calls) == ("Kill now?", [])
    clock.now_s += 5.0  # the last moment
    press(controls.buttons["kill"])
    assert (label(controls), session.calls) == ("Kill", ["kill"])


def test_double_click_on_kill_does_not_kill(controls: Controls, session: FakeSession, clock: Clock) -> None:
    press(controls.buttons["kill"])
    clock.now_s += 0.4
    press(controls.buttons["kill"])
    assert (label(controls), session.calls) == ("Kill now?", [])


def test_second_click_that_comes_too_late_asks_anew(controls: Controls, session: FakeSession, clock: Clock) -> None:
    press(controls.buttons["kill"])
    clock.now_s += 5.1
    assert label(controls) == "Kill"
    press(controls.buttons["kill"])
    assert (label(controls), session.calls) == ("Kill now?", [])


def test_question_is_forgotten_when_there_is_nothing_left_to_kill(controls: Controls, clock: Clock) -> None:
    press(controls.buttons["kill"])
    controls.refresh(Situation(state="STOPPED"))
    clock.now_s += 1.0
    assert label(controls) == "Kill"


def test_error_of_a_command_is_told_and_not_raised(session: FakeSession) -> None:
    told: list[str] = []
    controls = Controls(session, told.append)

    def refuse(_answer: str) -> None:
        raise RuntimeError("no price yet")

    session.reconcile = refuse  # type: ignore[method-assign]
    press(controls.buttons["adopt"])
    assert told == ["", "Adopt failed: no price yet"]


def test_command_runs_beside_the_thread_that_clicked(controls: Controls, session: FakeSession) -> None:
    ran_on: list[threading.Thread] = []
    session.pause = lambda: ran_on.append(threading.current_thread())  # type: ignore[method-assign]
    press(controls.buttons["pause"])
    assert ran_on != [threading.current_thread()]
    assert len(ran_on) == 1
