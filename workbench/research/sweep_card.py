"""The HTML card of a sweep: its best plateaus and a small heat map, readable on light and dark pages."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.charts.card_markup import card, figures
from workbench.research.formatting import format_parameter
from workbench.research.measures import MEASURES
from workbench.research.sparkline import DOWN, UP
from workbench.research.surface import surface_of
from workbench.research.top_rows import shown, top_rows

if TYPE_CHECKING:
    from workbench.research.statistics import Floats, Integers
    from workbench.research.views import SweepView

ROWS: Final = 5
MAX_CELLS: Final = 4_000
SHADES: Final = 8
COLUMNS: Final = ("total_return", "sharpe", "max_drawdown", "trade_count", "profit_factor")
SWEEP_STYLE: Final = """
.wb-two{display:flex;flex-wrap:wrap;gap:14px;margin-top:12px;align-items:flex-start}
.wb-card.wb-card.wb-card .wb-two table{flex:1 1 420px;margin:0;display:block;overflow-x:auto;max-width:100%}
.wb-card.wb-card.wb-card .wb-two :is(td,th){padding:4px 8px;text-align:right;border:0;background:none;color:inherit;
 border-bottom:1px solid rgba(128,128,128,.2);white-space:nowrap;font-weight:400}
.wb-card.wb-card.wb-card .wb-two th{opacity:.68;font-size:11px}
.wb-card.wb-card.wb-card .wb-two tr>:first-child{text-align:left}
.wb-map{flex:0 1 250px;font-size:11px}.wb-map.wb-map svg{display:block;width:100%;height:150px;border-radius:5px}
.wb-map span{opacity:.68}
""".replace("\n", "")


def sweep_card(sweep: SweepView) -> str:
    """Return the card of a sweep as HTML.

    Parameters
    ----------
    sweep : SweepView
        The result.

    Returns
    -------
    str
        One ``div`` with its style.
    """
    style = f"<style>{SWEEP_STYLE}</style>"
    two = f"<div class='wb-two'>{_top_table(sweep)}{_small_map(sweep)}</div>"
    return card(f"{sweep.name} sweep", _span(sweep), style, figures(_tiles(sweep)), two)


def _tiles(sweep: SweepView) -> list[tuple[str, str, str, float]]:
    label, own = MEASURES[sweep.rank_by].label, sweep.table[sweep.rank_by].dropna()
    tiles = [("Combinations", f"{len(sweep.grid):,}", f"of {', '.join(sweep.grid.names)}", 0.0)]
    if not sweep.has_best:
        return [*tiles, (label, "n/a", "undefined on every plateau", 0.0)]
    best = sweep.best()
    plateau = float(sweep.table["plateau"].iloc[best.index])
    values = zip(sweep.grid.names, sweep.grid.combinations[best.index], strict=True)
    chosen = ", ".join(f"{name} {format_parameter(value)}" for name, value in values)
    peak = own.min() if MEASURES[sweep.rank_by].better == "low" else own.max()
    return [
        *tiles,
        ("Best plateau", chosen, f"{label} {best.stats.shown(sweep.rank_by)} itself", 0.0),
        (f"{label} of the plateau", shown(sweep.rank_by, plateau), "median with its neighbours", 0.0),
        (
            f"{label} of all",
            shown(sweep.rank_by, float(own.median())),
            f"median; peak {shown(sweep.rank_by, peak)}",
            0.0,
        ),
    ]


def _span(sweep: SweepView) -> str:
    bars = sweep.bars
    market = f"{', '.join(bars.symbols)} {bars.timeframe}"
    return f"{market}  ·  {bars.start:%Y-%m-%d} to {bars.end:%Y-%m-%d} UTC  ·  {len(bars):,} bars"


def _top_table(sweep: SweepView) -> str:
    top = top_rows(sweep, ROWS, COLUMNS)
    place = len(sweep.grid.names)  # of the plateau, behind the parameters
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{f'<b>{escape(text)}</b>' if at == place else escape(text)}</td>" for at, text in enumerate(row)
        )
        + "</tr>"
        for row in top.rows
    )
    return f"<table><tr>{''.join(f'<th>{escape(head)}</th>' for head in top.heads)}</tr>{rows}</table>"


def _small_map(sweep: SweepView) -> str:
    surface = surface_of(sweep, None, None, sweep.rank_by)
    height, width = surface.values.shape
    if not surface.y_name or height * width > MAX_CELLS:
        return ""
    marked = ""
    if surface.marked is not None:
        row, column = surface.marked
        marked = (
            f"<rect x='{column}' y='{height - 1 - row}' width='1' height='1' fill='none' stroke='currentColor' "
            f"stroke-width='2' vector-effect='non-scaling-stroke'/>"
        )
    return (
        f"<div class='wb-map'><svg viewBox='0 0 {width} {height}' preserveAspectRatio='none' role='img'>"
        f"<title>{escape(surface.measure)} by {escape(surface.x_name)} and {escape(surface.y_name)}</title>"
        f"{shade_paths(surface.values, surface.centre, is_better_high=surface.is_better_high)}{marked}</svg>"
        f"<span>{escape(surface.x_name)} across, {escape(surface.y_name)} up; {escape(surface.measure)}</span></div>"
    )


def _shades(values: Floats, centre: float) -> Integers:
    """Return a shade from -8 to 8 for each value, 0 for nan; never 0 when all values lie on one side of the centre."""
    off = values - centre
    low, high = (float(end) for end in np.nanquantile(off, (0.02, 0.98)))
    reach = max(high, -low) or 1.0
    scaled = off / reach * SHADES
    if low > 0.0 or high < 0.0:
        near, sign = (low, 1.0) if low > 0.0 else (high, -1.0)
        scaled = sign * (1.0 + np.abs(off - near) / (abs(high - low) or 1.0) * (SHADES - 1))
    with np.errstate(invalid="ignore"):
        shades: Integers = np.nan_to_num(np.clip(np.round(scaled), -SHADES, SHADES)).astype(np.int64)
    return shades


def shade_paths(values: Floats, centre: float | None, *, is_better_high: bool) -> str:
    """Return the cells as one path a shade: colour for good or bad, opacity for how much, nothing at the centre."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return ""
    shade = _shades(values, float(np.median(finite)) if centre is None else centre)
    if not is_better_high:
        shade = -shade
    paths = []
    for level in (*range(-SHADES, 0), *range(1, SHADES + 1)):
        rows, columns = np.nonzero(shade == level)
        squares = "".join(f"M{x} {values.shape[0] - 1 - y}h1v1h-1z" for y, x in zip(rows, columns, strict=True))
        if squares:
            paths.append(
                f"<path d='{squares}' fill='{UP if level > 0 else DOWN}' fill-opacity='{abs(level) / SHADES:.2f}'/>"
            )
    return "".join(paths)
