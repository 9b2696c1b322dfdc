"""F75: the command line stops sessions while the kernel that started them hangs; F92: and shows those left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.process_sessions import CALL, PLENTY_S, ROOT, command, eventually, process_config
from workbench.live.process.record import ProcessOptions
from workbench.live.process.registry import SessionRegistry
from workbench.strategy import Strategy, hold

KERNEL = """
import re, sys
from pathlib import Path
from tests.process_sessions import process_config
from workbench.live.process.registry import SessionRegistry
SessionRegistry(Path(sys.argv[1])).start(process_config(sys.argv[2]))
print("started", flush=True)
re.match(r"(a+)+$", "a" * 60 + "b")
"""


class HoldsTheInterpreter(Strategy):
    """Never returns from a C function, and lets no other thread of its process run."""

    def on_bar(self, now, position):
        import re

        re.match(r"(a+)+$", "a" * 60 + "b" * int(now.close > 0 and position.is_flat))
        return hold()


def test_session_of_a_kernel_that_hangs_in_c_is_stopped(registry: SessionRegistry) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", KERNEL, str(registry.root), "f75-kernel"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as kernel:
        try:
            assert kernel.stdout.readline() == "started\n"
            told = command(registry, "stop", "f75-kernel")
        finally:
            kernel.kill()
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("f75-kernel: STOPPED: stopped by the user")


def test_session_that_obeys_nothing_is_ended_in_time_and_not_started_again(registry: SessionRegistry) -> None:
    patient = ProcessOptions(step_budget_s=600.0)
    info, _ = registry.start(process_config("f75-deaf", strategy=HoldsTheInterpreter()), options=patient)
    eventually((registry.root / "f75-deaf" / "heartbeat").exists)
    told = command(registry, "stop", "f75-deaf", "--timeout", "3")
    assert told.returncode == 0, told.stderr
    assert not info.process.is_alive
    after = registry.find("f75-deaf")
    assert (after.state, after.is_finished) == ("STOPPED", True)


def test_command_line_shows_stops_and_kills(registry: SessionRegistry) -> None:
    for name in ("f92-one", "f92-two", "f92-three"):
        registry.start(process_config(name))
    shown = command(registry, "ls")
    assert shown.returncode == 0, shown.stderr
    head, *rows = shown.stdout.splitlines()
    assert head.split() == ["NAME", "STATE", "SYMBOL", "POSITION", "EQUITY", "PNL", "DATA", "AGE", "UPTIME"]
    assert {"f92-one", "f92-two", "f92-three"} <= {row.split()[0] for row in rows}
    one = command(registry, "show", "f92-one").stdout
    assert registry.find("f92-one").session_id in one
    assert "sma_cross on BTC/USDT 1m" in one
    killed = command(registry, "kill", "f92-two")
    assert killed.stdout.startswith("f92-two: STOPPED: ")
    everything = command(registry, "stop", "--all", "--flatten")
    assert everything.returncode == 0, everything.stderr
    assert "f92-one: STOPPED" in everything.stdout
    assert "f92-three: STOPPED" in everything.stdout
    assert all(line.endswith("position none") for line in everything.stdout.splitlines())


def test_command_line_closes_the_positions_of_a_session(registry: SessionRegistry) -> None:
    registry.start(process_config("f75-flatten"))
    told = command(registry, "flatten", "f75-flatten")
    assert told.returncode == 0, told.stderr
    assert eventually(lambda: registry.find("f75-flatten").state == "EXITS_ONLY")
    assert eventually(lambda: registry.find("f75-flatten").positions == "none")


def test_session_that_crashed_is_shown_with_what_to_do(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("f92-crashed"))
    os.kill(info.process.pid, signal.SIGKILL)
    eventually(lambda: registry.find("f92-crashed").process is None or registry.find("f92-crashed") != info)
    rows = command(registry, "ls").stdout
    assert "f92-crashed" in rows


def test_command_without_a_session_says_what_there_is(registry: SessionRegistry, tmp_path: Path) -> None:
    told = command(registry, "stop", "f92-nobody")
    assert told.returncode == 1
    assert "no session has the name or id 'f92-nobody'; there are: " in told.stderr
    neither = command(registry, "stop")
    assert "name the sessions, or say --all" in neither.stderr
    empty = subprocess.run(
        [*CALL, "ls"],
        env={**os.environ, "WORKBENCH_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=PLENTY_S,
    )
    assert empty.stdout.startswith("there are no sessions in ")


def test_log_is_printed(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("f92-log"))
    os.kill(info.process.pid, signal.SIGUSR1)
    eventually(lambda: "most recent call first" in info.folder.log.read_text())
    lines = command(registry, "logs", "f92-log", "-n", "2").stdout.splitlines()
    assert lines == info.folder.log.read_text().splitlines()[-2:]
