"""The dashboard, the panel of a sweep, and the pictures of panels in an exported notebook, in a browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.browser.conftest import VIEWPORT
from tests.browser.lab import REPOSITORY, Lab
from tests.browser.pages import open_notebook, reachable, run_all, run_cell, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

BOARD = """
from tests.unit.panels.fake_sessions import FakeSessions, many, overview
from workbench.panels import Dashboard
sessions = FakeSessions(many())
board = Dashboard(sessions)
board
"""
CRASH = "sessions.found[0] = overview('btc-day', state='CRASHED', reason='its process 4711 is gone')"
# Waits up to 25 s in the kernel; the page's heartbeat is missed after 10.
UNTIL_SILENT = """
import threading
pause = threading.Event()
assert any(not board.pane.is_writing or pause.wait(0.25) for _ in range(100))
"""
SWEEP = """
import workbench.api
from tests.unit.panels.fake_session import FakeSession
from workbench.model.synthetic import synthetic_bars
from workbench.panels.sweep_panel import SweepPanel
from workbench.research import sweep
from workbench.strategy import sma_cross
bars = synthetic_bars("BTC/USDT", "1h", 900, seed=3)
result = sweep(sma_cross(), bars, grid={"fast": (5, 10, 15), "slow": (20, 30)}, threads=1, progress=False)
papered = []
def paper(strategy, **terms):
    papered.append((dict(strategy.parameters), terms["name"]))
    return FakeSession(bars=30, name=terms["name"])
panel = SweepPanel(result, paper)
panel.choose(0)
panel
"""
PANEL = "from workbench.panels import session_panel\nsession_panel(FakeSession(bars=30))"
FIGURE = "result.heatmap()"
CALL = ".wb-call"
# Whether the name of a session, at the end of its panel's first line, is there and not cut.
NAMED = """() => {
  const name = document.querySelector('.wb-aside:not(:empty)');
  return name.clientWidth > 60 && name.scrollWidth <= name.clientWidth;
}"""


def open_cells(page: Any, lab: Lab, name: str, *cells: str) -> None:
    write_notebook(lab.root / f"{name}.ipynb", cells)
    open_notebook(page, lab, f"{name}.ipynb")
    run_all(page)


def row(page: Any, name: str) -> Any:
    return page.locator(f'.wb-sessions tr[data-value="{name}"]')


def test_dashboard_follows_its_sessions_and_opens_the_panel_of_one(lab: Lab, page: Any) -> None:
    open_cells(page, lab, "board", BOARD)
    row(page, "real-btc-1").get_by_text("REAL MONEY").wait_for()
    assert page.locator(".wb-sessions tbody tr").count() == 9
    assert page.locator(".wb-board-bar strong").bounding_box()["width"] > 50  # "Sessions", beside the buttons
    assert [role for role, name in reachable(page) if not name] == []
    run_cell(page, CRASH)
    row(page, "btc-day").get_by_text("CRASHED").wait_for()
    row(page, "grid-1").locator("td").nth(3).click()
    page.locator(".wb-aside", has_text="session grid-1").wait_for()
    page.locator(".wb-live").wait_for()
    page.set_viewport_size({"width": 600, "height": VIEWPORT["height"]})
    page.wait_for_function(NAMED)
    page.set_viewport_size(VIEWPORT)
    page.get_by_role("button", name="rsi-3", exact=True).focus()
    page.keyboard.press("Enter")
    page.locator(".wb-aside", has_text="session rsi-3").wait_for()
    # The rows were written anew meanwhile: the focus is where it was.
    assert page.evaluate("() => document.activeElement.dataset.key") == "open rsi-3"
    page.get_by_role("button", name="Hide finished (1)").click()
    row(page, "sma-1").wait_for(state="detached")


def test_stop_all_ends_what_it_named_after_a_second_thought(lab: Lab, page: Any) -> None:
    open_cells(page, lab, "stop-all", BOARD)
    page.get_by_role("button", name="Stop all (8)").click()
    question = page.get_by_role("alertdialog")
    question.get_by_text("REAL MONEY: real-btc-1").wait_for()
    page.get_by_role("button", name="Cancel").click()
    question.wait_for(state="detached")
    page.get_by_role("button", name="Stop all (8)").click()
    page.wait_for_timeout(600)  # a double click is one act
    page.get_by_role("button", name="End 8 sessions, keep positions").click()
    page.get_by_role("button", name="Stop all (0)").wait_for()
    assert page.locator(".wb-sessions tbody tr").count() == 1
    run_cell(page, "assert [(len(keys), flat) for keys, flat in sessions.stops] == [(8, False)]")


def test_kernel_writes_nothing_while_the_dashboard_is_out_of_sight(lab: Lab, page: Any) -> None:
    open_cells(page, lab, "board-hidden", BOARD)
    row(page, "btc-day").get_by_text("ACTIVE").wait_for()
    page.evaluate("() => { document.querySelector('.wb-dashboard').style.display = 'none'; }")
    run_cell(page, UNTIL_SILENT)
    run_cell(page, CRASH)
    page.evaluate("() => { document.querySelector('.wb-dashboard').style.display = ''; }")
    row(page, "btc-day").get_by_text("CRASHED").wait_for()
    assert not page.locator(".wb-pane-stale").is_visible()


def test_dead_kernel_is_told_by_a_badge(lab: Lab, page: Any) -> None:
    open_cells(page, lab, "board-stale", BOARD)
    row(page, "btc-day").get_by_text("ACTIVE").wait_for()
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()")
    page.locator(".wb-pane-stale").wait_for()


def test_cell_of_a_sweep_is_chosen_by_click_and_by_keys_and_papered(lab: Lab, page: Any) -> None:
    open_cells(page, lab, "sweep", SWEEP, "1")
    page.locator(CALL, has_text="fast=5, slow=20").wait_for()
    page.wait_for_selector(".wb-live[data-sequence]")
    assert [role for role, name in reachable(page) if not name] == []
    drawn = page.evaluate("() => Number(document.querySelector('.wb-live').dataset.sequence)")
    box = page.locator(".wb-map-box")
    size = box.bounding_box()
    box.click(position={"x": size["width"] * 0.9, "y": size["height"] * 0.2})
    page.locator(CALL, has_text="fast=15, slow=30").wait_for()
    page.wait_for_function(f"() => Number(document.querySelector('.wb-live').dataset.sequence) > {drawn}")
    page.locator(".wb-pane-tip", has_text="slow 30").wait_for()
    active = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    before = page.evaluate(active)
    page.keyboard.press("ArrowDown")
    page.locator(CALL, has_text="fast=15, slow=20").wait_for()
    assert "fast 15, slow 20: Sharpe" in page.get_by_role("status").inner_text()
    page.keyboard.press("ArrowLeft")
    page.locator(CALL, has_text="fast=10, slow=20").wait_for()
    assert page.evaluate(active) == before  # the arrows are the map's, not the notebook's
    page.get_by_role("button", name="Paper this").click()
    page.locator(".wb-aside", has_text="session sma-cross-10-20").wait_for()
    run_cell(page, "assert papered == [({'fast': 10, 'slow': 20, 'stop': 0.02}, 'sma-cross-10-20')]")


def test_page_of_make_demo_shows_a_picture_of_each_panel(lab: Lab, browser: Any) -> None:
    pytest.importorskip("nbconvert")
    write_notebook(lab.root / "exported.ipynb", (BOARD, SWEEP, PANEL, FIGURE))
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (words,) = re.findall(r"nbconvert (--to html .*)\s--output-dir ", makefile)
    command = [sys.executable, "-m", "nbconvert", *words.split(), str(lab.root / "exported.ipynb")]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=True, timeout=200)
    path = lab.root / "exported.html"
    context = browser.new_context(viewport={"width": 600, "height": 1000})
    page = context.new_page()
    page.route("http*://**", lambda route: route.abort())
    page.goto(path.as_uri())
    pictures = page.locator(".wb-still")
    assert pictures.count() == 3
    for place, expected in enumerate(("real-btc-1", "Plateau rank", "Day's P&L (UTC)")):
        assert pictures.nth(place).get_by_text(expected).first.is_visible()
    assert pictures.nth(2).locator(".wb-still-chart").bounding_box()["height"] > 100
    # Plotly's own drawing needs a script that this page has not.
    figure = page.locator(".jp-OutputArea-output img").last
    assert figure.evaluate("(image) => image.complete && image.naturalWidth") == 860
    assert figure.bounding_box()["height"] > 100
    # Nothing reaches beyond a narrow page but what scrolls in itself.
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    context.close()
