from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.unit.live.fake_core import FakeCore
from tests.unit.live.markets import JOIN_S, SECOND, bars_of, session_config, walk
from workbench.api import attach
from workbench.errors import ConfigError, SessionClosedError, SessionError, SessionLimitError, SessionNotFoundError
from workbench.live import LiveSessionManager, ManualClock, default_manager
from workbench.model import RiskConfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR = 3_600 * SECOND


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def manager(clock: ManualClock) -> Iterator[LiveSessionManager]:
    manager = LiveSessionManager(clock=clock)
    yield manager
    manager.stop_all()


def test_a_session_is_found_by_name_and_by_id(manager: LiveSessionManager) -> None:
    session = manager.create(session_config(name="one"))
    assert manager.get("one") is session
    assert manager.get(session.session_id) is session
    assert manager.sessions() == (session,)


def test_an_unknown_name_lists_those_there_are(manager: LiveSessionManager) -> None:
    for name in ("b", "a"):
        manager.create(session_config(name=name))
    with pytest.raises(SessionNotFoundError, match="'c'; there are: a, b"):
        manager.get("c")


def test_without_sessions_there_are_none(manager: LiveSessionManager) -> None:
    with pytest.raises(SessionNotFoundError, match="there are: none"):
        manager.get("c")


def test_ids_are_all_different(manager: LiveSessionManager) -> None:
    sessions = [manager.create(session_config(name=f"s{number}")) for number in range(20)]
    assert len({session.session_id for session in sessions}) == 20


def test_the_same_name_and_configuration_attaches(manager: LiveSessionManager) -> None:
    bars = walk(50)
    session = manager.create(session_config(bars))
    assert manager.create(session_config(bars)) is session
    assert len(manager) == 1


def test_the_same_name_with_another_configuration_names_the_differences(manager: LiveSessionManager) -> None:
    session = manager.create(session_config(cash=100.0))
    with pytest.raises(SessionError, match=r"cash: 100\.0 -> 200\.0.*stop it first, or choose another name") as caught:
        manager.create(session_config(cash=200.0, risk=RiskConfig(stop_loss=0.1)))
    assert "risk: " in str(caught.value)
    assert caught.value.session_id == session.session_id


def test_a_finished_session_gives_its_name_free_and_stays_readable(manager: LiveSessionManager) -> None:
    old = manager.create(session_config(cash=100.0))
    old.stop()
    new = manager.create(session_config(cash=200.0))
    assert new is not old
    assert manager.get("test") is new
    assert manager.get(old.session_id) is old


def test_of_finished_sessions_with_one_name_the_newest_is_found(manager: LiveSessionManager) -> None:
    for cash in (100.0, 200.0):
        manager.create(session_config(cash=cash)).stop()
    assert manager.get("test").config.cash == 200.0


def test_a_finished_session_is_forgotten_after_an_hour_and_not_before(
    manager: LiveSessionManager, clock: ManualClock
) -> None:
    session = manager.create(session_config(walk(20))).start()
    assert session.wait(JOIN_S)
    assert len(manager) == 1
    clock.advance(HOUR - 1)
    assert manager.get("test") is session
    assert session.parity().is_identical
    clock.advance(1)
    assert manager.sessions() == ()
    with pytest.raises(SessionClosedError):
        session.parity()


def test_a_session_that_has_not_ended_is_never_forgotten(manager: LiveSessionManager, clock: ManualClock) -> None:
    prepared = manager.create(session_config(name="prepared"))
    running = manager.create(session_config(bars_of([100.0] * 30), name="running", speed=1.0)).start()
    assert clock.join_waiter(JOIN_S)
    clock.advance(60 * SECOND)
    assert running.wait_for("ACTIVE", timeout_s=JOIN_S)
    clock.advance(15 * 60 * SECOND)  # a position is open by now
    assert clock.join_waiter(JOIN_S)
    slow_clock_hours = LiveSessionManager(clock=clock)
    for _ in range(5):
        assert manager.sessions() == (prepared, running)
    assert len(slow_clock_hours) == 0
    assert running.state in ("ACTIVE", "STALE")


def test_a_hanging_session_that_was_given_up_counts_as_finished(clock: ManualClock) -> None:
    core = FakeCore(hang_on=lambda number: number == 0)
    manager = LiveSessionManager(clock=clock, ttl_s=10.0)
    session = manager.create(session_config(), open_core=core.open).start()
    assert core.hangs.wait(JOIN_S)
    session.stop(timeout_s=0.0)
    assert len(manager) == 1
    clock.advance(10 * SECOND)
    assert len(manager) == 0
    core.may_go_on.set()


def test_the_limit_of_sessions_names_itself_and_the_way_out(clock: ManualClock) -> None:
    manager = LiveSessionManager(max_sessions=3, clock=clock)
    for number in range(3):
        manager.create(session_config(name=f"s{number}"))
    with pytest.raises(SessionLimitError, match=r"at most 3 sessions .*attach\('s0'\)\.stop\(\)"):
        manager.create(session_config(name="s3"))
    manager.get("s1").stop()
    assert manager.create(session_config(name="s3")).name == "s3"


def test_attaching_is_possible_at_the_limit(clock: ManualClock) -> None:
    manager = LiveSessionManager(max_sessions=1, clock=clock)
    session = manager.create(session_config())
    assert manager.create(session_config()) is session


def test_finished_sessions_do_not_count_for_the_limit_but_no_more_than_that_many_are_kept(clock: ManualClock) -> None:
    manager = LiveSessionManager(max_sessions=3, clock=clock)
    made = []
    for number in range(10):
        made.append(manager.create(session_config(name=f"s{number}")))
        made[-1].stop()
    assert manager.sessions() == tuple(made[-3:])


def test_stop_all_ends_every_session(manager: LiveSessionManager, clock: ManualClock) -> None:
    running = [
        manager.create(session_config(bars_of([100.0] * 30), name=f"s{number}", speed=1.0)).start()
        for number in range(5)
    ]
    prepared = manager.create(session_config(name="prepared"))
    assert clock.join_waiter(JOIN_S)
    manager.stop_all(timeout_s=JOIN_S)
    assert {session.state for session in (*running, prepared)} == {"STOPPED"}


def test_a_hanging_session_does_not_keep_stop_all_from_stopping_the_others(clock: ManualClock) -> None:
    core = FakeCore(hang_on=lambda number: number == 0)
    manager = LiveSessionManager(clock=clock)
    hanging = manager.create(session_config(name="hanging"), open_core=core.open).start()
    assert core.hangs.wait(JOIN_S)
    other = manager.create(session_config(bars_of([100.0] * 30), name="other", speed=1.0)).start()
    assert clock.join_waiter(JOIN_S)
    manager.stop_all(timeout_s=0.5)
    core.may_go_on.set()
    assert (hanging.state, other.state) == ("FAILED", "STOPPED")


def test_many_threads_that_ask_for_one_name_get_one_session(manager: LiveSessionManager) -> None:
    config = session_config()
    barrier = threading.Barrier(8)
    got = []

    def ask() -> None:
        barrier.wait(JOIN_S)
        got.append(manager.create(config))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(JOIN_S)
    assert len(set(map(id, got))) == 1
    assert len(manager) == 1


@pytest.mark.parametrize(("limits", "message"), [({"max_sessions": 0}, "was 0"), ({"ttl_s": float("nan")}, "was nan")])
def test_limits_out_of_range_are_refused(limits: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LiveSessionManager(**limits)  # type: ignore[arg-type]  # the fault under test


def test_there_is_one_default_manager() -> None:
    assert default_manager() is default_manager()


def test_a_name_that_is_none_is_answered_with_the_sessions_of_this_process_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    manager = LiveSessionManager()
    monkeypatch.setattr("workbench.api.default_manager", lambda: manager)
    session = manager.create(session_config(name="inline-one"))
    assert attach("inline-one") is session
    with pytest.raises(SessionNotFoundError, match=r"no session has the name or id 'nope'; there are: inline-one$"):
        attach("nope")
    session.close()
