"""The panel and its live chart where they live: in JupyterLab, in a browser."""

import re
from typing import Any

import pytest

from tests.browser.conftest import keep
from tests.browser.pages import (
    PLENTY_MS,
    button,
    execute,
    reachable,
    run_cell,
    start_cell,
    wait_for_movement,
    wait_for_state,
    wait_for_theme,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

# Waits in the kernel; the page's heartbeat is missed after ten seconds.
UNTIL_SILENT = """
import threading
pause = threading.Event()
assert any(not panel.chart.is_writing or pause.wait(0.25) for _ in range(240))
assert session.subscribers == []
"""
TROUBLE = """
from workbench.live.records import ErrorRecord
session.error_list += [ErrorRecord(0, "strategy", 200 * "<img src=x onerror=alert(1)> ", "")] * 60
session.state, session.is_paused, session.halted = "HALTED", True, ("max_drawdown", "daily_loss")
session.reason = 5 * "the exchange has 0.2 BTC more than was booked; " + "reconcile() decides"
panel.chart.wake()
"""
# Python that runs, waits or computes in C for as long as nobody interrupts it. `sum` of a range holds the interpreter's
# lock for about a second at a time.
BUSY = {
    "sleeping": "import time\ntime.sleep(3_600)",
    "a loop of Python": "while True:\n    pass",
    "C that holds the lock": "while True:\n    sum(range(20_000_000))",
}
THEMES = {"dark": "JupyterLab Dark", "light": "JupyterLab Light"}


def test_session_is_run_from_its_panel(panel: Any) -> None:
    wait_for_state(panel, "PREPARED")
    assert [role for role, name in reachable(panel) if not name] == []
    fast = panel.get_by_label("fast", exact=True)
    fast.fill("500")
    fast.press("Enter")
    panel.get_by_text("fast: 2 to 200, was 500").wait_for()
    assert button(panel, "Start").is_disabled()
    fast.fill("12")
    fast.press("Enter")
    button(panel, "Start").click()
    wait_for_state(panel, "ACTIVE")
    assert fast.is_disabled()
    wait_for_movement(panel)
    button(panel, "Pause").click()
    wait_for_state(panel, "EXITS ONLY")
    button(panel, "Resume").click()
    wait_for_state(panel, "ACTIVE")
    button(panel, "Flatten").click()
    panel.locator(".wb-reason", has_text="flattened by the user").wait_for()
    button(panel, "Stop").click()
    wait_for_state(panel, "STOPPED")
    assert all(button(panel, name).is_disabled() for name in ("Start", "Pause", "Resume", "Flatten", "Stop", "Kill"))


def test_panel_keeps_its_height_whatever_happens_and_kills_at_the_second_click(panel: Any) -> None:
    button(panel, "Start").click()
    wait_for_movement(panel)
    height = panel.locator(".wb-panel").bounding_box()["height"]
    run_cell(panel, TROUBLE)
    panel.locator(".wb-reason", has_text="reconcile()").wait_for()
    for name in ("Clear breaker", "Adopt", "Adopt, flatten", "Ignore"):
        assert button(panel, name).is_visible()
    for title in ("Trades", "Denials", "Events", "Errors", "Risk"):
        panel.locator(".wb-tabs .lm-TabBar-tab", has_text=title).click()
        panel.locator(".wb-tabs .wb-scroll:visible").wait_for()
        assert panel.locator(".wb-panel").bounding_box()["height"] == height
    assert panel.locator(".wb-panel img").count() == 0
    button(panel, "Ignore").click()
    button(panel, "Ignore").wait_for(state="hidden")
    kill(panel)
    assert panel.locator(".wb-panel").bounding_box()["height"] == height


def kill(page: Any) -> None:
    """Click twice. A slow page may take so long that the first click is forgotten: then it is asked again."""
    from playwright.sync_api import TimeoutError as WaitedTooLong

    for _ in range(6):
        button(page, "Kill").click()
        button(page, "Kill now?").wait_for()
        page.wait_for_timeout(600)  # a double click is one act
        try:
            button(page, "Kill now?").click(timeout=5_000)
            page.locator(".wb-reason", has_text="killed by the user").wait_for(timeout=5_000)
        except WaitedTooLong:
            continue
        return
    raise AssertionError("the session was not killed")


@pytest.mark.parametrize("kind", BUSY)
def test_stop_acts_while_a_cell_is(kind: str, panel: Any) -> None:
    button(panel, "Start").click()
    wait_for_state(panel, "ACTIVE")
    start_cell(panel, BUSY[kind])
    prompt = panel.locator(".jp-InputPrompt").last
    panel.locator(".jp-InputPrompt", has_text="[*]:").wait_for()
    wait_for_movement(panel)  # the chart lives on as well
    button(panel, "Stop").click()
    wait_for_state(panel, "STOPPED")
    assert prompt.inner_text() == "[*]:"  # the cell still runs
    execute(panel, "notebook:interrupt-kernel")
    panel.locator(".jp-OutputArea", has_text="KeyboardInterrupt").last.wait_for(timeout=PLENTY_MS)


def test_kernel_sends_nothing_while_the_panel_is_out_of_sight(panel: Any) -> None:
    button(panel, "Start").click()
    wait_for_movement(panel)
    panel.evaluate("() => { document.querySelector('.wb-panel').style.display = 'none'; }")
    run_cell(panel, UNTIL_SILENT)
    panel.evaluate("() => { document.querySelector('.wb-panel').style.display = ''; }")
    wait_for_movement(panel)
    panel.locator(".wb-live-stale").wait_for(state="hidden")


def test_theme_is_taken_at_once(panel: Any) -> None:
    button(panel, "Start").click()
    wait_for_movement(panel)
    button(panel, "Stop").click()
    wait_for_state(panel, "STOPPED")  # no message comes any more that would draw it anew
    for theme, name in THEMES.items():
        execute(panel, "apputils:change-theme", theme=name)
        wait_for_theme(panel, theme)
        keep(f"panel-{theme}", "png", panel.locator(".wb-panel").screenshot())


def test_chart_can_be_looked_around_in(panel: Any) -> None:
    button(panel, "Start").click()
    wait_for_movement(panel)
    follow = button(panel, "Follow")
    assert follow.get_attribute("aria-pressed") == "true"
    box = panel.locator(".wb-live-plot").bounding_box()
    x, y = box["x"] + box["width"] / 3, box["y"] + 100
    panel.mouse.move(x, y)
    legend = panel.locator(".wb-live-legend")
    legend.get_by_text(re.compile("10-09")).first.wait_for()
    before = legend.inner_text()
    panel.mouse.move(x + 200, y)
    panel.wait_for_function("(text) => document.querySelector('.wb-live-legend').innerText !== text", arg=before)
    panel.mouse.down()
    panel.mouse.move(x + 400, y, steps=4)
    panel.mouse.up()
    panel.locator(".wb-live-button[aria-pressed=false]", has_text="Follow").wait_for()
    panel.mouse.dblclick(x, y)
    panel.locator(".wb-live-button[aria-pressed=true]", has_text="Follow").wait_for()
    axis = panel.evaluate("() => document.querySelector('.js-plotly-plot')._fullLayout.xaxis.type")
    assert axis == "date"
