import threading
from typing import Any

import ipywidgets
import pytest

from tests.unit.panels.fake_session import FakeSession
from workbench.panels import SessionPanel, session_panel

CANARY = "<img src=x onerror=alert(1)>"


@pytest.fixture
def session() -> FakeSession:
    return FakeSession(bars=20)


@pytest.fixture
def panel(session: FakeSession) -> Any:
    panel = session_panel(session)
    yield panel
    panel.close()


def html(panel: SessionPanel) -> str:
    """Return all that the panel shows as markup."""
    found, waiting = [], [panel]
    while waiting:
        widget = waiting.pop()
        found += [widget.value] if isinstance(widget, ipywidgets.HTML) else []
        waiting += getattr(widget, "children", ())
    return "".join(found)


def press(button: Any) -> None:
    """Click a button and wait until its command is done."""
    button.click()
    for thread in threading.enumerate():
        if thread.name == "workbench-command":
            thread.join(10)


def enabled(panel: SessionPanel) -> list[str]:
    return [button.description for button in panel.controls.box.children if not button.disabled]


def test_prepared_session_can_be_started_and_nothing_else(panel: SessionPanel) -> None:
    assert enabled(panel) == ["Start"]


def test_buttons_command_the_handle_and_are_enabled_by_its_state(panel: SessionPanel, session: FakeSession) -> None:
    buttons = panel.controls
    steps = [
        (buttons.start, "start", ["Pause", "Flatten", "Stop"]),
        (buttons.pause, "pause", ["Resume", "Flatten", "Stop"]),
        (buttons.pause, "resume", ["Pause", "Flatten", "Stop"]),
        (buttons.flatten, "flatten", ["Resume", "Flatten", "Stop"]),
        (buttons.stop, "stop", []),
    ]
    for button, call, left in steps:
        press(button)
        panel.refresh()
        assert session.calls[-1] == call
        assert enabled(panel) == left


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("STARTING", ["Stop"]),
        ("STALE", ["Pause", "Flatten", "Stop"]),
        ("HALTED", ["Flatten", "Stop"]),
        ("STOPPING", []),
        ("FAILED", []),
    ],
)
def test_buttons_of_a_state(panel: SessionPanel, session: FakeSession, state: str, expected: list[str]) -> None:
    session.state = state
    panel.refresh()
    assert enabled(panel) == expected


def test_click_does_not_wait_for_its_command(panel: SessionPanel, session: FakeSession) -> None:
    go_on, done = threading.Event(), threading.Event()

    def take_long() -> None:
        go_on.wait(2)
        done.set()

    session.resume = take_long  # type: ignore[method-assign]
    session.pause()
    panel.refresh()
    panel.controls.pause.click()
    assert not done.is_set()
    go_on.set()
    assert done.wait(10)


def test_refused_command_is_shown_and_the_panel_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse() -> None:
        raise RuntimeError(f"no feed {CANARY}")

    refusing = FakeSession(bars=0)
    refusing.pause = refuse  # type: ignore[method-assign]
    other = session_panel(refusing)
    refusing.start()
    press(other.controls.pause)
    other.refresh()
    assert "Pause failed: no feed &lt;img" in html(other)
    assert "no feed" in caplog.text
    press(other.controls.stop)
    other.refresh()
    assert "Pause failed" not in html(other)
    other.close()


def test_session_with_a_wrong_parameter_cannot_be_started(panel: SessionPanel) -> None:
    panel.form.fields["fast"].input.value = 500
    panel.refresh()
    assert enabled(panel) == []
    assert "fast: 2 to 200, was 500" in html(panel)
    panel.form.fields["fast"].input.value = 20
    panel.refresh()
    assert enabled(panel) == ["Start"]


def test_panel_shows_state_figures_and_fills(panel: SessionPanel, session: FakeSession) -> None:
    session.start()
    session.enter()
    panel.refresh()
    text = html(panel)
    for expected in (
        "BTC/USDT",
        "1m · sma_cross",
        "PAPER · SIMULATED",
        "ACTIVE",
        "session btc-1",
        "step p99 85 µs",
        "BUY",
    ):
        assert expected in text


def test_names_and_errors_from_outside_stay_text() -> None:
    session = FakeSession(bars=1, symbol=CANARY, name=CANARY)
    session.reason = CANARY
    session.error_list.append(ValueError(CANARY))
    panel = session_panel(session)
    assert "<img" not in html(panel)
    assert "&lt;img" in html(panel)
    panel.close()


def test_many_panels_show_one_session(panel: SessionPanel, session: FakeSession) -> None:
    second = session_panel(session)
    press(panel.controls.start)
    for each in (panel, second):
        each.refresh()
        assert enabled(each) == ["Pause", "Flatten", "Stop"]
    press(second.controls.start)  # a late click of the other page does what the handle makes of it, once more
    assert session.calls == ["start", "start"]
    second.close()


def test_panel_of_a_finished_session_can_be_made(session: FakeSession) -> None:
    session.start()
    session.stop()
    panel = session_panel(session)
    assert enabled(panel) == []
    assert "STOPPED" in html(panel)
    panel.close()


def test_panel_without_a_page_has_no_thread(panel: SessionPanel, session: FakeSession) -> None:
    press(panel.controls.start)
    session.tick()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("workbench")] == []
    assert session.subscribers == []


def test_closing_a_panel_ends_its_writer_and_leaves_the_session_alone(session: FakeSession) -> None:
    session.start()
    panel = session_panel(session)
    panel.chart._handle_custom_msg({"kind": "beat"}, [])  # noqa: SLF001  as the page does
    assert panel.chart.is_writing
    panel.close()
    assert not panel.chart.is_writing
    assert (session.state, session.subscribers) == ("ACTIVE", [])


def test_unchanged_text_is_not_sent_again(panel: SessionPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(ipywidgets.Widget, "_send", lambda _self, msg, **_options: sent.append(msg["method"]))
    panel.refresh()
    assert sent == []


def test_repr_is_constant(panel: SessionPanel, session: FakeSession) -> None:
    session.tick()
    panel.refresh()
    assert repr(panel) == "SessionPanel('btc-1')"
