import threading
from typing import Any

import ipywidgets
import pytest

from tests.unit.panels.fake_session import FakeSession, FakeSetup
from workbench.errors import SessionTimeoutError
from workbench.live.health import SessionHealth
from workbench.live.records import SessionEvent
from workbench.panels import SessionPanel, session_panel

DIFFERENCE = "the exchange has 0.2 BTC more than was booked (1.2, not 1), seen since 2025-10-09 09:00:00"
CANARY = "<img src=x onerror=alert(1)>"


@pytest.fixture
def session() -> FakeSession:
    return FakeSession(bars=20)


@pytest.fixture
def panel(session: FakeSession) -> Any:
    panel = session_panel(session)
    yield panel
    panel.close()


@pytest.fixture
def at_exchange(session: FakeSession) -> Any:
    session.config = FakeSetup(execution="exchange")
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
            thread.join(60)


def enabled(panel: SessionPanel) -> list[str]:
    return [button.description for button in panel.controls.buttons.values() if not button.disabled]


def test_prepared_session_can_be_started_and_nothing_else(panel: SessionPanel) -> None:
    assert enabled(panel) == ["Start"]


def test_buttons_command_the_handle_and_are_enabled_by_its_state(panel: SessionPanel, session: FakeSession) -> None:
    steps = [
        ("start", ["Pause", "Flatten", "Stop", "Kill"]),
        ("pause", ["Resume", "Flatten", "Stop", "Kill"]),
        ("resume", ["Pause", "Flatten", "Stop", "Kill"]),
        ("flatten", ["Resume", "Flatten", "Stop", "Kill"]),
        ("stop", []),
    ]
    for call, left in steps:
        press(panel.controls.buttons[call])
        panel.refresh()
        assert session.calls[-1] == call
        assert enabled(panel) == left


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("STARTING", ["Stop", "Kill"]),
        ("RECOVERING", ["Stop", "Kill"]),
        ("STALE", ["Pause", "Flatten", "Stop", "Kill"]),
        ("HALTED", ["Flatten", "Stop", "Kill"]),
        ("STOPPING", ["Kill"]),
        ("UNREACHABLE", ["Stop", "Kill"]),
        ("CRASHED", []),
        ("FAILED", []),
    ],
)
def test_buttons_of_a_state(panel: SessionPanel, session: FakeSession, state: str, expected: list[str]) -> None:
    session.state = state
    panel.refresh()
    assert enabled(panel) == expected


def test_tripped_breaker_can_be_cleared(panel: SessionPanel, session: FakeSession) -> None:
    session.state, session.halted = "HALTED", ("max_drawdown",)
    panel.refresh()
    assert "Clear breaker" in enabled(panel)
    press(panel.controls.buttons["clear_breaker"])
    panel.refresh()
    assert session.calls == ["clear_breaker"]
    assert "Clear breaker" not in enabled(panel)


def test_reason_names_the_button_and_what_went_wrong_with_an_order(panel: SessionPanel, session: FakeSession) -> None:
    session.state, session.reason = "HALTED", "max_drawdown tripped; clear_breaker() allows entries again"
    session.event_list.append(SessionEvent(2**62, "order", f"order 4 was rejected: {CANARY}"))
    panel.refresh()
    text = html(panel)
    assert "max drawdown tripped; the button Clear breaker allows entries again" in text
    assert "order 4 was rejected: &lt;img" in text
    assert CANARY not in text
    session.state, session.reason = "STOPPED", "stopped by the user"
    panel.refresh()
    assert " · ▲ " not in html(panel)  # nobody waits for that order any more


def test_session_that_no_exchange_can_contradict_keeps_no_room_for_answers(
    panel: SessionPanel, at_exchange: SessionPanel
) -> None:
    assert [name for name in at_exchange.controls.buttons if name not in panel.controls.buttons] == [
        "adopt",
        "adopt_flatten",
        "ignore",
    ]
    assert len(panel.controls.box.children) == 7


def test_strategy_that_failed_can_be_resumed_where_the_reason_says_so(
    panel: SessionPanel, session: FakeSession
) -> None:
    session.state, session.reason = "HALTED", "the strategy failed on 5 bars in a row; resume() allows entries again"
    panel.refresh()
    assert "Resume" in enabled(panel)


def answers(panel: SessionPanel) -> list[str]:
    return [button.description for button in panel.controls.buttons.values() if button.layout.visibility == "visible"]


@pytest.mark.parametrize(("name", "answer"), [("adopt", "adopt"), ("adopt_flatten", "flatten"), ("ignore", "ignore")])
def test_answers_are_shown_while_a_difference_waits_for_one(
    at_exchange: SessionPanel, session: FakeSession, name: str, answer: str
) -> None:
    panel = at_exchange
    session.start()
    panel.refresh()
    assert answers(panel) == []
    session.state, session.is_paused = "HALTED", True
    session.reason = f"{DIFFERENCE}; reconcile() with 'adopt', 'flatten' or 'ignore' decides"
    panel.refresh()
    assert answers(panel) == ["Adopt", "Adopt, flatten", "Ignore"]
    assert "Resume" not in enabled(panel)  # not before the question is answered
    press(panel.controls.buttons[name])
    panel.refresh()
    assert session.calls[-1] == f"reconcile {answer}"
    assert answers(panel) == []
    assert "Resume" in enabled(panel)


def test_command_that_has_not_ended_is_not_begun_again(panel: SessionPanel, session: FakeSession) -> None:
    go_on, begun = threading.Event(), []

    def take_long() -> None:
        begun.append(1)
        go_on.wait(60)

    session.stop = take_long  # type: ignore[method-assign]
    session.start()
    panel.refresh()
    panel.controls.buttons["stop"].click()
    panel.refresh()
    assert "Stop" not in enabled(panel)
    panel.controls.buttons["stop"].click()
    assert "Kill" in enabled(panel)  # which is what one presses when a stop takes too long
    go_on.set()
    press(panel.controls.buttons["pause"])
    assert begun == [1]


def test_click_does_not_wait_for_its_command(panel: SessionPanel, session: FakeSession) -> None:
    go_on, done = threading.Event(), threading.Event()

    def take_long() -> None:
        go_on.wait(20)
        done.set()

    session.resume = take_long  # type: ignore[method-assign]
    session.pause()
    panel.refresh()
    panel.controls.buttons["resume"].click()
    assert not done.is_set()
    go_on.set()
    assert done.wait(60)


def test_refused_command_is_shown_and_the_panel_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse() -> None:
        raise RuntimeError(f"no feed {CANARY}")

    refusing = FakeSession(bars=0)
    refusing.pause = refuse  # type: ignore[method-assign]
    other = session_panel(refusing)
    refusing.start()
    press(other.controls.buttons["pause"])
    other.refresh()
    assert "Pause failed: no feed &lt;img" in html(other)
    assert "no feed" in caplog.text
    press(other.controls.buttons["stop"])
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
        "step p99 &lt; 1 ms",
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
    press(panel.controls.buttons["start"])
    for each in (panel, second):
        each.refresh()
        assert enabled(each) == ["Pause", "Flatten", "Stop", "Kill"]
    press(second.controls.buttons["start"])  # a late click: the handle makes of it what it does of a second start
    assert session.calls == ["start", "start"]
    second.close()


def test_panel_of_a_finished_session_can_be_made(session: FakeSession) -> None:
    session.start()
    session.stop()
    panel = session_panel(session)
    assert enabled(panel) == []
    assert "STOPPED" in html(panel)
    # No page has looked at it: the price is that of the newest bar.
    last = f"<b>{session.chart_state().bars[-1, 4]:,.1f}</b>"
    assert last in html(panel)
    assert "n/a" not in html(panel)
    panel.close()


def test_picture_is_of_now_also_where_no_page_has_looked_since(panel: SessionPanel, session: FakeSession) -> None:
    session.start()
    for _ in range(30):
        session.tick()
    session.stop()
    picture = panel.still()
    assert "STOPPED" in picture
    assert f"<b>{session.chart_state().bars[-1, 4]:,.1f}</b>" in picture


def test_panel_without_a_page_has_no_thread(panel: SessionPanel, session: FakeSession) -> None:
    press(panel.controls.buttons["start"])
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


def test_noise_of_times_is_not_sent(panel: SessionPanel, session: FakeSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session.start()
    panel.refresh()
    sent: list[str] = []
    monkeypatch.setattr(ipywidgets.Widget, "_send", lambda _self, msg, **_options: sent.append(msg["method"]))
    for age_s, ping_s in ((0.1, 0.0002), (0.7, 0.0009), (0.4, 0.0001)):
        health = SessionHealth("ACTIVE", "started", age_s, 90.0, ping_s)
        monkeypatch.setattr(session, "health", lambda health=health: health)
        panel.refresh()
    assert sent == []


def test_real_money_looks_like_nothing_else() -> None:
    panel = session_panel(FakeSession(bars=1, name="real-btc"))
    assert "REAL MONEY" in html(panel)
    assert "PAPER" not in html(panel)
    assert "wb-is-real" in panel._dom_classes  # noqa: SLF001  what the page sees
    panel.close()


def test_what_cannot_be_read_leaves_the_rest_as_it_was(panel: SessionPanel, session: FakeSession) -> None:
    session.start()
    session.enter()
    panel.refresh()

    def fail() -> None:
        raise SessionTimeoutError(f"no answer {CANARY}")

    session.snapshot = fail  # type: ignore[method-assign, assignment]
    session.state = "UNREACHABLE"
    panel.refresh()
    text = html(panel)
    assert "cannot be read: no answer &lt;img" in text
    assert "▲ BUY" in text
    assert enabled(panel) == ["Stop", "Kill"]


def test_titles_of_the_tables_count_their_rows(panel: SessionPanel, session: FakeSession) -> None:
    session.enter()
    session.error_list.append(ValueError(CANARY))
    panel.refresh()
    assert list(panel.tabs.box.titles) == ["Orders", "Fills 1", "Trades", "Denials", "Events", "Errors 1", "Risk"]


def test_repr_is_constant(panel: SessionPanel, session: FakeSession) -> None:
    session.tick()
    panel.refresh()
    assert repr(panel) == "SessionPanel('btc-1')"
