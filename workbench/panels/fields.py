"""One field of a form: a label, an input, and a line below it that says what is allowed, or what is wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from workbench.panels.markup import note

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.panels.handle import ParameterSpec

__all__ = ["Field", "complaint", "labelled"]

_NUMBERS: Final = ("int", "float")


def labelled(control: Any, label: str, *below: Any) -> Any:  # noqa: ANN401  ipywidgets has no types
    """Return a box of an input with a label above it, and what stands below.

    The label is the input's own, so that the page ties the two: a click on it, a screen reader and a search by name
    find the input. A text in a widget beside it would be seen and nothing else.
    """
    control.description = label
    box = ipywidgets.VBox([control, *below])
    box.add_class("wb-field")
    return box


class Field:
    """One value: label, input, and a line for what is allowed or what is wrong with it.

    Parameters
    ----------
    spec : ParameterSpec
        Name, kind, bounds and help of the value; of the kind ``"text"`` as well.
    value : object
        What it holds first.
    on_change : callable
        Called with the field after each change.
    label : str, optional
        What people call it. Default: its name.
    usual : callable, optional
        Takes the value and returns what stands below while nothing is wrong. Default: the range.
    """

    def __init__(
        self,
        spec: ParameterSpec,
        value: object,
        on_change: Callable[[Field], None],
        *,
        label: str = "",
        usual: Callable[[Any], str] | None = None,
    ) -> None:
        self.spec = spec
        self.error = ""
        self._usual = usual or (lambda _value: _range_text(spec) or spec.help or "")
        self.input = _make_input(spec, value)
        self._hint = ipywidgets.HTML()
        self.box = labelled(self.input, label or spec.name, self._hint)
        self.refresh(is_open=True)
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
        """Show the error, or the usual line where there is none."""
        self.input.disabled = not is_open
        if self.error:
            self._hint.value = note(f"✗ {self.error}", "down", self.error)
        else:
            # What is wrong with the value is not always known here: the usual line may have no words for it.
            is_good = not complaint(self.spec, self.value)
            text = self._usual(self.value) if is_good else _range_text(self.spec)
            self._hint.value = note(text, title=self.spec.help or text)
        (self.box.add_class if self.error else self.box.remove_class)("wb-wrong")


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
    if spec.kind == "text" and spec.choices:
        # Suggestions, and anything else as well.
        return ipywidgets.Combobox(value=shown, options=tuple(spec.choices), continuous_update=False)
    if spec.kind == "text" or spec.is_optional:
        return ipywidgets.Text(value=shown, placeholder="off" if spec.is_optional else "", continuous_update=False)
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
    if spec.kind == "text":
        return str(shown).strip()
    if not _is_text(spec):
        return shown
    text = str(shown).strip()
    if text.lower() in {"", "off"}:
        return None
    try:
        return int(text) if spec.kind == "int" else float(text)
    except ValueError:
        return text
