"""A plane of a sweep through one combination: which combination each cell is, its figures, and how it ranks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.research.formatting import format_parameter, format_value
from workbench.research.measures import CENTRES, MEASURES, SWEEP_MEASURES
from workbench.research.surface import ascending

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.research import SweepResult

__all__ = ["PLATEAU", "SweepSlice"]

PLATEAU: Final = "plateau"
_NOWHERE: Final = -1


@dataclass(frozen=True, eq=False)
class SweepSlice:
    """All combinations that differ from a chosen one in two parameters at most.

    Parameters
    ----------
    sweep : SweepResult
        The sweep.
    chosen : int
        Row of the chosen combination in the sweep's table.
    x_name, y_name : str
        Parameters across and up; ``y_name`` is empty for one row of cells.
    metric : str
        One of `SWEEP_MEASURES`, or ``"plateau"``: the median of the ranking measure with its neighbours.
    """

    sweep: SweepResult
    chosen: int
    x_name: str
    y_name: str
    metric: str

    @cached_property
    def x_order(self) -> list[int]:
        """Places of the values across, as drawn."""
        return ascending(self.sweep.grid.values[self.x_name])

    @cached_property
    def y_order(self) -> list[int]:
        """Places of the values up, as drawn."""
        return ascending(self.sweep.grid.values[self.y_name]) if self.y_name else [0]

    @property
    def x(self) -> list[str]:
        """Values across as texts."""
        return [format_parameter(self.sweep.grid.values[self.x_name][place]) for place in self.x_order]

    @property
    def y(self) -> list[str]:
        """Values up as texts."""
        return (
            [format_parameter(self.sweep.grid.values[self.y_name][place]) for place in self.y_order]
            if self.y_name
            else [""]
        )

    @property
    def measure(self) -> str:
        """What the cells show."""
        name = MEASURES[self.measured].label
        return f"{name}, plateau" if self.metric == PLATEAU else name

    @property
    def measured(self) -> str:
        """Name of the measure."""
        return self.sweep.rank_by if self.metric == PLATEAU else self.metric

    @property
    def centre(self) -> float | None:
        """The value that is neither good nor bad, or None."""
        return CENTRES.get(self.measured)

    @property
    def is_better_high(self) -> bool:
        """Whether more is better."""
        return MEASURES[self.measured].better != "low"

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Row of each cell's combination in the sweep's table, by ``y`` and ``x``; -1 where there is none."""
        grid = self.sweep.grid
        places = np.array(grid.places, dtype=np.int64)
        across = grid.names.index(self.x_name)
        up = grid.names.index(self.y_name) if self.y_name else None
        fixed = [axis for axis in range(len(grid.names)) if axis not in {across, up}]
        found = np.flatnonzero((places[:, fixed] == places[self.chosen, fixed]).all(axis=1))
        cells = np.full((len(self.y_order), len(self.x_order)), _NOWHERE, dtype=np.int64)
        columns = np.argsort(self.x_order)[places[found, across]]
        lines = np.argsort(self.y_order)[places[found, up]] if up is not None else np.zeros_like(columns)
        cells[lines, columns] = found
        return cells

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """What the cells show, nan where there is nothing."""
        column = (
            self.sweep.table[PLATEAU].to_numpy(dtype=np.float64)
            if self.metric == PLATEAU
            else self.sweep.figures[:, SWEEP_MEASURES.index(self.metric)]
        )
        return np.where(self.rows == _NOWHERE, np.nan, column[self.rows])

    @property
    def texts(self) -> list[list[str]]:
        """What the cells show, as people read it."""
        unit = MEASURES[self.measured].unit
        absent = self.rows == _NOWHERE
        return [
            ["not tried" if gone else format_value(value, unit) for value, gone in zip(line, missing, strict=True)]
            for line, missing in zip(self.values.tolist(), absent.tolist(), strict=True)
        ]

    def place(self, row: int) -> tuple[int, int] | None:
        """Return column and line of a combination, None when it is not on this plane."""
        lines, columns = np.nonzero(self.rows == row)
        return (int(columns[0]), int(lines[0])) if columns.size else None

    def at(self, column: int, line: int) -> int | None:
        """Return the combination of a cell, None where there is none."""
        is_inside = 0 <= line < self.rows.shape[0] and 0 <= column < self.rows.shape[1]
        row = int(self.rows[line, column]) if is_inside else _NOWHERE
        return None if row == _NOWHERE else row

    def beside(self, step: str) -> int | None:
        """Return the next combination in a direction (``left right up down``) from the chosen one, over gaps."""
        place = self.place(self.chosen)
        across, up = {"left": (-1, 0), "right": (1, 0), "up": (0, 1), "down": (0, -1)}.get(step, (0, 0))
        if place is None or (across, up) == (0, 0):
            return None
        column, line = place[0] + across, place[1] + up
        while 0 <= column < self.rows.shape[1] and 0 <= line < self.rows.shape[0]:
            if (found := self.at(column, line)) is not None:
                return found
            column, line = column + across, line + up
        return None
