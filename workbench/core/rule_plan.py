"""The plan of rules: conditions and levels made of expressions, packed into one code for each bar."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.compiled import kernel
from workbench.core.evaluation import EvaluationCache, evaluate
from workbench.core.graph import Program, Stream
from workbench.core.intents import RISK
from workbench.core.nodes import Constant, FloatArray, Node
from workbench.core.operators import Compare, Logic, cross_codes, crossings_of
from workbench.core.plan import BOUNDED_BY_ONE, CONDITION_NAMES, LEVEL_NAMES, DecisionPlan, constant_levels

__all__ = ["RulePlan", "RuleStream"]

Level = float | Node

_CONDITIONS = len(CONDITION_NAMES)
_ENTRIES = (0, 2)
_STOP_LOSS = LEVEL_NAMES.index("stop_loss")
_SIZE = LEVEL_NAMES.index("size")
_SIZING = LEVEL_NAMES.index("sizing")
_FRACTIONS = {LEVEL_NAMES.index(name) for name in BOUNDED_BY_ONE}


class RulePlan(DecisionPlan):
    """Conditions and levels of one symbol.

    An entry whose level has no usable value on that bar (nan, or outside its range) is no entry: better none than one
    without the stop that it asked for.

    Parameters
    ----------
    name, parameters, source
        As in `DecisionPlan`.
    conditions : sequence of four Node
        In the order of `CONDITION_NAMES`; all with bool values.
    levels : sequence of eight float or Node
        In the order of `LEVEL_NAMES`; nan is unset. Numbers are taken as they are: check them first.

    Attributes
    ----------
    conditions, levels : tuple
        As given: for who wants to tell people what the rules say.
    """

    kind = "rules"

    def __init__(
        self,
        name: str,
        parameters: Mapping[str, Any],
        source: str | None,
        conditions: Sequence[Node],
        levels: Sequence[Level],
    ) -> None:
        self.conditions = tuple(conditions)
        self.levels = tuple(levels)
        guarded = list(conditions)
        varying = [(row, level) for row, level in enumerate(levels) if isinstance(level, Node)]
        fractions = _FRACTIONS | ({_SIZE} if levels[_SIZING] == RISK else set())
        for row, level in varying:
            for side in _ENTRIES:
                guarded[side] = Logic("&", guarded[side], _is_usable(level, is_fraction=row in fractions))
        self._program = Program([*guarded, *(level for _, level in varying)])
        self._crossings = crossings_of(guarded)
        self._varying_rows = tuple([row for row, _ in varying])
        self._constants = tuple([math.nan if isinstance(level, Node) else float(level) for level in levels])
        self._constant_levels = constant_levels(self._constants)
        super().__init__(name, parameters, source, self._program.warmup)

    @property
    def has_stop_loss(self) -> bool:
        """Whether every entry comes with a stop of its own: one without a usable value is no entry."""
        return _STOP_LOSS in self._varying_rows or not math.isnan(self._constants[_STOP_LOSS])

    def batch(
        self,
        ohlcv: FloatArray,
        row_index: NDArray[np.int64] | None = None,  # noqa: ARG002  for plans that hold arrays over the time axis
        cache: EvaluationCache | None = None,
    ) -> tuple[NDArray[np.uint8], FloatArray]:
        """Return the decisions on all bars of one symbol.

        Parameters
        ----------
        ohlcv : ndarray of float64, shape (5, n)
            The symbol's valid bars.
        row_index : ndarray of int64, shape (n,), optional
            Their positions on the joint time axis; not needed by rules.
        cache : EvaluationCache, optional
            Of the same ``ohlcv``; a sweep shares it between all combinations of parameters.

        Returns
        -------
        codes : ndarray of uint8, shape (n,)
            Bits 1 enter long, 2 exit long, 4 enter short, 8 exit short; 0 during the warm-up.
        levels : ndarray of float64, shape (8, 1) or (8, n)
            Rows as `LEVEL_NAMES`, nan unset; one column when no level changes from bar to bar. Read-only.
        """
        rows = ohlcv.shape[1]
        codes = np.empty(rows, dtype=np.uint8)
        if self._crossings is not None:
            left, right = evaluate(self._crossings[:2], ohlcv, cache)
            cross_codes(left, right, self._crossings.above, self._crossings.below, codes)
            return codes, self._constant_levels
        values = self._program.batch(ohlcv, cache)
        conditions = [
            value if isinstance(value, np.ndarray) else _everywhere(bool(value), rows) for value in values[:_CONDITIONS]
        ]
        _pack(conditions[0], conditions[1], conditions[2], conditions[3], min(self.warmup, rows), codes)
        if not self._varying_rows:
            return codes, self._constant_levels
        levels = np.repeat(self._constant_levels, rows, axis=1)
        for row, value in zip(self._varying_rows, values[_CONDITIONS:], strict=True):
            levels[row] = value
        levels.setflags(write=False)
        return codes, levels

    def stream(self) -> "RuleStream":
        """Return the step form, at the state before the first bar."""
        return RuleStream(self._program.stream(), self.warmup, self._constants, self._varying_rows)


class RuleStream:
    """The step form of a `RulePlan`, for one symbol; one thread steps it."""

    __slots__ = ("_constants", "_left", "_stream", "_varying_rows")

    def __init__(
        self, stream: Stream, warmup: int, constants: tuple[float, ...], varying_rows: tuple[int, ...]
    ) -> None:
        self._stream = stream
        self._left = warmup
        self._constants = constants
        self._varying_rows = varying_rows

    def step(self, open: float, high: float, low: float, close: float, volume: float) -> tuple[int, tuple[float, ...]]:  # noqa: A002  a bar's columns by their names
        """Take one closed bar and return its code and eight levels; see `RulePlan.batch`."""
        values = self._stream.step(open, high, low, close, volume)
        levels = self._constants
        if self._varying_rows:
            mixed = list(levels)
            for row, value in zip(self._varying_rows, values[_CONDITIONS:], strict=True):
                mixed[row] = float(value)
            levels = tuple(mixed)
        if self._left:
            self._left -= 1
            return 0, levels
        enter_long, exit_long, enter_short, exit_short = values[:_CONDITIONS]
        return enter_long | exit_long << 1 | enter_short << 2 | exit_short << 3, levels


def _is_usable(level: Node, *, is_fraction: bool) -> Node:
    above_zero = Compare(">", level, Constant(0.0))
    return Logic("&", above_zero, Compare("<", level, Constant(1.0 if is_fraction else math.inf)))


# A sweep asks for the same ones again and again.
@lru_cache(maxsize=4)
def _everywhere(value: bool, rows: int) -> NDArray[np.bool_]:  # noqa: FBT001  the cached key
    column = np.full(rows, value)
    # Kernels see read-only arrays from every node; another array type would be compiled apart.
    column.setflags(write=False)
    return column


@kernel
def _pack(
    enter_long: NDArray[np.bool_],
    exit_long: NDArray[np.bool_],
    enter_short: NDArray[np.bool_],
    exit_short: NDArray[np.bool_],
    warmup: int,
    codes: NDArray[np.uint8],
) -> None:
    """Write the four conditions as bits of one code, zero in the warm-up."""
    for row in range(codes.shape[0]):
        codes[row] = enter_long[row] | (exit_long[row] << 1) | (enter_short[row] << 2) | (exit_short[row] << 3)
    codes[:warmup] = 0
