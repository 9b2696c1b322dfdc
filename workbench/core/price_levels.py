"""Which of a plan's expressions are prices, such as moving averages and channels: what belongs on a price chart.

Nobody declares it, so it follows from the calculation: by how much does a value rise when all prices rise by one? By
one for an average, by zero for a distance such as the average true range; half the sum of two levels is a level again.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from talib import abstract

from workbench.core.callable_plan import CallablePlan
from workbench.core.indicators import Indicator, Output
from workbench.core.nodes import PRICE_NAMES, Constant, Node, Price
from workbench.core.operators import Absolute, Binary, Negate, Shift
from workbench.core.rule_plan import RulePlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workbench.core.plan import DecisionPlan

__all__ = ["price_levels"]

_SAME_SCALE: Final = "Output scale same as input"
# In the unit of the price, but measured from nothing: they stay where they are when all prices rise.
_DISTANCES: Final = frozenset({"atr", "avgdev", "mom", "stddev", "trange"})
_VOLUME: Final = PRICE_NAMES.index("volume")
# A level times such a factor is still among the candles: a band of 5 % is, a fifth of the price is not.
_NEAR: Final = (0.5, 1.5)


def price_levels(plan: DecisionPlan, most: int = 6) -> tuple[tuple[str, Node], ...]:
    """Return the expressions of a plan that lie among the prices, each with its name, in the order of the plan.

    Parameters
    ----------
    plan : DecisionPlan
        Of rules: what their conditions and levels compare, named as it is written; prices themselves are left out. With
        ``on_bar``: its indicators, by their names. Of arrays: nothing is known.
    most : int, default 6
        How many at most, the first ones.

    Examples
    --------
    >>> from workbench.core.market_view import MarketView
    >>> m, never = MarketView(), Constant(False)
    >>> entry = (m.close > m.close.sma(20) * 1.01) & (m.close.rsi(14) > 50) & (m.volume > m.volume.sma(9))
    >>> plan = RulePlan("band", {}, None, [entry.node, never, never, never], [float("nan")] * 7 + [0.0])
    >>> [name for name, _ in price_levels(plan)]
    ['(sma(close, 20) * 1.01)']
    """
    shares = _Shares()
    if isinstance(plan, CallablePlan):
        named: Iterable[tuple[str, Node]] = zip(plan.indicator_names, plan.indicator_nodes, strict=True)
        found = [(name, node) for name, node in named if shares.is_level(node)]
    elif isinstance(plan, RulePlan):
        roots = [*plan.conditions, *(level for level in plan.levels if isinstance(level, Node))]
        found = [(_title(node), node) for node in dict.fromkeys(_topmost(roots, shares))]
    else:
        found = []
    return tuple(found[:most])


def _topmost(roots: Iterable[Node], shares: _Shares) -> Iterator[Node]:
    """Yield the levels nearest to the roots; what such a level is made of is not shown beside it."""
    seen: set[Node] = set()
    stack = list(reversed(list(roots)))
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if shares.is_level(node):
            yield node
        else:
            stack += reversed(node.inputs)


class _Shares:
    """By how much nodes rise when all prices rise by one; None for what is not in the unit of the price."""

    def __init__(self) -> None:
        self._known: dict[Node, float | None] = {}

    def is_level(self, node: Node) -> bool:
        """Return whether a node lies among the prices and is more than a price of this or an earlier bar."""
        share = self.of(node)
        return node.output_count == 1 and share is not None and _NEAR[0] < share < _NEAR[1] and not _is_bare(node)

    def of(self, node: Node) -> float | None:
        """Return a node's share."""
        if node not in self._known:
            self._known[node] = self._compute(node)
        return self._known[node]

    def _compute(self, node: Node) -> float | None:
        if isinstance(node, Price):
            return None if node.column == _VOLUME else 1.0
        if isinstance(node, Indicator):
            return self._indicator(node)
        if isinstance(node, Output | Shift):
            return self.of(node.inputs[0])
        if isinstance(node, Absolute):
            share = self.of(node.inputs[0])
            return None if share is None else abs(share)
        if isinstance(node, Negate):
            share = self.of(node.inputs[0])
            return None if share is None else -share
        return self._binary(node) if isinstance(node, Binary) else None

    def _indicator(self, node: Indicator) -> float | None:
        share = self.of(node.inputs[0])
        name = node.arguments[0]
        if share is None:
            return None
        if name in _DISTANCES:
            return 0.0
        return share if _keeps_scale(name) else None

    def _binary(self, node: Binary) -> float | None:
        symbol = node.arguments[0]
        left, right = node.inputs
        one, other = self.of(left), self.of(right)
        if symbol in "+-":
            if isinstance(left, Constant) or isinstance(right, Constant):
                return one if isinstance(right, Constant) else _signed(symbol, other)
            return None if one is None or other is None else one + (_signed(symbol, other) or 0.0)
        if isinstance(right, Constant) and one is not None and right.value:
            return one * right.value if symbol == "*" else one / right.value
        if isinstance(left, Constant) and other is not None and symbol == "*":
            return left.value * other
        return None


def _signed(symbol: str, share: float | None) -> float | None:
    return -share if symbol == "-" and share is not None else share


def _title(node: Node) -> str:
    """Return a node's text, what tells it from its sisters first: a long name is cut at its end."""
    text = node.describe()
    if not isinstance(node, Output):
        return text
    indicator, _, output = text.rpartition(".")
    return f"{output} of {indicator}"


def _is_bare(node: Node) -> bool:
    return isinstance(node, Price) or (isinstance(node, Shift) and _is_bare(node.inputs[0]))


@cache
def _keeps_scale(name: str) -> bool:
    make: Any = vars(abstract)["Function"]  # not in TA-Lib's type information
    return _SAME_SCALE in (make(name.upper()).function_flags or ())
