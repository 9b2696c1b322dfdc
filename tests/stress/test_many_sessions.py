"""A thousand sessions leave nothing behind, a hundred run at once, and storms of commands leave provable sessions."""

from __future__ import annotations

import gc
import random
import threading
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.live.markets import JOIN_S, run_to_end, session_config, walk
from workbench.errors import SessionClosedError
from workbench.live import BarsSource, LiveSession, LiveSessionManager
from workbench.strategy import sma_cross

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.stress

SESSIONS = 1_000
# Less than what 1,000 sessions would leave if each left a single closed bar or event behind.
MOST_BYTES_PER_SESSION = 100
BARS = walk(4)
OPEN_FILES = Path("/proc/self/fd")


def open_files() -> int:
    return sum(1 for _ in OPEN_FILES.iterdir()) if OPEN_FILES.exists() else 0


def grown_bytes(make: Callable[[], object], *, settle: Callable[[], object] = lambda: None) -> int:
    """Return how much memory is held after `make` that was not held before; `settle` runs first, watched as well.

    The free lists of the interpreter and of numpy fill once, with whatever comes first, and are not given back.
    """
    gc.collect()
    tracemalloc.start()
    try:
        settle()
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        kept = make()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        del kept
        return after - before
    finally:
        tracemalloc.stop()


def make_and_drop(count: int) -> None:
    for number in range(count):
        run_to_end(session_config(BARS, name=f"s{number}"))


@pytest.mark.timeout(400)
def test_a_thousand_sessions_made_and_dropped_leave_no_memory_thread_or_file() -> None:
    make_and_drop(20)  # what is made once and stays: caches, compiled code, interned text
    threads, files = threading.active_count(), open_files()
    grown = grown_bytes(lambda: make_and_drop(SESSIONS), settle=lambda: make_and_drop(SESSIONS // 2))
    assert grown < MOST_BYTES_PER_SESSION * SESSIONS
    assert threading.active_count() <= threads
    assert open_files() <= files


def test_sessions_that_are_kept_would_be_seen() -> None:
    make_and_drop(5)
    kept = 20
    grown = grown_bytes(lambda: [run_to_end(session_config(BARS, name=f"k{number}")) for number in range(kept)])
    assert grown > 100 * MOST_BYTES_PER_SESSION * kept


def test_a_manager_keeps_no_more_than_its_limit_of_finished_sessions() -> None:
    manager = LiveSessionManager(max_sessions=10)
    for number in range(60):
        assert manager.create(session_config(BARS, name=f"s{number}")).start().wait(JOIN_S)
    assert len(manager) == 10


def test_a_hundred_sessions_run_at_once_and_each_is_identical_to_its_replay() -> None:
    manager = LiveSessionManager()
    bars = walk(60)
    sessions = [
        manager.create(session_config(bars, name=f"s{number}", strategy=sma_cross(fast=2, slow=3 + number % 5)))
        for number in range(100)
    ]
    for session in sessions:
        session.start()
    for session in sessions:
        assert session.wait(JOIN_S)
    assert {session.state for session in sessions} == {"STOPPED"}
    assert all(session.parity().is_identical for session in sessions[::10])


@pytest.mark.parametrize("as_ticks", [False, True])
def test_a_storm_of_commands_from_many_threads_leaves_a_session_that_is_identical_to_its_replay(as_ticks: bool) -> None:
    bars = walk(2_000)
    config = session_config(bars, strategy=sma_cross(fast=2, slow=3), source=BarsSource(bars, as_ticks=as_ticks))
    session = LiveSession(config).start()
    faults: list[BaseException] = []

    def storm(seed: int) -> None:
        choices = random.Random(seed)
        try:
            for _ in range(40):
                choices.choice([session.pause, session.resume, session.flatten, session.clear_breaker])()
                session.chart_state()
                session.metrics()
        except SessionClosedError:
            return  # the replay was over before the storm
        except BaseException as error:  # noqa: BLE001  whatever it is, the test must see it
            faults.append(error)

    threads = [threading.Thread(target=storm, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(JOIN_S)
    assert session.wait(JOIN_S)
    assert faults == []
    assert session.state == "STOPPED"
    report = session.parity()
    assert report.is_identical, report


def test_sessions_that_are_started_and_stopped_from_many_threads_always_end() -> None:
    for number in range(50):
        session = LiveSession(session_config(BARS, name=f"s{number}"))
        barrier = threading.Barrier(3)

        def race(act: Callable[[], object], barrier: threading.Barrier = barrier) -> None:
            barrier.wait(JOIN_S)
            try:
                act()
            except SessionClosedError:
                return

        threads = [threading.Thread(target=race, args=(act,)) for act in (session.start, session.stop, session.kill)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(JOIN_S)
        assert session.wait(JOIN_S)
        assert session.state == "STOPPED"
