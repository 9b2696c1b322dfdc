"""Fields for a strategy's parameters, made from its declared parameters; open before the start and shut afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ipywidgets

from workbench.panels.commands import refusal_within
from workbench.panels.fields import Field, complaint
from workbench.panels.markup import note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbench.panels.handle import SessionHandle

__all__ = ["ParameterForm"]

# A change is delivered on the thread that also takes the page's heartbeats, so it waits no longer than this.
_PATIENCE_S: Final = 1.0
_OPEN: Final = "Parameters: may be changed until Start"
_SHUT: Final = "Parameters: fixed since the start, like the risk settings; another session may have others"


class ParameterForm:
    """The fields of one session. A valid change goes to the handle at once, which is where the values live.

    Parameters
    ----------
    handle : SessionHandle
        The session; `configure` takes the changes.
    on_change : callable
        Called after each change.
    """

    def __init__(self, handle: SessionHandle, on_change: Callable[[], None]) -> None:
        self._handle = handle
        self._on_change = on_change
        self._seen: Mapping[str, object] = dict(handle.strategy.parameters)
        fields = (Field(spec, self._seen.get(spec.name, spec.default), self._change) for spec in handle.strategy.spec)
        self.fields = {field.spec.name: field for field in fields}
        self._title = ipywidgets.HTML(note(_OPEN))
        row = ipywidgets.Box([field.box for field in self.fields.values()])
        row.add_class("wb-form")
        self.box = ipywidgets.VBox([self._title, row] if self.fields else [])
        self.box.add_class("wb-section")

    @property
    def complaints(self) -> list[str]:
        """What is wrong with the fields, a sentence each; empty when the session can start."""
        return [_sentence(name, field.error) for name, field in self.fields.items() if field.error]

    def refresh(self, state: str) -> None:
        """Bring the fields up to the handle, also after another panel changed it."""
        self._adopt(dict(self._handle.strategy.parameters))
        is_open = state == "PREPARED"
        self._title.value = note(_OPEN if is_open else _SHUT)
        for field in self.fields.values():
            field.refresh(is_open=is_open)

    def _change(self, field: Field) -> None:
        field.error = complaint(field.spec, field.value) or self._offer([field])
        # Two fields may be right only together: what was refused before is offered again with the new value.
        refused = [other for other in self.fields.values() if other.error and not complaint(other.spec, other.value)]
        if refused and not self._offer([*refused, field]):
            for other in refused:
                other.error = ""
        self._on_change()

    def _offer(self, fields: Sequence[Field]) -> str:
        """Give values to the handle and return why it refused them, or nothing."""
        values = {field.spec.name: field.value for field in fields}
        changes = {name: value for name, value in values.items() if value != self._seen.get(name)}
        return refusal_within(_PATIENCE_S, lambda: self._handle.configure(**changes)) if changes else ""

    def _adopt(self, parameters: Mapping[str, object]) -> None:
        for name, field in self.fields.items():
            # Only what changed at the handle: a field that is being edited keeps what was typed.
            if parameters.get(name) != self._seen.get(name):
                self._seen = {**self._seen, name: parameters[name]}
                field.adopt(parameters[name])


def _sentence(name: str, error: str) -> str:
    return error if name in error else f"{name}: {error}"
