"""The best combinations of a sweep as rows of text, for its card and for its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.research.formatting import format_parameter, format_value
from workbench.research.measures import MEASURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.research.views import SweepView

__all__ = ["TopRows", "shown", "top_rows"]


@dataclass(frozen=True, slots=True)
class TopRows:
    """Heads and rows of text; `indexes` are the rows' places in the sweep's table."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    indexes: Sequence[int]

    def as_text(self) -> str:
        """Return the rows in columns, each behind its place in the sweep's table.

        Examples
        --------
        >>> print(TopRows(["fast", "Fees"], [["5", "1,234.50"], ["10", "9.00"]], [12, 3]).as_text())
        row  fast      Fees
         12     5  1,234.50
          3    10      9.00
        """
        lines = [("row", *self.heads), *((str(at), *row) for at, row in zip(self.indexes, self.rows, strict=True))]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(f"{text:>{wide}}" for text, wide in zip(line, widths, strict=True)) for line in lines
        )


def top_rows(sweep: SweepView, count: int, measures: Sequence[str]) -> TopRows:
    """Return the best combinations with their parameters, their plateau, the ranking measure and other `measures`."""
    top = sweep.top(count)
    names = (sweep.rank_by, *(name for name in measures if name != sweep.rank_by))
    indexes = top.index.tolist()
    rows = [
        [
            *(format_parameter(value) for value in sweep.grid.combinations[index]),
            shown(sweep.rank_by, row["plateau"]),
            *(shown(name, row[name]) for name in names),
        ]
        for index, row in zip(indexes, top.to_dict("records"), strict=True)
    ]
    return TopRows([*sweep.grid.names, "Plateau", *(MEASURES[name].label for name in names)], rows, indexes)


def shown(measure: str, value: float) -> str:
    """Return a value of a measure as people read it."""
    return format_value(float(value), MEASURES[measure].unit)
