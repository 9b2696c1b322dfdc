"""Turn a strategy's signals into one decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.reference.records import Decision

if TYPE_CHECKING:
    from tests.reference.simulator import Simulator


@dataclass(frozen=True)
class Signal:
    """What the rules of a strategy say after one bar; ``terms`` carries size and levels of an entry."""

    enter_long: bool = False
    exit_long: bool = False
    enter_short: bool = False
    exit_short: bool = False
    terms: Decision = field(default_factory=Decision)


def resolve(signal: Signal, side: int) -> Decision:
    """Return the one decision that the four signals mean for a position of this side (0 = flat)."""
    is_long_meant = signal.enter_long and not signal.exit_long and not signal.enter_short
    is_short_meant = signal.enter_short and not signal.exit_short and not signal.enter_long
    if is_long_meant and side <= 0:
        return replace(signal.terms, action="enter_long")
    if is_short_meant and side >= 0:
        return replace(signal.terms, action="enter_short")
    if side == 0:
        sides = ((1, signal.exit_long), (-1, signal.exit_short))
        return Decision(cancels=tuple(cancelled for cancelled, is_said in sides if is_said))
    return Decision("exit" if (signal.exit_long if side > 0 else signal.exit_short) else "hold")


class SignalPlan:
    """A ``decide`` function over a table of signals: ``table[symbol][row]``, rows of the symbol's own bars."""

    def __init__(self, table: Mapping[int, Mapping[int, Signal] | Sequence[Signal]]) -> None:
        self.table = table

    def __call__(self, sim: Simulator, symbol: int, row: int) -> Decision:
        """Return the decision after the row-th bar."""
        rows = self.table.get(symbol, {})
        known = rows.get(row) if isinstance(rows, Mapping) else rows[row]
        position = sim.books[symbol].position
        return resolve(known or Signal(), position.side if position else 0)
