"""The form that starts sessions, in JupyterLab: by the keyboard, with wrong input, and after a reload."""

from typing import Any

import pytest

from tests.browser.lab import Lab, open_notebook, run_all, write_notebook
from tests.browser.pages import reachable

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

FORM = """
from tests.unit.panels.fake_doors import FakeDoors
from workbench.model import RiskConfig
from workbench.panels import ControlPanel
fake = FakeDoors()
panel = ControlPanel(fake.doors(), (), {}, RiskConfig())
panel
"""
FOCUSED = "() => document.activeElement.labels?.[0]?.innerText || document.activeElement.innerText"


def open_form(page: Any, lab: Lab, name: str) -> None:
    write_notebook(lab.root / f"{name}.ipynb", [FORM])
    open_notebook(page, lab, f"{name}.ipynb")
    run_all(page)
    page.wait_for_selector(".wb-start-form .wb-start")


def field(page: Any, label: str) -> Any:
    return page.locator(".wb-start-form .wb-field").filter(has=page.get_by_label(label, exact=True))


def start_button(page: Any) -> Any:
    return page.locator(".wb-start-form .wb-start")


def test_form_is_filled_in_and_started_by_the_keyboard(lab: Lab, page: Any) -> None:
    open_form(page, lab, "keyboard")
    assert [role for role, name in reachable(page) if not name] == []
    page.get_by_role("button", name="Look again").focus()
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
        if reached[-1] == "Start":
            break
    assert reached[0] == "Strategy"
    assert {"fast", "stop", "exchange", "cash", "name", "Stop loss", "Cooldown"} <= set(reached)
    page.keyboard.press("Enter")
    page.locator(".wb-pill", has_text="ACTIVE").wait_for()


def test_wrong_input_is_told_beside_its_field_without_moving_the_form(lab: Lab, page: Any) -> None:
    open_form(page, lab, "wrong")
    height = page.locator(".wb-start-form").bounding_box()["height"]
    for label, value in (("Stop loss", "5"), ("cash", "-1"), ("symbol", "BTC")):
        typed = page.locator(".wb-start-form").get_by_label(label, exact=True)
        typed.fill(value)
        typed.press("Enter")
    field(page, "Stop loss").get_by_text("✗ must be in (0, 1), was 5").wait_for()
    field(page, "cash").get_by_text("✗ must be above 0, was -1").wait_for()
    field(page, "symbol").get_by_text("✗ must be like BTC/USDT, was BTC").wait_for()
    assert start_button(page).is_disabled()
    assert page.locator(".wb-start-form").bounding_box()["height"] == height
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    field(page, "Stop loss").get_by_text("✗ must be in (0, 1), was 5").wait_for()  # the same after it
