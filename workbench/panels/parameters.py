"""Fields for a strategy's parameters, made from its declared parameters; open before the start and shut afterwards."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from workbench.panels.commands import refusal_within
from workbench.panels.markup import note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbench.panels.handle import ParameterSpec, SessionHandle

__all__ = ["Field", "ParameterForm", "complaint"]

_NUMBERS: Final = ("int", "float")
# A change is delivered on the thread that also takes the page's heartbeats, so it waits no longer than this.
_PATIENCE_S: Final = 1.0


class Field:
    """One parameter: label, input, and a line for its range or what is wrong with it."""

    def __init__(self, spec: ParameterSpec, value: object, on_change: Callable[[Field], None]) -> None:
        self.spec = spec
        self.error = ""
        label = ipywidgets.HTML(note(spec.name, "muted", spec.help or ""))
        self.input = _make_input(spec, value)
        self._hint = ipywidgets.HTML(note(_range_text(spec)))
        self.box = ipywidgets.VBox([label, self.input, self._hint])
        self.box.add_class("wb-field")
        self.input.observe(lambda _change: on_change(self), names="value")

    @property
    def value(self) -> object:
        """What the input holds; None for an optional number that is empty or off, the text for what is no number."""
        return _parsed(self.spec, self.input.value)

    def adopt(self, value: object) -> None:
        """Show a value that was set elsewhere."""
        self.error = ""
        self.input.value = _shown(self.spec, value)

    def refresh(self, *, is_open: bool) -> None:
        """Show the error, or the range where there is none."""
        self.input.disabled = not is_open
        usual = note(_range_text(self.spec), title=self.spec.help or "")
        self._hint.value = note(self.error, "down", self.error) if self.error else usual
        (self.box.add_class if self.error else self.box.remove_class)("wb-wrong")


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
        self.box = ipywidgets.Box([field.box for field in self.fields.values()])
        self.box.add_class("wb-form")

    @property
    def complaints(self) -> list[str]:
        """What is wrong with the fields, a sentence each; empty when the session can start."""
        return [_sentence(name, field.error) for name, field in self.fields.items() if field.error]

    def refresh(self, state: str) -> None:
        """Bring the fields up to the handle, also after another panel changed it."""
        self._adopt(dict(self._handle.strategy.parameters))
        for field in self.fields.values():
            field.refresh(is_open=state == "PREPARED")

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


def complaint(spec: ParameterSpec, value: object) -> str:
    """Return what is wrong with a value, or nothing."""
    if spec.kind not in _NUMBERS or (value is None and spec.is_optional):
        return ""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return f"must be a number, was {value}"
    low = -math.inf if spec.low is None else spec.low
    high = math.inf if spec.high is None else spec.high
    return "" if low <= value <= high else f"{_range_text(spec)}, was {value:g}"


def _range_text(spec: ParameterSpec) -> str:
    if spec.kind not in _NUMBERS:
        return ""
    bounds = _bounds_text(spec)
    return f"{bounds or 'a number'} or off" if spec.is_optional else bounds


def _bounds_text(spec: ParameterSpec) -> str:
    if spec.low is not None and spec.high is not None:
        return f"{spec.low:g} to {spec.high:g}"
    if spec.low is not None:
        return f"at least {spec.low:g}"
    return "" if spec.high is None else f"at most {spec.high:g}"


def _make_input(spec: ParameterSpec, value: object) -> Any:  # noqa: ANN401  ipywidgets has no types
    shown = _shown(spec, value)
    if spec.kind == "bool":
        return ipywidgets.Checkbox(value=shown, indent=False)
    if spec.kind == "choice":
        off = [("off", None)] if spec.is_optional else []
        return ipywidgets.Dropdown(options=[*off, *((choice, choice) for choice in spec.choices)], value=shown)
    if spec.is_optional:
        return ipywidgets.Text(value=shown, placeholder="off", continuous_update=False)
    # Not the bounded inputs of ipywidgets: they silently replace what was typed by the nearest bound.
    if spec.kind == "int":
        return ipywidgets.IntText(value=shown, step=1 if spec.step is None else spec.step)
    return ipywidgets.FloatText(value=shown, step=spec.step)


def _is_text(spec: ParameterSpec) -> bool:
    """Whether a parameter is typed as text: a number that may be left empty."""
    return spec.is_optional and spec.kind in _NUMBERS


def _shown(spec: ParameterSpec, value: object) -> Any:  # noqa: ANN401  what the input's kind takes
    if not _is_text(spec):
        return value
    return "" if value is None else f"{value:.12g}"


def _parsed(spec: ParameterSpec, shown: object) -> object:
    if not _is_text(spec):
        return shown
    text = str(shown).strip()
    if text.lower() in {"", "off"}:
        return None
    try:
        return int(text) if spec.kind == "int" else float(text)
    except ValueError:
        return text
