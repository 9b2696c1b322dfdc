"""Sessions in processes of their own, for tests: a home with a supervisor, and waiting for what they do."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.live import LiveSessionConfig
from workbench.live.process.process_table import ProcessId, id_of, wait_for_end
from workbench.live.process.registry import SessionRegistry
from workbench.live.process.session_info import SessionInfo, look_at
from workbench.live.process.supervisor_client import ask_supervisor
from workbench.strategy import sma_cross

ROOT = Path(__file__).parents[1]
# Only ever waited for when something is wrong, on a machine that has other things to do.
PLENTY_S = 120.0
_LOOK_S = 0.02
CALL = [sys.executable, "-c", "import sys; from workbench.cli import main; sys.exit(main())"]


def process_config(name: str, **changes: Any) -> LiveSessionConfig:
    """Return a session on the practice market, of which a minute passes in a tenth of a second."""
    settings: dict[str, Any] = {
        "name": name,
        "strategy": sma_cross(fast=3, slow=8),
        "symbols": ("BTC/USDT",),
        "timeframe": "1m",
        "speed": 600,
        "warmup_bars": 50,
    }
    return LiveSessionConfig(**{**settings, **changes})


def eventually(condition: Callable[[], Any], timeout_s: float = PLENTY_S) -> Any:
    """Return what the condition returns as soon as that is true; files of other processes call nobody back."""
    pause = threading.Event()
    until = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < until, f"not within {timeout_s:g} s"
        pause.wait(_LOOK_S)
    return found


def until_state(info: SessionInfo, *states: str) -> SessionInfo:
    """Return the session once it is in one of the states."""

    def look() -> SessionInfo | None:
        now = look_at(info.folder)
        return now if now.state in states else None

    found: SessionInfo = eventually(look)
    return found


def until_another_process(info: SessionInfo) -> SessionInfo:
    """Return the session once another process than the one of `info` runs it and has said something."""

    def look() -> SessionInfo | None:
        now = look_at(info.folder)
        is_another = now.process is not None and now.process != info.process
        return now if is_another and now.state not in {"STARTING", "RECOVERING"} else None

    found: SessionInfo = eventually(look)
    return found


def supervisor_of(registry: SessionRegistry) -> ProcessId:
    """Return the supervisor's process, which is started if need be."""
    answer = ask_supervisor(registry.root, {"op": "ping"})
    assert answer is not None
    return id_of(answer["pid"])


@contextmanager
def home(root: Path) -> Iterator[SessionRegistry]:
    """Have a folder for sessions; whatever still runs at the end is ended, the supervisor last."""
    registry = SessionRegistry(root / "sessions")
    try:
        yield registry
    finally:
        end_all(registry)
        answer = ask_supervisor(registry.root, {"op": "ping"}, starts=False)
        if answer is not None:
            supervisor = id_of(answer["pid"])
            ask_supervisor(registry.root, {"op": "end"}, starts=False)
            assert wait_for_end(supervisor, PLENTY_S)


def end_all(registry: SessionRegistry) -> None:
    """Kill every session that has not finished."""
    left = [info.name for info in registry.list() if not info.is_finished and info.state != "UNBORN"]
    ended = registry.kill(*left)
    assert [info.name for info in ended if not info.is_finished] == []


def command(registry: SessionRegistry, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, for this home."""
    environment = {**os.environ, "WORKBENCH_HOME": str(registry.root.parent), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*CALL, *words], env=environment, capture_output=True, text=True, check=False, timeout=PLENTY_S
    )
