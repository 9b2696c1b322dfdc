"""Sessions in JupyterLab: the quickstart as a user meets it, a page opened twice, a kernel that hangs and restarts."""

from typing import Any

import pytest

from tests.browser.conftest import FAKE, FRESH
from tests.browser.lab import Lab
from tests.browser.pages import (
    KEEP_CELLS,
    button,
    execute,
    open_notebook,
    run_all,
    run_cell,
    start_cell,
    wait_for_movement,
    wait_for_notebook,
    wait_for_state,
    write_notebook,
)
from tests.process_sessions import command
from workbench.live.process.registry import SessionRegistry

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

BY_HAND = """
by_hand = wb.paper(pick, timeframe="1m", cash=CASH, risk=risk, speed=1_000, name="by-hand", start=False)
by_hand.panel()
"""
START = """
import workbench as wb
session = wb.paper(wb.strategy.sma_cross(fast=3, slow=8), timeframe="1m", speed=60, name="survivor")
session.panel()
"""
# Holds the interpreter's lock until the process ends: no thread of the kernel gets a turn.
HANG = """
import ctypes
ctypes.PyDLL(None).sleep(3_600)
"""
ATTACH = """
import workbench as wb
session = wb.attach("survivor")
session.panel()
"""


def test_quickstart_runs_and_its_strategy_is_run_by_hand(lab: Lab, page: Any, registry: SessionRegistry) -> None:
    open_notebook(page, lab, "notebooks/00_quickstart.ipynb")
    run_all(page, timeout_ms=300_000)  # the very first session on a computer compiles the core
    run_cell(page, BY_HAND)
    wait_for_state(page, "PREPARED")
    button(page, "Start").click()
    wait_for_state(page, "ACTIVE")
    wait_for_movement(page)
    page.locator(".wb-table .wb-up, .wb-table .wb-down").last.wait_for()  # a fill
    button(page, "Pause").click()
    wait_for_state(page, "EXITS ONLY")
    button(page, "Resume").click()
    wait_for_state(page, "ACTIVE")
    button(page, "Flatten").click()
    page.locator(".wb-panel").last.locator(".wb-reason", has_text="flatten").wait_for()
    button(page, "Stop").click()
    wait_for_state(page, "STOPPED")
    run_cell(page, "assert by_hand.parity().is_identical\nassert by_hand.snapshot().positions == ()")
    assert page.watch.addresses > 50  # the watch has seen something, and it was all from here
    assert page.watch.strangers == []
    assert [info.name for info in registry.list() if not info.is_finished] == []


def test_panel_comes_back_after_a_reload_and_lives_in_a_second_tab(lab: Lab, page: Any) -> None:
    write_notebook(lab.root / "tabs.ipynb", [FAKE, FRESH])
    open_notebook(page, lab, "tabs.ipynb")
    run_all(page)
    button(page, "Start").click()
    wait_for_movement(page)
    execute(page, "docmanager:save")
    page.reload()
    wait_for_notebook(page)
    wait_for_state(page, "ACTIVE")
    wait_for_movement(page)
    second = page.context.new_page()
    open_notebook(second, lab, "tabs.ipynb")
    wait_for_state(second, "ACTIVE")
    wait_for_movement(second)
    button(second, "Pause").click()
    wait_for_state(page, "EXITS ONLY")
    wait_for_movement(page)
    wait_for_movement(second)
    button(page, "Stop").click()
    wait_for_state(second, "STOPPED")


def test_session_outlives_a_kernel_that_hangs_and_is_attached_to_after_its_restart(
    lab: Lab, page: Any, registry: SessionRegistry
) -> None:
    write_notebook(lab.root / "hang.ipynb", [START])
    open_notebook(page, lab, "hang.ipynb")
    run_all(page)
    wait_for_state(page, "ACTIVE")
    wait_for_movement(page)
    badge = page.locator(".wb-live-stale").first
    assert not badge.is_visible()
    start_cell(page, HANG)
    badge.wait_for()  # nothing comes from the kernel, and the panel does not look alive
    assert "stale" in badge.inner_text()
    done = command(registry, "flatten", "survivor")  # the way to the session that needs no kernel
    assert done.returncode == 0, done.stderr
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()")
    wait_for_notebook(page)
    page.evaluate(KEEP_CELLS, 1)  # without the cell that never came back
    run_cell(page, ATTACH)
    wait_for_state(page, "EXITS ONLY")
    assert badge.is_visible()  # the first panel belonged to the other kernel
    button(page, "Resume").click()
    wait_for_state(page, "ACTIVE")
    wait_for_movement(page)
    button(page, "Stop").click()
    wait_for_state(page, "STOPPED")
    run_cell(page, "assert session.parity().is_identical")
