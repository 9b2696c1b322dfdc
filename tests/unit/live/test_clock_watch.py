from __future__ import annotations

from workbench.live import ManualClock
from workbench.live.clock_watch import ClockWatch

SECOND = 1_000_000_000


class Computer(ManualClock):
    """A clock whose computer can sleep, and be set."""

    def __init__(self) -> None:
        super().__init__(1_000 * SECOND)
        self.set_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.set_ns


def test_time_that_passes_is_no_jump() -> None:
    clock = Computer()
    watch = ClockWatch(clock)
    clock.advance(86_400 * SECOND)
    assert watch.jump_ns() == 0


def test_a_sleep_is_told_once_with_its_length() -> None:
    # Linux: time that passes stands still in a sleep, the computer's time does not.
    clock = Computer()
    watch = ClockWatch(clock)
    clock.advance(5 * SECOND)
    clock.set_ns = 7_200 * SECOND
    assert [watch.jump_ns(), watch.jump_ns()] == [7_200 * SECOND, 0]


def test_a_clock_that_is_set_back_jumps_below_zero() -> None:
    clock = Computer()
    watch = ClockWatch(clock)
    clock.set_ns = -3 * SECOND
    assert watch.jump_ns() == -3 * SECOND


def test_a_clock_that_is_slewed_does_not_jump_and_its_steps_are_not_lost() -> None:
    # 1.5 s, and 1.5 s more: together a step.
    clock = Computer()
    watch = ClockWatch(clock)
    clock.set_ns = 3 * SECOND // 2
    assert watch.jump_ns() == 0
    clock.set_ns = 3 * SECOND
    assert watch.jump_ns() == 3 * SECOND
