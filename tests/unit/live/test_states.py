from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ConfigError, SessionError
from workbench.live.states import FINISHED, RUNNING, SessionState, check_transition, states_named
from workbench.live.status import SessionStatus

ALLOWED = {
    "PREPARED": "STARTING STOPPED FAILED",
    "STARTING": "RECOVERING ACTIVE EXITS_ONLY STALE HALTED STOPPING STOPPED FAILED",
    "RECOVERING": "ACTIVE EXITS_ONLY STALE HALTED STOPPING STOPPED FAILED",
    "ACTIVE": "EXITS_ONLY STALE HALTED STOPPING STOPPED FAILED",
    "EXITS_ONLY": "ACTIVE STALE HALTED STOPPING STOPPED FAILED",
    "STALE": "ACTIVE EXITS_ONLY HALTED STOPPING STOPPED FAILED",
    "HALTED": "ACTIVE EXITS_ONLY STALE STOPPING STOPPED FAILED",
    "STOPPING": "STOPPED FAILED",
    "STOPPED": "",
    "FAILED": "",
    "CRASHED": "",
    "UNREACHABLE": "",
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(SessionState, SessionState)))
def test_a_session_goes_only_where_its_state_allows(before: SessionState, after: SessionState) -> None:
    if after in ALLOWED[before].split():
        check_transition(before, after)
    else:
        with pytest.raises(SessionError, match=f"cannot go from {before} to {after}"):
            check_transition(before, after)


def test_a_state_is_the_text_of_its_name() -> None:
    assert {str(state) for state in SessionState} == set(ALLOWED)
    assert SessionState.ACTIVE == "ACTIVE"


def test_running_and_finished_states_are_apart() -> None:
    assert not RUNNING & FINISHED


def test_every_change_of_state_is_an_event_with_its_reason() -> None:
    status = SessionStatus()
    status.move(SessionState.STARTING, "started by the user", 0)
    status.move(SessionState.ACTIVE, "trading", 5)
    last = status.events.newest(1)[0]
    assert (last.time_ns, last.kind, last.text) == (5, "state", "ACTIVE: trading")
    assert (status.state, status.reason) == ("ACTIVE", "trading")


def test_the_end_of_a_session_is_final_and_its_first_reason_stays() -> None:
    status = SessionStatus()
    assert status.move(SessionState.FAILED, "first", 0)
    assert not status.move(SessionState.STOPPED, "second", 0)
    assert (status.state, status.reason) == ("FAILED", "first")


def test_a_forbidden_transition_changes_nothing() -> None:
    status = SessionStatus()
    with pytest.raises(SessionError):
        status.move(SessionState.ACTIVE, "at once", 0)
    assert (status.state, len(status.events)) == ("PREPARED", 1)


def test_waiting_for_a_state_ends_when_it_comes() -> None:
    status = SessionStatus()
    mover = threading.Timer(0, status.move, (SessionState.STARTING, "now", 0))
    mover.start()
    assert status.wait_for({SessionState.STARTING}, 60)
    mover.join(60)
    assert not status.wait_for({SessionState.ACTIVE}, 0)


@given(st.lists(st.sampled_from(list(SessionState)), max_size=12))
def test_whatever_is_asked_the_last_event_explains_the_state(wishes: list[SessionState]) -> None:
    status = SessionStatus()
    for number, wish in enumerate(wishes):
        try:
            status.move(wish, f"wish {number}", number)
        except SessionError:
            continue
    assert status.events.newest(1)[0].text == f"{status.state}: {status.reason}"


def test_states_are_named_by_text_or_member_and_an_unknown_name_is_told_with_those_there_are() -> None:
    assert states_named(["ACTIVE", SessionState.HALTED]) == {"ACTIVE", "HALTED"}
    with pytest.raises(ConfigError, match=r"state must be one of PREPARED, .*, was 'STOPED'$"):
        states_named(["ACTIVE", "STOPED"])
