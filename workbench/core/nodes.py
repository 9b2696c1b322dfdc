"""The node: one step of a calculation over bars, with a batch form and a step form that agree bit for bit."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PRICE_NAMES", "Constant", "FloatArray", "Node", "Price", "Step", "frozen"]

FloatArray = NDArray[np.float64]

# A step form takes the inputs' values of one bar, in order, and returns the node's value of that bar.
Step = Callable[..., Any]

PRICE_NAMES = ("open", "high", "low", "close", "volume")


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array marked read-only.

    Every array that leaves a node is read-only: nobody can change a cached one, and kernels see one array type only.
    """
    array.setflags(write=False)
    return array


class Node:
    """One step of a calculation; equal nodes calculate the same thing.

    Subclasses give both forms, `evaluate` and `stepper`. Values are float64 with nan for "no value yet", or bool with
    False in its place.

    Parameters
    ----------
    arguments : tuple of hashable
        What besides the inputs decides the result: an operator, a period.
    inputs : sequence of Node
        Nodes whose values this one reads, in order.
    lookback : int, default 0
        Earlier bars this node reads besides the current one.
    is_bool : bool, default False
        Whether the values are bool.
    output_count : int, default 1
        Values for one bar; with more than one the batch form is an array (output_count, n), the step form a tuple.

    Attributes
    ----------
    warmup : int
        Leading bars without a value: the own lookback on top of the longest warm-up of the inputs.
    """

    __slots__ = ("_hash", "_key", "inputs", "is_bool", "lookback", "output_count", "warmup")

    # Worth keeping between evaluations: few distinct ones in a sweep, and dear to compute.
    is_shared = False

    def __init__(
        self,
        arguments: tuple[Hashable, ...],
        inputs: Sequence["Node"] = (),
        *,
        lookback: int = 0,
        is_bool: bool = False,
        output_count: int = 1,
    ) -> None:
        self.inputs = tuple(inputs)
        self.is_bool = is_bool
        self.lookback = lookback
        self.output_count = output_count
        # A loop in place of max(): a sweep makes some ten nodes for each combination.
        before = 0
        for node in self.inputs:
            if node.warmup > before:  # noqa: PLR1730  as said
                before = node.warmup
        self.warmup: int = lookback + before
        self._key = (type(self), arguments, self.inputs)
        # Kept, because hashing a nested key anew at every look-up would walk the whole expression.
        self._hash = hash(self._key)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What besides the inputs decides the result."""
        return self._key[1]

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Node) and self._hash == other._hash and self._key == other._key

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.describe()}>"

    def describe(self) -> str:
        """Return the calculation as text close to what a user wrote."""
        parts = [node.describe() for node in self.inputs] + [str(argument) for argument in self.arguments]
        return f"{type(self).__name__.lower()}({', '.join(parts)})"

    def evaluate(self, inputs: Sequence[Any]) -> Any:
        """Return the values of all bars from the inputs' values of all bars."""
        raise NotImplementedError

    def stepper(self) -> Step:
        """Return a fresh step form: a callable with its own memory, to be called once for each bar."""
        raise NotImplementedError


class Price(Node):
    """A column of the bars: open, high, low, close or volume."""

    __slots__ = ()

    def __init__(self, column: int) -> None:
        super().__init__((column,))

    @property
    def column(self) -> int:
        """Row of the bars' value array that holds this column."""
        return int(self.arguments[0])

    def describe(self) -> str:
        """Return the name of the column."""
        return PRICE_NAMES[self.column]


class Constant(Node):
    """The same number or truth value on every bar."""

    __slots__ = ()

    def __init__(self, value: float) -> None:
        is_bool = isinstance(value, bool)
        kept = value if is_bool else float(value)
        # The text is part of the key: as dictionary keys True equals 1.0 and -0.0 equals 0.0.
        super().__init__((kept, repr(kept)), is_bool=is_bool)

    @property
    def value(self) -> float:
        """The number or truth value."""
        value: float = self.arguments[0]
        return value

    def describe(self) -> str:
        """Return the value as text."""
        return f"{self.value:g}" if not self.is_bool else str(self.value)

    def evaluate(self, inputs: Sequence[Any]) -> Any:  # noqa: ARG002  a constant reads no inputs
        """Return the value itself."""
        return self.value

    def stepper(self) -> Step:
        """Return a callable that answers with the value."""
        value = self.value
        return lambda: value
