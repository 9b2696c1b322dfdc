"""Real money in a control panel: what was armed, and the sentence that a person types.

Nothing here decides: ``wb.live`` does, by the gate behind it, whatever this panel shows or lets be pressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ipywidgets

from workbench.errors import ConfigError
from workbench.panels.field_group import FieldGroup, Spec
from workbench.panels.markup import Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.model import RiskConfig
    from workbench.panels.doors import ArmedAccount, Doors

__all__ = ["RealFields"]

_NOT_ARMED: Final = (
    "✗ Nothing is armed, so nothing can start with real money. A person arms an account in a terminal: workbench arm "
    "NAME"
)


class RealFields(FieldGroup):
    """The key, what it was armed for, and the sentence.

    Parameters
    ----------
    doors : Doors
        Tells what is armed and which sentence is wanted.
    on_change : callable
        As of `FieldGroup`.
    """

    def __init__(self, doors: Doors, on_change: Callable[[str], None]) -> None:
        super().__init__("REAL MONEY", on_change)
        self._doors = doors
        self._armed: Mapping[str, ArmedAccount] = {}
        self._wanted = ""
        self._arming = ipywidgets.HTML()
        self._sentence = ipywidgets.HTML()
        self.box.children = (self.box.children[0], self._arming, self._sentence, self.box.children[1])
        self.box.add_class("wb-real-box")
        self.look()

    @property
    def key(self) -> str:
        """Name of the key."""
        return str(self.fields["key"].value)

    @property
    def confirm(self) -> str:
        """What was typed."""
        return str(self.fields["confirm"].value)

    @property
    def can_start(self) -> bool:
        """Whether the account is armed, as far as it is known here."""
        return self.key in self._armed and self._armed[self.key].is_armed

    def look(self) -> None:
        """Look anew what is armed."""
        self._armed = self._doors.armings()
        usable = [name for name, account in self._armed.items() if account.is_armed]
        key = self.key if self.fields else next(iter(usable), "")
        specs = (
            (Spec(name="key", kind="text", choices=tuple(self._armed), help="name of the key, never the key"), key),
            (Spec(name="confirm", kind="text", help="the sentence above, letter by letter"), ""),
        )
        self.fill(specs, {"confirm": "type the sentence"})
        self.fields["confirm"].box.add_class("wb-wide")

    def forget(self) -> None:
        """Empty what was typed: each start asks anew."""
        self.fields["confirm"].adopt("")

    def describe(self, exchange: str, symbols: tuple[str, ...], risk: RiskConfig | None) -> None:
        """Show what is armed, and the sentence for a session on an `exchange` with `symbols` and `risk` settings."""
        self._wanted = ""
        lines = [_armed_line(account) for account in self._armed.values()] or [Cell(_NOT_ARMED, "down")]
        self._arming.value = "".join(line.as_html("div", "wb-lines") for line in lines)
        told = Cell("The sentence shows when key, market and limits are right", "muted")
        if risk is not None and self.key:
            try:
                self._wanted = self._doors.sentence(exchange, self.key, symbols, risk)
                told = Cell(self._wanted)
            except ConfigError as error:
                told = Cell(f"✗ {error}", "down")
        self._sentence.value = told.as_html("div", "wb-lines wb-sentence")

    def faults(self) -> dict[str, str]:
        """Return what is wrong with key and sentence."""
        found = {
            "key": "" if self.can_start else f"{self.key} is not armed" if self.key else "must be an armed account",
            "confirm": "" if self._wanted and self.confirm == self._wanted else "is not the sentence above yet",
        }
        return {name: text for name, text in found.items() if text}


def _armed_line(account: ArmedAccount) -> Cell:
    return Cell(f"● armed: {account.text}", "warning") if account.is_armed else Cell(f"✗ {account.text}", "down")
