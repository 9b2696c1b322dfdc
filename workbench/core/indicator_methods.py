"""Indicators as methods: from ``m.atr(14)`` and ``m.close.sma(20)`` to nodes."""

from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, NoReturn

from workbench.core.graph import HasNode
from workbench.core.indicator_definitions import IndicatorDefinition, indicator_definition, parameter_values
from workbench.core.indicators import Indicator, Output
from workbench.core.nodes import PRICE_NAMES, Node, Price
from workbench.core.operators import as_series
from workbench.errors import ConfigError

__all__ = ["IndicatorMethod"]


class _Outputs:
    """Several series where one is wanted: says how to take one."""

    __slots__ = ()
    _fields: tuple[str, ...]

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{self._refusal} (no attribute {name!r})")

    def _refuse(self, _other: object) -> NoReturn:
        raise ConfigError(self._refusal)

    __gt__ = __lt__ = __ge__ = __le__ = __sub__ = __truediv__ = _refuse

    @property
    def _refusal(self) -> str:
        return f"{type(self).__name__} has several series: take one of .{', .'.join(self._fields)}"


@cache
def _outputs_type(name: str) -> Any:
    fields = indicator_definition(name).outputs
    return type(name, (_Outputs, namedtuple(name, fields)), {"__slots__": ()})  # noqa: PYI024  fields are known at run time only


class IndicatorMethod:
    """An indicator that waits for its parameters: what ``m.atr`` and ``m.close.sma`` are before the call.

    Parameters
    ----------
    definition : IndicatorDefinition
        The indicator.
    wrap : callable
        Makes an expression of a node.
    series : Node, optional
        The series it is called on, its first input; None on the bars themselves.
    """

    __slots__ = ("_definition", "_series", "_wrap")

    def __init__(
        self, definition: IndicatorDefinition, wrap: Callable[[Node], HasNode], series: Node | None = None
    ) -> None:
        self._definition = definition
        self._wrap = wrap
        self._series = series

    def __repr__(self) -> str:
        definition = self._definition
        parameters = ", ".join(f"{name}={default}" for name, default in definition.parameters.items())
        return f"<indicator {definition.name}({parameters}): {definition.title}>"

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Return the expression, or a namedtuple of expressions for an indicator with several outputs.

        Raises
        ------
        ConfigError
            TA-Lib refuses the parameters, or they or the series are not as many as the indicator takes.
        """
        definition = self._definition
        given = [] if self._series is None else [self._series]
        numbers = list(arguments)
        while numbers and isinstance(getattr(numbers[0], "node", None), Node):
            given.append(as_series(numbers.pop(0).node))
        node = Indicator(definition.name, self._inputs(given), self._values(numbers, keywords))
        if node.output_count == 1:
            return self._wrap(node)
        outputs = [self._wrap(Output(node, index)) for index in range(node.output_count)]
        return _outputs_type(definition.name)(*outputs)

    def _inputs(self, given: Sequence[Node]) -> list[Node]:
        definition = self._definition
        if len(given) > len(definition.inputs):
            raise ConfigError(f"{definition.name} reads {len(definition.inputs)} series, was given {len(given)}")
        # On a series there is no telling what the other one is; on the bars TA-Lib names the columns.
        needed = definition.series_count if self._series is not None else 0
        nodes = list(given)
        for name in definition.inputs[len(nodes) :]:
            if len(nodes) < needed or name not in PRICE_NAMES:
                raise ConfigError(f"{definition.name} needs {definition.series_count} series, was given {len(nodes)}")
            nodes.append(Price(PRICE_NAMES.index(name)))
        return nodes

    def _values(self, numbers: Sequence[float], keywords: dict[str, float]) -> tuple[float, ...]:
        definition = self._definition
        if not keywords:
            try:
                return _positional_values(definition.name, *numbers)
            except TypeError:
                # A number that cannot be a key of the cache is none; the message below says so.
                pass
        return _given_values(definition, numbers, keywords)


@lru_cache(maxsize=4_096, typed=True)
def _positional_values(name: str, *numbers: float) -> tuple[float, ...]:
    """Return `_given_values` of numbers alone: a sweep asks for the same ones again and again."""
    return _given_values(indicator_definition(name), numbers, {})


def _given_values(
    definition: IndicatorDefinition, numbers: Sequence[float], keywords: dict[str, float]
) -> tuple[float, ...]:
    names = list(definition.parameters)
    if len(numbers) > len(names):
        raise ConfigError(
            f"{definition.name} takes {len(names)} numbers ({', '.join(names) or 'none'}), was given {len(numbers)}"
        )
    positional = dict(zip(names, numbers, strict=False))
    if twice := positional.keys() & keywords.keys():
        raise ConfigError(f"{definition.name}: {', '.join(sorted(twice))} was given twice")
    return parameter_values(definition, positional | keywords)
