"""Every limit of a `RiskConfig` as a field in which off is a value like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import ConfigError
from workbench.model import RiskConfig
from workbench.panels.faults import faults_by_field
from workbench.panels.field_group import FieldGroup, Spec
from workbench.panels.risk_table import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RiskFields"]

_TITLE = "Risk: a number, or empty for off; fractions are fractions, 0.02 is 2 %"


class RiskFields(FieldGroup):
    """The fields of the risk settings.

    Parameters
    ----------
    risk : RiskConfig
        What they show first.
    on_change : callable
        As of `FieldGroup`.
    """

    def __init__(self, risk: RiskConfig, on_change: Callable[[str], None]) -> None:
        super().__init__(_TITLE, on_change)
        specs = [(_spec(name, meaning), getattr(risk, name)) for name, (_, _, meaning) in SETTINGS.items()]
        labels = {name: label for name, (label, _, _) in SETTINGS.items()}
        self.fill(specs, labels, {name: _reading(text_of) for name, (_, text_of, _) in SETTINGS.items()})

    def risk(self) -> RiskConfig:
        """Return the settings.

        Raises
        ------
        ConfigError
            Any is out of its range; the message names them all.
        """
        return RiskConfig(**self.values)

    def faults(self) -> dict[str, str]:
        """Return what is wrong with each setting, alone and with the others."""
        found = super().faults()
        try:
            self.risk()
        except ConfigError as error:
            # What is no number at all says so itself.
            return {**faults_by_field(str(error), self.fields, "stop_loss"), **found}
        return found


def _spec(name: str, meaning: str) -> Spec:
    # The one that is never off: without a limit of its own an account could be borrowed against without end.
    is_optional = name != "max_leverage"
    kind = "int" if name == "max_orders_per_minute" else "float"
    return Spec(name=name, kind=kind, help=f"{name}: {meaning}", is_optional=is_optional)


def _reading(text_of: Callable[[float], str]) -> Callable[[Any], str]:
    """Return what says in words how a number is understood."""
    return lambda value: "○ off" if value is None else f"● {text_of(value)}"
