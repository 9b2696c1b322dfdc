"""The sessions that there are, to be shown by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ipywidgets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.panels.doors import Listed

__all__ = ["SessionMenu"]

_NOTHING: Final = ("no session yet", "")


class SessionMenu:
    """A list of sessions with buttons that show one and that read the list anew.

    Parameters
    ----------
    listing : callable
        Returns the sessions.
    on_show : callable
        Called with the name of a session that is to be shown.
    on_look : callable
        Called when everything is to be looked at anew.
    """

    def __init__(
        self, listing: Callable[[], Sequence[Listed]], on_show: Callable[[str], None], on_look: Callable[[], None]
    ) -> None:
        self._listing = listing
        self._running: frozenset[str] = frozenset()
        self.menu = ipywidgets.Dropdown(options=[_NOTHING], description="Sessions")
        self.menu.add_class("wb-menu")
        self.show = _button("Show session", "Show the panel of the chosen session beneath")
        self.look_again = _button("Look again", "Read sessions, strategies, bars and armings anew")
        self.show.on_click(lambda _button: on_show(str(self.menu.value)))
        self.look_again.on_click(lambda _button: on_look())
        self.box = ipywidgets.Box([self.menu, self.show, self.look_again])
        self.box.add_class("wb-controls")
        self.look()

    def is_running(self, name: str) -> bool:
        """Whether a session of this name had not ended when the list was read."""
        return name in self._running

    def look(self) -> None:
        """Read the list anew and stay with the chosen session."""
        found = self._listing()
        chosen = self.menu.value
        ended = {"STOPPED", "FAILED", "CRASHED", "UNBORN"}
        self._running = frozenset(one.name for one in found if one.state not in ended)
        self.menu.options = [(f"{one.name} · {one.state}", one.name) for one in found] or [_NOTHING]
        names = [one.name for one in found]
        if names:
            self.menu.value = chosen if chosen in names else names[-1]
        self.show.disabled = not names


def _button(label: str, tip: str) -> ipywidgets.Button:
    button = ipywidgets.Button(description=label, tooltip=tip)
    button.add_class("wb-button")
    return button
