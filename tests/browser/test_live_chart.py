"""The live chart where only a browser can tell: what is drawn, followed, coloured, and sent."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import Desk
from tests.browser.pages import execute, run_cell, wait_for_movement

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

FRESH = """
from workbench.charts.live import LiveChart
if chart is not None:
    session.stop()
    chart.close()
session = FakeSession(bars=200)
session.start()
session.run(8)
chart = LiveChart(session)
chart
"""
PAPER = """
import workbench as wb
session.stop()
chart.close()
risk = wb.RiskConfig(stop_loss=0.01)
session = wb.paper(wb.strategy.sma_cross(fast=5, slow=15), name='chart', speed=600, risk=risk)
chart = LiveChart(session)
chart
"""
TRACES = "() => document.querySelector('.js-plotly-plot')._fullData.map((trace) => trace.name)"
RANGE = "() => document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range.join()"
COLOURS = """() => [getComputedStyle(document.querySelector('.wb-live')).backgroundColor,
  document.querySelector('.js-plotly-plot')._fullLayout.paper_bgcolor]"""
DARK = ["rgb(17, 20, 24)", "#111418"]
LIGHT = ["rgb(255, 255, 255)", "#ffffff"]
# Waits in the kernel; the page's heartbeat is missed after ten seconds.
UNTIL_SILENT = """
import threading
pause = threading.Event()
assert any(not chart.is_writing or pause.wait(0.25) for _ in range(240))
"""
LISTEN_MS = 3_000


@pytest.fixture
def page(desk: Desk, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Have a page that shows the chart of a session that runs."""
    yield from desk.seat(request.node, FRESH)


def wait_until_pressed(page: Any, name: str, pressed: str) -> None:
    page.locator(f".wb-live-button[aria-pressed={pressed}]", has_text=name).wait_for()


def content_of(frame: dict[str, Any]) -> bytes:
    """Return what a web socket's frame holds; the browser's tools give binary ones (of opcode 2) as base64."""
    text: str = frame["payloadData"]
    return base64.b64decode(text) if frame["opcode"] == 2 else text.encode()


def widget_messages(frames: list[bytes]) -> list[bytes]:
    return [frame for frame in frames if b"comm_msg" in frame]


def test_chart_follows_until_it_is_dragged_and_again_at_a_press(page: Any) -> None:
    page.wait_for_selector(".wb-live[data-sequence]")
    wait_until_pressed(page, "Follow", "true")
    before = page.evaluate(RANGE)
    page.wait_for_function(f"(before) => ({RANGE})() !== before", arg=before)  # a bar has closed
    box = page.locator(".wb-live-plot").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 100, steps=4)
    page.mouse.up()
    wait_until_pressed(page, "Follow", "false")
    wait_for_movement(page)
    held = page.evaluate(RANGE)
    wait_for_movement(page)
    assert page.evaluate(RANGE) == held
    page.get_by_role("button", name="Follow", exact=True).click()
    wait_until_pressed(page, "Follow", "true")
    page.wait_for_function(f"(held) => ({RANGE})() !== held", arg=held)


def test_forming_candle_and_levels_move_without_plotly(page: Any) -> None:
    run_cell(page, "session.enter()")
    page.locator(".wb-live-tag", has_text="entry").wait_for()
    assert page.locator(".wb-live-shapes rect.wb-live-moving").count() >= 1
    assert page.locator(".wb-live-shapes line").count() >= 5  # entry, stop, target, trail, last price
    assert page.evaluate("() => document.querySelector('.js-plotly-plot').layout.shapes") is None
    last = ".wb-live-tag-solid .wb-live-tag-value"
    before = page.locator(last).first.inner_text()
    page.wait_for_function("([last, before]) => document.querySelector(last).innerText !== before", arg=[last, before])


def test_chart_takes_the_colours_of_the_page_at_once(page: Any) -> None:
    page.wait_for_selector(".wb-live[data-sequence]")
    assert page.evaluate(COLOURS) == LIGHT
    execute(page, "apputils:change-theme", theme="JupyterLab Dark")
    page.wait_for_function(f"() => String(({COLOURS})()) === {str(','.join(DARK))!r}")
    execute(page, "apputils:change-theme", theme="JupyterLab Light")
    page.wait_for_function(f"() => String(({COLOURS})()) === {str(','.join(LIGHT))!r}")


def test_nothing_is_sent_to_a_chart_out_of_sight(page: Any) -> None:
    page.wait_for_selector(".wb-live[data-sequence]")
    wait_for_movement(page)
    frames: list[bytes] = []
    wire = page.context.new_cdp_session(page)
    wire.on("Network.webSocketFrameReceived", lambda event: frames.append(content_of(event["response"])))
    wire.send("Network.enable")
    wait_for_movement(page)
    assert len(widget_messages(frames)) >= 3  # the wire is listened to
    page.evaluate("() => { document.querySelector('.wb-live').style.display = 'none'; }")
    run_cell(page, UNTIL_SILENT)
    frames.clear()
    page.wait_for_timeout(LISTEN_MS)
    assert widget_messages(frames) == []
    page.evaluate("() => { document.querySelector('.wb-live').style.display = ''; }")
    wait_for_movement(page)
    page.locator(".wb-live-stale").wait_for(state="hidden")


def test_strategy_and_its_backtest_are_drawn_beside_the_session(page: Any) -> None:
    run_cell(page, PAPER)
    backtest = page.get_by_role("button", name="Backtest", exact=True)
    backtest.wait_for()  # may compile first
    page.locator(".wb-live-key", has_text="sma(close, 15)").wait_for()
    page.locator(".wb-live-key", has_text="Session ahead by").wait_for()
    shown = page.evaluate(TRACES)
    assert {"price", "volume up", "sma(close, 5)", "sma(close, 15)", "backtest", "gap", "equity"} <= set(shown)
    backtest.click()
    wait_until_pressed(page, "Backtest", "false")
    assert {"backtest", "gap"} & set(page.evaluate(TRACES)) == set()
    backtest.click()
    wait_until_pressed(page, "Backtest", "true")
    run_cell(page, "session.kill()\nchart.close()\nchart = None")
