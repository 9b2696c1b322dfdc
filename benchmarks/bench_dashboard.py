"""A dashboard of sessions in processes of their own: what the kernel pays while a page looks at it.

The dashboard updates once a second, as in a notebook, with the messages serialised as for the page; only the socket to
the browser is left out. What is measured is the processor time of this process, which stands for the kernel.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from pathlib import Path

from machine import print_machine

from workbench.live import LiveSessionConfig, LiveSessionManager
from workbench.live.process.process_table import id_of, wait_for_end
from workbench.live.process.registry import SessionRegistry
from workbench.live.process.supervisor_client import ask_supervisor
from workbench.panels import Dashboard
from workbench.panels.overview import AllSessions
from workbench.strategy import sma_cross

SESSIONS = 20
SETTLE_S = 5.0
ROUNDS = 10
ROUND_S = 3.0
MOST_PERCENT = 10.0


def config(number: int) -> LiveSessionConfig:
    """Return a session on the practice market, ten times as fast as it is, so that figures change at each look."""
    return LiveSessionConfig(
        name=f"s{number}", strategy=sma_cross(fast=5, slow=15), symbols=("BTC/USDT",), timeframe="1m", speed=10
    )


class Page:
    """A page that looks: heartbeats as a browser's, and what is sent to it."""

    def __init__(self, board: Dashboard) -> None:
        self.sizes: list[int] = []
        self._pane = board.pane
        self._pane.send = self._take

    def _take(self, content: object, _buffers: object = None) -> None:
        self.sizes.append(len(json.dumps(content)))

    def beat(self, kind: str) -> None:
        """Say that somebody looks."""
        self._pane._hear(None, {"kind": kind}, [])  # noqa: SLF001  a message of the page


def measure(board: Dashboard) -> None:
    """Print the processor time of ten rounds, the messages and a look alone."""
    page = Page(board)
    page.beat("whole")
    pause = threading.Event()
    pause.wait(SETTLE_S)
    shares = []
    sent = len(page.sizes)
    for _ in range(ROUNDS):
        page.beat("beat")
        began, used = time.perf_counter(), time.process_time()
        pause.wait(ROUND_S)
        shares.append(100 * (time.process_time() - used) / (time.perf_counter() - began))
    print(
        f"kernel, {SESSIONS} sessions once a second: median {statistics.median(shares):.2f} % of a core, most "
        f"{max(shares):.2f} % (may be {MOST_PERCENT:g} %)"
    )
    sizes = page.sizes[sent:]
    print(
        f"messages: {len(sizes) / (ROUNDS * ROUND_S):.2f} a second, median {statistics.median(sizes) / 1e3:.1f} KB; "
        f"the whole {page.sizes[0] / 1e3:.1f} KB"
    )
    times = []
    for _ in range(50):
        began = time.perf_counter()
        board._look()  # noqa: SLF001  the part under measurement
        times.append((time.perf_counter() - began) * 1e3)
    print(f"one look: median {statistics.median(times):.1f} ms, most {max(times):.1f} ms")


def main() -> None:
    """Print the figures."""
    print_machine()
    with tempfile.TemporaryDirectory() as folder:
        registry = SessionRegistry(Path(folder) / "sessions")
        for number in range(SESSIONS):
            registry.start(config(number))
        supervisor = id_of((ask_supervisor(registry.root, {"op": "ping"}) or {"pid": 0})["pid"])
        board = Dashboard(AllSessions(registry, LiveSessionManager()))
        try:
            measure(board)
        finally:
            board.close()
            registry.kill(*(info.name for info in registry.list() if not info.is_finished))
            ask_supervisor(registry.root, {"op": "end"}, starts=False)
            wait_for_end(supervisor, 10.0)


if __name__ == "__main__":
    main()
