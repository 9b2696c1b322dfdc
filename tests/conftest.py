"""What every test gets: reproducible Hypothesis runs, a home of its own, and that who starts a thread stops it."""

import os
import threading
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from workbench.live.process.registry import SessionRegistry

# No test looks at the sessions of whoever runs it, nor leaves one among them.
HOME = TemporaryDirectory(prefix="wb-", ignore_cleanup_errors=True)
os.environ["WORKBENCH_HOME"] = HOME.name

# No deadline: a property's first example may compile a kernel. The same examples in each run (derandomize): a failure
# that CI shows is there on a developer's machine too; `--hypothesis-profile=search` looks for new ones.
settings.register_profile(
    "repeat", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "search", deadline=None, derandomize=False, max_examples=1_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeat")

# Threads that belong to a library and live as long as the process by its design.
# The last one is what jupyter_core runs its coroutines on, for as long as the process lives.
LIBRARY_THREADS = ("IPython", "Tqdm", "tqdm", "TMonitor", "MainThread - runner")
JOIN_TIMEOUT_S = 60.0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow tests, each in its random order: one that began last would be waited for alone."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def no_thread_outlives_its_test() -> Iterator[None]:
    """Fail a test that leaves a thread running."""
    before = set(threading.enumerate())
    yield
    started = [thread for thread in threading.enumerate() if thread not in before]
    for thread in started:
        if not thread.name.startswith(LIBRARY_THREADS):
            thread.join(JOIN_TIMEOUT_S)
            assert not thread.is_alive(), f"the test left thread {thread.name!r} running"


@pytest.fixture(scope="session")
def process_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SessionRegistry"]:
    """Have one home with a warm supervisor for all tests that start sessions in processes of their own."""
    from tests.process_sessions import home

    with home(tmp_path_factory.mktemp("home")) as registry:
        yield registry


@pytest.fixture
def registry(process_home: "SessionRegistry") -> Iterator["SessionRegistry"]:
    """Have that home, and end the sessions that a test leaves running."""
    from tests.process_sessions import end_all

    yield process_home
    end_all(process_home)
