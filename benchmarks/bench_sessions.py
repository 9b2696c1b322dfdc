"""Sessions in processes of their own: how soon one starts, what memory each takes, how soon one stops."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from machine import print_machine

from workbench.live import LiveSessionConfig
from workbench.live.process.process_table import id_of, wait_for_end
from workbench.live.process.registry import SessionRegistry
from workbench.live.process.supervisor_client import ask_supervisor
from workbench.strategy import sma_cross

COUNTS = (20, 100)
SETTLE_S = 5.0
KB = 1_024


def config(number: int) -> LiveSessionConfig:
    """Return a session on the practice market in real time, with its usual 500 bars of history."""
    return LiveSessionConfig(
        name=f"s{number}", strategy=sma_cross(fast=10, slow=30), symbols=("BTC/USDT",), timeframe="1m"
    )


def memory_kb(pid: int) -> tuple[int, int]:
    """Return what a process takes: its share of all its memory, and what nobody shares."""
    found = dict.fromkeys(("Pss", "Private_Clean", "Private_Dirty"), 0)
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in found:
            found[name] = int(rest.split()[0])
    return found["Pss"], found["Private_Clean"] + found["Private_Dirty"]


def print_memory(registry: SessionRegistry, supervisor: int) -> None:
    """Print what the sessions and the supervisor take."""
    pids = [info.process.pid for info in registry.list() if info.process is not None]
    shares, owns = zip(*(memory_kb(pid) for pid in pids), strict=True)
    own_share, _ = memory_kb(supervisor)
    print(
        f"memory of {len(pids)} sessions: PSS {statistics.median(shares) / KB:.1f} MiB each (largest "
        f"{max(shares) / KB:.1f}), unshared {statistics.median(owns) / KB:.1f} MiB each; with the supervisor "
        f"{(sum(shares) + own_share) / KB:,.0f} MiB in all"
    )


def main() -> None:
    """Print the figures."""
    print_machine()
    with tempfile.TemporaryDirectory() as folder:
        registry = SessionRegistry(Path(folder) / "sessions")
        started = time.perf_counter()
        registry.start(config(0))
        print(f"first session, with a new supervisor: {time.perf_counter() - started:.2f} s")
        answer = ask_supervisor(registry.root, {"op": "ping"}) or sys.exit("there is no supervisor")
        supervisor = id_of(answer["pid"])
        try:
            measure(registry, supervisor.pid)
        finally:
            registry.kill(*(info.name for info in registry.list() if not info.is_finished))
            ask_supervisor(registry.root, {"op": "end"}, starts=False)
            wait_for_end(supervisor, 10.0)


def measure(registry: SessionRegistry, supervisor: int) -> None:
    """Start sessions, and print what that takes."""
    taken = []
    number = 1
    for count in COUNTS:
        while number < count:
            started = time.perf_counter()
            registry.start(config(number))
            taken.append((time.perf_counter() - started) * 1e3)
            number += 1
        time.sleep(SETTLE_S)
        quantiles = statistics.quantiles(taken, n=20)
        print(f"warm start, up to {count} sessions: p50 {statistics.median(taken):.0f} ms, p95 {quantiles[-1]:.0f} ms")
        print_memory(registry, supervisor)
    started = time.perf_counter()
    registry.list()
    print(f"list of {number} sessions: {(time.perf_counter() - started) * 1e3:.0f} ms")
    started = time.perf_counter()
    registry.stop("s1")
    print(f"stop of one among {number}: {(time.perf_counter() - started) * 1e3:.0f} ms")
    started = time.perf_counter()
    registry.stop(*(info.name for info in registry.list() if not info.is_finished))
    print(f"stop of the other {number - 1}: {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
