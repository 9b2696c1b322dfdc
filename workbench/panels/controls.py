"""The buttons of a panel. Pressing one begins one command of the handle, on a thread of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import ipywidgets

from workbench.panels.actions import ACTIONS, ANSWER_ACTIONS, KILL
from workbench.panels.commands import CommandRunner
from workbench.panels.confirmation import Confirmation

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.panels.actions import Action, Situation
    from workbench.panels.handle import SessionHandle

__all__ = ["Controls"]

_CONFIRM: Final = "Kill now?"


class Controls:
    """A button for each action, and the answers to a difference with the exchange while the session asks for one.

    Every command may be asked twice, and is begun once at a time. Kill takes two clicks, half a second to five apart.

    Parameters
    ----------
    handle : SessionHandle
        The session that is commanded.
    on_press : callable
        Called when a command begins or ends, with the error's text, or with nothing.
    clock : callable, default time.monotonic
        Seconds that never run backwards.
    has_answers : bool, default True
        Whether the session can differ from an exchange at all; else there is no room kept for the answers.

    Attributes
    ----------
    buttons : dict of str to Button
        By the action's name.
    """

    def __init__(
        self,
        handle: SessionHandle,
        on_press: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        *,
        has_answers: bool = True,
    ) -> None:
        self._handle = handle
        self._on_press = on_press
        self._runner = CommandRunner(on_press)
        self._confirmation = Confirmation(clock)
        self._actions = {**ACTIONS, **(ANSWER_ACTIONS if has_answers else {})}
        self.buttons = {name: self._button(name, action) for name, action in self._actions.items()}
        self.box = ipywidgets.HBox(list(self.buttons.values()))
        self.box.add_class("wb-controls")

    def refresh(self, now: Situation) -> None:
        """Enable the buttons that mean something now, and show the answers while they are asked for."""
        for name, button in self.buttons.items():
            action = self._actions[name]
            is_useful = action.is_useful(now)
            button.disabled = not is_useful or self._runner.is_under_way(action.label)
            if name in ANSWER_ACTIONS:
                # Hidden and not removed: what stands below must not move.
                button.layout.visibility = "visible" if is_useful else "hidden"
        if self.buttons[KILL].disabled:
            self._confirmation.forget()
        self._show_confirmation()

    def _button(self, name: str, action: Action) -> ipywidgets.Button:
        button = ipywidgets.Button(description=action.label, tooltip=action.tip)
        button.add_class("wb-button")
        button.add_class(f"wb-{name.replace('_', '-')}")
        press = self._press_kill if name == KILL else self._press
        button.on_click(lambda _button: press(action))
        return button

    def _press(self, action: Action) -> None:
        self._runner.run(action.label, lambda: action.run(self._handle))

    def _press_kill(self, action: Action) -> None:
        if self._confirmation.click():
            self._press(action)
        else:
            self._on_press("")

    def _show_confirmation(self) -> None:
        button, is_asked = self.buttons[KILL], self._confirmation.is_asked
        button.description = _CONFIRM if is_asked else ACTIONS[KILL].label
        (button.add_class if is_asked else button.remove_class)("wb-armed")
