"""Servers and a browser for the tests of this folder, or a reason why there are none; and what is left of a failure."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import HOW_TO_GET_ONE, chromium, find_chromium
from tests.browser.lab import REPOSITORY, Lab, Voila
from tests.browser.pages import KEEP_CELLS, PLENTY_MS, Watch, open_notebook, run_all, run_cell, write_notebook

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from workbench.live.process.registry import SessionRegistry

LEFT = REPOSITORY / "build" / "browser"
VIEWPORT = {"width": 1400, "height": 1300}
FAKE = """
from tests.unit.panels.fake_session import FakeSession, FakeSetup
from workbench.panels import session_panel
session = panel = chart = None
"""
FRESH = """
if panel is not None:
    session.stop()
    panel.close()
session = FakeSession(bars=200)
session.config = FakeSetup(execution="exchange")
session.run(8)
panel = session_panel(session)
panel
"""
_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember whether the test has failed, for the fixtures that end after it."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    missing = [name for name in ("playwright", "jupyterlab", "notebook") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)}: a browser test needs the extra packages [browser]")
    path = find_chromium()
    if path is None:
        pytest.skip(f"no chromium: {HOW_TO_GET_ONE}")
    return path


@pytest.fixture(scope="session")
def lab(chromium_path: Path, process_home: SessionRegistry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Serve a folder with the project's notebooks; its kernels find the sessions of `process_home`."""
    del chromium_path  # without one there is nothing to serve for
    root = tmp_path_factory.mktemp("notebooks")
    for folder in ("docs", "notebooks"):
        shutil.copytree(REPOSITORY / folder, root / folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    lab = Lab(root, environment=environment(process_home))
    yield lab
    lab.close()


@pytest.fixture
def voila(
    chromium_path: Path, process_home: SessionRegistry, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Voila]:
    """Serve a panel of a session as a page of its own."""
    del chromium_path
    if importlib.util.find_spec("voila") is None:
        pytest.skip("no voila: this test needs the extra packages [app]")
    write_notebook(tmp_path / "panel.ipynb", [FAKE, FRESH])
    server = Voila(tmp_path / "panel.ipynb", environment(process_home))
    yield server
    if request.node.stash.get(_FAILED, False):
        keep(request.node.name, "voila.log", server.log_path.read_bytes())
    server.close()


def environment(registry: SessionRegistry) -> dict[str, str]:
    return {"PYTHONPATH": str(REPOSITORY), "WORKBENCH_HOME": str(registry.root.parent)}


# Not for the whole run: while Playwright is up, no other test of this process could use asyncio.
@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    with chromium(chromium_path) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, lab: Lab, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Have an empty page; the kernels that the test started end with it."""
    with watched(browser, lab.address, request.node) as page:
        yield page
    lab.end_kernels()


@contextlib.contextmanager
def watched(browser: Browser, address: str, item: pytest.Item) -> Iterator[Page]:
    """Have a page of a new profile, and fail if it had errors or spoke to anybody but the server at the address."""
    context = open_context(browser)
    watch = Watch(context, address.partition("//")[2])
    page = context.new_page()
    page.watch = watch
    yield page
    finish(context, watch, item)
    context.close()


def open_context(browser: Browser) -> BrowserContext:
    context = browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(PLENTY_MS)
    return context


def finish(context: BrowserContext, watch: Watch, item: pytest.Item) -> None:
    """Look at what the test has left: a failure's pictures and words are kept, a sound test has had no errors."""
    if item.stash.get(_FAILED, False):
        for number, page in enumerate(context.pages):
            with contextlib.suppress(Exception):  # a page that hangs has no picture
                keep(item.name, f"{number}.png", page.screenshot(timeout=10_000))
        keep(item.name, "console.log", "\n".join([*watch.lines, *watch.strangers]).encode())
    else:
        assert watch.faults == []
        assert watch.strangers == []
    watch.faults.clear()


def keep(test: str, ending: str, content: bytes) -> None:
    LEFT.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w-]+", "-", test)
    (LEFT / f"{name}.{ending}").write_bytes(content)


class Desk:
    """An open notebook in which tests show one panel after the other: a page costs ten seconds, a panel one."""

    def __init__(self, browser: Browser, lab: Lab) -> None:
        self._browser, self._lab = browser, lab
        self._context: BrowserContext | None = None

    def show(self, fresh: str) -> Page:
        """Return the page with what the cell shows, and with nothing of the test before."""
        if self._context is None:
            self._context = open_context(self._browser)
            self._watch = Watch(self._context, self._lab.address.partition("//")[2])
            self._page: Any = self._context.new_page()
            self._page.watch = self._watch
            write_notebook(self._lab.root / "desk.ipynb", [FAKE])
            open_notebook(self._page, self._lab, "desk.ipynb")
            run_all(self._page)
        self._page.evaluate(KEEP_CELLS, 1)
        run_cell(self._page, fresh)
        self._page.wait_for_selector(".wb-live")
        return self._page

    def seat(self, item: pytest.Item, fresh: str) -> Iterator[Page]:
        """Have the page for one test; after a failure the next one gets a page and a kernel of its own."""
        try:
            yield self.show(fresh)
        except BaseException:
            item.stash[_FAILED] = True
            raise
        finally:
            finish(self._context, self._watch, item)
            if item.stash.get(_FAILED, False):
                self.close()

    def close(self) -> None:
        if self._context is not None:
            self._context.close()
            self._context = None
            self._lab.end_kernels()


@pytest.fixture(scope="module")
def desk(browser: Browser, lab: Lab) -> Iterator[Desk]:
    desk = Desk(browser, lab)
    yield desk
    desk.close()


@pytest.fixture
def panel(desk: Desk, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Have a page that shows the panel of a prepared session without a market."""
    yield from desk.seat(request.node, FRESH)
