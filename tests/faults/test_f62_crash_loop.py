"""F62: a session that dies again and again is started again later and later, and then no more.

Guards the waits between the starts, that a death of long ago does not count, and that a session that was given up is
shown with its position as one that nobody looks after, and is neither started nor taken for one that has ended.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.live.process.test_watch import FAILED, Forks
from workbench.live.process import watch as watch_module
from workbench.live.process.folders import SessionFolder, private_folder
from workbench.live.process.record import GIVEN_UP, ProcessOptions, read_record, write_options, write_record
from workbench.live.process.restarts import RestartPolicy
from workbench.live.process.session_info import look_at
from workbench.live.process.watch import Watch


class FrozenTime:
    """The module `time` of a supervisor whose clocks are moved by hand."""

    def __init__(self) -> None:
        self.now_s = time.time()

    def time(self) -> float:
        return self.now_s

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FrozenTime:
    made = FrozenTime()
    monkeypatch.setattr(watch_module, "time", made)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    private_folder(tmp_path / ".supervisor")
    made = SessionFolder(tmp_path, "one").make()
    made.config.write_text("{}")
    write_options(made, ProcessOptions(), bar_s=60.0)
    return made


@pytest.fixture
def forks() -> Iterator[Forks]:
    made = Forks()
    yield made
    made.end()


@pytest.fixture
def watch(folder: SessionFolder, forks: Forks) -> Watch:
    made = Watch(folder.root, "key", forks, policy=RestartPolicy())
    made.start(folder, "start")
    return made


def wait_until_started(watch: Watch, forks: Forks, clock: FrozenTime) -> int:
    """Let whole seconds pass until the session is started again, and return how many, at most 120."""
    made = len(forks.made)
    for second in range(121):
        watch.look(clock.now_s)
        if len(forks.made) > made:
            return second
        clock.now_s += 1.0
    return 121


def die_too_often(watch: Watch, forks: Forks, clock: FrozenTime) -> None:
    """Let a process die five times, half a minute apart."""
    for _ in range(5):
        watch.ended(forks.pid, FAILED)
        clock.now_s += 31.0
        watch.look(clock.now_s)


def test_it_waits_longer_each_time_and_gives_up_at_the_fifth(
    folder: SessionFolder, forks: Forks, watch: Watch, clock: FrozenTime
) -> None:
    waits = []
    for how in (FAILED, signal.SIGKILL, FAILED, signal.SIGSEGV):
        watch.ended(forks.pid, how)
        waits.append(wait_until_started(watch, forks, clock))
    assert waits == [1, 2, 5, 10]
    watch.ended(forks.pid, FAILED)
    assert watch.sessions == {}
    assert wait_until_started(watch, forks, clock) == 121
    assert read_record(folder).phase == GIVEN_UP


def test_deaths_of_long_ago_do_not_count(forks: Forks, watch: Watch, clock: FrozenTime) -> None:
    for _ in range(12):
        watch.ended(forks.pid, FAILED)
        # The first wait each time: the death before was more than 10 minutes ago.
        assert wait_until_started(watch, forks, clock) == 1
        clock.now_s += 600.0


def test_what_was_given_up_is_shown_as_unmanaged_and_is_not_over(
    folder: SessionFolder, forks: Forks, watch: Watch, clock: FrozenTime
) -> None:
    die_too_often(watch, forks, clock)
    info = look_at(folder)
    assert (info.state, info.is_finished, info.is_running) == ("CRASHED", False, False)
    assert info.needs_person
    assert "position unmanaged" in info.reason
    assert "it died 5 times in 600 s" in info.reason
    assert "`workbench resume one` goes on with it" in info.reason


def test_a_person_who_lets_it_go_on_gives_it_all_its_tries_again(
    folder: SessionFolder, forks: Forks, watch: Watch, clock: FrozenTime
) -> None:
    die_too_often(watch, forks, clock)
    record = read_record(folder)
    assert record.phase == GIVEN_UP
    # What a resumed process writes when it is ready; its deaths of before are minutes old.
    clock.now_s += 600.0
    write_record(folder, replace(record, phase="running"))
    watch.start(folder, "resume")
    watch.ended(forks.pid, FAILED)
    assert wait_until_started(watch, forks, clock) == 1
