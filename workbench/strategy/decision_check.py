"""The check that two forms of a strategy decide the same, before one of them trades in the other's place."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.core.callable_plan import CallablePlan
from workbench.core.intents import PositionView
from workbench.core.plan import CONDITION_NAMES, LEVEL_NAMES, DecisionPlan
from workbench.core.rule_plan import RulePlan
from workbench.errors import ConfigError
from workbench.model import Bars, utc_text
from workbench.strategy.lowering import plan_of

__all__ = ["compare_decisions"]

_EQUITY: Final = 10_000.0
_ENTRY_CODES: Final = 1 | 4


def compare_decisions(one: object, other: object, bars: Bars) -> None:
    """Check that two strategies decide the same on every one of some bars, bit for bit.

    Rules are compared with their levels wherever they enter; a class with its indicators and with what it answers when
    it is flat, long and short. A strategy that raises has to raise the same in both forms.

    Parameters
    ----------
    one, other : object
        Strategies, as for `configured`: the one that was meant, and the one that is to run.
    bars : Bars
        Such as the bars of the warm-up; any number of symbols.

    Raises
    ------
    ConfigError
        They decide differently; the message names the first bar, what differs there, and both values.
    LookAheadError
        One of them reads a later bar.

    Examples
    --------
    >>> from workbench.model.practice import practice_bars
    >>> from workbench.strategy import buy_and_hold, strategy_from_text, strategy_text
    >>> bars = practice_bars("BTC/USDT", "1h", "2025-06-01", "2025-06-02")
    >>> compare_decisions(buy_and_hold, strategy_from_text(strategy_text(buy_and_hold)), bars)
    """
    first, second = plan_of(one), plan_of(other)
    if type(first) is not type(second) or first.warmup != second.warmup:
        raise ConfigError(
            f"{first.name} and its other form are not one strategy: {first.kind} with {first.warmup} bars of warm-up, "
            f"and {second.kind} with {second.warmup}"
        )
    for symbol in bars.symbols:
        own = bars.one(symbol)
        table = np.ascontiguousarray(own.values[:, 0])
        found = _first_difference(first, second, own.time_ns, table)
        if found is not None:
            row, what = found
            raise ConfigError(
                f"{first.name} decides differently in its two forms at the {symbol} bar of "
                f"{utc_text(int(own.time_ns[row]))}: {what}"
            )


def _first_difference(
    one: DecisionPlan, other: DecisionPlan, time_ns: NDArray[np.int64], table: NDArray[np.float64]
) -> tuple[int, str] | None:
    """Return the first row at which two plans differ, and how."""
    if isinstance(one, RulePlan) and isinstance(other, RulePlan):
        return _rules_difference(one, other, table)
    if isinstance(one, CallablePlan) and isinstance(other, CallablePlan):
        return _callable_difference(one, other, time_ns, table)
    raise ConfigError(f"{one.name} is made of arrays, which have no other form")


def _rules_difference(one: RulePlan, other: RulePlan, table: NDArray[np.float64]) -> tuple[int, str] | None:
    (codes, levels), (other_codes, other_levels) = one.batch(table), other.batch(table)
    rows = table.shape[1]
    both = [np.broadcast_to(part, (len(LEVEL_NAMES), rows)) for part in (levels, other_levels)]
    is_entry = (codes & _ENTRY_CODES) != 0
    different_levels = _is_different(*both) & is_entry
    different = np.flatnonzero((codes != other_codes) | different_levels.any(axis=0))
    if not different.size:
        return None
    row = int(different[0])
    bits = int(codes[row]) ^ int(other_codes[row])
    if bits:
        bit = (bits & -bits).bit_length() - 1
        values = [bool(part[row] >> bit & 1) for part in (codes, other_codes)]
        return row, f"{CONDITION_NAMES[bit]} is {values[0]} and {values[1]}"
    level = int(np.flatnonzero(different_levels[:, row])[0])
    return row, f"{LEVEL_NAMES[level]} is {both[0][level, row]} and {both[1][level, row]}"


def _callable_difference(
    one: CallablePlan, other: CallablePlan, time_ns: NDArray[np.int64], table: NDArray[np.float64]
) -> tuple[int, str] | None:
    if one.indicator_names != other.indicator_names:
        return 0, f"indicators are {', '.join(one.indicator_names)} and {', '.join(other.indicator_names)}"
    indicators, other_indicators = one.batch_indicators(table), other.batch_indicators(table)
    different = _is_different(indicators, other_indicators)
    for row in range(table.shape[1]):
        if different[:, row].any():
            which = int(np.flatnonzero(different[:, row])[0])
            values = f"{indicators[which, row]} and {other_indicators[which, row]}"
            return row, f"{one.indicator_names[which]} is {values}"
        if row < one.warmup:
            continue
        bar = (int(time_ns[row]), *table[:, row].tolist(), *indicators[:, row].tolist())
        for position in _positions(bar):
            answers = [_answer(plan, bar, position) for plan in (one, other)]
            if answers[0] != answers[1]:
                side = "flat" if position.is_flat else "long" if position.is_long else "short"
                return row, f"when {side} it answers {answers[0]} and {answers[1]}"
    return None


def _is_different(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    # By their bits, so that -0.0 differs from 0.0; but nan is no value, whatever its bits.
    is_same = np.ascontiguousarray(one).view(np.int64) == np.ascontiguousarray(other).view(np.int64)
    is_different: NDArray[np.bool_] = ~(is_same | (np.isnan(one) & np.isnan(other)))
    return is_different


def _positions(bar: tuple[Any, ...]) -> tuple[PositionView, ...]:
    """Return what a strategy may hold on a bar: nothing, and a unit bought or sold at the bar's open."""
    time_ns, entry_price, change = bar[0], bar[1], bar[4] / bar[1] - 1.0
    flat = PositionView(0.0, math.nan, 0, 0, 0.0, _EQUITY, is_flat=True, is_long=False, is_short=False)
    long = PositionView(1.0, entry_price, time_ns, 1, change, _EQUITY, is_flat=False, is_long=True, is_short=False)
    short = PositionView(-1.0, entry_price, time_ns, 1, -change, _EQUITY, is_flat=False, is_long=False, is_short=True)
    return flat, long, short


def _answer(plan: CallablePlan, bar: tuple[Any, ...], position: PositionView) -> str:
    """Return what a plan decides, as text that is exact."""
    try:
        return repr(plan.decide(plan.params, plan.now_type(*bar), position))
    except Exception as error:  # noqa: BLE001  a user's code, whose error is an answer as well
        return f"{type(error).__name__}: {error}"
