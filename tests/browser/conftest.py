"""A laboratory and a browser for the tests of this folder, or a reason why there is none."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.lab import CHROMIUM, Lab, browser

REPOSITORY = Path(__file__).parents[2]


def what_is_missing() -> str:
    missing = [name for name in ("playwright", "jupyterlab") if importlib.util.find_spec(name) is None]
    missing += [] if CHROMIUM.exists() else [f"{CHROMIUM} (or the variable CHROMIUM with another path)"]
    return ", ".join(missing)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if missing := what_is_missing():
        pytest.skip(f"a browser test needs {missing}")
    lab = Lab(tmp_path_factory.mktemp("notebooks"), pythonpath=[REPOSITORY])
    yield lab
    lab.close()


@pytest.fixture
def page(lab: Lab) -> Iterator[object]:  # a page of Playwright, which may not be installed
    with browser() as context:
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        yield page
        lab.end_kernels()
        assert page.faults == []
