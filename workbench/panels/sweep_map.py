"""The heat map of a sweep's plane and the figures of its chosen combination, as markup. Pure functions."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.panels.markup import Cell, Tile, tiles
from workbench.research.formatting import format_call, format_money, format_percent, format_value
from workbench.research.measures import MEASURES
from workbench.research.sparkline import sparkline
from workbench.research.sweep_card import shade_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.panels.markup import Tone
    from workbench.panels.sweep_slice import SweepSlice
    from workbench.research import BacktestResult, SweepResult

__all__ = ["chosen_figures", "map_marks", "map_tips", "sweep_map"]

# More cells than this are no picture any more, and half a megabyte of it.
_MOST_CELLS: Final = 20_000
_LABELS: Final = 9
_LEAST_PX: Final = 40
_CELL_PX: Final = 26
_MOST_PX: Final = 330


def sweep_map(plane: SweepSlice, *, slotted: bool) -> str:
    """Return the map: colours as those of the sweep's card, values along both sides, a slot for what is marked."""
    height, width = plane.values.shape
    if height * width > _MOST_CELLS:
        return f'<div class="wb-muted">{height * width:,} cells are too many for a map: choose by the fields.</div>'
    cells = shade_paths(plane.values, plane.centre, is_better_high=plane.is_better_high)
    tall = max(_LEAST_PX, min(_MOST_PX, _CELL_PX * height))
    label = f"{plane.measure} by {plane.x_name}" + (f" and {plane.y_name}" if plane.y_name else "")
    acts = (
        f'data-act="cell" data-keys="move" data-key="map" tabindex="0" data-lm-suppress-shortcuts="true" '
        f'data-columns="{width}" data-rows="{height}" '
        f'data-tips="tips" title=""'
        if slotted
        else ""
    )
    marks = '<div data-slot="marks" role="status"></div>' if slotted else f"<div>{map_marks(plane)}</div>"
    name_x, name_y = (f'<span class="wb-map-name">{escape(name)}</span>' for name in (plane.x_name, plane.y_name))
    # An application takes the arrow keys for itself, also where a screen reader uses them to read.
    told = f'role="{"application" if slotted else "img"}" aria-label="{escape(label)}" style="height:{tall}px"'
    return (
        f'<div class="wb-map-y">{name_y}{_labels(plane.y, "bottom")}</div><div class="wb-map-box" {told} {acts}>'
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">{cells}</svg>{marks}</div>'
        f'<div class="wb-map-x">{_labels(plane.x, "left")}{name_x}</div>'
    )


def map_marks(plane: SweepSlice) -> str:
    """Return a frame around the chosen cell, said in words too, and a dashed one around that of the best plateau."""
    best = plane.sweep.best().index if plane.sweep.has_best else -1
    return _mark(plane, best, "wb-map-best") + _mark(plane, plane.chosen, "wb-map-chosen") + _spoken(plane)


def map_tips(plane: SweepSlice) -> str:
    """Return what the pointer reads of each cell, as JSON."""
    names = [plane.x_name, plane.y_name, plane.measure]
    return json.dumps({"x": plane.x, "y": plane.y, "names": names, "figures": plane.texts})


def chosen_figures(sweep: SweepResult, row: int, result: BacktestResult) -> str:
    """Return the numbers of a combination: its rank by plateau, and what its backtest says."""
    stats = result.stats
    plateau = float(sweep.table["plateau"].iloc[row])
    name = sweep.rank_by
    rank = sweep.top(len(sweep)).index.tolist().index(row) + 1
    gain: Tone = "up" if stats["total_return"] > 0 else "down"
    around = f"{MEASURES[name].label} {format_value(plateau, MEASURES[name].unit)} around it"
    items = [
        Tile("Plateau rank", Cell("n/a" if np.isnan(plateau) else f"#{rank:,} of {len(sweep):,}"), around),
        Tile(
            "Total return",
            Cell(format_percent(stats["total_return"]), gain),
            f"hold {stats.shown('buy_and_hold_return')}",
        ),
        Tile("Sharpe", Cell(stats.shown("sharpe")), f"Sortino {stats.shown('sortino')}"),
        Tile("Max drawdown", Cell(stats.shown("max_drawdown")), f"longest {stats.shown('max_drawdown_duration_s')}"),
        Tile("Trades", Cell(stats.shown("trade_count")), f"win rate {stats.shown('win_rate')}"),
        Tile("Profit factor", Cell(stats.shown("profit_factor")), f"fees {format_money(stats['fees'])}"),
    ]
    call = format_call(sweep.name, dict(sweep.row(row).parameters))
    warnings = "".join(f'<div class="wb-reason wb-warning">▲ {escape(one)}</div>' for one in result.warnings)
    equity = np.asarray(result.equity, dtype=np.float64)
    line = sparkline(equity, base=result.cash, label=f"Equity of the whole run in {result.quote}")
    return f'<div class="wb-call">{escape(call)}</div>{tiles(items)}<div class="wb-run">{line}</div>{warnings}'


def _mark(plane: SweepSlice, row: int, css_class: str) -> str:
    place = plane.place(row)
    if place is None:
        return ""
    height, width = plane.values.shape
    left, top = 100 * place[0] / width, 100 * (height - 1 - place[1]) / height
    return (
        f'<i class="{css_class}" style="left:{left:.3f}%;top:{top:.3f}%;width:{100 / width:.3f}%;'
        f'height:{100 / height:.3f}%"></i>'
    )


def _spoken(plane: SweepSlice) -> str:
    """Return what a map's tip says of the chosen cell, for those who move over the map without seeing it."""
    place = plane.place(plane.chosen)
    if place is None:
        return ""
    column, line = place
    value = format_value(float(plane.values[line, column]), MEASURES[plane.measured].unit)
    up = f", {plane.y_name} {plane.y[line]}" if plane.y_name else ""
    text = f"{plane.x_name} {plane.x[column]}{up}: {plane.measure} {value}; arrow keys move"
    return f'<span class="wb-spoken">{escape(text)}</span>'


def _labels(values: Sequence[str], side: str) -> str:
    """Return at most nine of the values, each at the middle of its cell."""
    step = -(-len(values) // _LABELS)
    return "".join(
        f'<span style="{side}:{100 * (place + 0.5) / len(values):.2f}%">{escape(values[place])}</span>'
        for place in range(0, len(values), step)
        if values[place]
    )
