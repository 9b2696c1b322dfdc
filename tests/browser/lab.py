"""A throw-away JupyterLab and a real browser that drives it, both without the network."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import BrowserContext, Page

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
PAGE_TIMEOUT_MS = 60_000

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-device-scale-factor=1",
)

SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # Every cell is in the document, also those out of view.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none", "autoStartDefaultKernel": True},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}

PAGE_CONFIG = {
    "buildCheck": False,
    "buildAvailable": False,
    "disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True},
}

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


class Lab:
    """One JupyterLab server whose every folder is temporary, serving the notebooks of `root`."""

    def __init__(self, root: Path, *, theme: str = "JupyterLab Light", pythonpath: Sequence[Path] = ()) -> None:
        self.root = root
        self._state = TemporaryDirectory(prefix="lab-state-")
        state = Path(self._state.name)
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = state / "lab.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(_application_settings(state, theme)),
                env=_environment(state, pythonpath),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_up()

    def _command(self, settings: Path) -> list[str]:
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={self.port}"),
            *(f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.root}"),
            *(
                "--ServerApp.port_retries=0",
                "--LabApp.expose_app_in_browser=True",
                "--LabApp.extension_manager=readonly",
            ),
            *(f"--LabApp.app_settings_dir={settings}", "--LabApp.news_url="),
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]
        return [*command, "--allow-root"] if os.geteuid() == 0 else command

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self.call("kernels")
            except (urllib.error.URLError, ConnectionError):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.1)
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(self._log.read_text()) from None
            else:
                return

    def call(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Return the answer of the server's REST interface."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self.token}"}
        address = f"{self.address}/api/{path}"  # our own server on this machine
        request = urllib.request.Request(address, data=data, headers=headers, method=method)  # noqa: S310  as said
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  as said
            text = answer.read()
        return json.loads(text) if text else None

    def end_kernels(self) -> None:
        """End every kernel, so that the next test has the machine for itself."""
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            for kernel in self.call("kernels"):
                self.call(f"kernels/{kernel['id']}", "DELETE")

    def close(self) -> None:
        """End kernels, then the server: a second signal, or SIGKILL, would leave the kernels behind as orphans."""
        if self._process.poll() is None:
            self.end_kernels()
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._state.cleanup()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _application_settings(state: Path, theme: str) -> Path:
    folder = state / "application-settings"
    folder.mkdir()
    settings = {**SETTINGS, "@jupyterlab/apputils-extension:themes": {"theme": theme}}
    (folder / "overrides.json").write_text(json.dumps(settings))
    (folder / "page_config.json").write_text(json.dumps(PAGE_CONFIG))
    return folder


def _environment(state: Path, pythonpath: Sequence[Path]) -> dict[str, str]:
    environment = dict(os.environ)
    for name in ("CONFIG", "DATA", "RUNTIME"):
        environment[f"JUPYTER_{name}_DIR"] = str(state / name.lower())
    environment["JUPYTERLAB_SETTINGS_DIR"] = str(state / "user-settings")
    environment["JUPYTERLAB_WORKSPACES_DIR"] = str(state / "workspaces")
    environment["IPYTHONDIR"] = str(state / "ipython")
    environment["PYTHONPATH"] = os.pathsep.join(map(str, pythonpath))
    return environment


@contextlib.contextmanager
def browser(width: int = 1400, height: int = 1300) -> Iterator[BrowserContext]:
    """Yield a browser with an empty profile."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(CHROMIUM), headless=True, args=list(FLAGS), chromium_sandbox=False
        )
        context = chromium.new_context(viewport={"width": width, "height": height})
        try:
            yield context
        finally:
            context.close()
            chromium.close()


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


def open_notebook(page: Page, lab: Lab, name: str) -> None:
    """Open a notebook alone on the page and wait for its kernel."""
    page.goto(f"{lab.address}/doc/tree/{name}?token={lab.token}&reset")
    page.wait_for_function("window.jupyterapp && window.jupyterapp.restored", timeout=PAGE_TIMEOUT_MS)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=PAGE_TIMEOUT_MS)
    page.wait_for_function(IDLE, timeout=PAGE_TIMEOUT_MS)


def run_all(page: Page) -> None:
    """Run all cells and wait for the last one; a cell that raised fails the test."""
    page.evaluate(RUN_ALL)
    check_cells(page)


def run_cell(page: Page, source: str) -> None:
    """Add a cell at the end, run it and wait for its end; a cell that raised fails the test."""
    start_cell(page, source)
    check_cells(page)


def start_cell(page: Page, source: str) -> None:
    """Add a cell at the end and run it without waiting for its end."""
    page.evaluate(RUN_NEW_CELL, source)


def check_cells(page: Page) -> None:
    """Wait until every cell has run, and fail if one raised."""
    page.wait_for_function(FINISHED, timeout=PAGE_TIMEOUT_MS)
    outputs = [output for cell in page.evaluate(OUTPUTS) for output in cell]
    for output in outputs:
        if output["output_type"] == "error":
            raise AssertionError("\n".join(output["traceback"]))
