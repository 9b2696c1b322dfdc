"""F09: whatever is done to a Jupyter kernel, its sessions trade on, and a new kernel finds them again."""

import os
import signal
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager, start_new_kernel

from tests.process_sessions import PLENTY_S, eventually, process_config, supervisor_of
from workbench.live.process.process_table import id_of, session_of, wait_for_end
from workbench.live.process.registry import SessionRegistry

ROOT = Path(__file__).parents[2]
START = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.process_sessions import process_config
from workbench.live.process.registry import SessionRegistry
info, is_new = SessionRegistry(Path({sessions!r})).start(process_config({name!r}))
"""


def run(client, code: str) -> None:
    reply = client.execute_interactive(code, timeout=PLENTY_S, output_hook=lambda _: None)
    assert reply["content"]["status"] == "ok", reply["content"]


def steps_on(registry: SessionRegistry, name: str) -> bool:
    """Return whether the session's process trades on: it says something new."""
    said = registry.find(name).summary.get("market_ns", 0)
    return bool(eventually(lambda: registry.find(name).summary.get("market_ns", 0) > said))


@pytest.mark.timeout(400)
def test_interrupt_restart_and_shutdown_of_a_kernel_leave_its_session_alone(registry: SessionRegistry) -> None:
    name = "f09-kernel"
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=PLENTY_S)
    code = START.format(root=str(ROOT), sessions=str(registry.root), name=name)
    try:
        run(client, code)
        process = registry.find(name).process
        manager.interrupt_kernel()
        assert steps_on(registry, name)
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=PLENTY_S)
        assert steps_on(registry, name)
        # The new kernel finds the session and starts no second one.
        run(client, code + "\nassert not is_new")
    finally:
        shut_down(manager, client)
    assert steps_on(registry, name)
    assert registry.find(name).process == process


@pytest.mark.timeout(400)
def test_kernel_that_is_killed_with_its_whole_group_takes_no_session_along(registry: SessionRegistry) -> None:
    name = "f09-killed"
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=PLENTY_S)
    try:
        run(client, START.format(root=str(ROOT), sessions=str(registry.root), name=name))
        kernel = id_of(manager.provisioner.pid)
        os.killpg(os.getpgid(kernel.pid), signal.SIGKILL)
        assert eventually(lambda: not kernel.is_alive)
        assert steps_on(registry, name)
    finally:
        shut_down(manager, client)


def test_session_and_supervisor_hold_nothing_of_the_process_that_started_them(
    registry: SessionRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("F09_SECRET", "not for sessions")
    # One that is started now, by this process, with that in its environment.
    supervisor = supervisor_of(registry)
    os.kill(supervisor.pid, signal.SIGKILL)
    assert wait_for_end(supervisor, PLENTY_S)
    info, _ = registry.start(process_config("f09-apart"))
    supervisor = supervisor_of(registry)
    ours = {str(Path(f"/proc/self/fd/{one}").readlink()) for one in (1, 2)} - {"/dev/null"}
    for pid in (info.process.pid, supervisor.pid):
        place = Path(f"/proc/{pid}")
        held = {str(one.readlink()) for one in (place / "fd").iterdir()}
        assert held & ours == set()
        assert b"F09_SECRET" not in (place / "environ").read_bytes()
        assert str(registry.root) in str((place / "cwd").readlink())
        assert session_of(pid) != session_of(os.getpid())
    assert session_of(info.process.pid) == info.process.pid


def shut_down(manager: KernelManager, client) -> None:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()


def test_supervisor_that_is_killed_is_replaced_and_its_sessions_are_adopted(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("f09-adopted"))
    before = supervisor_of(registry)
    os.kill(before.pid, signal.SIGKILL)
    assert wait_for_end(before, PLENTY_S)
    assert steps_on(registry, info.name)
    after = supervisor_of(registry)
    assert after != before
    assert registry.find(info.name).process == info.process
    # Adopted: when its process dies, the new supervisor starts it again.
    os.kill(info.process.pid, signal.SIGKILL)
    assert eventually(lambda: registry.find(info.name).process not in {None, info.process})
