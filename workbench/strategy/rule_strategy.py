"""The first door: a function from the market to rules, made a strategy by a decorator."""

import functools
import inspect
from collections.abc import Callable, Mapping
from types import FunctionType, MappingProxyType
from typing import Any

from workbench.core.market_view import MarketView
from workbench.core.rule_plan import RulePlan
from workbench.core.user_source import source_text
from workbench.errors import ConfigError
from workbench.strategy.parameters import Parameter, checked_parameters, declared_parameter
from workbench.strategy.rules import Rules

__all__ = ["ConfiguredRules", "RuleStrategy", "strategy"]


class RuleStrategy:
    """A strategy function with open parameters; calling it with some of them gives a configured strategy.

    Made by `strategy`. Taken as it is, all parameters stand at their defaults.

    Attributes
    ----------
    name : str
        Name of the function.
    spec : tuple of Parameter
        Its parameters, in order.
    source : str or None
        Text of the function, None when it cannot be had.
    function : callable
        The function itself.
    """

    def __init__(self, function: Callable[..., Rules]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.name = function.__name__
        self.spec = _spec_of(function)
        # Now, while the text is that of this function: a file or cell may be edited later.
        self.source = source_text(function) if isinstance(function, FunctionType) else None

    def __call__(self, *positional: object, **parameters: object) -> "ConfiguredRules":
        """Return the strategy with these parameters, the others at their defaults.

        Raises
        ------
        ConfigError
            A parameter is unknown or its value is refused, or one was given without its name.
        """
        if positional:
            names = ", ".join(parameter.name for parameter in self.spec)
            raise ConfigError(
                f"{self.name} takes its parameters by name ({names or 'it has none'}), was given {positional}"
            )
        return ConfiguredRules(self, checked_parameters(self.name, self.spec, parameters))

    def __repr__(self) -> str:
        return f"<strategy {self.name}({', '.join(f'{one.name}={one.default!r}' for one in self.spec)})>"


class ConfiguredRules:
    """A strategy function with fixed parameters: what backtests, sweeps and sessions take.

    Made by calling a `RuleStrategy`.

    Parameters
    ----------
    template : RuleStrategy
        The strategy.
    parameters : mapping of str to value
        All its parameters, checked; kept as a read-only copy.

    Attributes
    ----------
    name : str
        Name of the strategy.
    spec : tuple of Parameter
        What the parameters may be.
    """

    __slots__ = ("_template", "name", "parameters", "spec")

    def __init__(self, template: RuleStrategy, parameters: Mapping[str, Any]) -> None:
        self._template = template
        self.name = template.name
        self.spec = template.spec
        self.parameters: Mapping[str, Any] = MappingProxyType(dict(parameters))

    @property
    def template(self) -> RuleStrategy:
        """The strategy with open parameters."""
        return self._template

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.parameters.items())})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConfiguredRules):
            return NotImplemented
        return self._template is other._template and self.parameters == other.parameters

    def __hash__(self) -> int:
        return hash((self._template, tuple(self.parameters.items())))

    def with_parameters(self, **changes: object) -> "ConfiguredRules":
        """Return the strategy with some parameters changed.

        Raises
        ------
        ConfigError
            A parameter is unknown or its value is refused.
        """
        return self._template(**{**self.parameters, **changes})

    def lower(self) -> RulePlan:
        """Return the decision plan: the function is called once, with a fresh market view.

        Raises
        ------
        ConfigError
            The function does not return `Rules`, or uses an expression in a way that has no meaning.
        LookAheadError
            The function reads a later bar.
        """
        rules = self._template.function(MarketView(), **self.parameters)
        if not isinstance(rules, Rules):
            raise ConfigError(f"{self.name} must return Rules(...), was {rules!r}")
        return RulePlan(
            self.name, self.parameters, self._template.source, rules.condition_nodes(), rules.level_values()
        )


def strategy(function: Callable[..., Rules]) -> RuleStrategy:
    """Make a strategy of a function that takes a market view and parameters and returns `Rules`.

    The function is called once for each symbol, not for each bar: what it writes are expressions over all bars.

    Parameters
    ----------
    function : callable
        First the market view, by convention ``m``; then parameters, each with a default, plain or from `param`.

    Raises
    ------
    ConfigError
        The function has no market view, or a parameter that no panel could show.

    Examples
    --------
    >>> @strategy
    ... def momentum(m, length=20, stop=0.05):
    ...     before = m.close.shift(length)
    ...     return Rules(enter_long=m.close > before, exit_long=m.close < before, stop_loss=stop)
    >>> momentum(length=30)
    momentum(length=30, stop=0.05)
    """
    if not callable(function):
        raise ConfigError(f"@strategy takes a function, was {function!r}")
    return RuleStrategy(function)


def _spec_of(function: Callable[..., Rules]) -> tuple[Parameter, ...]:
    name = function.__name__
    declared = list(inspect.signature(function).parameters.values())
    if not declared or declared[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        raise ConfigError(f"{name} must take the market view first: def {name}(m, ...)")
    spec = []
    for parameter in declared[1:]:
        if parameter.default is inspect.Parameter.empty:
            raise ConfigError(
                f"{name}: the parameter {parameter.name} needs a default, which panels and sweeps start from"
            )
        annotation = None if parameter.annotation is inspect.Parameter.empty else parameter.annotation
        spec.append(declared_parameter(name, parameter.name, parameter.default, annotation))
    return tuple(spec)
