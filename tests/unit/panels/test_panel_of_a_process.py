"""The real panel and the real live chart on the handle of a session behind its sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.live.process.hosted import WAIT_S, hosted
from tests.unit.panels.test_session_panel import enabled, html, press
from workbench.panels import session_panel


class Page:
    """What a page would get of a chart."""

    def __init__(self, chart: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[Any] = []
        self._changed = threading.Condition()
        self._chart = chart
        monkeypatch.setattr(chart, "send", self._take)

    def _take(self, content: dict[str, Any], buffers: Any = None) -> None:
        with self._changed:
            self.messages.append((content, buffers))
            self._changed.notify_all()

    def look(self) -> None:
        self._chart._hear(None, {"kind": "heartbeat"}, [])  # noqa: SLF001  a message of the page

    def until(self, is_met: Callable[[], bool]) -> bool:
        with self._changed:
            return self._changed.wait_for(is_met, WAIT_S)

    def kinds(self) -> list[str]:
        return [content["kind"] for content, _ in self.messages]


def test_a_panel_commands_and_shows_a_session_in_another_process(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        panel = session_panel(host.handle)
        assert enabled(panel) == ["Start"]
        panel.form.fields["fast"].input.value = 5
        assert host.session.strategy.parameters["fast"] == 5
        press(panel.controls.buttons["start"])
        assert host.clock.join_waiter(WAIT_S)
        panel.refresh()
        assert "ACTIVE" in html(panel)
        assert enabled(panel) == ["Pause", "Flatten", "Stop", "Kill"]
        host.bars(40)
        for name, state in (("pause", "EXITS_ONLY"), ("resume", "ACTIVE")):
            press(panel.controls.buttons[name])
            panel.refresh()
            assert host.session.state == state
        press(panel.controls.buttons["flatten"])
        panel.refresh()
        assert f"{host.session.snapshot().fill_count:,}" in html(panel)
        press(panel.controls.buttons["stop"])
        panel.refresh()
        assert (host.session.state, enabled(panel)) == ("STOPPED", [])
        panel.close()


def test_a_panel_says_that_the_process_is_gone(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        panel = session_panel(host.handle)
        host.start()
        host.bars(3)
        panel.refresh()
        host.server.close()
        panel.refresh()
        assert "CRASHED" in html(panel)
        assert f"workbench resume {tmp_path.name}" in html(panel)
        assert enabled(panel) == []
        panel.close()


def test_a_live_chart_draws_a_session_in_another_process_and_the_one_that_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hosted(tmp_path) as host:
        panel = session_panel(host.handle)
        page = Page(panel.chart, monkeypatch)
        host.start()
        page.look()
        assert page.until(lambda: "snapshot" in page.kinds())
        host.bars(3)
        page.look()
        assert page.until(lambda: panel.chart.last_price == host.session.chart_state().bars[-1, 4])
        assert "delta" in page.kinds() or page.kinds().count("snapshot") > 1
        host.server.close()
        page.look()
        assert page.until(lambda: panel.chart._stream._source_state == "CRASHED")  # noqa: SLF001
        with hosted(tmp_path) as follower:
            follower.start()
            follower.bars(5)
            page.look()
            assert page.until(lambda: len(page.messages[-1][1] or ()) > 0 and _rows(page) == 5)
            panel.close()


def _rows(page: Page) -> int:
    """Return how many bars the last snapshot held."""
    bars = [buffers[0] for content, buffers in page.messages if content["kind"] == "snapshot"][-1]
    return len(bars) // (6 * 8)
