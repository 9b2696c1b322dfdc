"""Features: free numpy or pandas code inside an expression, proven to look back only.

The function gets arrays and returns one value per row. Over many bars it is called once, and the answer is checked
against calls on nothing but the last rows; live it is called on those rows.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.nodes import FloatArray, Node, Step, frozen
from workbench.errors import DataError, LookAheadError

__all__ = ["Feature", "FeatureFunction"]

FeatureFunction = Callable[..., Any]

# Rows checked against calls on their own window: all near the start, the last ones, and a spread of those between.
_CHECKED_AT_START = 64
_CHECKED_AT_END = 16
_CHECKED_BETWEEN = 128

# A difference below this is rounding, such as that of a running sum; above it, the function reads other rows.
_ROUNDING = 1e-7


class Feature(Node):
    """A user's function of its inputs.

    Parameters
    ----------
    function : callable
        Called with one array for each input; returns one value per row.
    window : int
        Rows it needs for one value, the current one included, >= 1.
    inputs : sequence of Node
        At least one.
    """

    __slots__ = ()
    is_shared = True

    def __init__(self, function: FeatureFunction, window: int, inputs: Sequence[Node]) -> None:
        super().__init__((function, window), inputs, lookback=window - 1)

    def describe(self) -> str:
        """Return ``name(inputs, lookback=n)``."""
        inputs = ", ".join(node.describe() for node in self.inputs)
        return f"{self._name}({inputs}, lookback={self._window})"

    @property
    def _name(self) -> str:
        return str(getattr(self.arguments[0], "__name__", "feature"))

    @property
    def _window(self) -> int:
        return self.lookback + 1

    def evaluate(self, inputs: Sequence[Any]) -> FloatArray:
        """Return the function's values, after the check that they look back no further than the window.

        Raises
        ------
        LookAheadError
            A value differs from the one that the last rows alone give.
        DataError
            The function does not return one number per row.
        """
        rows = len(inputs[0])
        out = np.full(rows, np.nan)
        start = self.warmup - self.lookback
        if rows <= self.warmup:
            return frozen(out)
        columns = [column[start:] for column in inputs]
        whole = self._call(columns)
        if self._is_windowed(whole, columns):
            out[self.warmup :] = whole[self.lookback :]
        else:
            # Equal but for rounding. Live calls see the window only, so here too, or the last bits would differ.
            for row in range(self.warmup, rows):
                out[row] = self._on_window(columns, row - start)
        return frozen(out)

    def stepper(self) -> Step:
        """Return a callable that keeps the last rows and calls the function on them."""
        skipped = self.warmup - self.lookback
        table = np.empty((len(self.inputs), self._window))
        seen = 0

        def step(*bar: float) -> float:
            nonlocal seen
            seen += 1
            if seen <= skipped:
                return float("nan")
            table[:, :-1] = table[:, 1:]
            table[:, -1] = bar
            if seen <= skipped + self.lookback:
                return float("nan")
            # A copy: the function may keep what it is given, or write to it.
            return float(self._call(list(table.copy()))[-1])

        return step

    def _call(self, columns: Sequence[FloatArray]) -> FloatArray:
        values = np.asarray(self.arguments[0](*columns))
        rows = len(columns[0])
        if values.shape != (rows,) or values.dtype.kind not in "biuf":
            raise DataError(
                f"feature {self._name} must return one number per row: shape ({rows},), "
                f"was {values.dtype} of shape {values.shape}"
            )
        return values.astype(np.float64)

    def _on_window(self, columns: Sequence[FloatArray], row: int) -> float:
        window = [column[row - self.lookback : row + 1].copy() for column in columns]
        return float(self._call(window)[-1])

    def _is_windowed(self, whole: FloatArray, columns: Sequence[FloatArray]) -> bool:
        """Return whether the checked rows equal calls on their window bit for bit, False when only rounding differs."""
        is_exact = True
        for row in _checked_rows(self.lookback, len(whole)):
            expected = self._on_window(columns, row)
            if whole[row] == expected or (np.isnan(whole[row]) and np.isnan(expected)):
                continue
            is_exact = False
            if not np.isclose(whole[row], expected, rtol=_ROUNDING, atol=_ROUNDING):
                raise LookAheadError(
                    f"feature {self._name} looks beyond its last {self._window} rows: at row {row} it was "
                    f"{whole[row]!r} over all rows, but {expected!r} over those rows alone; "
                    "raise lookback, or use earlier rows only"
                )
        return is_exact


def _checked_rows(first: int, rows: int) -> NDArray[np.int64]:
    start = np.arange(first, min(first + _CHECKED_AT_START, rows))
    between = np.linspace(first, rows - 1, _CHECKED_BETWEEN).astype(np.int64)
    end = np.arange(max(first, rows - _CHECKED_AT_END), rows)
    return np.unique(np.concatenate([start, between, end]))
