"""F37: a strategy forks, and its child would keep the session's lock or outlive it."""

import os
import signal

from tests.process_sessions import eventually, process_config, until_another_process
from workbench.live.process.process_table import ProcessId, id_of
from workbench.live.process.registry import SessionRegistry
from workbench.strategy import Strategy, hold


class Forks(Strategy):
    """Leaves a child below Python, without any of its hooks, on its first bar."""

    def on_bar(self, now, position):
        import ctypes
        import os
        from pathlib import Path

        child = Path("child")
        if not child.exists() and now.close > 0 and position.is_flat:
            pid = ctypes.CDLL(None).fork()
            if pid == 0:
                while True:
                    os.read(os.pipe()[0], 1)
            child.write_text(str(pid))
        return hold()


def child_of(registry: SessionRegistry, name: str) -> ProcessId:
    path = registry.find(name).folder.path / "child"
    return id_of(int(eventually(lambda: path.exists() and path.read_text())))


def test_child_ends_with_a_session_that_is_stopped(registry: SessionRegistry) -> None:
    registry.start(process_config("f37-stopped", strategy=Forks()))
    child = child_of(registry, "f37-stopped")
    (ended,) = registry.stop("f37-stopped")
    assert (ended.state, ended.is_finished) == ("STOPPED", True)
    assert eventually(lambda: not child.is_alive)


def test_child_that_keeps_the_lock_does_not_keep_the_session_from_going_on(registry: SessionRegistry) -> None:
    first, _ = registry.start(process_config("f37-killed", strategy=Forks()))
    child = child_of(registry, "f37-killed")
    os.kill(first.process.pid, signal.SIGKILL)
    after = until_another_process(first)
    assert after.is_running
    assert not child.is_alive
