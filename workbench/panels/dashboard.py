"""The dashboard: all sessions at a glance, the panel of one of them beneath, and one button that ends them all."""

from __future__ import annotations

import threading
import time
from html import escape
from typing import TYPE_CHECKING, Final

import ipywidgets

from workbench.charts.pane import Pane
from workbench.errors import WorkbenchError
from workbench.panels import markup
from workbench.panels.commands import CommandRunner
from workbench.panels.markup import Cell
from workbench.panels.overview import AllSessions
from workbench.panels.session_panel import session_panel
from workbench.panels.session_rows import cells, headline, session_table
from workbench.panels.still import StillPicture, close_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.panels.overview import Overview, Sessions

__all__ = ["Dashboard"]

# Sessions that a question names.
_NAMED: Final = 12
_LEAST_S: Final = 0.5
_STOP: Final = "Stop all"
_FLATTEN: Final = "Close positions and stop all"


class Dashboard(StillPicture, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A list of all sessions that updates about once a second while a page looks.

    It holds nothing of the sessions: each look reads their folders anew, so they may come, go, crash and be started
    again by anybody. What it keeps is what the user looks at: the filter and which panel is open.

    Parameters
    ----------
    sessions : Sessions, optional
        Where they come from; default all sessions of this user.
    clock : callable, default time.monotonic
        Seconds that never run backwards.
    """

    def __init__(self, sessions: Sessions | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions = AllSessions() if sessions is None else sessions
        self._clock = clock
        self._asked_at = 0.0
        self._runner = CommandRunner(self._told)
        self._lock = threading.Lock()
        self._shows_finished = True
        self._opened = ""
        self._asked: tuple[str, ...] = ()
        self._complaint = ""
        self.pane = Pane(self._look, self.act)
        self.below = ipywidgets.VBox()
        style = ipywidgets.HTML(markup.style_sheet())
        style.add_class("wb-style")
        super().__init__([style, self.pane, self.below])
        self.add_class("wb-panel")
        self.add_class("wb-dashboard")

    def __repr__(self) -> str:
        # Constant: a notebook test compares the text of a cell's output.
        return "Dashboard()"

    def act(self, name: str, value: str) -> None:
        """Do what a button of the page asks; may be called from any thread."""
        if name == "open":
            self._runner.run(f"Opening {value}", lambda: self._toggle(value))
        elif name == "finished":
            self._shows_finished = not self._shows_finished
        elif name == "ask":
            self._ask()
        elif name == "cancel":
            self._asked = ()
        elif name in {"stop", "flatten"}:
            self._stop_if_confirmed(is_flat=name == "flatten")

    def close(self) -> None:
        """Stop updating and remove the dashboard from the page; the sessions go on."""
        close_tree(self.below)
        self.pane.close()
        super().close()

    def still(self) -> str:
        """Return the sessions as they are now, for a page without a kernel."""
        found, complaint = self._read()
        parts = [*headline(found), Cell(complaint, "down")]
        return f"{_bar(found, parts)}{session_table(found, slotted=False)}"

    def _read(self) -> tuple[tuple[Overview, ...], str]:
        try:
            return self._sessions.overviews(), ""
        except (WorkbenchError, OSError) as error:
            return (), f"the sessions cannot be read: {error}"

    def _look(self) -> dict[str, str]:
        """Return the parts of the page as they are now."""
        found, complaint = self._read()
        shown = [one for one in found if self._shows_finished or not one.is_finished]
        complaints = [Cell(text, "down", text) for text in (complaint, self._complaint) if text]
        parts = {
            "": '<div data-slot="bar"></div><div data-slot="question"></div>'
            '<div class="wb-scroll-x" data-slot="rows"></div>',
            "bar": _bar(found, [*headline(found), *complaints], self._buttons(found)),
            "question": self._question(found),
            "rows": session_table(shown, slotted=True, opened=self._opened),
        }
        for one in shown:
            parts |= {f"{one.key}:{place}": cell for place, cell in enumerate(cells(one))}
        return parts

    def _buttons(self, found: Sequence[Overview]) -> str:
        running = sum(not one.is_finished for one in found)
        finished = len(found) - running
        pressed = str(self._shows_finished).lower()
        label = f"{'Hide' if self._shows_finished else 'Show'} finished ({finished:,})"
        return (
            f'<button class="wb-button" data-act="finished" data-key="finished" aria-pressed="{pressed}" '
            f"{'' if finished else 'disabled'}>{label}</button>"
            f'<button class="wb-button wb-stop" data-act="ask" data-key="ask" {"" if running else "disabled"}>'
            f"Stop all ({running:,})</button>"
        )

    def _ask(self) -> None:
        found, complaint = self._read()
        self._complaint = complaint
        self._asked = tuple(one.key for one in found if not one.is_finished)
        self._asked_at = self._clock()

    def _question(self, found: Sequence[Overview]) -> str:
        """Return what is about to be ended, with the buttons that do it."""
        asked = [one for one in found if one.key in self._asked and not one.is_finished]
        if not asked:
            return ""
        holding = sum(bool(one.held) for one in asked)
        real = [one.name for one in asked if one.is_real]
        names = ", ".join(one.name for one in asked[:_NAMED]) + (", ..." if len(asked) > _NAMED else "")
        count = f"{len(asked):,} session{'' if len(asked) == 1 else 's'}"
        if self._runner.is_under_way(_STOP) or self._runner.is_under_way(_FLATTEN):
            return (
                f'<div class="wb-question"><b>Ending {count} ...</b><span class="wb-muted">{escape(names)}</span></div>'
            )
        money = f"<b class='wb-down'>REAL MONEY: {escape(', '.join(real))}</b>" if real else ""
        return (
            f'<div class="wb-question" role="alertdialog" aria-label="Stop all"><b>End {count}?</b>'
            f'<span class="wb-muted">{escape(names)}</span>{money}'
            f"<span>{holding:,} of them hold positions, which are kept unless they are closed first.</span>"
            f'<span class="wb-answers"><button class="wb-button wb-stop" data-act="stop" data-key="stop">'
            f"End {count}, keep positions</button>"
            f'<button class="wb-button wb-stop" data-act="flatten" data-key="flatten" {"" if holding else "disabled"}>'
            f"Close positions, then end</button>"
            f'<button class="wb-button" data-act="cancel" data-key="cancel">Cancel</button></span></div>'
        )

    def _stop_if_confirmed(self, *, is_flat: bool) -> None:
        with self._lock:
            keys = self._asked
            # The answer must not be the second half of a double click.
            if not keys or self._clock() - self._asked_at < _LEAST_S:
                return
        self._runner.run(_FLATTEN if is_flat else _STOP, lambda: self._stop(keys, is_flat=is_flat))

    def _stop(self, keys: Sequence[str], *, is_flat: bool) -> None:
        try:
            self._sessions.stop(keys, flatten=is_flat)
        finally:
            self._asked = ()

    def _toggle(self, key: str) -> None:
        """Show the panel of a session beneath, or remove it when it is there."""
        with self._lock:
            before, was = self.below.children, self._opened
            self._opened = ""
            panel = None if key == was else session_panel(self._sessions.handle(key))
            self._opened = "" if panel is None else key
            self.below.children = () if panel is None else (panel,)
            for one in before:
                close_tree(one)

    def _told(self, complaint: str) -> None:
        self._complaint = complaint
        self.pane.wake()


def _bar(found: Sequence[Overview], parts: Sequence[Cell], buttons: str = "") -> str:
    real = any(one.is_real and not one.is_finished for one in found)
    badges = [Cell("● REAL MONEY", "real")] if real else []
    return (
        f'<div class="wb-board-bar">{markup.heading("Sessions", "", badges, "")}'
        f'<span class="wb-answers">{buttons}</span></div>{markup.status_line(parts)}'
    )
