"""Which strategy, and its parameters as fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets

from workbench.errors import ConfigError
from workbench.panels.faults import faults_by_field
from workbench.panels.field_group import FieldGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.strategy import ConfiguredStrategy

__all__ = ["StrategyFields"]


class StrategyFields(FieldGroup):
    """A choice of strategies, and the fields of the chosen one.

    Parameters
    ----------
    strategies : mapping of str to ConfiguredStrategy
        By name, one at least.
    on_change : callable
        As of `FieldGroup`; called with ``"strategy"`` when another one is chosen.
    """

    def __init__(self, strategies: Mapping[str, ConfiguredStrategy], on_change: Callable[[str], None]) -> None:
        super().__init__("Strategy", on_change)
        self._strategies = dict(strategies)
        self._is_offering = False
        self.menu = ipywidgets.Dropdown(options=list(self._strategies), description="Strategy")
        self.menu.add_class("wb-menu")
        self.menu.observe(lambda _change: self._choose(), names="value")
        self.box.children = (self.box.children[0], self.menu, self.box.children[1])
        self._fill()

    @property
    def chosen(self) -> ConfiguredStrategy:
        """The strategy with the parameters with which it was found."""
        return self._strategies[self.menu.value]

    def offer(self, strategies: Mapping[str, ConfiguredStrategy]) -> None:
        """Offer these, and stay with the chosen one and what was typed where it is the same."""
        name, was = self.menu.value, self.chosen
        self._strategies = dict(strategies)
        # New options choose the first of them, which nobody did.
        self._is_offering = True
        try:
            self.menu.options = list(self._strategies)
            self.menu.value = name if name in self._strategies else self.menu.options[0]
        finally:
            self._is_offering = False
        if self.chosen != was:
            self._choose()

    def strategy(self) -> ConfiguredStrategy:
        """Return the strategy with what its fields say.

        Raises
        ------
        ConfigError
            Parameters are wrong; the message names them all.
        """
        return self.chosen.with_parameters(**self.values)

    def faults(self) -> dict[str, str]:
        """Return what is wrong with each parameter, alone and with the others."""
        found = super().faults()
        try:
            self.strategy()
        except ConfigError as error:
            return {**faults_by_field(str(error), self.fields, "strategy"), **found}
        return found

    def _choose(self) -> None:
        if self._is_offering:
            return
        self._fill()
        self._on_change("strategy")

    def _fill(self) -> None:
        chosen = self.chosen
        self.fill([(spec, chosen.parameters.get(spec.name, spec.default)) for spec in chosen.spec])
