"""From anything a user calls a strategy to the decision plan that the core runs."""

from collections.abc import Mapping
from typing import Any, Protocol, Self, runtime_checkable

from workbench.core.plan import DecisionPlan
from workbench.errors import ConfigError
from workbench.strategy.class_strategy import Strategy
from workbench.strategy.parameters import Parameter
from workbench.strategy.rule_strategy import ConfiguredRules, RuleStrategy
from workbench.strategy.signals import Signals

__all__ = ["ConfiguredStrategy", "configured", "plan_of"]


@runtime_checkable
class ConfiguredStrategy(Protocol):
    """A strategy with all its parameters fixed, whichever door it came in by."""

    @property
    def name(self) -> str:
        """Name of the strategy."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """All parameters by name, read-only."""

    @property
    def spec(self) -> tuple[Parameter, ...]:
        """What the parameters may be."""

    def with_parameters(self, **changes: object) -> Self:
        """Return the strategy with some parameters changed."""

    def lower(self) -> DecisionPlan:
        """Return the decision plan."""


def configured(strategy: object) -> ConfiguredStrategy:
    """Return a configured strategy, with all parameters at their defaults where none were given yet.

    Parameters
    ----------
    strategy : object
        A configured strategy, a function decorated with ``@strategy``, a subclass of `Strategy`, or `Signals`.

    Raises
    ------
    ConfigError
        It is none of these.
    """
    if isinstance(strategy, RuleStrategy) or (isinstance(strategy, type) and issubclass(strategy, Strategy)):
        made: ConfiguredStrategy = strategy()
        return made
    if isinstance(strategy, (ConfiguredRules, Strategy, Signals)):
        return strategy
    hint = "pass one such as wb.strategy.sma_cross(fast=10)"
    if callable(strategy) and not isinstance(strategy, type):
        hint = "decorate the function with @wb.strategy"
    raise ConfigError(f"there is no strategy in {strategy!r}; {hint}")


def plan_of(strategy: object) -> DecisionPlan:
    """Return the decision plan of a strategy; see `configured` for what is taken.

    Raises
    ------
    ConfigError
        It is no strategy, or what it does has no meaning; the message says what.
    LookAheadError
        It reads a later bar.

    Examples
    --------
    >>> from workbench.strategy.trend import sma_cross
    >>> plan_of(sma_cross(fast=5, slow=10)).warmup
    10
    """
    return configured(strategy).lower()
