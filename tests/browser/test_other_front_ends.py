"""The same panel without JupyterLab around it: in Notebook, in Voila, and in a page that knows nothing of Jupyter."""

import base64
from typing import Any

import pytest

from tests.browser.conftest import FAKE, FRESH, environment, keep, watched
from tests.browser.lab import REPOSITORY, Lab, Voila
from tests.browser.pages import (
    PLENTY_MS,
    button,
    open_notebook,
    run_all,
    wait_for_movement,
    wait_for_state,
    wait_for_theme,
    write_notebook,
)
from tests.unit.panels.fake_session import FakeSession
from workbench.charts.live_assets import module_source, style_sheet
from workbench.charts.live_palette import LIVE_COLORS
from workbench.charts.live_stream import ChartStream
from workbench.live.process.registry import SessionRegistry
from workbench.panels import markup

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

# Stands for the model that a front end of widgets hands to a chart: traits, and messages both ways.
MODEL = """async ([source, traits]) => {
  const listeners = new Set();
  window.asked = [];
  const model = {
    get: (name) => traits[name],
    on: (event, listener) => { if (event === 'msg:custom') listeners.add(listener); },
    off: (event, listener) => listeners.delete(listener),
    send: (content) => window.asked.push(content.kind),
  };
  window.tell = (content, texts) => {
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    for (const listener of listeners) listener(content, texts.map((text) => new DataView(bytes(text).buffer)));
  };
  const module = await import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
  module.default.initialize({ model });
  module.default.render({ model, el: document.querySelector('#place') });
}"""


def use(page: Any) -> None:
    """Run the session of a panel from beginning to end."""
    wait_for_state(page, "PREPARED")
    button(page, "Start").click()
    wait_for_state(page, "ACTIVE")
    wait_for_movement(page)
    button(page, "Pause").click()
    wait_for_state(page, "EXITS ONLY")
    button(page, "Stop").click()
    wait_for_state(page, "STOPPED")


def test_panel_works_in_notebook(lab: Lab, page: Any) -> None:
    write_notebook(lab.root / "notebook.ipynb", [FAKE, FRESH])
    open_notebook(page, lab, "notebook.ipynb", front="notebooks")
    assert page.evaluate("() => window.jupyterapp.name") == "Jupyter Notebook"
    run_all(page)
    use(page)
    page.watch.forgive("(reading 'schema')")  # Notebook 7.6 says so when it opens an empty notebook, too
    # Its file browser goes to the notebook's folder by a command that it registers on the page of files only; whether
    # it tries depends on what starts first, the file browser or the route.
    page.watch.forgive("Command 'filebrowser:open-path' not registered.")


def test_panel_works_in_voila(voila: Voila, browser: Any, request: pytest.FixtureRequest) -> None:
    """Voila's own page asks a foreign host for symbols; `voila.json` has the browser refuse that."""
    with watched(browser, voila.address, request.node) as page:
        page.goto(f"{voila.address}/?token={voila.token}")
        page.wait_for_selector(".wb-live", timeout=PLENTY_MS)
        use(page)
        keep("voila", "png", page.screenshot())


def test_desk_of_make_app_opens_and_stays_open(
    registry: SessionRegistry, browser: Any, request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("voila", reason="this test needs the extra packages [app]")
    server = Voila(REPOSITORY / "notebooks" / "09_open_the_desk.ipynb", environment(registry))
    try:
        with watched(browser, server.address, request.node) as page:
            page.goto(f"{server.address}/?token={server.token}")
            page.locator(".wb-start-form").get_by_role("button", name="Start", exact=True).wait_for(timeout=PLENTY_MS)
            page.locator(".wb-dashboard", has_text="Stop all").wait_for(timeout=PLENTY_MS)
            assert page.get_by_text("Error displaying widget").count() == 0
    finally:
        server.close()


def test_page_of_voila_wants_its_token(voila: Voila, browser: Any, request: pytest.FixtureRequest) -> None:
    with watched(browser, voila.address, request.node) as page:
        page.goto(voila.address)
        assert "login" in page.url
        assert page.locator(".wb-panel").count() == 0


def tell(page: Any, messages: Any) -> None:
    for message in messages:
        page.evaluate(
            "([content, texts]) => window.tell(content, texts)",
            [message.content, [base64.b64encode(buffer).decode() for buffer in message.buffers]],
        )


def test_chart_and_panel_take_the_theme_of_a_page_without_jupyter(browser: Any, request: pytest.FixtureRequest) -> None:
    session = FakeSession(bars=60)
    stream = ChartStream(session)
    traits = {
        "uid": "one",
        "title": {"symbol": "BTC/USDT", "timeframe": "1m", "quote": "USDT", "mode": "paper", "is_shown": True},
        "timeframe_ms": 60_000,
        "height": 400,
        "palettes": {name: dict(colors) for name, colors in LIVE_COLORS.items()},
        "font": "sans-serif",
    }
    with watched(browser, "http://nobody", request.node) as page:
        page.emulate_media(color_scheme="dark")
        style = f"<style>{style_sheet()}</style>{markup.style_sheet()}"
        page.set_content(f"{style}<body><div class='wb-panel'><div id='place'></div></div></body>")
        page.evaluate(MODEL, [module_source(), traits])
        page.wait_for_function("() => ['snapshot', 'script'].every((kind) => window.asked.includes(kind))")
        for kind in ("snapshot", "script"):
            stream.hear({"kind": kind})
        tell(page, stream.pump())
        page.wait_for_selector(".wb-live[data-sequence]")
        wait_for_theme(page, "dark")
        page.emulate_media(color_scheme="light")
        wait_for_theme(page, "light")  # at once: nothing more was told
        keep("plain-light", "png", page.screenshot())
        # The editor says more than the system does.
        page.evaluate("() => document.body.classList.add('vscode-dark')")
        wait_for_theme(page, "dark")
        keep("plain-dark", "png", page.screenshot())
        page.emulate_media(color_scheme="dark")
        page.evaluate("() => { document.body.className = 'vscode-light'; }")
        wait_for_theme(page, "light")
        page.evaluate("() => { document.body.className = ''; document.body.dataset.jpThemeLight = 'true'; }")
        wait_for_theme(page, "light")
