"""Watches a session's panel for hours in JupyterLab and a browser: what grows in the page, the server and the kernel.

In a process of its own: ``python -m tests.soak.chart --minutes 120 --closed 15``. A line a minute as it goes; ends with
code 1 if something grew more than `LIMITS` allow.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tests.browser.chromium import chromium, find_chromium
from tests.browser.lab import Lab
from tests.browser.pages import open_notebook, run_all, write_notebook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import BrowserContext, Page

REPOSITORY = Path(__file__).parents[2]
MIB = 2**20
NAME = "soak"
SAMPLE_S = 60.0
SHOWN_KINDS = 12
TICKS_PER_VIRTUAL_SECOND = 17 / 60  # of the practice market's BTC/USDT, on average
WARM_UP = 0.25  # of the samples are left out of the verdict: history fills up to its bound
SEQUENCE = "() => Number(document.querySelector('.wb-live')?.dataset.sequence ?? -1)"
# How many elements of each kind the document has, and how many pieces of text, those of tables apart: a table shows the
# newest fifty rows and fills up to them.
CENSUS = """() => {
  const counts = {};
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const kind = node.nodeType === Node.TEXT_NODE ? 'text' : [node.localName, ...node.classList].join('.');
    const name = node.parentElement?.closest('table') ? 'TABLE' : kind;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}"""
CELLS = (
    "import workbench as wb",
    "risk = wb.RiskConfig(stop_loss=0.01, trailing_stop=0.01)",
    "session = wb.paper(wb.strategy.sma_cross(fast=10, slow=30), name='{name}', speed={speed}, risk=risk)",
    "session.panel()",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one minute came to; what belongs to the page is 0 while it is closed. Memory in MiB."""

    minute: float
    sequence: int = 0
    nodes: int = 0  # of all kinds, those that only the browser sees and those in no document included
    tables: int = 0  # in tables
    outside: int = 0  # in the document, not in a table
    detached: int = 0  # the rest
    listeners: int = 0
    heap: float = 0.0
    server: float = 0.0
    kernel: float = 0.0
    session: float = 0.0
    load: float = 0.0


LIMITS = {
    "outside": 100,
    "detached": 100,
    "listeners": 50,
    "heap": 10.0,
    "server": 15.0,
    "kernel": 15.0,
    "session": 15.0,
}
"""What each may grow from the first third after the warm-up to the last third, in its own unit."""


class Watch:
    """One laboratory, one browser, and the page with the panel, which may be closed for a while."""

    def __init__(self, lab: Lab, context: BrowserContext) -> None:
        self._lab = lab
        self._context = context
        self._page: Page | None = None
        self._began_s = time.monotonic()
        self.faults: list[str] = []
        self.census: list[dict[str, int]] = []

    @property
    def minute(self) -> float:
        """Minutes since the beginning."""
        return (time.monotonic() - self._began_s) / 60

    def open(self, *, runs: bool) -> None:
        """Open the notebook, and run it the first time."""
        page = self._context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        open_notebook(page, self._lab, f"{NAME}.ipynb")
        if runs:
            run_all(page)
            page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        page.wait_for_selector(".wb-live[data-sequence]", timeout=120_000)
        self._page = page

    def close(self) -> None:
        """Close the page; kernel and session go on."""
        if self._page is not None:
            self._page.close()
        self._page = None

    def wait(self, seconds: float) -> None:
        """Let time pass, and the browser's events be heard."""
        if self._page is None:
            threading.Event().wait(seconds)
        else:
            self._page.wait_for_timeout(seconds * 1e3)

    def sample(self) -> Sample:
        """Measure everything now."""
        memory = {name: sum(map(resident_mib, found)) for name, found in our_processes().items()}
        page: dict[str, Any] = {}
        if self._page is not None:
            self.census.append(self._page.evaluate(CENSUS))
            page = page_figures(self._context, self._page)
            page["tables"] = self.census[-1].pop("TABLE", 0)
            page["outside"] = sum(self.census[-1].values())
            page["detached"] = page["nodes"] - page["tables"] - page["outside"]
        return Sample(minute=self.minute, load=os.getloadavg()[0], **page, **memory)


def page_figures(context: BrowserContext, page: Page) -> dict[str, Any]:
    """Return what the page holds after a garbage collection."""
    tools = context.new_cdp_session(page)
    tools.send("HeapProfiler.collectGarbage")
    tools.send("Performance.enable")
    found = {metric["name"]: metric["value"] for metric in tools.send("Performance.getMetrics")["metrics"]}
    tools.detach()
    return {
        "sequence": page.evaluate(SEQUENCE),
        "nodes": int(found["Nodes"]),
        "listeners": int(found["JSEventListeners"]),
        "heap": found["JSHeapUsedSize"] / MIB,
    }


def resident_mib(process: psutil.Process) -> float:
    """Return the resident memory of a process that may be gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.memory_info().rss / MIB
    return 0.0


def our_processes() -> dict[str, list[psutil.Process]]:
    """Return the server, its kernel and the session, by their names in a sample."""
    from workbench.live.process.registry import SessionRegistry

    servers = [child for child in psutil.Process().children() if "jupyterlab" in child.cmdline()]
    kernels = [child for server in servers for child in server.children() if "ipykernel_launcher" in child.cmdline()]
    sessions = [psutil.Process(info.process.pid) for info in SessionRegistry().list() if info.process is not None]
    return {"server": servers, "kernel": kernels, "session": sessions}


def run(minutes: float, closed: float, ticks: float) -> tuple[list[Sample], Watch]:
    """Watch a panel at `ticks` a second for `minutes`; its page is closed for `closed` of them, from the middle on."""
    samples: list[Sample] = []
    path = find_chromium() or sys.exit("there is no chromium")
    with laboratory() as lab, chromium(path) as browser:
        context = browser.new_context(viewport={"width": 1400, "height": 1300})
        speed = ticks / TICKS_PER_VIRTUAL_SECOND
        write_notebook(lab.root / f"{NAME}.ipynb", [cell.format(name=NAME, speed=round(speed, 1)) for cell in CELLS])
        watch = Watch(lab, context)
        watch.open(runs=True)
        say("  ".join(f"{field.name:>9}" for field in fields(Sample)))
        is_closed = False
        while watch.minute < minutes:
            should_close = minutes / 2 <= watch.minute < minutes / 2 + closed
            if should_close and not is_closed:
                watch.close()
            elif is_closed and not should_close:
                watch.open(runs=False)
            is_closed = should_close
            samples.append(watch.sample())
            say("  ".join(f"{value:9.1f}" for value in astuple(samples[-1])))
            watch.wait(min(SAMPLE_S, max(1.0, 60 * (minutes - watch.minute))))
        watch.close()
    return samples, watch


@contextlib.contextmanager
def laboratory() -> Iterator[Lab]:
    """Have a laboratory with a home of its own, and leave no session behind."""
    with tempfile.TemporaryDirectory(prefix="wb-", ignore_cleanup_errors=True) as home:
        os.environ["WORKBENCH_HOME"] = home
        notebooks = Path(home) / "notebooks"
        notebooks.mkdir()
        lab = Lab(notebooks, environment={"PYTHONPATH": str(REPOSITORY), "WORKBENCH_HOME": home})
        try:
            yield lab
        finally:
            lab.close()
            end_sessions()


def end_sessions() -> None:
    """End the sessions of this run's home and their supervisor."""
    from workbench.live.process.registry import SessionRegistry
    from workbench.live.process.supervisor_client import ask_supervisor

    registry = SessionRegistry()
    registry.kill(*(info.name for info in registry.list() if not info.is_finished))
    ask_supervisor(registry.root, {"op": "end"}, starts=False)


def growth(samples: Sequence[Sample], name: str) -> tuple[float, float]:
    """Return the medians of the first and of the last third, the warm-up and a closed page left out."""
    values = [getattr(sample, name) for sample in samples[int(WARM_UP * len(samples)) :]]
    values = [value for value in values if value]
    third = max(1, len(values) // 3)
    return (statistics.median(values[:third]), statistics.median(values[-third:])) if values else (0.0, 0.0)


def name_growth(census: Sequence[dict[str, int]]) -> None:
    """Print which parts of the page there are most more of at the end than after the warm-up."""
    if not census:
        return
    first, last = census[int(WARM_UP * len(census))], census[-1]
    grown = {kind: last.get(kind, 0) - first.get(kind, 0) for kind in first.keys() | last.keys()}
    for kind in sorted(grown, key=lambda kind: -abs(grown[kind]))[:SHOWN_KINDS]:
        if grown[kind]:
            say(f"  {kind}: {first.get(kind, 0)} to {last.get(kind, 0)}")


def verdict(samples: Sequence[Sample], watch: Watch) -> bool:
    """Print what grew and return whether all is well."""
    is_well = not watch.faults
    for name, limit in LIMITS.items():
        first, last = growth(samples, name)
        is_fine = last - first <= limit
        is_well &= is_fine
        say(f"{name}: {first:.1f} to {last:.1f}, may grow {limit}: {'fine' if is_fine else 'TOO MUCH'}")
    name_growth(watch.census)
    for fault in watch.faults:
        say(f"error on the page: {fault}")
    return is_well


def say(text: str) -> None:
    """Write a line at once, for whoever follows a log."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0, help="how long in all")
    parser.add_argument("--closed", type=float, default=15.0, help="minutes with the page closed, from the middle on")
    parser.add_argument("--ticks", type=float, default=20.0, help="ticks a second")
    choice = parser.parse_args()
    # A polite end leaves no process behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    samples, watch = run(choice.minutes, choice.closed, choice.ticks)
    return 0 if verdict(samples, watch) else 1


if __name__ == "__main__":
    sys.exit(main())
