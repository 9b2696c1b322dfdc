import pytest

from workbench.live.process.heartbeat import Beat
from workbench.live.process.watchdog import HangTimer, step_budget_s


def beat(step: int, *, is_busy: bool = True) -> Beat:
    return Beat(1, step, begun_ns=10, ended_ns=9 if is_busy else 11, summary={})


def looks(timer: HangTimer, *looks: tuple[float, Beat | None]) -> list[bool]:
    return [timer.look(now_s, one) for now_s, one in looks]


def test_one_step_for_longer_than_the_budget_is_a_hang() -> None:
    # seen in step 7 from 0.0 on: 0.5 + 0.5 = 1.0 is not above the budget of 1, 1.5 is
    assert looks(HangTimer(1.0), *((0.5 * n, beat(7)) for n in range(4))) == [False, False, False, True]


def test_steps_that_follow_each_other_are_no_hang() -> None:
    assert not any(looks(HangTimer(1.0), *((0.9 * n, beat(n)) for n in range(20))))


def test_session_that_waits_is_no_hang() -> None:
    assert not any(looks(HangTimer(1.0), *((0.9 * n, beat(7, is_busy=False)) for n in range(20))))


def test_session_without_a_heartbeat_is_no_hang() -> None:
    assert not any(looks(HangTimer(1.0), *((0.9 * n, None) for n in range(20))))


def test_time_in_which_nobody_looked_does_not_count() -> None:
    timer = HangTimer(1.0)
    # The machine slept for an hour between two looks: only 0.5 + 0.4 s were seen.
    assert looks(timer, (0.0, beat(7)), (0.5, beat(7)), (3_600.5, beat(7)), (3_600.9, beat(7))) == [False] * 4
    assert timer.busy_s == pytest.approx(0.9)
    assert timer.look(3_601.1, beat(7))  # 0.9 + 0.2 = 1.1


def test_process_that_is_stopped_has_its_whole_budget_again_when_it_goes_on() -> None:
    timer = HangTimer(1.0)
    assert not timer.look(0.0, beat(7))
    assert not timer.look(0.9, beat(7))
    assert not any(timer.look(0.9 + n, beat(7), is_stopped=True) for n in range(1, 10))
    assert not timer.look(10.8, beat(7))
    assert timer.look(12.0, beat(7))


def test_budget_is_a_bar_and_ten_seconds_at_least() -> None:
    assert step_budget_s(3_600.0) == 3_600.0
    assert step_budget_s(0.06) == 10.0
    assert step_budget_s(3_600.0, 2.0) == 2.0
