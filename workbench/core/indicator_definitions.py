"""What TA-Lib says of its functions: the inputs, parameters and outputs of each indicator."""

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import talib
from talib import abstract

from workbench.errors import ConfigError

__all__ = [
    "IndicatorDefinition",
    "indicator_definition",
    "indicator_lookback",
    "indicator_names",
    "parameter_values",
]

# They answer with positions counted from the first bar of the data, which mean nothing to a strategy.
_LEFT_OUT = frozenset({"MAXINDEX", "MININDEX", "MINMAXINDEX"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorDefinition:
    """What TA-Lib says of one of its functions.

    Attributes
    ----------
    name : str
        Lower-case name, as written in an expression.
    title : str
        Name for people, such as "Average True Range".
    inputs : tuple of str
        Columns of the bars read by default, in order; ``periods`` has no default.
    series_count : int
        How many of them, from the first, stand for any series (``close.sma(20)``); 0 when all are fixed columns
        (``m.atr(14)``).
    parameters : mapping of str to int or float
        Parameters in order, with their defaults; the type of the default is the type of the parameter.
    outputs : tuple of str
        Names of the values, one or more.
    """

    name: str
    title: str
    inputs: tuple[str, ...]
    series_count: int
    parameters: Mapping[str, float]
    outputs: tuple[str, ...]


@cache
def indicator_names() -> tuple[str, ...]:
    """Return the names of all indicators that expressions offer, sorted.

    Examples
    --------
    >>> "atr" in indicator_names(), len(indicator_names()) > 190
    (True, True)
    """
    all_names: Any = talib.get_functions  # without types
    return tuple(sorted(name.lower() for name in set(all_names()) - _LEFT_OUT))


@cache
def indicator_definition(name: str) -> IndicatorDefinition:
    """Return the definition of an indicator.

    Parameters
    ----------
    name : str
        Lower-case TA-Lib name, one of `indicator_names`.

    Raises
    ------
    ConfigError
        There is no such indicator; names that resemble it are listed.

    Examples
    --------
    >>> indicator_definition("atr").inputs, dict(indicator_definition("atr").parameters)
    (('high', 'low', 'close'), {'timeperiod': 14})
    """
    if name not in indicator_names():
        raise ConfigError(f"there is no indicator {name!r}{_resembling(name)}")
    info = _abstract_function(name).info
    inputs: list[str] = []
    series_count = 0
    for role, columns in info["input_names"].items():
        if role == "prices":
            inputs += columns
        else:
            inputs.append(columns)
            series_count += 1
    return IndicatorDefinition(
        name=name,
        title=info["display_name"],
        inputs=tuple(inputs),
        series_count=series_count,
        parameters=dict(info["parameters"]),
        outputs=tuple(info["output_names"]),
    )


def _resembling(name: str) -> str:
    close = [known for known in indicator_names() if known.startswith(name[:2])]
    return f"; did you mean one of {', '.join(close)}?" if close else ""


def parameter_values(definition: IndicatorDefinition, given: Mapping[str, float]) -> tuple[float, ...]:
    """Return all parameters of an indicator in order, each as TA-Lib's type, with defaults where none was given.

    Raises
    ------
    ConfigError
        A parameter does not exist, is of the wrong type or not finite; the valid ones are named.

    Examples
    --------
    >>> parameter_values(indicator_definition("macd"), {"slowperiod": 30})
    (12, 30, 9)
    """
    faults = [f"{name} is not a parameter" for name in given if name not in definition.parameters]
    values: list[float] = []
    for name, default in definition.parameters.items():
        value = given.get(name, default)
        try:
            number: float = operator.index(value) if isinstance(default, int) else float(value)  # type: ignore[arg-type]  # refused below
        except (TypeError, ValueError):
            faults.append(f"{name} must be {'an int' if isinstance(default, int) else 'a float'}, was {value!r}")
            continue
        values.append(number)
        if not math.isfinite(number):
            faults.append(f"{name} must be finite, was {value!r}")
    if faults:
        valid = ", ".join(f"{name}={default}" for name, default in definition.parameters.items())
        raise ConfigError(f"{definition.name}: {'; '.join(faults)} (parameters: {valid or 'none'})")
    return tuple(values)


@cache
def indicator_lookback(name: str, values: tuple[float, ...]) -> int:
    """Return how many earlier bars an indicator reads with these parameters.

    Raises
    ------
    ConfigError
        TA-Lib refuses the parameters.

    Examples
    --------
    >>> indicator_lookback("sma", (20,))
    19
    """
    definition = indicator_definition(name)
    function = _abstract_function(name)
    given = dict(zip(definition.parameters, values, strict=True))
    function.parameters = given
    lookback = int(function.lookback)
    if lookback < 0:
        text = ", ".join(f"{key}={value}" for key, value in given.items())
        raise ConfigError(f"{name}({text}): TA-Lib refuses these parameters; its defaults are {definition.parameters}")
    return lookback


def _abstract_function(name: str) -> Any:
    make: Any = vars(abstract)["Function"]
    return make(name.upper())
