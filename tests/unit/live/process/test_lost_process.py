"""A handle whose session's process is gone, frozen, or another one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.unit.live.process.hosted import WAIT_S, Heard, hosted
from workbench.errors import SessionClosedError, SessionError, SessionTimeoutError
from workbench.live.process.handle import ProcessSession
from workbench.live.process.sockets import CONTROL

ROOT = Path(__file__).parents[4]
FORK = """
import os, sys, threading, warnings
from pathlib import Path
from workbench.live.process.handle import ProcessSession
warnings.simplefilter("ignore")
handle = ProcessSession(Path(sys.argv[1]))
heard = []
unsubscribe = handle.subscribe(heard.append)
before = handle.state
child = os.fork()
if child == 0:
    status = 1
    try:
        hears = threading.Event()
        again = handle.subscribe(lambda _update: hears.set())
        status = 0 if handle.state == before and handle.pause() and hears.wait(60) else 2
        again()
    finally:
        os._exit(status)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
unsubscribe()
sys.exit(status or (0 if handle.state == "EXITS_ONLY" else 3))
"""


@contextmanager
def silent(folder: Path) -> Iterator[None]:
    """Listen at a session's socket like a process that was suspended: connections are taken, nothing is said."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / CONTROL))
        listener.listen(100)
        yield


@contextmanager
def process_of(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Host a session in a process of its own."""
    script = Path(__file__).with_name("hosting.py")
    hosting = subprocess.Popen(
        [sys.executable, str(script), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
    )  # fmt: skip
    try:
        assert hosting.stdout is not None
        assert hosting.stdout.readline() == "ready\n"
        yield hosting
    finally:
        hosting.send_signal(signal.SIGCONT)
        hosting.kill()
        hosting.communicate()


def test_a_folder_without_a_process_is_a_crashed_session(tmp_path: Path) -> None:
    handle = ProcessSession(tmp_path)
    assert handle.state == "CRASHED"
    assert "nothing is known" in handle.reason
    assert not handle.is_finished
    with pytest.raises(SessionClosedError, match=f"workbench resume {tmp_path.name}"):
        handle.snapshot()
    with pytest.raises(SessionClosedError, match=f"workbench resume {tmp_path.name}"):
        handle.pause()
    assert not handle.wait(0.01)
    assert handle.wait_for("CRASHED", timeout_s=0.01)


def test_after_the_end_reads_give_the_last_values(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        host.start().bars(30)
        handle = host.handle
        before = (handle.snapshot(), handle.fills(), handle.chart_state(), handle.symbols)
        assert (handle.state, handle.health().is_well) == ("ACTIVE", True)
        host.server.close()
        assert (handle.snapshot(), handle.fills(), handle.chart_state(), handle.symbols) == before
        assert handle.fills(1) == before[1][-1:]
        assert handle.state == "CRASHED"
        assert handle.reason.startswith("the session's process is gone; it was ACTIVE: trading; position unmanaged; ")
        assert (handle.health().is_well, handle.health().ping_s) == (False, None)
        assert list(tmp_path.iterdir()) == []


def test_an_end_that_was_seen_stays_an_end(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        host.start()
        assert host.handle.stop() == "STOPPED"
        host.server.close()
        assert (host.handle.state, host.handle.reason) == ("STOPPED", "stopped by the user")
        with pytest.raises(SessionClosedError, match="make a new one"):
            host.handle.resume()
        assert host.handle.stop() == "STOPPED"


def test_an_archive_answers_for_a_process_that_is_gone(tmp_path: Path) -> None:
    class Journal:
        def answer(self, operation: str, _arguments: Any) -> Any:
            return {"status": ("STOPPED", "the feed ended")}[operation]

    handle = ProcessSession(tmp_path, archive=Journal())
    assert (handle.state, handle.reason) == ("STOPPED", "the feed ended")
    with pytest.raises(SessionClosedError):
        handle.fills()


def test_a_process_that_says_nothing_is_unreachable_and_a_question_has_an_end(tmp_path: Path) -> None:
    handle = ProcessSession(tmp_path, answer_timeout_s=0.2)
    with silent(tmp_path):
        with pytest.raises(SessionTimeoutError, match=f"try again, see health.*workbench kill {tmp_path.name}"):
            handle.snapshot()
        assert handle.state == "UNREACHABLE"
        assert not handle.is_finished


def test_an_interrupt_in_the_middle_of_a_question_leaves_the_handle_usable(tmp_path: Path) -> None:
    main = threading.main_thread()
    if threading.current_thread() is not main:
        pytest.skip("an interrupt reaches the main thread only")
    handle = ProcessSession(tmp_path, answer_timeout_s=WAIT_S)
    with silent(tmp_path):
        interrupt = threading.Timer(0.2, lambda: signal.pthread_kill(main.ident or 0, signal.SIGINT))
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            handle.snapshot()
        interrupt.join()
    with hosted(tmp_path) as host:
        assert handle.snapshot() == host.session.snapshot()
        assert handle.state == "PREPARED"


def test_a_handle_goes_on_with_the_process_that_follows(tmp_path: Path) -> None:
    heard = Heard()
    with hosted(tmp_path) as host:
        host.start()
        handle = host.handle
        handle.subscribe(heard)
        host.bars(3)
        assert heard.until(lambda: heard.numbers == [1, 2, 3])
        host.server.close()
        assert handle.wait_for("CRASHED", timeout_s=WAIT_S)
        with hosted(tmp_path) as follower:
            assert handle.wait_for("PREPARED", timeout_s=WAIT_S)
            # The new server counts from 0. Readers get a number that leaves one out, although it has no update yet.
            assert heard.until(lambda: len(heard.updates) == 4)
            assert heard.numbers[-1] == 5  # 3 + 2 + 0
            assert handle.chart_state().sequence == 5
            follower.start().bars(2)
            assert heard.until(lambda: heard.numbers == [1, 2, 3, 5, 6, 7])
            assert handle.chart_state().sequence == 7
            assert handle.pause()
            assert follower.session.state == "EXITS_ONLY"
            handle.detach()


def test_a_command_that_was_under_way_when_the_process_was_replaced_is_not_given_twice(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        handle = host.start().handle
        assert handle.state == "ACTIVE"
        host.server.close()
        raised: list[BaseException] = []

        def command() -> None:
            try:
                handle.pause()
            except SessionError as error:
                raised.append(error)

        giving = threading.Thread(target=command)
        with ExitStack() as following:
            with silent(tmp_path):
                giving.start()
                giving.join(2.5)  # by now it has been sent twice
                (tmp_path / "next").mkdir(mode=0o700)
                follower = following.enter_context(hosted(tmp_path / "next"))
                # In one step, so that there is always somebody who listens.
                (tmp_path / "next" / CONTROL).replace(tmp_path / CONTROL)
            giving.join(WAIT_S)
            assert not giving.is_alive()
            assert not any("pause was asked" in event.text for event in follower.session.events())
        assert "was started anew while pause was under way" in str(raised[0])


def test_a_command_for_a_process_that_was_replaced_before_goes_to_the_new_one(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        handle = host.handle
        assert handle.state == "PREPARED"
        host.server.close()
        with hosted(tmp_path) as follower:
            handle.configure(fast=5)
            assert follower.session.strategy.parameters["fast"] == 5
            assert host.session.strategy.parameters["fast"] == 3


def test_a_handle_works_in_a_forked_child(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        host.start()
        done = subprocess.run(
            [sys.executable, "-c", FORK, str(tmp_path)], env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        assert host.session.state == "EXITS_ONLY"


def test_kill_ends_the_process_and_says_what_is_left(tmp_path: Path) -> None:
    with process_of(tmp_path) as hosting:
        handle = ProcessSession(tmp_path)
        assert handle.wait_for("ACTIVE", timeout_s=WAIT_S)
        assert handle.pid == hosting.pid
        assert handle.kill() == "CRASHED"
        assert hosting.wait(WAIT_S) == -signal.SIGKILL
        assert handle.reason.startswith("killed by the user; the session's process is gone; it was ACTIVE")
        assert handle.kill() == "CRASHED"


def test_kill_also_ends_a_process_that_is_suspended(tmp_path: Path) -> None:
    with process_of(tmp_path) as hosting:
        hosting.send_signal(signal.SIGSTOP)
        handle = ProcessSession(tmp_path, answer_timeout_s=0.2)
        assert handle.wait_for("UNREACHABLE", timeout_s=WAIT_S)
        handle.kill()
        assert hosting.wait(WAIT_S) == -signal.SIGKILL


def test_kill_leaves_a_process_alone_that_is_not_the_sessions(tmp_path: Path) -> None:
    with process_of(tmp_path) as hosting:
        handle = ProcessSession(tmp_path, is_owner=lambda _pid: False)
        with pytest.raises(SessionError, match="was not ended"):
            handle.kill()
        assert hosting.poll() is None


def test_killing_a_session_of_this_process_does_not_end_this_process(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        host.start()
        assert host.handle.kill() == "STOPPED"
        assert host.handle.reason == "killed by the user"
