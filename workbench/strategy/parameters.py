"""Parameters of strategies: what a panel shows, what a sweep may vary and what a strategy accepts."""

import dataclasses
import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from workbench.errors import ConfigError

__all__ = ["Parameter", "checked_parameters", "declared_parameter", "param"]

ParameterKind = Literal["int", "float", "bool", "choice"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a strategy.

    Attributes
    ----------
    name : str
        As in the function or class.
    default : int, float, bool, str or None
        Value when none is given.
    kind : {"int", "float", "bool", "choice"}
        Type of its values.
    low, high : float or None
        Smallest and largest value, both allowed; None: no bound.
    step : float or None
        Step of a slider; values between steps are allowed. None: no suggestion.
    choices : tuple of str
        The allowed values of a choice.
    help : str
        One sentence for people.
    is_optional : bool
        Whether None is allowed, which turns off what the parameter is for.
    """

    name: str
    default: Any
    kind: ParameterKind
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""
    is_optional: bool = False

    def converted(self, value: object) -> Any:  # noqa: ANN401  the type that the parameter's kind says
        """Return the value as the parameter's type.

        Raises
        ------
        ConfigError
            It has another type or lies outside the bounds.
        """
        if value is None and self.is_optional:
            return None
        result = self._of_kind(value)
        if result is None or not self._is_inside(result):
            raise ConfigError(f"{self.name} must be {self._range()}, was {value!r}")
        return result

    def _of_kind(self, value: object) -> Any:  # noqa: ANN401  the type that the parameter's kind says
        """Return the value as the parameter's type, or None."""
        if self.kind == "choice":
            return value if isinstance(value, str) else None
        is_truth = isinstance(value, (bool, np.bool_))
        if self.kind == "bool" or is_truth:
            return bool(value) if is_truth and self.kind == "bool" else None
        if not isinstance(value, (int, float, np.integer, np.floating)) or not math.isfinite(value):
            return None
        if self.kind == "float":
            return float(value)
        # A grid made by linspace holds 20.0 and means 20.
        return int(value) if isinstance(value, (float, np.floating)) and float(value).is_integer() else _whole(value)

    def _is_inside(self, value: Any) -> bool:  # noqa: ANN401  the type that the parameter's kind says
        if self.kind == "choice":
            return value in self.choices
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def _range(self) -> str:
        if self.kind == "choice":
            text = f"one of {', '.join(map(repr, self.choices))}"
        else:
            text = {"int": "a whole number", "float": "a finite number", "bool": "True or False"}[self.kind]
            if self.low is not None and self.high is not None:
                text += f" in [{self.low:g}, {self.high:g}]"
            elif self.low is not None:
                text += f" >= {self.low:g}"
            elif self.high is not None:
                text += f" <= {self.high:g}"
        return f"{text} or None" if self.is_optional else text


def _whole(value: object) -> int | None:
    try:
        return operator.index(value)  # type: ignore[arg-type]  # anything else than a whole number gives None
    except TypeError:
        return None


@dataclasses.dataclass(frozen=True, slots=True)
class _Declared:
    """What `param` says of a parameter whose name is not known yet."""

    default: Any
    bounds: Mapping[str, Any]

    # A dataclass takes a default without a hash for a mutable one.
    __hash__ = object.__hash__


def param(
    default: Any,  # noqa: ANN401  the type that the parameter's kind says
    *,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    choices: Sequence[str] = (),
    help: str = "",  # noqa: A002  the word that panels use
) -> Any:  # noqa: ANN401  the type that the parameter's kind says
    """Declare a parameter's default with its bounds, in the place of a plain default.

    Parameters
    ----------
    default : int, float, bool, str or None
        Value when none is given; its type is the parameter's. A str needs ``choices``; None means an optional float.
    low, high : float, optional
        Smallest and largest value, both allowed.
    step : float, optional
        Step of the slider in a panel, > 0.
    choices : sequence of str, optional
        Allowed values of a str parameter.
    help : str, optional
        One sentence for people.

    Examples
    --------
    >>> from workbench.strategy import Rules, strategy
    >>> @strategy
    ... def dip(m, length=param(14, low=2, high=100), mode=param("fast", choices=("fast", "slow"))):
    ...     return Rules(enter_long=m.rsi(length) < (30 if mode == "fast" else 20))
    >>> dip.spec[0].high
    100
    """
    return _Declared(default, {"low": low, "high": high, "step": step, "choices": tuple(choices), "help": help})


def declared_parameter(owner: str, name: str, default: object, annotation: object) -> Parameter:
    """Return the parameter that a default, plain or from `param`, declares.

    Parameters
    ----------
    owner : str
        Name of the strategy, for messages.
    name : str
        Name of the parameter.
    default : object
        The default as written.
    annotation : object
        Its annotation; None when there is none.

    Raises
    ------
    ConfigError
        The default has no type that a parameter can have, or contradicts its own bounds; all faults are named.
    """
    bounds: dict[str, Any] = {}
    value = default
    if isinstance(default, _Declared):
        value, bounds = default.default, dict(default.bounds)
    kind = _kind_of(value)
    if kind is None:
        raise ConfigError(
            f"{owner}: the default of {name} must be a number, a bool, a str with choices or None, was {value!r}"
        )
    is_optional = value is None or (
        # A plain number such as stop=0.02 may be turned off with None; an annotation says exactly.
        kind == "float" if annotation is None else _allows_none(annotation)
    )
    parameter = Parameter(name=name, default=value, kind=kind, is_optional=is_optional, **bounds)
    faults = _declaration_faults(parameter)
    if faults:
        raise ConfigError(f"{owner}: {'; '.join(faults)}")
    return dataclasses.replace(parameter, default=parameter.converted(value))


def _kind_of(default: object) -> ParameterKind | None:
    if isinstance(default, (bool, np.bool_)):
        return "bool"
    if isinstance(default, (int, np.integer)):
        return "int"
    if default is None or isinstance(default, (float, np.floating)):
        return "float"
    return "choice" if isinstance(default, str) else None


def _allows_none(annotation: object) -> bool:
    if isinstance(annotation, str):
        return "None" in annotation or "Optional" in annotation
    return type(None) in get_args(annotation)


def _declaration_faults(parameter: Parameter) -> list[str]:
    name, low, high, step = parameter.name, parameter.low, parameter.high, parameter.step
    faults = []
    if low is not None and high is not None and not low <= high:
        faults.append(f"low of {name} must be <= high, was {low} and {high}")
    if step is not None and not 0.0 < step < math.inf:
        faults.append(f"step of {name} must be > 0, was {step}")
    if parameter.kind == "choice" and not parameter.choices:
        faults.append(f"{name} is a str, so it needs choices: param({parameter.default!r}, choices=(...))")
    elif not faults:
        try:
            parameter.converted(parameter.default)
        except ConfigError as error:
            faults.append(f"the default: {error}")
    return faults


def checked_parameters(owner: str, spec: Sequence[Parameter], given: Mapping[str, object]) -> dict[str, Any]:
    """Return all parameters of a strategy, those not given at their default.

    Raises
    ------
    ConfigError
        A name is unknown or a value is refused; every fault is named, and the valid parameters are listed.

    Examples
    --------
    >>> spec = [declared_parameter("s", "fast", 20, None), declared_parameter("s", "stop", 0.02, None)]
    >>> checked_parameters("s", spec, {"fast": 10})
    {'fast': 10, 'stop': 0.02}
    """
    known = {parameter.name: parameter for parameter in spec}
    faults = [f"{name} is not a parameter" for name in given if name not in known]
    values: dict[str, Any] = {}
    for name, parameter in known.items():
        if name not in given:
            values[name] = parameter.default
            continue
        try:
            values[name] = parameter.converted(given[name])
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        valid = ", ".join(f"{parameter.name}={parameter.default!r}" for parameter in spec)
        raise ConfigError(f"{owner}: {'; '.join(faults)} (parameters: {valid or 'none'})")
    return values
