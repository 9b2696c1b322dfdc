"""A chart of a session of two symbols, in which the page chooses the other one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import Desk
from tests.browser.pages import run_cell, wait_for_movement

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

# ETH/USDT costs about a tenth of BTC/USDT's 100, so a price tells whose it is.
CLOSE = """
if panel is not None:
    panel.close()
if session is not None:
    session.kill()
    session.close()
"""
OVER = (
    CLOSE
    + """
from tests.unit.live.markets import ETH, bars_of, run_to_end, session_config, walk
from workbench.model import Bars, RiskConfig
from workbench.strategy import sma_cross
bars = Bars.join([walk(120), bars_of(walk(120, seed=2).values[3, 0] / 10, symbol=ETH)])
risk = RiskConfig(stop_loss=0.05)
session = run_to_end(session_config(bars, strategy=sma_cross(fast=3, slow=8), risk=risk))
held = {one.symbol: one.entry_price for one in session.snapshot().positions}
assert set(held) == {'ETH/USDT'}, held
panel = session_panel(session)
panel
"""
)
RUNNING = (
    CLOSE
    + """
import workbench as wb
cross = wb.strategy.sma_cross(fast=5, slow=15)
session = wb.paper(cross, symbol=['BTC/USDT', 'ETH/USDT'], name='two-symbols', speed=600)
panel = session_panel(session)
panel
"""
)
TITLE = "() => document.querySelector('.wb-live-pane').innerText"
CLOSES = "() => document.querySelector('.js-plotly-plot')._fullData.find((one) => one.name === 'price').close"
LEVEL = (
    "() => document.querySelector('.js-plotly-plot')._fullData.find((one) => one.name === 'sma(close, 3)')?.y ?? [NaN]"
)


@pytest.fixture
def over(desk: Desk, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Have a page with the panel of a session that is over, and holds ETH/USDT at its end."""
    yield from desk.seat(request.node, OVER)


@pytest.fixture
def running(desk: Desk, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Have a page with the panel of a session that runs in a process of its own."""
    yield from desk.seat(request.node, RUNNING)


def chooser_of(page: Any) -> Any:
    return page.get_by_role("combobox", name="Symbol of the chart").last


def wait_for_title(page: Any, symbol: str) -> None:
    page.wait_for_function(f"(symbol) => ({TITLE})().startsWith(`Price of ${{symbol}}`)", arg=symbol)


def test_other_symbol_is_chosen_by_the_keyboard_and_brings_its_candles_and_levels(over: Any) -> None:
    page = over
    wait_for_title(page, "BTC/USDT")
    page.locator(".wb-live-key", has_text="sma(close, 3)").wait_for()
    assert page.locator(".wb-live-tag", has_text="entry").count() == 0
    assert min(page.evaluate(CLOSES)) > 50
    chooser = chooser_of(page)
    assert chooser.locator("option").all_inner_texts() == ["BTC/USDT", "ETH/USDT"]
    equity = page.locator(".wb-live-field-equity b").inner_text()
    chooser.focus()
    page.keyboard.press("ArrowDown")
    wait_for_title(page, "ETH/USDT")
    page.wait_for_function(f"() => Math.max(...({CLOSES})()) < 20")
    page.wait_for_function(f"() => Math.max(...({LEVEL})()) < 20")
    page.locator(".wb-live-tag", has_text="entry").wait_for()
    page.locator(".wb-label", has_text="Last price, ETH").wait_for()
    assert page.locator(".wb-live-field-equity b").inner_text() == equity  # the account's
    assert page.locator(".wb-live-is-turning").count() == 0
    assert page.evaluate("() => document.activeElement.tagName") == "SELECT"  # the notebook took no key of it
    page.keyboard.press("ArrowUp")
    wait_for_title(page, "BTC/USDT")
    page.locator(".wb-live-tag", has_text="entry").wait_for(state="detached")
    page.wait_for_function(f"() => Math.min(...({CLOSES})()) > 50")


def test_choice_moves_with_the_prices_and_outlives_a_view(running: Any) -> None:
    page = running
    page.wait_for_selector(".wb-live[data-sequence]")
    chooser_of(page).select_option("ETH/USDT")
    wait_for_title(page, "ETH/USDT")
    wait_for_movement(page)
    page.wait_for_function(f"() => Math.max(...({CLOSES})()) < 20_000")
    run_cell(page, "panel")
    page.locator(".wb-live").last.scroll_into_view_if_needed()  # out of sight it is not drawn
    page.wait_for_function("() => document.querySelectorAll('.wb-live[data-sequence]').length === 2")
    assert chooser_of(page).input_value() == "ETH/USDT"
    run_cell(page, "assert panel.chart.symbol == 'ETH/USDT'\nassert session.plot(symbol='ETH/USDT').data")
    run_cell(page, "session.kill()\nsession.close()\nsession = None")
