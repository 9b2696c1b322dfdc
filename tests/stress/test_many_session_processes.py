"""A hundred sessions in processes of their own: all run, die, come back, are listed and stopped, and leave nothing."""

from __future__ import annotations

import os
import random
import signal

import pytest

from tests.process_sessions import command, eventually, process_config, until_another_process
from workbench.errors import SessionLimitError
from workbench.live.process.registry import SessionRegistry

pytestmark = [pytest.mark.stress, pytest.mark.slow]

SESSIONS = 100


@pytest.mark.timeout(600)
def test_a_hundred_sessions_run_die_come_back_and_stop(registry: SessionRegistry) -> None:
    # In real time, so that a small machine has the breath for all of them.
    started = [registry.start(process_config(f"s{number}", speed=1.0))[0] for number in range(SESSIONS)]
    with pytest.raises(SessionLimitError, match="at most 100 sessions"):
        registry.start(process_config("one-too-many"))
    assert len({info.process for info in started}) == SESSIONS
    killed = random.Random(1).sample(started, 10)
    for info in killed:
        os.kill(info.process.pid, signal.SIGKILL)
    after = [until_another_process(info) for info in killed]
    assert [info.session_id for info in after] == [info.session_id for info in killed]
    spared = {info.name for info in started} - {info.name for info in killed}
    running = {info.name: info.process for info in registry.list()}
    assert all(running[info.name] == info.process for info in started if info.name in spared)
    assert len(command(registry, "ls").stdout.splitlines()) >= SESSIONS + 1
    ended = registry.stop(*(info.name for info in started))
    assert {info.state for info in ended} == {"STOPPED"}
    everybody = [*(info.process for info in started), *(info.process for info in after)]
    assert eventually(lambda: not any(process.is_alive for process in everybody))
