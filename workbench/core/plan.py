"""The decision plan: all that the core knows of a strategy."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.evaluation import EvaluationCache
from workbench.core.nodes import FloatArray
from workbench.errors import ConfigError, DataError

__all__ = [
    "CODE_ENTER_LONG",
    "CODE_ENTER_SHORT",
    "CODE_EXIT_LONG",
    "CODE_EXIT_SHORT",
    "CONDITION_NAMES",
    "LEVEL_NAMES",
    "DecisionPlan",
    "SignalPlan",
    "level_fault",
]

CODE_ENTER_LONG = 1
CODE_EXIT_LONG = 2
CODE_ENTER_SHORT = 4
CODE_EXIT_SHORT = 8

# The bit of a condition is its position here.
CONDITION_NAMES = ("enter_long", "exit_long", "enter_short", "exit_short")

# Rows of a plan's levels; nan is "unset". The last one is a sizing code of core.intents.
LEVEL_NAMES = ("size", "limit", "stop", "stop_loss", "take_profit", "trailing_stop", "max_holding_s", "sizing")

# Levels that are a fraction of a price, or of equity, below one; all others only have to be above zero.
BOUNDED_BY_ONE = frozenset({"stop_loss", "trailing_stop"})


class DecisionPlan:
    """What a configured strategy decides, in a form that the engine runs over history and bar by bar.

    There are three kinds, told apart by `kind`:

    - ``"rules"`` (`workbench.core.rule_plan.RulePlan`): conditions and levels made of expressions.
      ``batch(ohlcv, row_index)`` gives codes and levels, ``stream()`` their step form.
    - ``"signals"`` (`SignalPlan`): the same from ready arrays; no step form.
    - ``"callable"`` (`workbench.core.callable_plan.CallablePlan`): indicators and a function that is asked on each bar.

    Parameters
    ----------
    name : str
        Name of the strategy.
    parameters : mapping of str to value
        Its parameters; the plan keeps a read-only copy.
    source : str or None
        Text of the strategy's function or class, None when it cannot be had.
    warmup : int
        Leading bars without a decision.
    """

    kind: str
    is_causal = True

    def __init__(self, name: str, parameters: Mapping[str, Any], source: str | None, warmup: int) -> None:
        self.name = name
        self.parameters: Mapping[str, Any] = MappingProxyType(dict(parameters))
        self.source = source
        self.warmup = warmup

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"<{type(self).__name__} {self.name}({values}), warmup {self.warmup}>"

    @property
    def has_stop_loss(self) -> bool:
        """Whether every entry of it certainly comes with a stop of its own; False where nobody can tell beforehand."""
        return False

    def check_length(self, rows: int) -> None:
        """Check that the plan fits bars with this many ``rows``; one made of expressions fits any.

        Raises
        ------
        DataError
            The plan holds arrays of another length.
        """


class SignalPlan(DecisionPlan):
    """Decisions from ready arrays. Nothing proves that they look back only, so they are for research.

    Parameters
    ----------
    codes : ndarray of uint8, shape (n,)
        Bits 1 enter long, 2 exit long, 4 enter short, 8 exit short, for each row of the bars' time axis.
    levels : ndarray of float64, shape (8, 1) or (8, n)
        Rows as `LEVEL_NAMES`; nan is unset.
    """

    kind = "signals"
    is_causal = False

    def __init__(self, name: str, codes: NDArray[np.uint8], levels: FloatArray) -> None:
        super().__init__(name, {}, None, 0)
        self._codes = codes
        self._levels = levels

    def check_length(self, rows: int) -> None:
        """Check that the arrays have one value for each of the ``rows`` of the bars' time axis.

        Raises
        ------
        DataError
            They are longer or shorter.
        """
        if len(self._codes) != rows:
            raise DataError(f"signals must have one value for each of the {rows} bars, had {len(self._codes)}")

    def batch(
        self,
        ohlcv: FloatArray,
        row_index: NDArray[np.int64] | None = None,
        cache: EvaluationCache | None = None,  # noqa: ARG002  one signature for both kinds
    ) -> tuple[NDArray[np.uint8], FloatArray]:
        """Return the codes and levels of the given rows, by default all; see `workbench.core.rule_plan.RulePlan.batch`.

        Raises
        ------
        DataError
            A row lies beyond the arrays, or there are not as many rows as bars.
        """
        if row_index is None:
            self.check_length(ohlcv.shape[1])
            return self._codes.copy(), self._levels
        if len(row_index) != ohlcv.shape[1]:
            raise DataError(f"there must be one row number for each of the {ohlcv.shape[1]} bars, was {len(row_index)}")
        if len(row_index) and not 0 <= row_index[0] <= row_index[-1] < len(self._codes):
            self.check_length(int(row_index[-1]) + 1)
        levels = self._levels if self._levels.shape[1] == 1 else np.ascontiguousarray(self._levels[:, row_index])
        return self._codes[row_index], levels

    def stream(self) -> None:
        """Raise ConfigError: arrays end with the past."""
        raise ConfigError("signals are arrays over known bars and cannot run live: write the rules as a strategy")


def level_fault(name: str, values: float | FloatArray) -> str | None:
    """Return what is wrong with a constant level or an array of levels, or None; nan is "unset" in an array.

    Examples
    --------
    >>> level_fault("stop_loss", 5)
    'stop_loss must be in (0, 1), was 5'
    >>> level_fault("take_profit", 5) is None
    True
    """
    upper = 1.0 if name in BOUNDED_BY_ONE else np.inf
    text = "in (0, 1)" if upper == 1.0 else "> 0 and finite"
    if not isinstance(values, np.ndarray):
        # Without numpy, which takes longer than all else in making a plan.
        return None if 0.0 < values < upper else f"{name} must be {text}, was {values}"
    is_bad = ~((values > 0.0) & (values < upper)) & ~np.isnan(values)
    if not is_bad.any():
        return None
    row = int(np.argmax(is_bad))
    return f"{name} must be {text}, was {values[row]} at row {row}"


def constant_levels(levels: Sequence[float]) -> FloatArray:
    """Return levels that hold for every bar, shape (8, 1), read-only."""
    table = np.array(levels, dtype=np.float64).reshape(len(LEVEL_NAMES), 1)
    table.setflags(write=False)
    return table
