"""The graph of a strategy's expressions: equal expressions are one node, evaluated over arrays or bar by bar."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from workbench.core.evaluation import EvaluationCache, evaluate, evaluation_order
from workbench.core.nodes import PRICE_NAMES, FloatArray, Node, Price, Step

__all__ = ["Graph", "HasNode", "Program", "Stream"]


class HasNode(Protocol):
    """Anything that stands for a node, such as an expression."""

    @property
    def node(self) -> Node:
        """The node it stands for."""


class Graph:
    """Keeps one node for each distinct calculation.

    Examples
    --------
    >>> graph = Graph()
    >>> graph.intern(Price(3)) is graph.intern(Price(3))
    True
    """

    def __init__(self) -> None:
        self._nodes: dict[Node, Node] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def intern(self, node: Node) -> Node:
        """Return the graph's own node for this calculation; the first one given becomes it."""
        return self._nodes.setdefault(node, node)

    def batch(
        self, expressions: Sequence[HasNode], ohlcv: FloatArray, cache: EvaluationCache | None = None
    ) -> list[NDArray[Any]]:
        """Return the values of expressions over all bars.

        Parameters
        ----------
        expressions : sequence of expressions
            In any number; shared parts are computed once.
        ohlcv : ndarray of float64, shape (5, n)
            Open, high, low, close, volume; finite.
        cache : EvaluationCache, optional
            Of the same bars; indicators it holds are not computed again.

        Returns
        -------
        list of ndarray, shape (n,)
            Read-only: float64 with nan in the warm-up, or bool with False there.

        Raises
        ------
        DataError
            ``ohlcv`` is no such table, or the cache is for other bars.
        """
        return Program([expression.node for expression in expressions]).batch(ohlcv, cache)

    def stream(self, expressions: Sequence[HasNode]) -> "Stream":
        """Return the step form of expressions, at the state before the first bar."""
        return Program([expression.node for expression in expressions]).stream()


class Program:
    """Some nodes to be calculated, over arrays or bar by bar."""

    __slots__ = ("roots", "warmup")

    def __init__(self, roots: Sequence[Node]) -> None:
        self.roots = tuple(roots)
        self.warmup = max((node.warmup for node in self.roots), default=0)

    def batch(self, ohlcv: FloatArray, cache: EvaluationCache | None = None) -> list[Any]:
        """Return the values of the roots over all bars; that of a constant is a scalar. See `Graph.batch`."""
        return evaluate(self.roots, ohlcv, cache)

    def stream(self) -> "Stream":
        """Return the step form at the state before the first bar."""
        return Stream(self.roots)


class Stream:
    """The step form of some nodes: feeds on closed bars, one at a time, in order.

    Not thread-safe: one thread steps it.
    """

    __slots__ = ("_roots", "_steps", "_values")

    def __init__(self, roots: Sequence[Node]) -> None:
        slots: dict[Node, int] = {Price(column): column for column in range(len(PRICE_NAMES))}
        steps: list[Callable[[list[Any]], None]] = []
        for node in evaluation_order(roots, {}):
            if isinstance(node, Price):
                continue
            slots[node] = len(slots)
            steps.append(_bound(node.stepper(), slots[node], [slots[source] for source in node.inputs]))
        self._steps = tuple(steps)
        self._roots = tuple(slots[root] for root in roots)
        self._values: list[Any] = [None] * len(slots)

    def step(self, open: float, high: float, low: float, close: float, volume: float) -> tuple[Any, ...]:  # noqa: A002  a bar's columns by their names
        """Take one closed bar and return the values of the roots: floats, nan without a value, or bools.

        Parameters
        ----------
        open, high, low, close, volume : float
            The bar; finite.
        """
        values = self._values
        values[0], values[1], values[2], values[3], values[4] = open, high, low, close, volume
        for advance in self._steps:
            advance(values)
        return tuple([values[slot] for slot in self._roots])


def _bound(step: Step, slot: int, inputs: Sequence[int]) -> Callable[[list[Any]], None]:
    """Return a step that reads its inputs from the list of values and writes its own; spelt out, for it runs often."""
    if len(inputs) == 1:
        (only,) = inputs

        def advance(values: list[Any]) -> None:
            values[slot] = step(values[only])

    elif len(inputs) == 2:  # noqa: PLR2004  two inputs, the most common case
        first, second = inputs

        def advance(values: list[Any]) -> None:
            values[slot] = step(values[first], values[second])

    else:
        sources = tuple(inputs)

        def advance(values: list[Any]) -> None:
            values[slot] = step(*[values[source] for source in sources])

    return advance
