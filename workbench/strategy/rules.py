"""Rules: what a strategy function returns."""

import math
from dataclasses import dataclass

from workbench.core.expressions import Expr
from workbench.core.intents import DEFAULT, SIZINGS
from workbench.core.nodes import Constant, Node
from workbench.core.plan import CONDITION_NAMES, LEVEL_NAMES, level_fault
from workbench.errors import ConfigError

__all__ = ["Rules"]

Condition = Expr | bool
Level = Expr | float | None

# What a user may set; the sizing code follows from `sizing`.
_LEVELS = LEVEL_NAMES[:-1]
_SIZINGS = SIZINGS[1:]
_CONSTANTS = {value: Constant(value) for value in (False, True)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rules:
    """When to enter and to leave, how large, and with which exits.

    Conditions are looked at on each closed bar and act at the next price. While flat, an entry and an exit of one side
    together, or both entries together, are no entry. Levels are numbers or expressions, read on the bar of the entry;
    an entry whose level has no usable value on that bar is left out.

    Parameters
    ----------
    enter_long, exit_long, enter_short, exit_short : Expr or bool, default False
        Conditions. An entry against an open position reverses it.
    size : float or Expr, optional
        Amount in the unit of ``sizing``, > 0. None: all equity after costs.
    sizing : {"fraction", "notional", "units", "risk"}, default "fraction"
        Fraction of equity in (0, 1], amount in quote currency, quantity of the base currency, or fraction of equity in
        (0, 1) to lose when the stop is hit.
    limit, stop : float or Expr, optional
        Price at which the entry rests; at most one of the two. None: enter at the market.
    stop_loss, trailing_stop : float or Expr, optional
        Distance from the entry price, or from the best price since, as a fraction in (0, 1).
    take_profit : float or Expr, optional
        Distance from the entry price as a fraction > 0.
    max_holding_s : float or Expr, optional
        Longest time in the position in seconds, > 0.

    Raises
    ------
    ConfigError
        There is no entry, or a value has the wrong type or range; every fault is named.

    Examples
    --------
    >>> from workbench.core.market_view import MarketView
    >>> m = MarketView()
    >>> Rules(enter_long=m.close > m.close.sma(50), stop_loss=0.02).stop_loss
    0.02
    """

    enter_long: Condition = False
    exit_long: Condition = False
    enter_short: Condition = False
    exit_short: Condition = False
    size: Level = None
    sizing: str = "fraction"
    limit: Level = None
    stop: Level = None
    stop_loss: Level = None
    take_profit: Level = None
    trailing_stop: Level = None
    max_holding_s: Level = None

    def __post_init__(self) -> None:
        """Check every field."""
        faults = [
            f"{name} must be a condition such as a > b, was {getattr(self, name)!r}"
            for name in CONDITION_NAMES
            if not _is_condition(getattr(self, name))
        ]
        if self.enter_long is False and self.enter_short is False:
            faults.append("there must be an entry: enter_long or enter_short")
        faults += [fault for name in _LEVELS if (fault := _level_fault(name, getattr(self, name)))]
        if self.sizing not in _SIZINGS:
            faults.append(f"sizing must be one of {', '.join(_SIZINGS)}, was {self.sizing!r}")
        elif self.sizing == "risk" and isinstance(self.size, (int, float)) and not self.size < 1.0:
            faults.append(f"size must be in (0, 1) with sizing 'risk', was {self.size}")
        elif self.sizing != "fraction" and self.size is None:
            faults.append(f"sizing {self.sizing!r} needs a size")
        if self.limit is not None and self.stop is not None:
            faults.append("give only one of limit and stop: an entry rests at one price")
        if faults:
            raise ConfigError("; ".join(faults))

    def condition_nodes(self) -> list[Node]:
        """Return the four conditions in the order of `workbench.core.plan.CONDITION_NAMES`."""
        return [_condition_node(getattr(self, name)) for name in CONDITION_NAMES]

    def level_values(self) -> list[float | Node]:
        """Return the eight levels in the order of `workbench.core.plan.LEVEL_NAMES`, nan for what is unset."""
        values: list[float | Node] = []
        for name in _LEVELS:
            level = getattr(self, name)
            values.append(math.nan if level is None else level.node if isinstance(level, Expr) else float(level))
        values.append(float(DEFAULT if self.size is None else SIZINGS.index(self.sizing)))
        return values


def _is_condition(value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, Expr) and value.node.is_bool)


def _condition_node(value: Condition) -> Node:
    return value.node if isinstance(value, Expr) else _CONSTANTS[value]


def _level_fault(name: str, value: object) -> str | None:
    if value is None or (isinstance(value, Expr) and not value.node.is_bool):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"{name} must be a number, a series or None, was {value!r}"
    return level_fault(name, value)
