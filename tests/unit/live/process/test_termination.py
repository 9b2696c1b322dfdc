from __future__ import annotations

import signal
import subprocess
import sys

from workbench.live.process.termination import end_process

WAIT_S = 60.0


def sleeper() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True)


def test_a_process_is_ended_and_its_end_awaited() -> None:
    process = sleeper()
    asked: list[int] = []
    assert end_process(process.pid, lambda pid: not asked.append(pid), WAIT_S)
    assert (asked, process.wait(WAIT_S)) == ([process.pid], -signal.SIGKILL)
    process.communicate()


def test_a_process_that_is_another_one_is_left_alone() -> None:
    process = sleeper()
    assert not end_process(process.pid, lambda _: False, WAIT_S)
    assert process.poll() is None
    process.communicate("")
    assert process.returncode != -signal.SIGKILL


def test_a_process_that_has_gone_needs_no_end() -> None:
    process = sleeper()
    process.communicate("")
    assert end_process(process.pid, lambda _: True, WAIT_S)
