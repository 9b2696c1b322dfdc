from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import pytest

from workbench.errors import ConfigError
from workbench.live.clock import Clock, ManualClock, ReplayClock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND = 1_000_000_000
START = 1_735_689_600 * SECOND


def waiting_thread(wait: Callable[[], None]) -> tuple[threading.Thread, threading.Event]:
    has_returned = threading.Event()

    def run() -> None:
        wait()
        has_returned.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, has_returned


def test_manual_clock_moves_both_times_by_the_same_amount() -> None:
    clock = ManualClock(START)
    clock.advance(3 * SECOND)
    assert (clock.now_ns() - START, clock.monotonic_ns()) == (3 * SECOND, 3 * SECOND)


def test_manual_clock_refuses_to_go_back() -> None:
    with pytest.raises(ConfigError, match="duration_ns must be >= 0, was -1"):
        ManualClock().advance(-1)


def test_manual_clock_wakes_who_waits_when_it_is_moved() -> None:
    clock, wake = ManualClock(START), threading.Event()
    thread, has_returned = waiting_thread(lambda: clock.wait_until(wake, START + SECOND))
    assert clock.join_waiter()
    assert not has_returned.is_set()
    clock.advance(SECOND)
    thread.join(60)
    assert has_returned.is_set()


def test_manual_clock_does_not_wait_for_a_time_that_has_come() -> None:
    ManualClock(START).wait_until(threading.Event(), START)
    ManualClock(START).wait(threading.Event(), 0.0)


def test_nobody_waiting_is_reported_within_the_timeout() -> None:
    assert not ManualClock().join_waiter(timeout_s=0.0)


@pytest.mark.parametrize("clock", [SystemClock(), ManualClock(), ReplayClock(START, base=ManualClock())])
def test_every_clock_stops_waiting_when_the_event_is_set(clock: Clock) -> None:
    wake = threading.Event()
    wake.set()
    clock.wait(wake, 3_600.0)
    clock.wait_until(wake, clock.now_ns() + 3_600 * SECOND)


def test_system_clock_does_not_wait_for_the_past() -> None:
    clock = SystemClock()
    clock.wait_until(threading.Event(), clock.now_ns() - SECOND)
    clock.wait(threading.Event(), -1.0)


@pytest.mark.parametrize(("speed", "expected_s"), [(1, 2), (60, 120), (1_000, 2_000)])
def test_replay_time_runs_at_a_multiple_of_real_time(speed: float, expected_s: int) -> None:
    base = ManualClock()
    clock = ReplayClock(START, speed=speed, base=base)
    base.advance(2 * SECOND)
    assert clock.now_ns() - START == expected_s * SECOND  # 2 s * speed


def test_replay_time_begins_when_the_clock_is_made_and_not_when_its_base_was() -> None:
    base = ManualClock()
    base.advance(7 * SECOND)
    assert ReplayClock(START, speed=10, base=base).now_ns() == START


def test_replay_clock_waits_the_real_time_that_the_speed_leaves() -> None:
    base, wake = ManualClock(), threading.Event()
    clock = ReplayClock(START, speed=1_000, base=base)
    thread, has_returned = waiting_thread(lambda: clock.wait_until(wake, START + 60 * SECOND))
    assert base.join_waiter()
    base.advance(60_000_000)  # 60 s / 1000
    thread.join(60)
    assert has_returned.is_set()
    assert clock.now_ns() == START + 60 * SECOND


def test_without_a_speed_limit_time_is_what_was_waited_for_and_never_goes_back() -> None:
    clock = ReplayClock(START, speed=math.inf, base=ManualClock())
    clock.wait_until(threading.Event(), START + 5 * SECOND)
    clock.wait_until(threading.Event(), START + SECOND)
    assert clock.now_ns() == START + 5 * SECOND


@pytest.mark.parametrize("speed", [0.5, 0, -1, 1_001, math.nan, -math.inf])
def test_replay_clock_refuses_a_speed_outside_its_range(speed: float) -> None:
    with pytest.raises(ConfigError, match="speed must be 1 to 1000, or inf"):
        ReplayClock(START, speed=speed)
