"""What a plan saw on one bar, in words and numbers: for people who ask why it decided so."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.core.callable_plan import CallablePlan
from workbench.core.evaluation import evaluation_order
from workbench.core.graph import Program
from workbench.core.intents import SIZINGS
from workbench.core.nodes import Constant, Price
from workbench.core.operators import AsFloat, Compare, Cross, Logic, Not
from workbench.core.plan import CONDITION_NAMES, LEVEL_NAMES
from workbench.core.rule_plan import RulePlan
from workbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.nodes import FloatArray, Node
    from workbench.core.plan import DecisionPlan

__all__ = ["PlanReading", "Reading", "RuleReading", "explain", "number_texts"]

_FEWEST_DIGITS: Final = 6
# So many tell any two numbers apart.
_MOST_DIGITS: Final = 17
_SIZE: Final = LEVEL_NAMES.index("size")
_SIZING: Final = LEVEL_NAMES.index("sizing")


@dataclass(frozen=True, slots=True)
class Reading:
    """One value on the bar; None where it has none yet."""

    text: str
    value: float | None


@dataclass(frozen=True, slots=True)
class RuleReading:
    """One rule on the bar: its name, whether it held, and why, with the values that it compares."""

    name: str
    is_met: bool
    text: str


@dataclass(frozen=True, slots=True)
class PlanReading:
    """What a plan saw on one bar.

    Attributes
    ----------
    rules : tuple of RuleReading
        Of a plan of rules; a rule that is always False is left out.
    values : tuple of Reading
        Of rules each indicator and what is calculated from it; of ``on_bar`` the indicators that are fields of ``now``.
    levels : tuple of Reading
        Size, prices and distances that an entry by the rules carries on this bar.
    """

    rules: tuple[RuleReading, ...]
    values: tuple[Reading, ...]
    levels: tuple[Reading, ...]


def explain(plan: DecisionPlan, ohlcv: FloatArray) -> PlanReading:
    """Return what a plan saw on the last of some bars.

    Parameters
    ----------
    plan : DecisionPlan
        Rules, or a function with its indicators.
    ohlcv : ndarray of float64, shape (5, n)
        All bars of one symbol that its indicators had seen by then, warm-up first; n >= 1.

    Raises
    ------
    ConfigError
        The plan is made of arrays: what they come from is not known.
    DataError
        There is no bar.

    Examples
    --------
    >>> from workbench.core.market_view import MarketView
    >>> close, never = MarketView().close, Constant(False)
    >>> rules = [close.sma(2).crosses_above(close.sma(3)).node, never, never, never]
    >>> plan = RulePlan("cross", {}, None, rules, [math.nan] * 7 + [0.0])
    >>> closes = np.array([10.0, 9.0, 8.0, 12.0])
    >>> explain(plan, np.stack([closes] * 5)).rules[0].text
    'sma(close, 2) 10 crossed above sma(close, 3) 9.66667 (the bar before: 8.5, 9)'
    """
    if not ohlcv.shape[1]:
        raise DataError("there must be at least one bar to explain, were none")
    if isinstance(plan, CallablePlan):
        values = _values(plan.indicator_nodes, ohlcv)
        named = zip(plan.indicator_names, plan.indicator_nodes, strict=True)
        return PlanReading((), tuple(Reading(name, _number(values.now[node])) for name, node in named), ())
    if not isinstance(plan, RulePlan):
        raise ConfigError(f"{plan.name} is made of arrays: nothing says what they come from")
    levels = [level for level in plan.levels if not isinstance(level, float)]
    values = _values([*plan.conditions, *levels], ohlcv)
    rules = tuple(
        RuleReading(name, bool(values.now[node]), values.told(node))
        for name, node in zip(CONDITION_NAMES, plan.conditions, strict=True)
        if not isinstance(node, Constant)
    )
    told = tuple(
        Reading(node.describe(), _number(value))
        for node, value in values.now.items()
        if not (node.is_bool or node.output_count > 1 or isinstance(node, Price | Constant | AsFloat))
    )
    return PlanReading(rules, told, _levels(plan, values))


def number_texts(*values: float) -> tuple[str, ...]:
    """Return numbers as short texts that differ where the numbers do.

    Examples
    --------
    >>> number_texts(101.0, 101.25)
    ('101', '101.25')
    >>> number_texts(0.1 + 0.2, 0.3)
    ('0.30000000000000004', '0.29999999999999999')
    """
    for digits in range(_FEWEST_DIGITS, _MOST_DIGITS):
        texts = tuple(f"{value:.{digits}g}" for value in values)
        if len(set(texts)) == len(set(values)):
            return texts
    return tuple(f"{value:.{_MOST_DIGITS}g}" for value in values)


class _Values:
    """The values of nodes on the last bar and on the one before it."""

    def __init__(self, now: dict[Node, Any], before: dict[Node, Any]) -> None:
        self.now = now
        self.before = before

    def told(self, node: Node) -> str:
        """Return a condition in words, with the values that it compares."""
        if isinstance(node, Cross):
            return self._crossing(node)
        if isinstance(node, Compare):
            left, right = node.inputs
            one, other = number_texts(*(_float(self.now[source]) for source in node.inputs))
            text = f"{_operand(left, one)} {node.arguments[0]} {_operand(right, other)}"
            return text if self.now[node] else f"{text} (no)"
        if isinstance(node, Logic):
            parts = [f"({self.told(source)})" for source in node.inputs]
            return f" {node.arguments[0]} ".join(parts)
        if isinstance(node, Not):
            return f"not ({self.told(node.inputs[0])})"
        return f"{node.describe()} is {bool(self.now[node])}"

    def _crossing(self, node: Cross) -> str:
        left, right = node.inputs
        one, other = number_texts(*(_float(self.now[source]) for source in node.inputs))
        way = "above" if node.arguments[0] else "below"
        verb = f"crossed {way}" if self.now[node] else f"did not cross {way}"
        earlier = ", ".join(number_texts(*(_float(self.before[source]) for source in node.inputs)))
        return f"{_operand(left, one)} {verb} {_operand(right, other)} (the bar before: {earlier})"


def _operand(node: Node, text: str) -> str:
    return text if isinstance(node, Constant) else f"{node.describe()} {text}"


def _levels(plan: RulePlan, values: _Values) -> tuple[Reading, ...]:
    """Return the levels that are set; a size is named by what it is a size of."""
    numbers = [_float(level if isinstance(level, float) else values.now[level]) for level in plan.levels]
    names = list(LEVEL_NAMES)
    names[_SIZE] = SIZINGS[int(numbers.pop(_SIZING))]
    return tuple(Reading(name, number) for name, number in zip(names, numbers, strict=False) if not math.isnan(number))


def _values(roots: Sequence[Node], ohlcv: FloatArray) -> _Values:
    """Return the values of all nodes that the roots are made of."""
    order = evaluation_order(roots, {})
    program = Program(order)
    try:
        table = program.batch(np.ascontiguousarray(ohlcv))
    except Exception:  # noqa: BLE001  a feature is a stranger's code: on the bars on which it raised nothing was decided
        now, before = _stepped(program, ohlcv)
    else:
        now, before = (tuple(_at(column, place) for column in table) for place in (-1, -2))
    return _Values(dict(zip(order, now, strict=True)), dict(zip(order, before, strict=True)))


def _stepped(program: Program, ohlcv: FloatArray) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    stream = program.stream()
    now = before = tuple(math.nan for _ in program.roots)
    for bar in zip(*ohlcv.tolist(), strict=True):
        # As it was held then: what raised decided nothing on that bar.
        with contextlib.suppress(Exception):
            before, now = now, stream.step(*bar)
    return now, before


def _at(column: Any, place: int) -> Any:
    """Return one value of a column, nan before the first."""
    if not isinstance(column, np.ndarray):
        return column
    return column[..., place] if column.shape[-1] >= -place else math.nan


def _float(value: Any) -> float:
    return float(value)


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
