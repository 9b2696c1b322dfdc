"""A pane of a notebook page: markup written part by part while a page looks, and acts of the user that come back."""

from __future__ import annotations

import logging
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anywidget
import traitlets

from workbench.charts.live_assets import pane_source
from workbench.charts.page_writer import PageWriter
from workbench.charts.pane_stream import PaneStream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Pane"]

_log = logging.getLogger(__name__)

_FOLDER: Final = Path(__file__).parent
# How late a pane may notice that its page has gone.
_IDLE_S: Final = 1.0
# Least time between two messages: what several acts change is sent together.
_LEAST_S: Final = 0.05
_RECOVERY_S: Final = 1.0


class Pane(anywidget.AnyWidget):
    """A widget that shows markup and tells which of its buttons was pressed.

    One thread writes to the page, and only while a page is there: it starts with the page's heartbeat and ends when the
    heartbeat has been missing for ten seconds, or at `close`. Of the parts only those that changed are sent.

    An element with ``data-act`` sends that name and its ``data-value`` when it is clicked; one with ``data-keys`` sends
    that name and ``left``, ``right``, ``up`` or ``down`` for the arrow keys. A part is shown in the element whose
    ``data-slot`` has its name; ``data-tip`` is a text beside the pointer; ``data-key`` names what keeps the focus.

    Parameters
    ----------
    look : callable
        Returns the markup of each part by name; called on the writer's thread. Everything in it must be escaped.
    act : callable
        Called with the name and the value of an act, on whatever thread the front end delivers it.
    interval_s : float, default 1
        Seconds between two looks while nobody acts.
    clock : callable, default time.monotonic
        Seconds that never run backwards.
    """

    _esm = pane_source()
    _css = (_FOLDER / "pane.css").read_text(encoding="utf-8")
    uid = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        look: Callable[[], Mapping[str, str]],
        act: Callable[[str, str], None],
        *,
        interval_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(uid=uuid.uuid4().hex)
        self._act = act
        self._stream = PaneStream(look, interval_s=interval_s, clock=clock)
        self._wait_s = min(interval_s, _IDLE_S)
        self._writer = PageWriter("workbench-pane", lambda: self._stream.is_watched, self._write)
        self.on_msg(self._hear)

    def __repr__(self) -> str:
        # Constant: a notebook test compares the text of a cell's output.
        return "Pane()"

    @property
    def is_writing(self) -> bool:
        """Whether the writer thread is at work."""
        return self._writer.is_writing

    def wake(self) -> None:
        """Look and write now, if a page looks."""
        self._stream.wake()
        self._writer.work.set()

    def close(self) -> None:
        """Stop the writer thread and remove the pane from the page."""
        self._writer.close()
        super().close()

    def _hear(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        self._stream.hear(content)
        if content.get("kind") == "act":
            try:
                self._act(str(content.get("act", "")), str(content.get("value", "")))
            except Exception:  # noqa: BLE001  the border of a widget callback
                # Raised further, it would end in a place that nobody reads.
                _log.exception("an act of a pane failed")
            self._stream.wake()
        self._writer.work.set()
        self._writer.ensure()

    def _write(self) -> None:
        while not self._writer.is_over():
            self._writer.work.clear()
            try:
                message = self._stream.pump()
                if message is not None:
                    self.send(message)
            except Exception:  # noqa: BLE001  the border between the sessions and their page
                # The page says "stale" while this lasts.
                _log.exception("a pane could not be written")
                self._writer.closing.wait(_RECOVERY_S)
            self._writer.closing.wait(_LEAST_S)
            self._writer.work.wait(self._wait_s)
