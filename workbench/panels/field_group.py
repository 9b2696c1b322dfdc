"""A titled row of fields of one form, each with its value and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets

from workbench.panels.fields import Field, complaint
from workbench.panels.markup import note

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from workbench.panels.handle import ParameterSpec

__all__ = ["FieldGroup", "Spec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a field is for; as of a strategy's parameter, and with the kind ``"text"``."""

    name: str
    kind: str
    default: object = None
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: Sequence[str] = ()
    help: str | None = None
    is_optional: bool = False
    label: str = ""


class FieldGroup:
    """Fields under a title.

    Parameters
    ----------
    title : str
        What they are about.
    on_change : callable
        Called with the name of a field after each change.

    Attributes
    ----------
    fields : dict of str to Field
        By name.
    """

    def __init__(self, title: str, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self.fields: dict[str, Field] = {}
        self._title = ipywidgets.HTML(f'<h4 class="wb-title">{note(title, "muted")}</h4>')
        self._row = ipywidgets.Box()
        self._row.add_class("wb-form")
        self.box = ipywidgets.VBox([self._title, self._row])
        self.box.add_class("wb-section")

    @property
    def values(self) -> dict[str, Any]:
        """Values by name, as their inputs hold them."""
        return {name: field.value for name, field in self.fields.items()}

    def fill(
        self,
        specs: Iterable[tuple[ParameterSpec, object]],
        labels: Mapping[str, str] | None = None,
        usual: Mapping[str, Callable[[Any], str]] | None = None,
    ) -> None:
        """Show these fields with their values in the place of those before; `labels` and `usual` as of `Field`."""
        labels, usual = labels or {}, usual or {}

        def change(field: Field) -> None:
            self._on_change(field.spec.name)

        self.fields = {
            spec.name: Field(spec, value, change, label=labels.get(spec.name, ""), usual=usual.get(spec.name))
            for spec, value in specs
        }
        self._row.children = [field.box for field in self.fields.values()]

    def faults(self) -> dict[str, str]:
        """Return what is wrong with each value by itself."""
        found = {name: complaint(field.spec, field.value) for name, field in self.fields.items()}
        return {name: text for name, text in found.items() if text}

    def show(self, faults: Mapping[str, str], shut: Collection[str] = ()) -> None:
        """Say beside each field what is wrong with it, and shut those that mean nothing now."""
        for name, field in self.fields.items():
            field.error = faults.get(name, "")
            field.refresh(is_open=name not in shut)
