"""Own nodes: arithmetic, comparison, crossing, logic and shift, in a batch and a step form of the same arithmetic.

Comparisons with nan are False, ``!=`` too. A division by zero has no value: nan.
"""

import operator
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.compiled import kernel, place
from workbench.core.nodes import Constant, FloatArray, Node, Step, frozen

__all__ = ["Absolute", "AsFloat", "Binary", "Compare", "Cross", "Logic", "Negate", "Not", "Shift", "as_series"]

_NAN = float("nan")


def _divide_arrays(a: FloatArray | float, b: FloatArray | float) -> FloatArray:
    out = np.full(np.broadcast(a, b).shape, np.nan)
    np.divide(a, b, out=out, where=np.not_equal(b, 0.0))
    return out


def _divide(a: float, b: float) -> float:
    return a / b if b != 0.0 else _NAN


_ARITHMETIC: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "+": (np.add, operator.add),
    "-": (np.subtract, operator.sub),
    "*": (np.multiply, operator.mul),
    "/": (_divide_arrays, _divide),
}


def _differ_arrays(a: FloatArray | float, b: FloatArray | float) -> NDArray[np.bool_]:
    return np.less(a, b) | np.greater(a, b)


def _differ(a: float, b: float) -> bool:
    return a < b or a > b


_COMPARISONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    ">": (np.greater, operator.gt),
    "<": (np.less, operator.lt),
    ">=": (np.greater_equal, operator.ge),
    "<=": (np.less_equal, operator.le),
    "==": (np.equal, operator.eq),
    "!=": (_differ_arrays, _differ),
}

_LOGIC: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "&": (np.logical_and, operator.and_),
    "|": (np.logical_or, operator.or_),
}


class _Infix(Node):
    """A node of two inputs that is written between them."""

    __slots__ = ()
    _table = _ARITHMETIC
    _is_bool = False

    def __init__(self, symbol: str, left: Node, right: Node) -> None:
        super().__init__((symbol,), (left, right), is_bool=self._is_bool)

    def describe(self) -> str:
        """Return ``(left symbol right)``."""
        left, right = self.inputs
        return f"({left.describe()} {self.arguments[0]} {right.describe()})"

    def evaluate(self, inputs: Sequence[Any]) -> NDArray[Any]:
        """Apply the operator to whole arrays."""
        return frozen(self._table[self.arguments[0]][0](*inputs))

    def stepper(self) -> Step:
        """Return the operator for two values."""
        return self._table[self.arguments[0]][1]


class Binary(_Infix):
    """Sum, difference, product or quotient of two series."""

    __slots__ = ()


class Compare(_Infix):
    """Comparison of two series; False where either is nan."""

    __slots__ = ()
    _table = _COMPARISONS
    _is_bool = True


class Logic(_Infix):
    """Both, or at least one, of two conditions."""

    __slots__ = ()
    _table = _LOGIC
    _is_bool = True


class _Prefix(Node):
    """A node of one input that is written before it."""

    __slots__ = ()
    _pattern = ""
    # Of arrays, and of one value.
    _functions: tuple[Callable[..., Any], Callable[..., Any]]

    def __init__(self, operand: Node) -> None:
        super().__init__((), (operand,), is_bool=operand.is_bool)

    def describe(self) -> str:
        """Return the operand with the operator before it."""
        return self._pattern.format(self.inputs[0].describe())

    def evaluate(self, inputs: Sequence[Any]) -> NDArray[Any]:
        """Apply the operator to a whole array."""
        return frozen(self._functions[0](inputs[0]))

    def stepper(self) -> Step:
        """Return the operator for one value."""
        return self._functions[1]


class Not(_Prefix):
    """The opposite of a condition."""

    __slots__ = ()
    _pattern = "~{}"
    _functions = (np.logical_not, operator.not_)


class Negate(_Prefix):
    """The series with its sign turned."""

    __slots__ = ()
    _pattern = "-{}"
    _functions = (np.negative, operator.neg)


class Absolute(_Prefix):
    """The series without its sign."""

    __slots__ = ()
    _pattern = "abs({})"
    _functions = (np.abs, operator.abs)


class AsFloat(Node):
    """A condition as 1.0 and 0.0, nan in its warm-up, so that indicators can count it."""

    __slots__ = ()

    def __init__(self, condition: Node) -> None:
        super().__init__((), (condition,))

    def describe(self) -> str:
        """Return the condition; the change of type is not worth telling."""
        return self.inputs[0].describe()

    def evaluate(self, inputs: Sequence[Any]) -> FloatArray:
        """Convert a whole array."""
        result: FloatArray = inputs[0].astype(np.float64)
        result[: self.warmup] = np.nan
        return frozen(result)

    def stepper(self) -> Step:
        """Return a conversion that counts the bars of the warm-up."""
        left = self.warmup

        def step(condition: bool) -> float:  # noqa: FBT001  called by position, once a bar
            nonlocal left
            if left:
                left -= 1
                return _NAN
            return 1.0 if condition else 0.0

        return step


def as_series(node: Node) -> Node:
    """Return the node itself, or a condition as the numbers 1.0 and 0.0."""
    return AsFloat(node) if node.is_bool else node


class Shift(Node):
    """The value of some bars ago."""

    __slots__ = ()

    def __init__(self, series: Node, bars: int) -> None:
        super().__init__((bars,), (series,), lookback=bars, is_bool=series.is_bool)

    def describe(self) -> str:
        """Return ``series.shift(bars)``."""
        return f"{self.inputs[0].describe()}.shift({self.lookback})"

    def evaluate(self, inputs: Sequence[Any]) -> NDArray[Any]:
        """Move a whole array towards the present; the first bars have no value."""
        values: NDArray[Any] = inputs[0]
        result = np.empty_like(values)
        bars = min(self.lookback, len(values))
        result[:bars] = False if self.is_bool else np.nan
        result[bars:] = values[: len(values) - bars]
        return frozen(result)

    def stepper(self) -> Step:
        """Return a queue as long as the shift."""
        queue: deque[float] = deque([False if self.is_bool else _NAN] * self.lookback)
        put, take = queue.append, queue.popleft

        def step(value: float) -> float:
            put(value)
            return take()

        return step


class Cross(Node):
    """True on the bar on which the first series goes from at or beyond the second to the other side of it."""

    __slots__ = ()

    def __init__(self, left: Node, right: Node, *, is_upward: bool) -> None:
        super().__init__((is_upward,), (left, right), lookback=1, is_bool=True)

    def describe(self) -> str:
        """Return ``left.crosses_above(right)``."""
        left, right = self.inputs
        return f"{left.describe()}.crosses_{'above' if self.arguments[0] else 'below'}({right.describe()})"

    def evaluate(self, inputs: Sequence[Any]) -> NDArray[np.bool_]:
        """Find the crossings of two whole series, or of a series and a level, in one pass."""
        rising, falling = inputs if self.arguments[0] else inputs[::-1]
        if not isinstance(rising, np.ndarray):
            out = np.empty(len(falling), dtype=np.bool_)
            _crosses_below_level(falling, rising, out)
        elif not isinstance(falling, np.ndarray):
            out = np.empty(len(rising), dtype=np.bool_)
            _crosses_above_level(rising, falling, out)
        else:
            out = np.empty(len(rising), dtype=np.bool_)
            _crosses(rising, falling, out)
        frozen(out)
        return out

    def stepper(self) -> Step:
        """Return a comparison that remembers the bar before."""
        is_upward = self.arguments[0]
        was_ready = False

        def step(left: float, right: float) -> bool:
            nonlocal was_ready
            rising, falling = (left, right) if is_upward else (right, left)
            is_crossing = was_ready and rising > falling
            was_ready = rising <= falling
            return is_crossing

        return step


class Crossings(NamedTuple):
    """Two series, and the codes of the bars on which the first one goes above and below the second."""

    left: Node
    right: Node
    above: int
    below: int


def crossings_of(conditions: Sequence[Node]) -> Crossings | None:
    """Return the two series whose crossings are all that the conditions ask for; None when they ask for more.

    Each condition is a bit of the codes, the first one the lowest. Rules that enter on one crossing and leave on the
    other are common, and `cross_codes` finds both in a pass.
    """
    crosses = [(1 << place, node) for place, node in enumerate(conditions) if isinstance(node, Cross)]
    others = [node for node in conditions if not isinstance(node, Cross)]
    if not crosses or any(not isinstance(node, Constant) or node.value for node in others):
        return None
    left, right = crosses[0][1].inputs
    if isinstance(left, Constant) or isinstance(right, Constant):
        return None
    above = below = 0
    for bit, node in crosses:
        # The second series crosses below the first when that crosses above it.
        if node.inputs not in ((left, right), (right, left)):
            return None
        if node.arguments[0] == (node.inputs == (left, right)):
            above |= bit
        else:
            below |= bit
    return Crossings(left, right, above, below)


@kernel
def cross_codes(left: FloatArray, right: FloatArray, above: int, below: int, codes: NDArray[np.uint8]) -> None:
    """Write `above` or `below` for each bar on which two series cross, 0 elsewhere."""
    # Nor in the warm-up: a series without a value crosses nothing.
    codes[:1] = 0
    for row in range(1, codes.shape[0]):
        one, other = left[place(row)], right[place(row)]
        one_before, other_before = left[place(row - 1)], right[place(row - 1)]
        is_above = (one > other) & (one_before <= other_before)
        is_below = (other > one) & (other_before <= one_before)
        codes[place(row)] = is_above * above | is_below * below


@kernel
def _crosses(rising: FloatArray, falling: FloatArray, out: NDArray[np.bool_]) -> None:
    if out.shape[0]:
        out[0] = False
    for row in range(1, out.shape[0]):
        out[row] = (rising[row] > falling[row]) & (rising[row - 1] <= falling[row - 1])


@kernel
def _crosses_above_level(series: FloatArray, level: float, out: NDArray[np.bool_]) -> None:
    if out.shape[0]:
        out[0] = False
    for row in range(1, out.shape[0]):
        out[row] = (series[row] > level) & (series[row - 1] <= level)


@kernel
def _crosses_below_level(series: FloatArray, level: float, out: NDArray[np.bool_]) -> None:
    if out.shape[0]:
        out[0] = False
    for row in range(1, out.shape[0]):
        out[row] = (series[row] < level) & (series[row - 1] >= level)
