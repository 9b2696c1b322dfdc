"""Throw-away servers for the browser: a JupyterLab, which serves Notebook as well, and a Voila."""

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

# One door for scripts that measure or watch.
from tests.browser.chromium import browser
from tests.browser.pages import open_notebook, run_all, run_cell, write_notebook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "REPOSITORY",
    "Lab",
    "Server",
    "Voila",
    "browser",
    "open_notebook",
    "run_all",
    "run_cell",
    "write_notebook",
]

REPOSITORY = Path(__file__).parents[2]
# Only ever waited for when something is wrong.
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 60.0

SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # Every cell is in the document, also those out of view.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none", "autoStartDefaultKernel": True},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
    "@jupyterlab/apputils-extension:themes": {"theme": "JupyterLab Light"},
}

PAGE_CONFIG = {
    "buildCheck": False,
    "buildAvailable": False,
    "disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True},
}


class Server:
    """One server of this machine that runs notebooks: every folder of it is temporary, and it wants a token.

    Parameters
    ----------
    module : str
        The package that is run.
    options : sequence of str
        Its own words on the command line.
    environment : mapping, optional
        Variables beside those of this process.
    """

    def __init__(self, module: str, options: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._state = TemporaryDirectory(prefix="lab-state-", ignore_cleanup_errors=True)
        self.state = Path(self._state.name)
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log_path = self.state / "server.log"
        command = [sys.executable, "-m", module, "--no-browser", f"--port={self.port}", *options]
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env={**os.environ, **_folders(self.state), "JUPYTER_TOKEN": self.token, **(environment or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_up(self) -> None:
        """Wait until the server answers; one that does not start fails with its log."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self.call("kernels")
            except urllib.error.HTTPError:  # that is an answer too
                return
            except (urllib.error.URLError, ConnectionError):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.1)
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(self.log_path.read_text()) from None
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


class Lab(Server):
    """A JupyterLab that serves the notebooks of `root`, and Notebook under `/notebooks`."""

    def __init__(
        self, root: Path, *, pythonpath: Sequence[Path] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self.root = root
        self._settings = TemporaryDirectory(prefix="lab-settings-")
        options = self._options(_application_settings(Path(self._settings.name)))
        places = {"PYTHONPATH": os.pathsep.join(map(str, pythonpath))} if pythonpath else {}
        super().__init__("jupyterlab", options, {**places, **(environment or {})})
        self.wait_until_up()

    def _options(self, settings: Path) -> list[str]:
        options = [
            *("--ip=127.0.0.1", f"--ServerApp.root_dir={self.root}", "--ServerApp.port_retries=0"),
            *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
            *("--LabApp.extension_manager=readonly", f"--LabApp.app_settings_dir={settings}", "--LabApp.news_url="),
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]
        return [*options, "--allow-root"] if os.geteuid() == 0 else options

    def close(self) -> None:
        """End the kernels and the server."""
        super().close()
        self._settings.cleanup()


class Voila(Server):
    """A Voila that serves one notebook as a page, as `make app` does: `voila.json` in the project's folder says how."""

    def __init__(self, notebook: Path, environment: Mapping[str, str]) -> None:
        super().__init__("voila", ["--Voila.port_retries=0", str(notebook)], environment)
        self.wait_until_up()


def _application_settings(folder: Path) -> Path:
    (folder / "overrides.json").write_text(json.dumps(SETTINGS))
    (folder / "page_config.json").write_text(json.dumps(PAGE_CONFIG))
    return folder


def _folders(state: Path) -> dict[str, str]:
    folders = {f"JUPYTER_{name}_DIR": str(state / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    folders["JUPYTERLAB_SETTINGS_DIR"] = str(state / "user-settings")
    folders["JUPYTERLAB_WORKSPACES_DIR"] = str(state / "workspaces")
    folders["IPYTHONDIR"] = str(state / "ipython")
    return folders


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
