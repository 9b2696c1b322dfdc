"""Figures of a sweep: a heat map over two parameters, a line over one."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import plotly.graph_objects as go

from workbench.charts.figure import Figure
from workbench.charts.theme import Palette, ThemeName, palette_of, template_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.charts.surface import Surface

HEIGHT_PX: Final = 520
NUMBER_FORMATS: Final = MappingProxyType({"fraction": ".2%", "money": ",.2f", "count": ",.0f"})
TICK_FORMATS: Final = MappingProxyType({"fraction": ".3~%", "money": ",.4~g", "count": ",.0f"})


def heatmap_figure(surface: Surface, *, theme: ThemeName = "auto") -> go.Figure:
    """Return the heat map of a measure over two parameters.

    Colours are teal for good and red for bad around the surface's centre; on one side of it only, one of them; without
    a centre, from grey to blue. Cells without a value stay empty.

    Parameters
    ----------
    surface : Surface
        What to draw.
    theme : {"auto", "light", "dark"}, default "auto"
        ``auto`` reads on light and dark pages.

    Returns
    -------
    plotly.graph_objects.Figure
        One heat map, with a ring around the marked cell.

    Raises
    ------
    ConfigError
        An unknown theme.
    """
    palette = palette_of(theme)
    x, y = _axis_values(surface.x), _axis_values(surface.y)
    number = NUMBER_FORMATS.get(surface.unit, ",.2f")
    figure = Figure(
        go.Heatmap(
            x=x,
            y=y,
            z=surface.values,
            **_colours(surface, palette),
            hoverongaps=False,
            colorbar={
                "title": {"text": surface.measure, "side": "right", "font": {"color": palette.muted, "size": 11}},
                "tickformat": TICK_FORMATS.get(surface.unit, ",.3~g"),
                "thickness": 12,
                "outlinewidth": 0,
                "tickfont": {"color": palette.muted, "size": 11},
            },
            hovertemplate=(
                f"{surface.x_name} %{{x}}<br>{surface.y_name} %{{y}}<br>{surface.measure} "
                f"<b>%{{z:{number}}}</b><extra></extra>"
            ),
        )
    )
    if surface.marked is not None:
        row, column = surface.marked
        figure.add_trace(
            go.Scatter(
                x=[x[column]],
                y=[y[row]],
                mode="markers",
                marker={"symbol": "circle-open", "size": 15, "color": palette.mark, "line": {"width": 2.5}},
                name="Best plateau",
                hoverinfo="skip",
            )
        )
    _lay_out(figure, surface, palette)
    figure.update_layout(yaxis={"title": {"text": surface.y_name}, **_axis_kind(surface.y)})
    return figure


def line_figure(surface: Surface, *, theme: ThemeName = "auto") -> go.Figure:
    """Return a measure over one parameter as a line.

    Parameters
    ----------
    surface : Surface
        What to draw, with one row of values.
    theme : {"auto", "light", "dark"}, default "auto"
        ``auto`` reads on light and dark pages.

    Returns
    -------
    plotly.graph_objects.Figure
        One line with a dot for each value; the marked one is larger.

    Raises
    ------
    ConfigError
        An unknown theme.
    """
    palette = palette_of(theme)
    x = _axis_values(surface.x)
    sizes = [6] * len(x)
    if surface.marked is not None:
        sizes[surface.marked[1]] = 13
    number = NUMBER_FORMATS.get(surface.unit, ",.2f")
    figure = Figure(
        go.Scatter(
            x=x,
            y=surface.values[0],
            mode="lines+markers",
            line={"color": palette.equity, "width": 1.6},
            marker={"color": palette.equity, "size": sizes},
            hovertemplate=f"{surface.x_name} %{{x}}<br>{surface.measure} <b>%{{y:{number}}}</b><extra></extra>",
        )
    )
    _lay_out(figure, surface, palette)
    figure.update_layout(
        showlegend=False, yaxis={"title": {"text": surface.measure}, "side": "right", "tickformat": number}
    )
    return figure


def _lay_out(figure: go.Figure, surface: Surface, palette: Palette) -> None:
    # In words: the ring is dark, and of a legend on a dark page nothing would be seen.
    mark = "" if surface.marked is None else "  ·  ◯ best plateau"
    figure.update_layout(
        template=template_of(palette),
        height=HEIGHT_PX,
        margin={"l": 12, "r": 24, "t": 84, "b": 24},
        title={
            "text": surface.title,
            "subtitle": {"text": surface.subtitle + mark, "font": {"color": palette.muted, "size": 12}},
            "y": 0.96,
            "yanchor": "top",
        },
        xaxis={"title": {"text": surface.x_name}, **_axis_kind(surface.x)},
        showlegend=False,
    )


def _colours(surface: Surface, palette: Palette) -> dict[str, object]:
    finite = surface.values[np.isfinite(surface.values)]
    is_reversed = not surface.is_better_high
    if surface.centre is None or not finite.size:
        scale = [[0.0, palette.neutral], [1.0, palette.equity]]
        return {"colorscale": scale, "reversescale": is_reversed}
    # One lucky corner must not wash out everything else, so the scale ends at the 2nd and 98th percentile.
    low, high = (float(end) for end in np.quantile(finite, (0.02, 0.98)))
    worse, better = (palette.up, palette.down) if is_reversed else (palette.down, palette.up)
    if high <= surface.centre:
        return {"colorscale": [[0.0, worse], [1.0, palette.neutral]], "zmin": low, "zmax": high}
    if low >= surface.centre:
        return {"colorscale": [[0.0, palette.neutral], [1.0, better]], "zmin": low, "zmax": high}
    reach = max(high - surface.centre, surface.centre - low)
    return {
        "colorscale": [[0.0, worse], [0.5, palette.neutral], [1.0, better]],
        "zmin": surface.centre - reach,
        "zmax": surface.centre + reach,
    }


def _axis_values(values: Sequence[object]) -> list[object]:
    return list(values) if _is_even(values) else [str(value) for value in values]


def _axis_kind(values: Sequence[object]) -> dict[str, object]:
    return {"showgrid": False} if _is_even(values) else {"type": "category", "showgrid": False}


def _is_even(values: Sequence[object]) -> bool:
    """Return whether the values are numbers in equal steps, so that a numeric axis has cells of one size."""
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return False
    steps = np.diff(np.array(values, dtype=np.float64))
    return steps.size == 0 or bool(np.allclose(steps, steps[0], rtol=1e-9, atol=0.0))
