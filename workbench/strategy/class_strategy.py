"""The second door: a class whose `on_bar` is asked on each bar and sees the position."""

import dataclasses
import inspect
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self, dataclass_transform

from workbench.core.callable_plan import CallablePlan
from workbench.core.expressions import Expr
from workbench.core.intents import Intent
from workbench.core.market_view import MarketView
from workbench.core.user_source import source_text
from workbench.errors import ConfigError
from workbench.strategy.parameters import Parameter, checked_parameters, declared_parameter, param

__all__ = ["Strategy"]

# What a configured strategy offers itself; a field of this name would hide it.
_RESERVED = frozenset({"name", "parameters", "spec", "source", "with_parameters", "lower", "indicators", "on_bar"})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(param,))
class Strategy:
    """Base of strategies whose decisions depend on the position.

    A subclass becomes a frozen dataclass: its annotated fields are the parameters, each with a default, plain or from
    `param`. `indicators` names expressions; each becomes a field of ``now``. `on_bar` decides on each closed bar. It is
    compiled when all it does is arithmetic, comparison, ``if``, ``abs``, ``min``, ``max``, ``**``, ``math.sqrt``,
    ``exp`` and ``log``, and helper functions of this kind; otherwise the same function runs interpreted.

    Attributes
    ----------
    name : str
        Name of the class.
    spec : tuple of Parameter
        What the parameters may be.
    source : str or None
        Text of the class, None when it cannot be had.

    Raises
    ------
    ConfigError
        On making the class: a field that no panel could show. On making an instance: a parameter is unknown or its
        value is refused.

    Examples
    --------
    >>> from workbench.core.intents import enter_long, hold
    >>> class Breakout(Strategy):
    ...     lookback: int = param(48, low=2, high=500)
    ...     risk: float = 0.01
    ...     def indicators(self, m):
    ...         return {"top": m.high.max(self.lookback).shift(1), "atr": m.atr(14)}
    ...     def on_bar(self, now, position):
    ...         if position.is_flat and now.close > now.top:
    ...             return enter_long(risk=self.risk, stop_loss=2 * now.atr / now.close)
    ...         return hold()
    >>> Breakout(lookback=24)
    Breakout(lookback=24, risk=0.01)
    """

    name: ClassVar[str] = "Strategy"
    spec: ClassVar[tuple[Parameter, ...]] = ()
    source: ClassVar[str | None] = None

    def __init_subclass__(cls, **keywords: object) -> None:
        """Make the subclass a frozen dataclass of its parameters."""
        super().__init_subclass__(**keywords)
        # First, as it refuses a field that would hide what the lines after it read.
        own = _own_parameters(cls)
        cls.name = cls.__name__
        cls.spec = tuple(({parameter.name: parameter for parameter in cls.spec} | own).values())
        # Now, while the text is that of this class: a file or cell may be edited later.
        cls.source = source_text(cls)
        for parameter in cls.spec:
            setattr(cls, parameter.name, parameter.default)
        dataclasses.dataclass(frozen=True, init=False)(cls)

    def __init__(self, *positional: object, **parameters: object) -> None:
        if positional:
            names = ", ".join(parameter.name for parameter in self.spec)
            raise ConfigError(
                f"{self.name} takes its parameters by name ({names or 'it has none'}), was given {positional}"
            )
        _refuse_bare(type(self), parameters)
        for name, value in checked_parameters(self.name, self.spec, parameters).items():
            object.__setattr__(self, name, value)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """All parameters by name, read-only."""
        return MappingProxyType({parameter.name: getattr(self, parameter.name) for parameter in self.spec})

    def with_parameters(self, **changes: object) -> Self:
        """Return the strategy with some parameters changed.

        Raises
        ------
        ConfigError
            A parameter is unknown or its value is refused.
        """
        return type(self)(**{**self.parameters, **changes})

    def indicators(self, m: MarketView) -> Mapping[str, Expr]:  # noqa: ARG002  for subclasses
        """Return the expressions that `on_bar` reads as fields of ``now``, made from the market view ``m``; or none."""
        return {}

    def on_bar(self, now: Any, position: Any) -> Intent | None:  # noqa: ANN401  namedtuples with the strategy's own fields
        """Return what to do after this bar: an intent, or None to hold.

        Parameters
        ----------
        now : namedtuple
            ``time_ns`` (open time of the bar), ``open``, ``high``, ``low``, ``close``, ``volume`` and the indicators.
        position : PositionView
            The position in this symbol and the account's equity.
        """
        raise NotImplementedError

    def lower(self) -> CallablePlan:
        """Return the decision plan.

        Raises
        ------
        ConfigError
            `on_bar` is missing or reads a field that does not exist, or `indicators` returns something else than named
            expressions.
        LookAheadError
            An indicator reads a later bar.
        """
        on_bar = type(self).on_bar
        if on_bar is Strategy.on_bar:
            raise ConfigError(f"{self.name} needs a method on_bar(self, now, position)")
        given: object = self.indicators(MarketView())
        if not isinstance(given, Mapping):
            raise ConfigError(f"{self.name}.indicators must return a dict of expressions by name, was {given!r}")
        faults = [f"{name} was {value!r}" for name, value in given.items() if not isinstance(value, Expr)]
        if faults:
            raise ConfigError(
                f"{self.name}.indicators must return expressions such as m.close.sma(20); {'; '.join(faults)}"
            )
        nodes = {name: expression.node for name, expression in given.items()}
        return CallablePlan(self.name, self.parameters, self.source, on_bar, nodes)


def _refuse_bare(cls: type[Strategy], given: Iterable[str]) -> None:
    """Say what is missing where something is given that stands in the class, but without the annotation it needs."""
    bare = {
        name: owner.__dict__[name]
        for name in given
        for owner in cls.__mro__
        if isinstance(owner.__dict__.get(name), (bool, int, float, str))
        and name not in inspect.get_annotations(owner)
        and name not in _RESERVED
        and all(parameter.name != name for parameter in cls.spec)
    }
    if bare:
        lines = " and ".join(f"`{name}: {type(value).__name__} = {value!r}`" for name, value in bare.items())
        raise ConfigError(
            f"{cls.__name__}: {', '.join(bare)} has no annotation in the class, so it is no parameter: write {lines}"
        )


def _own_parameters(cls: type[Strategy]) -> dict[str, Parameter]:
    """Return the parameters that the class itself declares."""
    own: dict[str, Parameter] = {}
    for name, annotation in inspect.get_annotations(cls).items():
        if _is_class_variable(annotation):
            continue
        if name in _RESERVED or name.startswith("_"):
            raise ConfigError(f"{cls.__name__}: {name} cannot be the name of a parameter")
        if name not in cls.__dict__:
            raise ConfigError(
                f"{cls.__name__}: the parameter {name} needs a default, which panels and sweeps start from"
            )
        own[name] = declared_parameter(cls.__name__, name, cls.__dict__[name], annotation)
    return own


def _is_class_variable(annotation: object) -> bool:
    return (
        "ClassVar" in annotation
        if isinstance(annotation, str)
        else getattr(annotation, "__origin__", annotation) is ClassVar
    )
