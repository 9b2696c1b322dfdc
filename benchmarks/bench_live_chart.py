"""The live chart in JupyterLab and a browser: bytes on the wire, kernel and browser time, and age of what is painted.

Needs Playwright, JupyterLab and chromium, as ``make browser`` does: ``python benchmarks/bench_live_chart.py``.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from machine import load, print_machine

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.chromium import chromium, find_chromium  # noqa: E402  the line above
from tests.browser.lab import Lab  # noqa: E402  as above
from tests.browser.pages import open_notebook, run_all, run_cell, write_notebook  # noqa: E402  as above

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

HISTORIES = (500, 5_000, 50_000)
RATES = (10, 80)
SETTLE_S = 4.0
PIECE_S = 3.0
CELLS = (
    "from chart_feed import ChartFeed\nfrom workbench.charts.live import LiveChart\nfeed = ChartFeed({history})",
    "chart = LiveChart(feed)\nchart",
)
FIRST_CHART = """async () => {
  const begun = performance.now();
  window.jupyterapp.commands.execute('notebook:run-cell');
  while (!document.querySelector('.wb-live[data-sequence]')) await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""
SELECT_LAST = """() => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = notebook.widgets.length - 1;
}"""
# The volume of the newest bar is the time of its newest tick; two frames later what was written is painted.
WATCH_AGE = """(began) => {
  window.ages = [];
  const field = document.querySelector('.wb-live-field-v b');
  const look = () => {
    const tick = began + Number(field.textContent.replaceAll(',', ''));
    requestAnimationFrame(() => requestAnimationFrame(() => window.ages.push(Date.now() - tick)));
  };
  new MutationObserver(look).observe(field, { childList: true, characterData: true, subtree: true });
}"""


class Wire:
    """Bytes of the page's web sockets, in and out, as the browser's network panel counts them."""

    def __init__(self, tools: Any) -> None:  # noqa: ANN401  Playwright's, which has no name of its own
        self.received = self.sent = self.messages = 0
        tools.on("Network.webSocketFrameReceived", lambda event: self._add(event, is_received=True))
        tools.on("Network.webSocketFrameSent", lambda event: self._add(event, is_received=False))
        tools.send("Network.enable")

    def _add(self, event: dict[str, Any], *, is_received: bool) -> None:
        frame = event["response"]
        text = frame["payloadData"]
        size = len(base64.b64decode(text)) if frame["opcode"] == 2 else len(text.encode())  # noqa: PLR2004  binary
        self.received += size * is_received
        self.sent += size * (not is_received)
        self.messages += is_received


def task_ms(tools: Any) -> float:  # noqa: ANN401  as above
    """Return the time that the page's main thread has worked, in ms."""
    found = {metric["name"]: metric["value"] for metric in tools.send("Performance.getMetrics")["metrics"]}
    return 1e3 * float(found["TaskDuration"])


def kernel_process() -> psutil.Process:
    """Return the kernel of the laboratory that this process started."""
    family = psutil.Process().children(recursive=True)
    return next(child for child in family if "ipykernel_launcher" in child.cmdline())


def cpu_ms(process: psutil.Process) -> float:
    """Return the processor time that a process has used, in ms."""
    times = process.cpu_times()
    return 1e3 * float(times.user + times.system)


def measure(page: Page, tools: Any, wire: Wire, rate: float, pieces: int) -> dict[str, float]:  # noqa: ANN401  as above
    """Return medians over pieces of three seconds of what a tick costs while ticks come at `rate`."""
    kernel = kernel_process()
    samples: list[dict[str, float]] = []
    for _ in range(pieces):
        before = (wire.received, wire.sent, wire.messages, cpu_ms(kernel), task_ms(tools))
        page.wait_for_timeout(1e3 * PIECE_S)
        after = (wire.received, wire.sent, wire.messages, cpu_ms(kernel), task_ms(tools))
        names = ("received", "sent", "messages", "kernel", "browser")
        samples.append({name: b - a for name, a, b in zip(names, before, after, strict=True)})
    return {name: statistics.median(sample[name] for sample in samples) / (rate * PIECE_S) for name in samples[0]}


def bench(lab: Lab, context: BrowserContext, history: int, pieces: int) -> None:
    """Print the figures for one length of history."""
    page = context.new_page()
    name = f"history{history}.ipynb"
    write_notebook(lab.root / name, [CELLS[0].format(history=history)])
    open_notebook(page, lab, name)
    run_all(page)
    tools = context.new_cdp_session(page)
    tools.send("Performance.enable")
    wire = Wire(tools)
    page.evaluate(
        """async (source) => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          await window.jupyterapp.commands.execute('notebook:insert-cell-below');
          notebook.activeCell.model.sharedModel.setSource(source);
        }""",
        CELLS[1],
    )
    first_s = page.evaluate(FIRST_CHART) / 1e3
    print(f"{history:,} bars of history: first chart of the page after {first_s:.2f} s, {wire.received / 1e6:.2f} MB")
    page.wait_for_timeout(SETTLE_S * 1e3)
    idle = measure(page, tools, wire, 1.0, 1)
    run_cell(page, "print(feed.began_s)")
    began = page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.at(-1).model.outputs.toJSON()[0].text"
    )
    page.locator(".wb-live").scroll_into_view_if_needed()
    page.evaluate(WATCH_AGE, 1e3 * float(began))
    for rate in RATES:
        run_cell(page, f"feed.run({rate})")
        page.locator(".wb-live").scroll_into_view_if_needed()
        page.wait_for_timeout(SETTLE_S * 1e3)
        page.evaluate("() => { window.ages.length = 0; }")
        found = measure(page, tools, wire, rate, pieces)
        ages = sorted(page.evaluate("() => window.ages"))
        print(
            f"  {rate} ticks/s, {found['messages'] * rate:.0f} messages/s: {found['received']:,.0f} B in and "
            f"{found['sent']:,.0f} B back a tick, kernel {found['kernel']:.2f} ms, browser {found['browser']:.1f} ms "
            f"a tick; painted after p50 {ages[len(ages) // 2]:.0f} ms, p95 {ages[int(0.95 * len(ages))]:.0f} ms, "
            f"load {load()}"
        )
    print(f"  without ticks: kernel {idle['kernel']:.1f} ms, browser {idle['browser']:.1f} ms a second")
    page.close()
    lab.end_kernels()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=5, help="how often each rate is measured for three seconds")
    parser.add_argument("--history", type=int, nargs="*", default=HISTORIES, help="bars of history")
    choice = parser.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory(prefix="wb-", ignore_cleanup_errors=True) as home:
        os.environ["WORKBENCH_HOME"] = home
        folders = os.pathsep.join(map(str, (ROOT, Path(__file__).parent)))
        lab = Lab(Path(home), environment={"PYTHONPATH": folders, "WORKBENCH_HOME": home})
        path = find_chromium() or sys.exit("there is no chromium")
        with contextlib.closing(lab):
            for history in choice.history:
                with chromium(path) as browser:  # anew, so that each first chart loads its script
                    bench(lab, browser.new_context(viewport={"width": 1400, "height": 1300}), history, choice.pieces)


if __name__ == "__main__":
    main()
