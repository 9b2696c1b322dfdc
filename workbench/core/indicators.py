"""Indicators: one definition for each TA-Lib function, computed over arrays or carried forward bar by bar.

TA-Lib's batch functions and stream handles give the same bits. A bar on which an input is not finite is no bar for the
indicator: it has no value there and its memory is left as it was, in both forms, instead of being poisoned to the end.
"""

import inspect
import math
import operator
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import talib
from talib import stream

from workbench.core.indicator_definitions import indicator_definition, indicator_lookback
from workbench.core.nodes import FloatArray, Node, Price, Step, frozen

__all__ = ["Indicator", "Output"]

_NAN = math.nan

# Not in TA-Lib's type information.
_InsufficientHistory: type[Exception] = vars(talib)["InsufficientHistory"]


class Indicator(Node):
    """A TA-Lib function of its inputs.

    Parameters
    ----------
    name : str
        One of `indicator_names`.
    inputs : sequence of Node
        As many as the definition has.
    values : tuple of int or float
        All parameters, in the order of the definition; see `parameter_values`.

    Raises
    ------
    ConfigError
        TA-Lib refuses the parameters.
    """

    __slots__ = ()
    is_shared = True

    def __init__(self, name: str, inputs: Sequence[Node], values: tuple[float, ...]) -> None:
        super().__init__(
            (name, values),
            inputs,
            lookback=indicator_lookback(name, values),
            output_count=len(indicator_definition(name).outputs),
        )

    def describe(self) -> str:
        """Return ``name(inputs, parameters)``."""
        name, values = self.arguments
        return f"{name}({', '.join([node.describe() for node in self.inputs] + [f'{value:g}' for value in values])})"

    def evaluate(self, inputs: Sequence[Any]) -> FloatArray:
        """Return the values of all bars, nan in the warm-up and where an input is not finite."""
        name, values = self.arguments
        if all(isinstance(node, Price) for node in self.inputs):
            return frozen(_batch(name, values, inputs, self.lookback))
        is_finite = np.logical_and.reduce([np.isfinite(column) for column in inputs])
        if is_finite.all():
            return frozen(_batch(name, values, inputs, self.lookback))
        dense = _batch(name, values, [column[is_finite] for column in inputs], self.lookback)
        out = np.full((*dense.shape[:-1], len(is_finite)), np.nan)
        out[..., is_finite] = dense
        return frozen(out)

    def stepper(self) -> Step:
        """Return a TA-Lib stream handle that opens itself once it has seen enough bars."""
        name, values = self.arguments
        return _Handle(name, values, len(self.inputs), self.lookback).step


class Output(Node):
    """One of the several values of an indicator."""

    __slots__ = ()

    def __init__(self, indicator: Indicator, index: int) -> None:
        super().__init__((index,), (indicator,))

    def describe(self) -> str:
        """Return ``indicator.output``."""
        indicator = self.inputs[0]
        return f"{indicator.describe()}.{indicator_definition(indicator.arguments[0]).outputs[self.arguments[0]]}"

    def evaluate(self, inputs: Sequence[Any]) -> FloatArray:
        """Return the output's row."""
        row: FloatArray = inputs[0][self.arguments[0]]
        return row

    def stepper(self) -> Step:
        """Return a getter of the output's value."""
        return operator.itemgetter(self.arguments[0])


@cache
def _batch_function(name: str) -> Any:
    # TA-Lib wraps its functions for pandas input; the wrapper costs more than short series take.
    return inspect.unwrap(getattr(talib, name.upper()))


def _batch(name: str, values: tuple[float, ...], columns: Sequence[FloatArray], lookback: int) -> FloatArray:
    """Return TA-Lib's values over finite columns as float64: (n,), or (outputs, n) when there are several."""
    rows = len(columns[0])
    count = len(indicator_definition(name).outputs)
    if rows <= lookback:
        return np.full(rows if count == 1 else (count, rows), np.nan)
    result = _batch_function(name)(*columns, *values)
    if count > 1:
        result = np.array(result, dtype=np.float64)
    # Functions with whole numbers answer 0 in their warm-up, which would look like a value.
    out: FloatArray = np.asarray(result, dtype=np.float64)
    out[..., :lookback] = np.nan
    return out


class _Handle:
    """The step form of an indicator: collects bars until TA-Lib's handle opens, then carries it forward."""

    __slots__ = ("_columns", "_lookback", "_name", "_nothing", "_opened", "_update", "_values")

    def __init__(self, name: str, values: tuple[float, ...], input_count: int, lookback: int) -> None:
        self._name = name
        self._values = values
        self._lookback = lookback
        self._columns: list[list[float]] = [[] for _ in range(input_count)]
        self._update: Any = None
        count = len(indicator_definition(name).outputs)
        self._nothing: Any = _NAN if count == 1 else (_NAN,) * count

    def step(self, *bar: float) -> Any:
        """Return the value of this bar."""
        if self._update is None:
            return self._collect(bar)
        try:
            return self._update(*bar)
        except Exception:
            # TA-Lib has one class for every error; a bar that is not finite leaves the handle untouched.
            if all(map(math.isfinite, bar)):
                raise
            return self._nothing

    def _collect(self, bar: tuple[float, ...]) -> Any:
        if not all(map(math.isfinite, bar)):
            return self._nothing
        for column, value in zip(self._columns, bar, strict=True):
            column.append(value)
        if len(self._columns[0]) <= self._lookback:
            return self._nothing
        columns = [np.array(column) for column in self._columns]
        try:
            handle = getattr(stream, self._name.upper())(*columns, *self._values)
        except _InsufficientHistory:
            # Some seedings want more bars than the batch function; until then that function answers.
            result = _batch(self._name, self._values, columns, self._lookback)[..., -1]
            return float(result) if result.ndim == 0 else tuple(result.tolist())
        update, value = handle.update, handle.value
        if isinstance(value, int):
            # A whole number would divide and negate unlike the float of the batch form.
            self._update = lambda *bar: float(update(*bar))
            value = float(value)
        else:
            self._update = update
        self._columns = []
        return value
