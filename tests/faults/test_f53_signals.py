"""F53: signals end a session as a stop does, in time, with a final word and no process left."""

import os
import signal
import time

import pytest

from tests.process_sessions import eventually, process_config, until_state
from workbench.live.process.process_table import wait_for_end
from workbench.live.process.record import FINISHED, read_record
from workbench.live.process.registry import SessionRegistry


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_signal_ends_a_session_as_a_stop_does(registry: SessionRegistry, number: signal.Signals) -> None:
    info, _ = registry.start(process_config(f"f53-{number.name.lower()}"))
    os.kill(info.process.pid, number)
    assert wait_for_end(info.process, 30.0)
    after = registry.find(info.name)
    assert (after.state, after.is_finished) == ("STOPPED", True)
    assert after.reason.startswith("stopped by the user")
    assert read_record(info.folder).phase == FINISHED
    assert not (info.folder.path / "control.sock").exists() or not after.is_running


def test_hang_up_of_a_terminal_is_ignored(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("f53-hangup"))
    os.kill(info.process.pid, signal.SIGHUP)
    said = info.summary.get("time_s", 0.0)
    eventually(lambda: registry.find(info.name).summary.get("time_s", 0.0) > said)
    assert registry.find(info.name).process == info.process


def test_process_that_is_asked_for_its_stacks_writes_them_down_and_goes_on(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("f53-dump"))
    os.kill(info.process.pid, signal.SIGUSR1)
    eventually(lambda: "most recent call first" in info.folder.log.read_text())
    assert registry.find(info.name).process == info.process


def test_frozen_session_is_seen_as_frozen_not_as_hung_and_can_be_stopped(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("f53-frozen"))
    os.kill(info.process.pid, signal.SIGSTOP)
    assert until_state(info, "FROZEN").process == info.process
    started = time.monotonic()
    (ended,) = registry.stop(info.name)
    assert (ended.state, ended.is_finished) == ("STOPPED", True)
    assert ended.reason.startswith("stopped by the user")  # it went on, and obeyed
    assert time.monotonic() - started < 30.0
