"""The watch over sessions, with processes that only wait in place of sessions."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from workbench.live.process.exit_codes import EXIT_DONE, EXIT_FAILED, EXIT_LOCKED
from workbench.live.process.folders import SessionFolder, private_folder, read_json, write_json
from workbench.live.process.heartbeat import Heartbeat
from workbench.live.process.process_table import id_of, own_id
from workbench.live.process.record import (
    CRASHED,
    FINISHED,
    GIVEN_UP,
    RUNNING,
    ProcessOptions,
    ProcessRecord,
    read_record,
    write_options,
    write_record,
    write_request,
)
from workbench.live.process.restarts import RestartPolicy
from workbench.live.process.supervisor_client import CONSENTS, REAL_SWITCH
from workbench.live.process.watch import Watch

AT_ONCE = RestartPolicy(delays_s=(0.0,))
ALL = json.dumps({"supervisor": None, "folders": list(CONSENTS)}).encode()
FAILED = EXIT_FAILED << 8  # as wait() tells an exit code


@dataclass
class Forks:
    """Starts processes that wait, and writes down for what."""

    made: list[tuple[str, dict[str, Any] | None]] = field(default_factory=list)
    environments: list[dict[str, str]] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __call__(self, folder: SessionFolder, mode: str, *, reply: Any, hang: Any, environment: Any) -> int:
        del reply
        self.environments.append(environment)
        process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
        self.processes.append(process)
        self.made.append((mode, hang))
        before = read_record(folder)
        deaths_s = () if before is None else before.deaths_s
        record = ProcessRecord(session_id="s", phase=RUNNING, pid=process.pid, mode=mode, deaths_s=deaths_s)
        write_record(folder, record)
        return process.pid

    @property
    def pid(self) -> int:
        return self.processes[-1].pid

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()


@pytest.fixture
def forks() -> Iterator[Forks]:
    made = Forks()
    yield made
    made.end()


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    private_folder(tmp_path / ".supervisor")
    made = SessionFolder(tmp_path, "one").make()
    made.config.write_text("{}")
    write_options(made, ProcessOptions(step_budget_s=1.0), bar_s=60.0)
    return made


def watch_of(folder: SessionFolder, forks: Forks, policy: RestartPolicy = AT_ONCE) -> Watch:
    watch = Watch(folder.root, "key", forks, policy=policy)
    watch.start(folder, "start")
    return watch


def hang(folder: SessionFolder, pid: int, step: int = 7) -> None:
    """Write the heartbeat of a process that is in the middle of a step."""
    Heartbeat(folder.heartbeat)
    with folder.heartbeat.open("r+b") as file:
        file.seek(8)
        file.write(struct.pack("=qqqq", pid, step, time.monotonic_ns(), 0))


def test_session_that_died_is_started_again_where_it_was(folder: SessionFolder, forks: Forks) -> None:
    watch = watch_of(folder, forks)
    watch.ended(forks.pid, signal.SIGSEGV)
    record = read_record(folder)
    assert record.phase == CRASHED
    assert "killed by SIGSEGV; it starts again in 0 s" in record.reason
    watch.look(time.monotonic())
    assert [mode for mode, _ in forks.made] == ["start", "resume"]


def test_session_that_has_ended_is_not_started_again(folder: SessionFolder, forks: Forks) -> None:
    watch = watch_of(folder, forks)
    watch.ended(forks.pid, EXIT_DONE << 8)
    watch.look(time.monotonic())
    assert watch.sessions == {}
    assert len(forks.made) == 1


def test_process_that_found_another_one_at_work_is_forgotten(folder: SessionFolder, forks: Forks) -> None:
    watch = watch_of(folder, forks)
    watch.ended(forks.pid, EXIT_LOCKED << 8)
    assert watch.sessions == {}
    assert read_record(folder).phase == RUNNING


def test_session_that_is_resumed_before_its_death_is_noticed_is_watched(folder: SessionFolder, forks: Forks) -> None:
    watch = watch_of(folder, forks)
    first = forks.processes[-1]
    first.kill()
    # As a supervisor finds it: dead, and not waited for yet.
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)
    watch.start(folder, "resume")
    watch.ended(first.pid, signal.SIGKILL)
    assert watch.sessions["one"].process.pid == forks.pid != first.pid
    watch.ended(forks.pid, signal.SIGKILL)
    watch.look(time.monotonic())
    assert [mode for mode, _ in forks.made] == ["start", "resume", "resume"]


def test_restart_waits_for_its_delay(folder: SessionFolder, forks: Forks) -> None:
    watch = watch_of(folder, forks, RestartPolicy(delays_s=(5.0,)))
    watch.ended(forks.pid, FAILED)
    died_s = time.monotonic()
    watch.look(died_s + 4.0)
    assert len(forks.made) == 1
    watch.look(died_s + 5.1)
    assert len(forks.made) == 2


def test_fifth_death_in_a_row_is_the_last_and_the_position_is_said_to_be_unmanaged(
    folder: SessionFolder, forks: Forks
) -> None:
    watch = watch_of(folder, forks)
    for _ in range(5):
        assert set(watch.sessions) == {"one"}
        watch.ended(forks.pid, FAILED)
        watch.look(time.monotonic())
    assert watch.sessions == {}
    assert len(forks.made) == 5  # the start and four restarts
    record = read_record(folder)
    assert record.phase == GIVEN_UP
    assert record.reason.endswith("ended with exit code 1; it died 5 times in 600 s")


def test_deaths_are_remembered_by_the_next_supervisor(folder: SessionFolder, forks: Forks) -> None:
    for _ in range(5):
        watch = watch_of(folder, forks)  # each dies with its session
        watch.ended(forks.pid, FAILED)
    assert read_record(folder).phase == GIVEN_UP


@pytest.mark.parametrize("what", ["stop", "kill"])
def test_session_that_was_asked_to_end_is_not_started_again(folder: SessionFolder, forks: Forks, what: str) -> None:
    watch = watch_of(folder, forks)
    write_request(folder, what)
    watch.ended(forks.pid, signal.SIGKILL)
    watch.look(time.monotonic())
    assert len(forks.made) == 1
    record = read_record(folder)
    assert record.phase == FINISHED
    assert f"killed by SIGKILL after it was asked to {what}" in record.reason


def test_session_that_is_stopped_between_two_starts_stays_down(folder: SessionFolder, forks: Forks) -> None:
    watch = watch_of(folder, forks)
    watch.ended(forks.pid, FAILED)
    write_request(folder, "stop")
    watch.look(time.monotonic())
    assert watch.sessions == {}
    assert len(forks.made) == 1


def test_start_that_never_got_ready_is_left_to_whoever_asked_for_it(folder: SessionFolder, forks: Forks) -> None:
    watch = watch_of(folder, forks)
    folder.status.unlink()
    watch.ended(forks.pid, FAILED)
    assert watch.sessions == {}
    assert read_record(folder) is None


def test_process_that_hangs_is_asked_for_its_stacks_then_to_leave_then_killed(
    folder: SessionFolder, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, signal.Signals]] = []
    monkeypatch.setattr("workbench.live.process.watch.send", lambda process, number: sent.append((process.pid, number)))
    watch = watch_of(folder, forks)
    hang(folder, forks.pid)
    for second in (0.0, 0.5, 1.0):
        watch.look(second)
    assert sent == []
    for second in (1.5, 1.9, 2.0, 3.0, 3.5, 9.0):  # 1.5 s in one step is above the budget of 1
        watch.look(second)
    pid = forks.pid
    assert sent == [(pid, signal.SIGUSR1), (pid, signal.SIGUSR2), (pid, signal.SIGKILL)]
    watch.ended(pid, signal.SIGKILL)
    assert "hung in one step for 1.5 s and was killed by SIGKILL" in read_record(folder).reason
    watch.look(time.monotonic())
    assert forks.made[-1] == ("exits_only", {"step": 7, "busy_s": 1.5, "pid": pid})


def test_session_whose_strategy_hung_once_is_never_asked_again(
    folder: SessionFolder, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.live.process.watch.send", lambda *_: True)
    watch = watch_of(folder, forks)
    hang(folder, forks.pid)
    for second in (0.0, 1.0, 2.0):
        watch.look(second)
    watch.ended(forks.pid, signal.SIGKILL)
    watch.look(time.monotonic())
    watch.ended(forks.pid, signal.SIGSEGV)
    watch.look(time.monotonic())
    assert [mode for mode, _ in forks.made] == ["start", "exits_only", "exits_only"]
    assert forks.made[-1][1] is None  # the hang is told once


def test_heartbeat_of_the_process_before_is_not_taken_for_a_hang(
    folder: SessionFolder, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr("workbench.live.process.watch.send", lambda *what: sent.append(what))
    watch = watch_of(folder, forks)
    hang(folder, forks.pid + 1)
    for second in range(20):
        watch.look(float(second))
    assert sent == []


def test_process_that_is_frozen_is_left_alone(folder: SessionFolder, forks: Forks) -> None:
    watch = watch_of(folder, forks)
    hang(folder, forks.pid)
    os.kill(forks.pid, signal.SIGSTOP)
    os.waitpid(forks.pid, os.WUNTRACED)
    for second in range(20):
        watch.look(float(second))
    assert id_of(forks.pid).is_alive
    assert len(forks.made) == 1


def test_running_session_of_a_supervisor_that_is_gone_is_adopted(folder: SessionFolder, forks: Forks) -> None:
    from workbench.live.process.lock import FileLock

    watch_of(folder, forks)  # gone: nobody holds its lock
    successor = Watch(folder.root, "other", forks, policy=AT_ONCE)
    write_record(folder, ProcessRecord(session_id="s", phase=RUNNING, pid=own_id().pid))
    successor.adopt()
    assert successor.sessions == {}  # nobody runs it
    with FileLock(folder.lock):
        with FileLock(folder.root / ".supervisor" / "key.lock"):
            successor.adopt()
            assert successor.sessions == {}  # the one before lives
        successor.adopt()
        assert successor.sessions["one"].process == own_id()


def test_supervisor_that_adopts_a_session_knows_where_its_keys_lie_and_not_that_it_may_enter(
    folder: SessionFolder, forks: Forks
) -> None:
    from workbench.live.process.lock import FileLock

    consents = {name: f"/place/of/{name}" for name in CONSENTS if name != REAL_SWITCH} | {REAL_SWITCH: "1"}
    watch = Watch(folder.root, "key", forks, policy=AT_ONCE)
    watch.start(folder, "start", environment=consents | {"OTHER": "one"})
    watch.ended(forks.pid, signal.SIGSEGV)
    watch.look(time.monotonic())
    # Of the process that started it everything is known.
    assert forks.environments == [consents | {"OTHER": "one"}] * 2
    kept = read_json(folder.path / "watcher.json")
    assert kept["folders"] == {name: place for name, place in consents.items() if name != REAL_SWITCH} | {
        "OTHER": "one"
    }
    kept["folders"] |= {REAL_SWITCH: "1", "OTHER": "two"}
    write_json(folder.path / "watcher.json", kept)
    write_record(folder, ProcessRecord(session_id="s", phase=RUNNING, pid=own_id().pid))
    successor = Watch(folder.root, "other", forks, policy=AT_ONCE)
    with FileLock(folder.lock):
        successor.adopt()
    # What was written into the file since opens nothing either.
    assert successor.sessions["one"].environment == {
        name: place for name, place in consents.items() if name != REAL_SWITCH
    }
    assert REAL_SWITCH not in read_json(folder.path / "watcher.json")["folders"]


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"supervisor": 5, "folders": "all"}', ALL])
def test_session_whose_watcher_s_file_is_damaged_is_adopted_all_the_same(
    folder: SessionFolder, forks: Forks, damage: bytes
) -> None:
    from workbench.live.process.lock import FileLock

    watch_of(folder, forks)
    (folder.path / "watcher.json").write_bytes(damage)
    write_record(folder, ProcessRecord(session_id="s", phase=RUNNING, pid=own_id().pid))
    successor = Watch(folder.root, "other", forks, policy=AT_ONCE)
    with FileLock(folder.lock):
        successor.adopt()
    assert successor.sessions["one"].environment == {}


def test_reason_of_a_session_that_failed_by_itself_is_told(folder: SessionFolder, forks: Forks) -> None:
    watch = watch_of(folder, forks)
    before = read_record(folder)
    assert before is not None
    write_record(folder, replace(before, reason="JournalError: the record is not what it was"))
    watch.ended(forks.pid, FAILED)
    record = read_record(folder)
    assert record is not None
    assert "ended with exit code 1, as JournalError: the record is not what it was; it starts again" in record.reason
