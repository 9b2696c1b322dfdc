"""F76: a click on a panel is delivered on a thread beside a cell that runs: it reaches the session all the same.

Guards that a panel's button needs nothing of the kernel's main thread, and holds nothing of the session's state: it
sends a command to the session's own process, whatever thread it is called on.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from tests.process_sessions import PLENTY_S, eventually, process_config
from workbench.live.process.registry import SessionRegistry

ROOT = Path(__file__).parents[2]
PANEL = """
import threading
import workbench as wb

panel = wb.attach({name!r}).panel()
threads = []
for name, button in panel.controls.buttons.items():
    button.on_click(lambda _button, name=name: threads.append((name, threading.current_thread().name)))
print(panel.controls.buttons["pause"].model_id, panel.controls.buttons["resume"].model_id)
"""
BUSY = "print('busy', flush=True); threading.Event().wait(600)"


class Kernel:
    """A real kernel, and what a page sends it."""

    def __init__(self, home: Path) -> None:
        environment = {**os.environ, "WORKBENCH_HOME": str(home), "PYTHONPATH": str(ROOT)}
        self.manager, self.client = start_new_kernel(startup_timeout=PLENTY_S, env=environment)

    def run(self, code: str) -> str:
        """Run a cell to its end and return what it printed."""
        printed: list[str] = []

        def take(message: dict[str, Any]) -> None:
            printed.append(message["content"].get("text", ""))

        reply = self.client.execute_interactive(code, timeout=PLENTY_S, output_hook=take)
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(printed)

    def begin(self, code: str, first: str) -> str:
        """Begin a cell that does not end, and return its name when it has printed its `first` word."""
        # A cell that ends in an error makes a kernel refuse for a moment what comes next, after its answer also.
        name: str = self.client.execute(code, stop_on_error=False)
        while first not in self.client.get_iopub_msg(timeout=PLENTY_S)["content"].get("text", ""):
            pass
        return name

    def interrupt(self, name: str) -> None:
        """Press the stop button of the notebook, and return when the cell of that name has ended."""
        self.manager.interrupt_kernel()
        while self.client.get_shell_msg(timeout=PLENTY_S)["parent_header"].get("msg_id") != name:
            pass

    def open_subshell(self) -> str:
        request = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(request)
        while True:
            reply = self.client.get_control_msg(timeout=PLENTY_S)
            if reply["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                found: str = reply["content"]["subshell_id"]
                return found

    def click(self, model_id: str, subshell_id: str) -> None:
        """Send what a page sends when somebody clicks on a button."""
        data = {"method": "custom", "content": {"event": "click"}}
        message = self.client.session.msg("comm_msg", {"comm_id": model_id, "data": data})
        message["header"]["subshell_id"] = subshell_id
        self.client.shell_channel.send(message)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.mark.timeout(400)
def test_a_click_is_obeyed_while_a_cell_runs(registry: SessionRegistry) -> None:
    name = "f76-beside"
    registry.start(process_config(name))
    eventually(lambda: registry.find(name).state == "ACTIVE")
    kernel = Kernel(registry.root.parent)
    try:
        pause, resume = kernel.run(PANEL.format(name=name)).split()[-2:]
        subshell = kernel.open_subshell()
        cell = kernel.begin(BUSY, "busy")
        kernel.click(pause, subshell)
        eventually(lambda: registry.find(name).state == "EXITS_ONLY")
        kernel.click(resume, subshell)
        eventually(lambda: registry.find(name).state == "ACTIVE")
        # It was on another thread than the cell's, which runs still; that is why a panel may hold no state.
        kernel.interrupt(cell)
        told = kernel.run("print(threads)")
        assert "('pause', 'subshell-" in told
        assert "MainThread" not in told
    finally:
        kernel.close()
