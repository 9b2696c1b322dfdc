"""What pytest gets while it runs the notebooks: a home of their own, and the rule that they end what they started."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from tests.process_sessions import home
from workbench.live.process.registry import SessionRegistry

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

_REGISTRY = pytest.StashKey[SessionRegistry]()
_HELD = pytest.StashKey[ExitStack]()
_LEFT = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Give the notebooks' kernels a home that is not the user's, and the command line of this environment."""
    held = config.stash[_HELD] = ExitStack()
    config.stash[_LEFT] = []
    folder = Path(held.enter_context(TemporaryDirectory(prefix="wb-", ignore_cleanup_errors=True)))
    os.environ["WORKBENCH_HOME"] = str(folder)
    os.environ["WORKBENCH_RUNTIME_DIR"] = str(folder / "run")
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    config.stash[_REGISTRY] = held.enter_context(home(folder))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController) -> None:
    """Hear from a worker, whose own exit code nobody looks at, what its notebooks left running."""
    node.config.stash[_LEFT] += getattr(node, "workeroutput", {}).get("left_running", ())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail when a notebook has left a session running."""
    left = session.config.stash[_LEFT]
    left += [info.name for info in session.config.stash[_REGISTRY].list() if not info.is_finished]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_running"] = left
    elif left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"the notebooks left sessions running: {', '.join(left)}", red=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End whatever is left, the supervisor too."""
    config.stash[_HELD].close()
