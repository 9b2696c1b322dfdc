"""From a sweep to the surface of one measure over two of its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.charts.surface import Surface
from workbench.errors import ConfigError
from workbench.research.measures import CENTRES, MEASURES, SWEEP_MEASURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.research.grid import Grid
    from workbench.research.statistics import Floats
    from workbench.research.views import SweepView


def surface_of(sweep: SweepView, x: str | None, y: str | None, metric: str) -> Surface:
    """Return the surface of a measure.

    Parameters
    ----------
    sweep : SweepView
        The sweep.
    x, y : str or None
        Parameters across and up; the first that vary when None. With one varying parameter ``y`` is empty.
    metric : str
        One of `SWEEP_MEASURES`.

    Returns
    -------
    Surface
        Numeric values ascend. A cell is the median over the parameters that are neither ``x`` nor ``y``; the best
        plateau is marked.

    Raises
    ------
    ConfigError
        A parameter that the grid does not have, or the same one twice.
    """
    grid, measure = sweep.grid, MEASURES[metric]
    x_name, y_name = _axes(grid, x, y)
    matrix = matrix_of(grid, sweep.figures[:, SWEEP_MEASURES.index(metric)], x_name, y_name)
    x_order = ascending(grid.values[x_name])
    y_order = ascending(grid.values[y_name]) if y_name else [0]
    others = [name for name in grid.names if name not in {x_name, y_name} and len(grid.values[name]) > 1]
    return Surface(
        title=f"{sweep.name}  ·  {measure.label}",
        subtitle=_subtitle(sweep, others),
        x_name=x_name,
        y_name=y_name,
        x=[grid.values[x_name][place] for place in x_order],
        y=[grid.values[y_name][place] for place in y_order] if y_name else [""],
        values=matrix[np.ix_(y_order, x_order)],
        measure=measure.label,
        unit=measure.unit,
        centre=CENTRES.get(metric),
        is_better_high=measure.better != "low",
        marked=_marked(sweep, x_name, y_name, x_order, y_order) if metric == sweep.rank_by else None,
    )


def matrix_of(grid: Grid, figures: Floats, x_name: str, y_name: str) -> Floats:
    """Return the figures as rows of ``y_name`` and columns of ``x_name``, the median where several share a cell.

    Parameters
    ----------
    grid : Grid
        The combinations.
    figures : ndarray of float64, shape (n,)
        One figure a combination; ``nan`` is left out of the medians.
    x_name, y_name : str
        Parameters of the grid; an empty ``y_name`` gives one row.

    Returns
    -------
    ndarray of float64, shape (len(y), len(x))
        In the order of the grid's values; ``nan`` where there is nothing.
    """
    places = np.array(grid.places, dtype=np.int64)
    column = places[:, grid.names.index(x_name)]
    row = places[:, grid.names.index(y_name)] if y_name else np.zeros_like(column)
    height = len(grid.values[y_name]) if y_name else 1
    matrix = np.full((height, len(grid.values[x_name])), np.nan)
    defined = np.flatnonzero(~np.isnan(figures))
    cell = row * matrix.shape[1] + column
    order = defined[np.argsort(cell[defined], kind="stable")]
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    for group in np.split(order, starts[1:]) if order.size else ():
        matrix.flat[cell[group[0]]] = np.median(figures[group])
    return matrix


def ascending(values: Sequence[object]) -> list[int]:
    """Return the places of values in numeric order, or in their own order when one is no number."""
    if all(isinstance(value, (int, float)) for value in values):
        return sorted(range(len(values)), key=lambda place: float(values[place]))  # type: ignore[arg-type]  # just checked
    return list(range(len(values)))


def _axes(grid: Grid, x: str | None, y: str | None) -> tuple[str, str]:
    for argument, name in (("x", x), ("y", y)):
        if name is not None and name not in grid.names:
            raise ConfigError(f"{argument} must be one of {', '.join(grid.names)}, was {name!r}")
    if x is not None and x == y:
        raise ConfigError(f"x and y must differ, were both {x!r}")
    free = [name for name in (*_varying(grid), *grid.names) if name not in {x, y}]
    x_name = x or free.pop(0)
    rest = [name for name in free if name != x_name]
    has_second = y is not None or any(name in _varying(grid) for name in rest)
    return x_name, (y or rest[0]) if has_second else ""


def _varying(grid: Grid) -> list[str]:
    return [name for name, values in grid.values.items() if len(values) > 1]


def _subtitle(sweep: SweepView, others: list[str]) -> str:
    bars = sweep.bars
    parts = [
        f"{', '.join(bars.symbols)} {bars.timeframe}",
        f"{bars.start:%Y-%m-%d} to {bars.end:%Y-%m-%d} UTC",
        f"{len(sweep.grid):,} combinations",
    ]
    if others:
        parts.append(f"median over {', '.join(others)}")
    return "  ·  ".join(parts)


def _marked(
    sweep: SweepView, x_name: str, y_name: str, x_order: list[int], y_order: list[int]
) -> tuple[int, int] | None:
    if not sweep.has_best:
        return None
    place = dict(zip(sweep.grid.names, sweep.grid.places[sweep.best().index], strict=True))
    return (y_order.index(place[y_name]) if y_name else 0), x_order.index(place[x_name])
