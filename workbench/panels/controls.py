"""The four buttons. Pressing one calls one method of the handle, on a thread of its own.

A command may take long (a stop waits up to 30 s for a strategy that hangs), and the front end delivers clicks on the
thread that also takes the page's heartbeats, or even on the one that runs cells: neither may wait.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

import ipywidgets

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.panels.handle import SessionHandle

__all__ = ["Controls"]

_log = logging.getLogger(__name__)

_RUNNING: Final = frozenset({"ACTIVE", "EXITS_ONLY", "STALE", "HALTED"})
_CAN_PAUSE: Final = frozenset({"ACTIVE", "EXITS_ONLY", "STALE"})
_CAN_STOP: Final = _RUNNING | {"STARTING", "RECOVERING"}


class Controls:
    """Start, Pause or Resume, Flatten, Stop.

    Parameters
    ----------
    handle : SessionHandle
        The session that is commanded.
    on_press : callable
        Called after each press with the error's text, or with nothing when the command was taken.
    """

    def __init__(self, handle: SessionHandle, on_press: Callable[[str], None]) -> None:
        self._handle = handle
        self._on_press = on_press
        self._is_paused = False
        self.start = self._button("Start", "Start the session with the parameters below", handle.start)
        self.pause = self._button("Pause", _PAUSE_TIP, self._pause_or_resume)
        self.flatten = self._button("Flatten", "Close all positions, then pause", handle.flatten)
        self.stop = self._button("Stop", "End the session; positions are kept and reported", handle.stop)
        self.box = ipywidgets.HBox([self.start, self.pause, self.flatten, self.stop])
        self.box.add_class("wb-controls")

    def refresh(self, state: str, *, is_paused: bool, can_start: bool) -> None:
        """Enable the buttons that mean something now."""
        self._is_paused = is_paused
        self.start.disabled = not (state == "PREPARED" and can_start)
        self.pause.disabled = state not in _CAN_PAUSE
        self.pause.description = "Resume" if is_paused else "Pause"
        self.pause.tooltip = "Let entries through again" if is_paused else _PAUSE_TIP
        self.flatten.disabled = state not in _RUNNING
        self.stop.disabled = state not in _CAN_STOP

    def _pause_or_resume(self) -> object:
        return self._handle.resume() if self._is_paused else self._handle.pause()

    def _button(self, text: str, tip: str, command: Callable[[], object]) -> ipywidgets.Button:
        button = ipywidgets.Button(description=text, tooltip=tip)
        button.add_class("wb-button")
        button.add_class(f"wb-{text.lower()}")
        button.on_click(lambda _button: self._start(text, command))
        return button

    def _start(self, text: str, command: Callable[[], object]) -> None:
        threading.Thread(target=self._press, args=(text, command), name="workbench-command", daemon=True).start()

    def _press(self, text: str, command: Callable[[], object]) -> None:
        try:
            command()
        except Exception as error:  # noqa: BLE001  the border of a widget callback
            # Raised further, it would end in a place that nobody reads.
            _log.exception("%s failed", text)
            self._on_press(f"{text} failed: {error}")
        else:
            self._on_press("")


_PAUSE_TIP: Final = "Let no new entries through; stops and exits go on"
