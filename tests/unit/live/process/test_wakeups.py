from __future__ import annotations

import select
import signal
import threading
from collections.abc import Iterator

import pytest

from tests.process_sessions import PLENTY_S
from workbench.live.process.wakeups import Wakeups
from workbench.live.states import FINISHED, SessionState

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2, signal.SIGHUP, signal.SIGPIPE)


class Session:
    """Has a state, and lets others wait for it."""

    def __init__(self) -> None:
        self._state = SessionState.RECOVERING
        self._changed = threading.Condition()

    def move(self, state: SessionState) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def wait_for(self, *states: SessionState) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._state in states, PLENTY_S)

    def wait(self) -> bool:
        return self.wait_for(*FINISHED)


@pytest.fixture
def wakeups() -> Iterator[Wakeups]:
    before = {number: signal.getsignal(number) for number in HANDLED}
    one = Wakeups()
    yield one
    one.close()
    for end in (one._sending, one._receiving):  # noqa: SLF001  left to the end of the process otherwise
        end.close()
    for number, handler in before.items():
        signal.signal(number, handler)


def is_woken(wakeups: Wakeups, timeout_s: float) -> bool:
    return bool(select.select([wakeups._receiving], [], [], timeout_s)[0])  # noqa: SLF001  wait() does not tell why


def test_process_wakes_up_when_its_session_trades_and_when_it_has_ended(wakeups: Wakeups) -> None:
    session = Session()
    wakeups.watch(session)  # type: ignore[arg-type]  # as much of one as is asked
    watcher = next(thread for thread in threading.enumerate() if thread.name == "workbench-end")
    assert not is_woken(wakeups, 0.0)
    session.move(SessionState.ACTIVE)
    assert is_woken(wakeups, PLENTY_S)
    assert wakeups.wait(0.0) == ()  # no signal came
    assert not is_woken(wakeups, 0.0)
    session.move(SessionState.STOPPED)
    watcher.join(PLENTY_S)
    assert is_woken(wakeups, 0.0)


def test_signal_comes_as_its_number(wakeups: Wakeups) -> None:
    signal.raise_signal(signal.SIGUSR2)
    assert wakeups.wait(PLENTY_S) == (signal.SIGUSR2,)
    assert wakeups.wait(0.0) == ()
