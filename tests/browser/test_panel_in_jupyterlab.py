"""The panel and its live chart where they live: in JupyterLab, in a browser."""

from typing import Any

import pytest

from tests.browser.lab import Lab, open_notebook, run_all, run_cell, start_cell, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

FAKE = """
from tests.unit.panels.fake_session import FakeSession
from workbench.panels import session_panel
session = FakeSession(bars=200)
session.run(8)
"""
PANEL = "panel = session_panel(session)\npanel"
# Waits up to 25 s in the kernel; the page's heartbeat is missed after 10.
UNTIL_SILENT = """
import threading
pause = threading.Event()
assert any(not panel.chart.is_writing or pause.wait(0.25) for _ in range(100))
assert session.subscribers == []
"""
TROUBLE = """
from workbench.live.records import ErrorRecord
session.error_list += [ErrorRecord(0, "strategy", 200 * "<img src=x onerror=alert(1)> ", "")] * 60
session.state, session.is_paused, session.halted = "HALTED", True, ("max_drawdown", "daily_loss")
session.reason = 5 * "the exchange has 0.2 BTC more than was booked; " + "reconcile() decides"
panel.chart.wake()
"""
BUSY = "import threading\nthreading.Event().wait(8)"

SEQUENCE = "() => Number(document.querySelector('.wb-live').dataset.sequence ?? 0)"


def open_panel(page: Any, lab: Lab, name: str, *cells: str) -> None:
    write_notebook(lab.root / f"{name}.ipynb", cells)
    open_notebook(page, lab, f"{name}.ipynb")
    run_all(page)
    page.wait_for_selector(".wb-live", timeout=30_000)


def button(page: Any, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


def wait_for_state(page: Any, state: str, timeout_ms: float = 10_000) -> None:
    page.locator(".wb-pill", has_text=state).wait_for(timeout=timeout_ms)


def wait_for_movement(page: Any) -> None:
    """Wait until the chart has drawn three more messages of the kernel."""
    seen = page.evaluate(SEQUENCE)
    page.wait_for_function(f"({SEQUENCE})() >= {seen + 3}", timeout=15_000)


def test_session_is_run_from_its_panel(lab: Lab, page: Any) -> None:
    open_panel(page, lab, "run", FAKE, PANEL)
    wait_for_state(page, "PREPARED")
    fast = page.locator(".wb-field input").first
    fast.fill("500")
    fast.press("Enter")
    page.get_by_text("fast: 2 to 200, was 500").wait_for(timeout=5_000)
    assert button(page, "Start").is_disabled()
    fast.fill("12")
    fast.press("Enter")
    button(page, "Start").click()
    wait_for_state(page, "ACTIVE")
    assert fast.is_disabled()
    wait_for_movement(page)
    button(page, "Pause").click()
    wait_for_state(page, "EXITS ONLY")
    button(page, "Resume").click()
    wait_for_state(page, "ACTIVE")
    button(page, "Flatten").click()
    page.locator(".wb-reason", has_text="flattened by the user").wait_for(timeout=5_000)
    button(page, "Stop").click()
    wait_for_state(page, "STOPPED")
    assert all(button(page, name).is_disabled() for name in ("Start", "Pause", "Resume", "Flatten", "Stop", "Kill"))


def test_panel_keeps_its_height_whatever_happens_and_kills_at_the_second_click(lab: Lab, page: Any) -> None:
    open_panel(page, lab, "height", FAKE, PANEL)
    button(page, "Start").click()
    wait_for_movement(page)
    height = page.locator(".wb-panel").bounding_box()["height"]
    run_cell(page, TROUBLE)
    page.locator(".wb-reason", has_text="reconcile()").wait_for(timeout=5_000)
    for name in ("Clear breaker", "Adopt", "Adopt, flatten", "Ignore"):
        assert button(page, name).is_visible()
    for title in ("Trades", "Denials", "Events", "Errors", "Risk"):
        page.locator(".wb-tabs .lm-TabBar-tab", has_text=title).click()
        page.locator(".wb-tabs .wb-scroll:visible").wait_for(timeout=5_000)
        assert page.locator(".wb-panel").bounding_box()["height"] == height
    assert page.locator(".wb-panel img").count() == 0
    button(page, "Ignore").click()
    button(page, "Ignore").wait_for(state="hidden", timeout=5_000)
    button(page, "Kill").click()
    button(page, "Kill now?").wait_for(timeout=5_000)
    page.wait_for_timeout(600)  # a double click is one act
    button(page, "Kill now?").click()
    page.locator(".wb-reason", has_text="killed by the user").wait_for(timeout=5_000)
    assert page.locator(".wb-panel").bounding_box()["height"] == height


@pytest.mark.timeout(400)
def test_paper_session_trades_and_ends_identical_to_its_backtest(lab: Lab, page: Any) -> None:
    prepare = "session = wb.paper(wb.strategy.sma_cross(fast=5, slow=15), name='browser', speed=1000, start=False)"
    open_panel(page, lab, "paper", "import workbench as wb", prepare, "session.panel()")
    button(page, "Start").click()
    page.locator(".wb-table .wb-up, .wb-table .wb-down").first.wait_for(timeout=240_000)  # a fill; may compile first
    wait_for_movement(page)
    button(page, "Stop").click()
    wait_for_state(page, "STOPPED")
    run_cell(page, "assert session.parity().is_identical")


def test_stop_acts_while_a_cell_is_running(lab: Lab, page: Any) -> None:
    open_panel(page, lab, "busy", FAKE, PANEL)
    button(page, "Start").click()
    wait_for_state(page, "ACTIVE")
    start_cell(page, BUSY)
    wait_for_movement(page)  # the chart lives on as well
    button(page, "Stop").click()
    wait_for_state(page, "STOPPED", timeout_ms=3_000)
    assert page.locator(".jp-InputPrompt").last.inner_text() == "[*]:"  # the cell still runs


def test_panel_comes_back_after_the_page_was_reloaded(lab: Lab, page: Any) -> None:
    open_panel(page, lab, "reload", FAKE, PANEL)
    button(page, "Start").click()
    wait_for_movement(page)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    page.wait_for_selector(".wb-live[data-sequence]", timeout=30_000)
    wait_for_state(page, "ACTIVE")
    wait_for_movement(page)


def test_kernel_sends_nothing_while_the_panel_is_out_of_sight(lab: Lab, page: Any) -> None:
    open_panel(page, lab, "hidden", FAKE, PANEL)
    button(page, "Start").click()
    wait_for_movement(page)
    page.evaluate("() => { document.querySelector('.wb-panel').style.display = 'none'; }")
    run_cell(page, UNTIL_SILENT)
    page.evaluate("() => { document.querySelector('.wb-panel').style.display = ''; }")
    wait_for_movement(page)
    assert not page.locator(".wb-live-stale").is_visible()


def test_dead_kernel_is_told_by_a_badge(lab: Lab, page: Any) -> None:
    open_panel(page, lab, "stale", FAKE, PANEL)
    button(page, "Start").click()
    wait_for_movement(page)
    badge = page.locator(".wb-live-stale")
    assert not badge.is_visible()
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()")
    badge.wait_for(timeout=20_000)
    assert "stale" in badge.inner_text()


def test_chart_can_be_looked_around_in(lab: Lab, page: Any) -> None:
    open_panel(page, lab, "gestures", FAKE, PANEL)
    button(page, "Start").click()
    wait_for_movement(page)
    follow = button(page, "Follow")
    assert follow.get_attribute("aria-pressed") == "true"
    box = page.locator(".wb-live-plot").bounding_box()
    x, y = box["x"] + box["width"] / 3, box["y"] + 100
    page.mouse.move(x, y)
    legend = page.locator(".wb-live-legend")
    legend.get_by_text("10-09").wait_for(timeout=5_000)
    before = legend.inner_text()
    page.mouse.move(x + 200, y)
    page.wait_for_function("(text) => document.querySelector('.wb-live-legend').innerText !== text", arg=before)
    page.mouse.down()
    page.mouse.move(x + 400, y, steps=4)
    page.mouse.up()
    page.locator(".wb-live-button[aria-pressed=false]").wait_for(timeout=5_000)
    page.mouse.dblclick(x, y)
    page.locator(".wb-live-button[aria-pressed=true]").wait_for(timeout=5_000)
    axis = page.evaluate("() => document.querySelector('.js-plotly-plot')._fullLayout.xaxis.type")
    assert axis == "date"
