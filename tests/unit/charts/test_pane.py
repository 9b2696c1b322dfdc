import threading
from typing import Any

import pytest

from workbench.charts.pane import Pane
from workbench.charts.pane_stream import PRESENCE_S, PaneStream

WAIT_S = 60.0


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Stage:
    """A stream with parts that a test changes, on a clock that a test moves."""

    def __init__(self, interval_s: float = 1.0) -> None:
        self.parts = {"": "<i data-slot='a'></i><i data-slot='b'></i>", "a": "1", "b": "2"}
        self.looks = 0
        self.clock = Clock()
        self.stream = PaneStream(self.look, interval_s=interval_s, clock=self.clock)

    def look(self) -> dict[str, str]:
        self.looks += 1
        return dict(self.parts)

    def shown(self) -> "Stage":
        self.stream.hear({"kind": "whole"})
        self.stream.pump()
        return self


def test_nothing_is_looked_at_until_a_page_is_heard() -> None:
    stage = Stage()
    assert stage.stream.pump() is None
    assert stage.looks == 0


def test_first_message_is_the_whole() -> None:
    stage = Stage()
    stage.stream.hear({"kind": "beat"})
    assert stage.stream.pump() == {"kind": "whole", "sequence": 1, "parts": stage.parts}


def test_only_what_changed_is_sent_once_a_second() -> None:
    stage = Stage().shown()
    stage.parts["b"] = "3"
    stage.clock.now += 0.9
    assert stage.stream.pump() is None
    stage.clock.now += 0.2  # 1.1 s after the look before
    assert stage.stream.pump() == {"kind": "change", "sequence": 2, "parts": {"b": "3"}}
    assert stage.looks == 2


def test_a_part_that_came_is_sent_and_one_that_went_costs_nothing() -> None:
    stage = Stage().shown()
    del stage.parts["b"]
    stage.parts["c"] = "new"
    stage.clock.now += 1.0
    assert stage.stream.pump() == {"kind": "change", "sequence": 2, "parts": {"c": "new"}}


def test_page_that_keeps_what_it_got_has_every_part_whatever_came_and_went() -> None:
    stage = Stage().shown()
    page = dict(stage.parts)
    for parts in ({"": "x", "a": "1"}, {"": "x", "a": "1", "b": "2"}, {"": "y"}, {"": "y", "a": "7", "b": "2"}):
        stage.parts = parts
        stage.clock.now += 1.0
        message = stage.stream.pump()
        assert message is not None
        page |= message.get("parts", {})  # type: ignore[arg-type]  # parts are parts
        assert {name: page[name] for name in parts} == parts


def test_calm_page_gets_a_pulse_every_two_seconds() -> None:
    stage = Stage().shown()
    kinds = []
    for _ in range(6):
        stage.clock.now += 1.0
        message = stage.stream.pump()
        kinds.append(None if message is None else message["kind"])
    assert kinds == [None, "pulse", None, "pulse", None, "pulse"]


def test_page_that_lost_a_message_gets_the_whole_again() -> None:
    stage = Stage().shown()
    stage.stream.hear({"kind": "whole"})
    message = stage.stream.pump()
    assert message is not None
    assert (message["kind"], message["sequence"]) == ("whole", 2)


def test_page_that_is_gone_costs_nothing() -> None:
    stage = Stage().shown()
    stage.clock.now += PRESENCE_S
    assert stage.stream.pump() is None
    assert (stage.looks, stage.stream.is_watched) == (1, False)


def test_act_is_answered_at_once_whatever_the_interval() -> None:
    stage = Stage(interval_s=float("inf")).shown()
    stage.parts["a"] = "9"
    stage.clock.now += 1.0
    assert stage.stream.pump() is None
    stage.stream.wake()
    assert stage.stream.pump() == {"kind": "change", "sequence": 2, "parts": {"a": "9"}}


class Page:
    """What a page would get of a pane."""

    def __init__(self, pane: Pane, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[Any] = []
        self._changed = threading.Condition()
        self._pane = pane
        monkeypatch.setattr(pane, "send", self._take)

    def _take(self, content: Any, _buffers: Any = None) -> None:
        with self._changed:
            self.messages.append(content)
            self._changed.notify_all()

    def say(self, kind: str, **content: str) -> None:
        self._pane._hear(None, {"kind": kind, **content}, [])  # noqa: SLF001  a message of the page

    def until(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.messages) >= count, WAIT_S)


def test_writer_runs_for_a_page_and_ends_with_the_pane(monkeypatch: pytest.MonkeyPatch) -> None:
    acts: list[tuple[str, str]] = []
    pane = Pane(lambda: {"": str(len(acts))}, lambda name, value: acts.append((name, value)))
    page = Page(pane, monkeypatch)
    assert not pane.is_writing
    page.say("whole")
    assert page.until(1)
    page.say("act", act="open", value="btc")
    assert page.until(2)
    assert (acts, page.messages[1]["parts"]) == ([("open", "btc")], {"": "1"})
    pane.close()
    assert not pane.is_writing


def test_act_that_fails_is_logged_and_the_pane_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(name: str, value: str) -> None:
        raise RuntimeError(f"{name} {value}")

    pane = Pane(lambda: {"": "x"}, fail)
    page = Page(pane, monkeypatch)
    page.say("act", act="open", value="btc")
    assert page.until(1)
    assert "an act of a pane failed" in caplog.text
    pane.close()


def test_look_that_fails_is_logged_and_looked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [RuntimeError("gone")]

    def look() -> dict[str, str]:
        if faults:
            raise faults.pop()
        return {"": "x"}

    pane = Pane(look, lambda _name, _value: None)
    page = Page(pane, monkeypatch)
    page.say("beat")
    assert page.until(1)
    assert "a pane could not be written" in caplog.text
    assert page.messages[0]["kind"] == "whole" or page.messages[0]["parts"] == {"": "x"}
    pane.close()
