"""A session in its own process and a handle of it: round trips, updates, and what a busy notebook does to both.

The session trades 67 ticks a second. The notebook is this process: idle first, then sorting three million floats in one
cell after the other, which holds its interpreter, and so the threads of its handle, for seconds at a time.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from machine import print_machine

from workbench.live import BarsSource, LiveSession, LiveSessionConfig
from workbench.live.process.control_server import ControlServer
from workbench.live.process.handle import ProcessSession
from workbench.model.synthetic import synthetic_bars
from workbench.strategy import sma_cross

SPEED = 1_000.0
BARS = 5_000
SECONDS = 10.0
READS = 1_000
COMMANDS = 200
FLOATS = 3_000_000
NS_PER_MS = 1_000_000
MS_PER_S = 1_000


def host(folder: Path) -> None:
    """Run the session, and write at the end when each update was made and how late its tick was."""
    bars = synthetic_bars("BTC/USDT", "1m", BARS)
    config = LiveSessionConfig(
        name="bench", strategy=sma_cross(fast=5, slow=20), symbols=bars.symbols, timeframe=bars.timeframe,
        source=BarsSource(bars, as_ticks=True), speed=SPEED,
    )  # fmt: skip
    session = LiveSession(config)
    made: dict[int, tuple[int, int]] = {}
    session.subscribe(lambda one: made.setdefault(one.sequence, (time.monotonic_ns(), one.snapshot.time_ns)))
    session.start()
    session.wait_for("ACTIVE", timeout_s=120.0)
    server = ControlServer(session, folder)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    session.stop()
    server.close()
    (folder / "made.json").write_text(json.dumps({"made": made, "steps": session.metrics()["step_us"]}))


def show(what: str, durations_ns: list[int]) -> None:
    """Print the median, the 99th percentile and the longest of durations."""
    ms = np.array(durations_ns) / NS_PER_MS
    p50, p99 = np.percentile(ms, [50, 99])
    print(f"{what:58} p50 {p50:8.2f} ms   p99 {p99:8.2f} ms   longest {ms.max():8.2f} ms   n {ms.size}")


def timed(call: object, count: int) -> list[int]:
    """Return how long each of some calls took, ns."""
    durations = []
    for _ in range(count):
        started = time.monotonic_ns()
        call()  # type: ignore[operator]
        durations.append(time.monotonic_ns() - started)
    return durations


def sort_for(seconds: float) -> int:
    """Sort three million floats again and again, as one cell of a notebook would, and return how often."""
    values = np.random.default_rng(1).random(FLOATS).tolist()
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        sorted(values)
        count += 1
    return count


def lateness(made: dict[int, tuple[int, int]], since: int, until: int) -> list[int]:
    """Return by how much each tick came later than it was due, ns; the most punctual one of all was on time."""
    late = {number: at - round(time_ns / SPEED) for number, (at, time_ns) in made.items()}
    punctual = min(late.values())
    return [late[number] - punctual for number, (at, _) in made.items() if since <= at <= until]


def main() -> None:
    """Print the figures."""
    print_machine()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as ending:
        folder = Path(name)
        hosting = subprocess.Popen(
            [sys.executable, __file__, "--host", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        ending.callback(hosting.kill)
        if hosting.stdout is None or hosting.stdin is None or hosting.stdout.readline() != "ready\n":
            raise SystemExit("the session did not start")
        handle = ProcessSession(folder)
        show("read of the state", timed(lambda: handle.state, READS))
        show("read of the chart, 5,000 bars", timed(handle.chart_state, COMMANDS))
        show("command, obeyed (pause, resume)", timed(lambda: (handle.pause(), handle.resume()), COMMANDS // 2))
        heard: dict[int, int] = {}
        unsubscribe = handle.subscribe(lambda update: heard.setdefault(update.sequence, time.monotonic_ns()))
        idle = (time.monotonic_ns(), (threading.Event().wait(SECONDS), time.monotonic_ns())[1])
        busy_from = time.monotonic_ns()
        count = sort_for(SECONDS)
        busy = (busy_from, time.monotonic_ns())
        unsubscribe()
        print(f"the busy notebook sorted {FLOATS:,} floats {count} times in {SECONDS:g} s")
        hosting.communicate("end\n")
        record = json.loads((folder / "made.json").read_text())
        made = {int(number): (at, time_ns) for number, (at, time_ns) in record["made"].items()}
        for what, (since, until) in (("idle", idle), ("busy", busy)):
            way = [at - made[number][0] for number, at in heard.items() if since <= made[number][0] <= until]
            show(f"update, session to handle, notebook {what}", way)
            show(f"tick later than due in the session, notebook {what}", lateness(made, since, until))
        steps = record["steps"]
        print(
            f"steps in the session: p50 {steps['p50']:.0f} us, p99 {steps['p99']:.0f} us, longest {steps['max']:.0f} us"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--host"]:
        host(Path(sys.argv[2]))
    else:
        main()
