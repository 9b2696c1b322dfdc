import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from ipywidgets.widgets import widget

from tests.unit.panels.fake_sessions import FakeSessions, many, overview
from workbench.errors import SessionError
from workbench.panels import Dashboard
from workbench.panels.overview import Held
from workbench.panels.session_rows import cells, headline, session_table

CANARY = "<img src=x onerror=alert(1)>"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Stage:
    """A dashboard over sessions that a test changes."""

    def __init__(self) -> None:
        self.sessions = FakeSessions(many())
        self.clock = Clock()
        self.board = Dashboard(self.sessions, self.clock)

    def parts(self) -> dict[str, str]:
        return self.board._look()  # noqa: SLF001  what the page gets

    def act(self, name: str, value: str = "") -> None:
        """Press a button of the page and wait until its command is done."""
        self.board.act(name, value)
        for thread in threading.enumerate():
            if thread.name == "workbench-command":
                thread.join(60)

    def rows(self) -> list[str]:
        keys = [one.key for one in self.sessions.found]
        return [key for key in keys if f'data-value="{key}"' in self.parts()["rows"]]


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.board.close()


def test_every_session_is_a_row_with_state_position_and_figures(stage: Stage) -> None:
    parts = stage.parts()
    assert len(stage.rows()) == 9
    text = "".join(parts[f"real-btc-1:{place}"] for place in range(7))
    # 112.04 of 10025.00 - 112.04 = 9912.96 is 1.13 %; 0.0423 times 61000 is 2580.3.
    for expected in ("REAL MONEY", "● ACTIVE", "0.0423", "▲ long, 2,580 USDT", "+112.04", "+1.13 %", "-1.25 %"):
        assert expected in text
    assert "10,025.00" in text
    assert "<polyline" in text
    assert "wb-row-real" in parts["rows"]


def test_position_that_a_session_left_is_marked() -> None:
    left = next(one for one in many() if one.name == "sma-1")
    assert "wb-warning" not in "".join(cells(left))
    held = replace(left, held=(Held("BTC/USDT", 0.5, 60_000.0),))
    assert '<span class="wb-warning" title="stopped by the user">' in "".join(cells(held))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("eth-night", ("■ CRASHED", "workbench resume eth-night", "▼ short, 4,500 USDT")),
        ("grid-1", ("▲ EXITS ONLY", "paused by the user", "-31.50")),
        ("pairs", ("▲ silent for 9 s", "BTC/USDT, ETH/USDT +1 1m")),
        ("rsi-4", ("■ STALE", "data 1.58 min old", "no price for 95 s")),
        ("sma-1", ("○ STOPPED", "stopped by the user")),
        ("sma-2", ("○ STARTING", "n/a")),
        ("btc-day", ("data &lt; 2 s old", "flat", "PAPER")),
    ],
)
def test_state_is_told_by_word_and_shape_and_what_matters_then(name: str, expected: tuple[str, ...]) -> None:
    shown = "".join(cells(next(one for one in many() if one.name == name)))
    for text in expected:
        assert text in shown


def test_headline_counts_sorts_and_keeps_real_money_apart() -> None:
    texts = [part.text for part in headline(many())]
    # Paper: 25 six times (of the finished one nothing counts: five), and -31.50: 5 * 25 - 31.50 = 93.50.
    assert texts == [
        *("9 sessions", "● 7 running", "■ 1 crashed", "○ 1 finished", "1 with REAL MONEY"),
        *("day +112.04 USDT real", "day +93.50 USDT paper"),
    ]


def test_nothing_but_what_changed_differs_from_look_to_look(stage: Stage) -> None:
    before = stage.parts()
    assert stage.parts() == before
    stage.sessions.found[0] = overview("btc-day", equity=10_030.0, day_pnl=30.0)
    after = stage.parts()
    assert sorted(name for name in after if after[name] != before[name]) == ["bar", "btc-day:3", "btc-day:5"]


def test_sessions_come_go_and_crash_without_the_dashboard_ending(stage: Stage) -> None:
    stage.sessions.found = [overview("btc-day", state="CRASHED"), overview("new")]
    assert stage.rows() == ["btc-day", "new"]
    assert "■ CRASHED" in stage.parts()["btc-day:1"]
    stage.sessions.found = []
    assert "No sessions" in stage.parts()["rows"]
    stage.sessions.fault = SessionError("the folder is not private")
    assert "the sessions cannot be read: the folder is not private" in stage.parts()["bar"]
    stage.sessions.fault = None
    stage.sessions.found = many()
    assert len(stage.rows()) == 9


def test_finished_ones_can_be_left_out(stage: Stage) -> None:
    assert "Hide finished (1)" in stage.parts()["bar"]
    stage.act("finished")
    assert "sma-1" not in stage.rows()
    assert "sma-1:0" not in stage.parts()
    assert "Show finished (1)" in stage.parts()["bar"]
    stage.act("finished")
    assert "sma-1" in stage.rows()


def test_click_opens_the_panel_of_a_session_and_a_second_one_closes_it(stage: Stage) -> None:
    stage.act("open", "btc-day")
    assert repr(stage.board.below.children[0]) == "SessionPanel('btc-day')"
    assert "wb-row-open" in stage.parts()["rows"]
    stage.act("open", "grid-1")
    assert [repr(one) for one in stage.board.below.children] == ["SessionPanel('grid-1')"]
    stage.act("open", "grid-1")
    assert stage.board.below.children == ()
    assert "wb-row-open" not in stage.parts()["rows"]


def test_panels_that_were_closed_leave_no_widgets_behind(stage: Stage) -> None:
    before = set(widget._instances)  # noqa: SLF001  what the kernel keeps
    for _ in range(2):
        stage.act("open", "btc-day")
        stage.act("open", "btc-day")
    kept = {type(one).__name__ for key, one in widget._instances.items() if key not in before}  # noqa: SLF001  as above
    # Layouts and styles stay: ipywidgets keeps those of closed widgets too.
    assert {name for name in kept if name != "Layout" and not name.endswith("Style")} == set()


def test_session_that_is_gone_is_a_complaint_and_no_panel(stage: Stage) -> None:
    stage.sessions.found.pop(0)
    stage.act("open", "btc-day")
    assert stage.board.below.children == ()
    assert "session &#x27;btc-day&#x27; is not there any more" in stage.parts()["bar"]


def test_stop_all_names_what_it_ends_and_waits_for_an_answer(stage: Stage) -> None:
    assert stage.parts()["question"] == ""
    stage.act("ask")
    question = stage.parts()["question"]
    for text in ("End 8 sessions?", "REAL MONEY: real-btc-1", "2 of them hold positions", "keep positions"):
        assert text in question
    assert stage.sessions.stops == []
    stage.act("cancel")
    assert stage.parts()["question"] == ""
    assert stage.sessions.stops == []


@pytest.mark.parametrize(("answer", "is_flat"), [("stop", False), ("flatten", True)])
def test_answer_ends_those_that_were_named_and_no_other(stage: Stage, answer: str, is_flat: bool) -> None:
    stage.act("ask")
    named = tuple(one.key for one in many() if not one.is_finished)
    stage.sessions.found.append(overview("newcomer"))
    stage.clock.now += 0.5
    stage.act(answer)
    assert stage.sessions.stops == [(named, is_flat)]
    assert stage.rows() == ["sma-1", "newcomer"]
    assert stage.parts()["question"] == ""


def test_double_click_is_no_answer(stage: Stage) -> None:
    stage.act("ask")
    stage.clock.now += 0.4
    stage.act("stop")
    assert stage.sessions.stops == []


def test_answer_without_a_question_does_nothing(stage: Stage) -> None:
    stage.clock.now += 10.0
    stage.act("stop")
    assert stage.sessions.stops == []


def test_stop_that_fails_is_told(stage: Stage) -> None:
    stage.sessions.found.append(overview("stubborn"))
    stage.act("ask")
    stage.clock.now += 1.0
    stage.act("stop")
    assert "Stop all failed: stubborn does not end" in stage.parts()["bar"]


def test_foreign_text_is_only_ever_text() -> None:
    held = (Held(CANARY, 1.0, 1.0),)
    bad = overview(CANARY, reason=CANARY, strategy=CANARY, symbols=(CANARY,), quote=CANARY, held=held)
    texts = [*cells(bad), session_table([bad], slotted=True), session_table([bad], slotted=False)]
    assert [text for text in texts if "<img" in text] == []


def test_picture_for_pages_without_a_kernel_shows_the_table(stage: Stage) -> None:
    bundle: dict[str, Any] = stage.board._repr_mimebundle_()
    assert bundle["text/plain"] == "Dashboard()"
    picture = bundle["text/html"]
    for text in ("wb-still", "9 sessions", "real-btc-1", "■ CRASHED", "run the cell"):
        assert text in picture
    assert "<script" not in picture
