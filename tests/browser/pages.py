"""What the tests say to a page: open, run, wait for what is seen. A wait is for a condition, its limit generous."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from workbench.charts.live_palette import LIVE_COLORS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, WebSocket

    from tests.browser.lab import Lab

# Only ever waited for when something is wrong, on a machine that has other things to do.
PLENTY_MS = 90_000

IDLE = """() => {
  const widget = window.jupyterapp.shell.currentWidget;
  const context = widget && widget.context && widget.context.sessionContext;
  const kernel = context && context.session && context.session.kernel;
  return !!kernel && context.isReady && kernel.status === 'idle' && kernel.connectionStatus === 'connected';
}"""

# Started and not awaited: waiting inside the page has no timeout, `check_cells` has.
RUN_ALL = "() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }"

FINISHED = f"""() => ({IDLE})() && window.jupyterapp.shell.currentWidget.content.widgets.map((cell) => cell.model)
  .every((cell) => cell.type !== 'code' || (cell.executionCount !== null && cell.executionState === 'idle'))"""

OUTPUTS = """() => window.jupyterapp.shell.currentWidget.content.widgets.filter((cell) => cell.model.type === 'code')
  .map((cell) => cell.model.outputs.toJSON())"""

RUN_NEW_CELL = """async (source) => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = notebook.widgets.length - 1;
  await window.jupyterapp.commands.execute('notebook:insert-cell-below');
  notebook.activeCell.model.sharedModel.setSource(source);
  window.jupyterapp.commands.execute('notebook:run-cell');
}"""

KEEP_CELLS = """(count) => {
  const notebook = window.jupyterapp.shell.currentWidget.content.model.sharedModel;
  if (notebook.cells.length > count) notebook.deleteCellRange(count, notebook.cells.length);
}"""

COMMAND = "([name, options]) => window.jupyterapp.commands.execute(name, options)"
SEQUENCE = "() => Number([...document.querySelectorAll('.wb-live')].at(-1)?.dataset.sequence ?? 0)"

# What panel, chart and plot are painted on.
SURFACES = """() => {
  const colour = (name) => getComputedStyle(document.querySelector(name)).backgroundColor;
  return [colour('.wb-panel'), colour('.wb-live'), document.querySelector('.js-plotly-plot')._fullLayout.paper_bgcolor];
}"""


class Watch:
    """What a page did that no test asked for: errors, words on its console, and requests to other hosts."""

    def __init__(self, context: BrowserContext, host: str = "") -> None:
        self.host = host
        self.faults: list[str] = []
        self.lines: list[str] = []
        self.strangers: list[str] = []
        self.addresses = 0
        context.on("page", self._look_at)
        context.on("request", self._see)
        context.on("requestfailed", self._take_back)

    def _look_at(self, page: Page) -> None:
        page.on("pageerror", lambda error: self._fail(f"{error}\n{error.stack}"))
        page.on("console", self._hear)
        page.on("websocket", self._see)

    def _fail(self, text: str) -> None:
        self.faults.append(text)
        self.lines.append(f"uncaught: {text}")

    def _hear(self, message: ConsoleMessage) -> None:
        self.lines.append(f"{message.type}: {message.text}")

    def _see(self, request: Request | WebSocket) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"data", "blob", "about"}:
            return
        self.addresses += 1
        if address.netloc != self.host:
            self.strangers.append(request.url)

    def _take_back(self, request: Request) -> None:
        if request.failure == "csp" and request.url in self.strangers:  # never sent: the page's own rules forbid it
            self.strangers.remove(request.url)

    def forgive(self, text: str) -> None:
        """Leave out the errors that hold the text: they are not ours."""
        self.faults = [fault for fault in self.faults if text not in fault]


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells."""
    empty = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {
        "cells": [{**empty, "id": f"cell-{number}", "source": source} for number, source in enumerate(cells)],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(content))


def open_notebook(page: Page, lab: Lab, name: str, *, front: str = "doc/tree") -> None:
    """Open a notebook alone on the page and wait for its kernel."""
    page.goto(f"{lab.address}/{front}/{name}?token={lab.token}&reset")
    wait_for_notebook(page)


def wait_for_notebook(page: Page) -> None:
    """Wait until the page shows its notebook and the kernel is idle."""
    page.wait_for_function("window.jupyterapp && window.jupyterapp.restored", timeout=PLENTY_MS)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=PLENTY_MS)
    page.wait_for_function(IDLE, timeout=PLENTY_MS)


def run_all(page: Page, timeout_ms: float = PLENTY_MS) -> None:
    """Run all cells and wait for the last one; a cell that raised fails the test."""
    page.evaluate(RUN_ALL)
    check_cells(page, timeout_ms)


def run_cell(page: Page, source: str) -> None:
    """Add a cell at the end, run it and wait for its end; a cell that raised fails the test."""
    start_cell(page, source)
    check_cells(page)


def start_cell(page: Page, source: str) -> None:
    """Add a cell at the end and run it without waiting for its end."""
    page.evaluate(RUN_NEW_CELL, source)


def check_cells(page: Page, timeout_ms: float = PLENTY_MS) -> None:
    """Wait until every cell has run, and fail if one raised."""
    page.wait_for_function(FINISHED, timeout=timeout_ms)
    outputs = [output for cell in page.evaluate(OUTPUTS) for output in cell]
    for output in outputs:
        if output["output_type"] == "error":
            raise AssertionError("\n".join(output["traceback"]))


def execute(page: Page, name: str, **options: Any) -> None:
    """Carry out one of the front end's own commands."""
    page.evaluate(COMMAND, [name, options])


def reachable(page: Page, selector: str = ".wb-panel") -> list[tuple[str, str]]:
    """Return role and name of all that the keyboard reaches in an element, as a screen reader is told them."""
    wire = page.context.new_cdp_session(page)
    element = wire.send("Runtime.evaluate", {"expression": f"document.querySelector({selector!r})"})
    nodes = wire.send("Accessibility.queryAXTree", {"objectId": element["result"]["objectId"]})["nodes"]
    wire.detach()
    return [
        (node["role"]["value"], node.get("name", {}).get("value", "").strip())
        for node in nodes
        if any(one["name"] == "focusable" and one["value"]["value"] for one in node.get("properties", ()))
    ]


def button(page: Page, name: str) -> Locator:
    """Return the newest panel's button of that name."""
    return page.locator(".wb-panel").last.get_by_role("button", name=name, exact=True)


def wait_for_state(page: Page, state: str) -> None:
    """Wait until the newest panel shows the state."""
    page.locator(".wb-panel").last.locator(".wb-pill", has_text=state).wait_for(timeout=PLENTY_MS)


def wait_for_movement(page: Page) -> None:
    """Wait until the newest chart has drawn three more messages of the kernel."""
    seen = page.evaluate(SEQUENCE)
    page.wait_for_function(f"({SEQUENCE})() >= {seen + 3}", timeout=PLENTY_MS)


def wait_for_theme(page: Page, theme: str) -> None:
    """Wait until panel, chart and plot are painted in the colours of `"light"` or `"dark"`."""
    color = LIVE_COLORS[theme]["background"]
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    wanted = [f"rgb({red}, {green}, {blue})"] * 2 + [color]
    page.wait_for_function(f"(wanted) => ({SURFACES})().join() === wanted.join()", arg=wanted, timeout=PLENTY_MS)
