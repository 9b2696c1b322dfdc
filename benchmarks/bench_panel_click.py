"""From a click in a browser to the command in the journal of a session in its own process, on the kernel that is here.

A real JupyterLab, a real browser and a real session; Pause and Resume are pressed in turn while the notebook is idle,
while a cell sleeps, and while a cell computes in pure Python. A time begins with the click, by the browser's clock,
and ends when a reader of the journal sees the command committed. Needs chromium and playwright.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from machine import print_machine

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.chromium import chromium, find_chromium  # noqa: E402  the line above
from tests.browser.lab import Lab  # noqa: E402  as above
from tests.browser.pages import open_notebook, run_all, start_cell, write_notebook  # noqa: E402  as above

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAME = "clicked"
CLICKS = 30
WAIT_S = 30.0
START_S = 240.0
LOOK_S = 0.001
PROMISED_MS = 150.0
MS_PER_S = 1_000.0
START = f"session = wb.paper(wb.strategy.sma_cross(fast=5, slow=20), name={NAME!r})"
CELLS = ["import workbench as wb", START, "session.panel()"]
BUSY = {
    "idle": None,
    "a cell sleeps": "import time\ntime.sleep(3_600)",
    "a cell computes in Python": "while True:\n    sum(number * number for number in range(1_000))",
}
LISTEN = """() => document.addEventListener('click', (event) => {
  const offset = Date.now() - performance.now();
  window.wbClicked = offset + event.timeStamp;
}, true)"""


class Journal:
    """Sees commands in a journal that another process writes."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def count(self, command: str) -> int:
        """Return how often a command was journalled."""
        query = "SELECT COUNT(*) FROM notes WHERE body LIKE ?"
        return int(self._connection.execute(query, (f"%{command} was asked%",)).fetchone()[0])

    def wait_ms(self, command: str, count: int) -> float:
        """Return when there were `count` of a command, in ms since 1970."""
        end = time.monotonic() + WAIT_S
        while self.count(command) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{command} was not journalled within {WAIT_S:g} s of the click")
            time.sleep(LOOK_S)
        return time.time() * MS_PER_S

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def clicked(page: Page, journal: Journal, command: str) -> float:
    """Press a button once and return the ms until its command was journalled."""
    button = page.get_by_role("button", name=command.capitalize(), exact=True)
    button.and_(page.locator(":enabled")).wait_for(timeout=WAIT_S * MS_PER_S)
    before = journal.count(command)
    button.click()
    journalled_ms = journal.wait_ms(command, before + 1)
    return journalled_ms - float(page.evaluate("window.wbClicked"))


def measure(page: Page, journal: Journal) -> list[float]:
    """Return the times of all clicks in ms; the first two warm up."""
    times = [clicked(page, journal, ("pause", "resume")[number % 2]) for number in range(CLICKS + 2)]
    return times[2:]


def end_cell(page: Page, lab: Lab) -> None:
    """Interrupt what runs, as a person would."""
    for kernel in lab.call("kernels"):
        lab.call(f"kernels/{kernel['id']}/interrupt", "POST")
    page.locator(".jp-InputPrompt", has_text="[*]:").wait_for(state="detached")


def run(page: Page, lab: Lab, home: Path) -> None:
    """Measure each situation in one notebook."""
    write_notebook(lab.root / "click.ipynb", CELLS)
    open_notebook(page, lab, "click.ipynb")
    run_all(page)
    page.wait_for_selector(".wb-live[data-sequence]", timeout=WAIT_S * MS_PER_S)
    # The first session of a fresh machine may compile for minutes.
    page.locator(".wb-pill", has_text="ACTIVE").wait_for(timeout=START_S * MS_PER_S)
    page.evaluate(LISTEN)
    (path,) = home.rglob("journal.db")
    journal = Journal(path)
    print(f"{'milliseconds':28}{'median':>9}{'p95':>9}{'longest':>9}   of {CLICKS} clicks, {PROMISED_MS:g} promised")
    for what, cell in BUSY.items():
        if cell is not None:
            start_cell(page, cell)
            page.locator(".jp-InputPrompt", has_text="[*]:").wait_for()
        times = measure(page, journal)
        print(f"{what:28}{np.median(times):9.1f}{np.percentile(times, 95):9.1f}{max(times):9.1f}", flush=True)
        if cell is not None:
            end_cell(page, lab)
    journal.close()
    start_cell(page, "session.stop()")
    page.locator(".wb-pill", has_text="STOPPED").wait_for(timeout=WAIT_S * MS_PER_S)


def main() -> None:
    """Measure and print."""
    print_machine()
    versions = {name: importlib.metadata.version(name) for name in ("ipykernel", "jupyterlab", "ipywidgets")}
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    with tempfile.TemporaryDirectory(prefix="bench-click-") as folder:
        home = Path(folder)
        variables = {"WORKBENCH_HOME": "home", "WORKBENCH_RUNTIME_DIR": "run", "XDG_DATA_HOME": "data"}
        os.environ.update({name: str(home / part) for name, part in variables.items()})
        (home / "notebooks").mkdir()
        path = find_chromium() or sys.exit("there is no chromium")
        lab = Lab(home / "notebooks", pythonpath=[ROOT])
        with contextlib.closing(lab), chromium(path) as browser:
            run(browser.new_page(), lab, home)


if __name__ == "__main__":
    main()
