"""Which chromium the tests drive, and how it is started. `python -m tests.browser.chromium` says which."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_GET_ONE = "install the system's package chromium, run `make test-browser`, or name one in the variable CHROMIUM"

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


def find_chromium() -> Path | None:
    """Return the chromium that `CHROMIUM` names, else the system's, else the one that Playwright has fetched."""
    named = os.environ.get("CHROMIUM")
    if named is not None:
        return Path(named) if Path(named).exists() else None
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else _fetched_chromium()


def _fetched_chromium() -> Path | None:
    default = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "ms-playwright"
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", default))
    names = ("chrome", "headless_shell", "chrome-headless-shell", "Chromium", "Google Chrome for Testing")
    found = [path for path in folder.glob("chromium*/**/*") if path.name in names and os.access(path, os.X_OK)]
    return max((path for path in found if path.is_file()), default=None)


@contextlib.contextmanager
def chromium(path: Path) -> Iterator[Browser]:
    """Yield a running browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(path), headless=True, args=list(FLAGS), chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def browser(width: int = 1400, height: int = 1300) -> Iterator[BrowserContext]:
    """Yield a profile of its own in a browser of its own."""
    path = find_chromium()
    if path is None:
        raise RuntimeError(f"no chromium was found: {HOW_TO_GET_ONE}")
    with chromium(path) as running, running.new_context(viewport={"width": width, "height": height}) as context:
        yield context


def main() -> int:
    """Say which chromium was found."""
    found = find_chromium()
    sys.stdout.write(f"{found}\n" if found else f"no chromium was found: {HOW_TO_GET_ONE}\n")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
