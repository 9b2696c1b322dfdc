"""Expressions: what a strategy writes about prices and indicators, without any way to look ahead."""

import functools
import operator
from typing import Any, Final, NoReturn, Self

import numpy as np

from workbench.core.graph import Graph
from workbench.core.indicator_definitions import indicator_definition, indicator_names
from workbench.core.indicator_methods import IndicatorMethod
from workbench.core.nodes import Constant, Node
from workbench.core.operators import Absolute, Binary, Compare, Cross, Logic, Negate, Not, Shift, as_series
from workbench.errors import ConfigError, LookAheadError

__all__ = ["Expr", "warmup", "whole_number"]

# What somebody who comes from pandas writes first.
_AS_IN_PANDAS: Final = {
    "diff": "x - x.shift(1)",
    "ewm": "x.ema(20)",
    "iloc": "x.shift(1), the value of one bar ago",
    "mean": "x.sma(20)",
    "pct_change": "x / x.shift(1) - 1",
    "rolling": "x.sma(20), x.stddev(20), x.max(20) or x.min(20)",
    "std": "x.stddev(20)",
}


def warmup(expression: "Expr") -> int:
    """Return the number of leading bars on which an expression has no value, from all that it is made of.

    Examples
    --------
    >>> from workbench.core.market_view import MarketView
    >>> warmup(MarketView().close.sma(20).shift(1))
    20
    """
    return expression.node.warmup


class Expr:
    """A series of values, one for each bar, or a condition.

    Made from a `MarketView`, by arithmetic (``+ - * / abs``, ``**`` with a whole exponent), comparison, ``& | ~`` of
    conditions, `shift`, `crosses_above`, `crosses_below` and every TA-Lib indicator of a series by its lower-case name:
    ``m.close.sma(20)``, ``m.close.bbands(20).upperband``. A comparison with a value that is missing (nan) is False;
    a division by zero is nan.
    """

    __slots__ = ("_graph", "node")

    # Arrays must not take an expression apart: numpy then leaves the operation to the expression.
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]  # == builds an expression, so there is no equality to hash by

    def __init__(self, graph: Graph, node: Node) -> None:
        self._graph = graph
        self.node = graph.intern(node)

    def __repr__(self) -> str:
        return self.node.describe()

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in indicator_names() if indicator_definition(name).series_count)]

    def __bool__(self) -> bool:
        raise ConfigError(
            f"the condition {self!r} has a value for each bar, not one: "
            "write & for and, | for or, ~ for not, and (a < x) & (x < b) for a < x < b"
        )

    def __getitem__(self, place: object) -> NoReturn:
        raise ConfigError(
            f"{self!r}[{place!r}] is refused: an expression is read at the present bar, "
            "and .shift(1) is its value of one bar ago"
        )

    def __array__(self, *_: object, **__: object) -> NoReturn:
        # Without this numpy would take the expression for one object, and its mean for the expression itself.
        raise ConfigError(
            f"numpy cannot read {self!r}, which has no values while rules are written: use a method such as .sma(20), "
            "or m.feature(function, lookback=20) for a function of your own"
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"an expression has no attribute {name!r}")
        try:
            definition = indicator_definition(name)
        except ConfigError as error:
            written = _AS_IN_PANDAS.get(name)
            way_out = str(error) if written is None else f"write {written}"
            raise AttributeError(f"an expression has no attribute {name!r}: {way_out}") from None
        if not definition.series_count:
            raise AttributeError(f"{name} reads {', '.join(definition.inputs)} of the bars: write m.{name}(...)")
        return IndicatorMethod(definition, self._of, _series(self))

    def __add__(self, other: "Expr | float") -> "Expr":
        return self._binary("+", self, other)

    def __radd__(self, other: float) -> "Expr":
        return self._binary("+", other, self)

    def __sub__(self, other: "Expr | float") -> "Expr":
        return self._binary("-", self, other)

    def __rsub__(self, other: float) -> "Expr":
        return self._binary("-", other, self)

    def __mul__(self, other: "Expr | float") -> "Expr":
        return self._binary("*", self, other)

    def __rmul__(self, other: float) -> "Expr":
        return self._binary("*", other, self)

    def __truediv__(self, other: "Expr | float") -> "Expr":
        return self._binary("/", self, other)

    def __rtruediv__(self, other: float) -> "Expr":
        return self._binary("/", other, self)

    def __pow__(self, exponent: int) -> "Expr":
        # Products only: a power function rounds differently over arrays and for one value.
        count = whole_number("exponent", exponent)
        if count < 1:
            raise ConfigError(f"the exponent must be >= 1, was {count}; x.sqrt() is the root, 1 / x the inverse")
        return functools.reduce(operator.mul, [self] * count)

    def __neg__(self) -> "Expr":
        return self._of(Negate(_series(self)))

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> "Expr":
        return self._of(Absolute(_series(self)))

    def __gt__(self, other: "Expr | float") -> "Expr":
        return self._of(Compare(">", _series(self), _series(other)))

    def __lt__(self, other: "Expr | float") -> "Expr":
        return self._of(Compare("<", _series(self), _series(other)))

    def __ge__(self, other: "Expr | float") -> "Expr":
        return self._of(Compare(">=", _series(self), _series(other)))

    def __le__(self, other: "Expr | float") -> "Expr":
        return self._of(Compare("<=", _series(self), _series(other)))

    def __eq__(self, other: object) -> "Expr":  # type: ignore[override]  # builds an expression, like an array's ==
        return self._of(Compare("==", _series(self), _series(other)))

    def __ne__(self, other: object) -> "Expr":  # type: ignore[override]  # as __eq__
        return self._of(Compare("!=", _series(self), _series(other)))

    def __and__(self, other: "Expr | bool") -> "Expr":
        return self._of(Logic("&", _condition(self), _condition(other)))

    def __or__(self, other: "Expr | bool") -> "Expr":
        return self._of(Logic("|", _condition(self), _condition(other)))

    __rand__ = __and__
    __ror__ = __or__

    def __invert__(self) -> "Expr":
        return self._of(Not(_condition(self)))

    def shift(self, bars: int = 1) -> "Expr":
        """Return the value of some bars ago.

        Parameters
        ----------
        bars : int, default 1
            How many, >= 0.

        Raises
        ------
        LookAheadError
            ``bars`` is negative: the value of a later bar is not known yet.
        ConfigError
            ``bars`` is not a whole number.
        """
        count = whole_number("shift", bars)
        if count < 0:
            raise LookAheadError(f"shift({count}) reads a bar that has not happened yet; shift needs bars >= 0")
        return self if count == 0 else self._of(Shift(self.node, count))

    def crosses_above(self, other: "Expr | float") -> "Expr":
        """Return whether the series is above the other one on this bar, and was at or below it on the bar before."""
        return self._of(Cross(_series(self), _series(other), is_upward=True))

    def crosses_below(self, other: "Expr | float") -> "Expr":
        """Return whether the series is below the other one on this bar, and was at or above it on the bar before."""
        return self._of(Cross(_series(self), _series(other), is_upward=False))

    def _binary(self, symbol: str, left: "Expr | float", right: "Expr | float") -> "Expr":
        return self._of(Binary(symbol, _series(left), _series(right)))

    def _of(self, node: Node) -> "Expr":
        return Expr(self._graph, node)


def _series(value: object) -> Node:
    """Return the node of a number or series; a condition becomes 1.0 and 0.0."""
    if isinstance(value, Expr):
        return as_series(value.node)
    if isinstance(value, (int, float, np.integer, np.floating)):
        return Constant(float(value))
    raise ConfigError(f"an expression goes with numbers and expressions, was {value!r}")


def _condition(value: object) -> Node:
    if isinstance(value, Expr) and value.node.is_bool:
        return value.node
    if isinstance(value, bool):
        return Constant(value)
    raise ConfigError(f"& | ~ need conditions such as (a > b), was {value!r}; put each comparison into parentheses")


def whole_number(name: str, value: object) -> int:
    """Return the value as an int, or raise ConfigError when it is not a whole number."""
    try:
        return operator.index(value)  # type: ignore[arg-type]  # anything else than a whole number is refused below
    except TypeError:
        raise ConfigError(f"{name} must be a whole number, was {value!r}") from None
