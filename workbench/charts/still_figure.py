"""A picture of a figure without scripts: what a page shows that cannot run Plotly."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.charts.still_axis import StillAxis, values_of
from workbench.charts.still_traces import DRAWERS, color_of, dash_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.charts.still_axis import AxisKind

__all__ = ["still_figure"]

_WIDTH: Final = 860
_MOST_HEIGHT: Final = 520
_LETTER_PX: Final = 6.2  # of eleven pixels' height, about
_TICKS_ACROSS: Final = 7
_PIXELS_A_TICK: Final = 42
_MARGIN: Final = 0.05
_EDGE: Final = 30.0


def still_figure(figure: Any) -> str:  # noqa: ANN401  plotly has no types
    """Return the figure as inline SVG of a few kilobytes: every trace, the axes' labels, the names of panes and traces.

    Drawn are the kinds of traces and axes that this project's figures have. Long series are thinned: at most 150
    candles, 240 points of a line.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        The figure.
    """
    layout = figure.layout
    look = layout.template.layout
    height = min(layout.height or 450, _MOST_HEIGHT)
    frame = _frame(figure, height)
    axes = {_names(trace): _axes(figure, trace, frame) for trace in figure.data}
    below, above = _shapes(layout, axes, frame)
    drawn = "".join(DRAWERS[trace.type](trace, *axes[_names(trace)]) for trace in figure.data)
    parts = (
        _head(height, look, layout.title.text or "Figure"),
        *(
            _grid(*pair, layout, look, name)
            for (_, name), pair in axes.items()
            if layout[_key(name)].visible is not False
        ),
        _clipped(frame, below + drawn + above),
        *_texts(layout, look, frame),
        _legend(figure, frame),
    )
    return "".join(parts) + "</svg>"


def _head(height: int, look: Any, title: str) -> str:  # noqa: ANN401  as above
    color, background = escape(look.font.color or "#808080"), escape(look.paper_bgcolor or "none")
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" style="max-width:100%;height:auto"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif" font-size="11" '
        f'fill="{color}"><title>{_plain(title)}</title><rect width="100%" height="100%" fill="{background}"/>'
    )


class _Frame:
    """Where the plot is, in pixels from above and from the left."""

    def __init__(self, left: float, top: float, right: float, bottom: float) -> None:
        self.left, self.top, self.right, self.bottom = left, top, right, bottom

    def x(self, share: float) -> float:
        return self.left + share * (self.right - self.left)

    def y(self, share: float) -> float:
        return self.bottom - share * (self.bottom - self.top)


def _frame(figure: Any, height: int) -> _Frame:  # noqa: ANN401  as above
    layout = figure.layout
    is_right = layout.yaxis.side == "right"
    left = 12 if is_right else 64
    bottom = height - (40 if layout.xaxis.title.text else 26)
    return _Frame(left, min(layout.margin.t or 60, 100), _WIDTH - (74 if is_right else 14), bottom)


def _names(trace: Any) -> tuple[str, str]:  # noqa: ANN401  as above
    """Return the axes of a trace, such as ``x`` and ``y2``."""
    return trace.xaxis or "x", trace.yaxis or "y"


def _key(axis: str) -> str:
    """Return where the layout describes an axis: ``yaxis2`` for ``y2``."""
    return f"{axis[0]}axis{axis[1:]}"


def _axes(figure: Any, trace: Any, frame: _Frame) -> tuple[StillAxis, StillAxis]:  # noqa: ANN401  as above
    across, up = _names(trace)
    settings = figure.layout[_key(up)]
    low, high = settings.domain or figure.layout[_key(settings.overlaying or up)].domain or (0.0, 1.0)
    return _axis(figure, across, frame.left, frame.right), _axis(figure, up, frame.y(low), frame.y(high))


def _axis(figure: Any, name: str, begin: float, end: float) -> StillAxis:  # noqa: ANN401  as above
    settings = figure.layout[_key(name)]
    traces = [trace for trace in figure.data if _names(trace)["xy".index(name[0])] == name]
    kind: AxisKind = settings.type or _guessed_kind(traces, name)
    names = _categories(traces, name) if kind == "category" else ()
    found = np.concatenate([values_of(values, kind, names) for trace in traces for values in _held(trace, name)])
    found = found[np.isfinite(found)]
    low, high = (float(found.min()), float(found.max())) if len(found) else (0.0, 1.0)
    is_map = traces[0].type == "heatmap"
    room = 0.5 if kind == "category" else _half_step(found) if is_map else _MARGIN * (high - low)
    low, high = low - room, high + room
    if settings.range is not None:
        # The range of a logarithmic axis is given as logarithms.
        low, high = values_of(settings.range, "linear" if kind == "log" else kind).tolist()
    elif settings.rangemode == "tozero" or any(trace.type in {"bar", "waterfall"} for trace in traces):
        low, high = (min(low, 0.0), max(high, 0.0)) if name[0] == "y" else (low, high)
    return StillAxis(kind, low, high if high > low else low + 1.0, begin, end, names, settings.ticksuffix or "")


def _guessed_kind(traces: Iterable[Any], name: str) -> AxisKind:
    values = [value for trace in traces for held in _held(trace, name) for value in list(held)[:1]]
    return "category" if any(isinstance(value, str) for value in values) else "linear"


def _held(trace: Any, name: str) -> list[Any]:  # noqa: ANN401  as above
    """Return the values that a trace has on an axis."""
    if name[0] == "x":
        return [trace.x]
    if trace.type == "candlestick":
        return [trace.low, trace.high]
    if trace.type == "waterfall":
        sums = np.cumsum(
            [0.0 if measure == "total" else amount for amount, measure in zip(trace.y, trace.measure, strict=True)]
        )
        return [sums, trace.y]
    return [trace.y]


def _categories(traces: Iterable[Any], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(value) for trace in traces for held in _held(trace, name) for value in held))


def _half_step(values: Any) -> float:  # noqa: ANN401  as above
    steps = np.diff(np.unique(values))
    return float(steps.min()) / 2 if len(steps) else 0.5


def _grid(x: StillAxis, y: StillAxis, layout: Any, look: Any, name: str) -> str:  # noqa: ANN401  as above
    settings = layout[_key(name)]
    lines = f'stroke="{escape(look.xaxis.gridcolor)}" stroke-width="1"'
    muted = f'fill="{escape(look.xaxis.tickfont.color)}"'
    parts = []
    for at, text in y.ticks(max(3, round(abs(y.end - y.begin) / _PIXELS_A_TICK))):
        if settings.showgrid is not False:
            parts.append(f'<path d="M{x.begin:.0f} {at:.1f}H{x.end:.0f}" {lines}/>')
        where = f'x="{x.end + 6:.0f}"' if settings.side == "right" else f'x="{x.begin - 6:.0f}" text-anchor="end"'
        parts.append(f'<text {where} y="{at + 4:.1f}" {muted}>{escape(text)}</text>')
    is_lowest = (layout.xaxis.anchor or "y") == name
    for at, text in x.ticks(_TICKS_ACROSS):
        if layout.xaxis.showgrid is not False:
            parts.append(f'<path d="M{at:.1f} {y.begin:.0f}V{y.end:.0f}" {lines}/>')
        # One at the edge would be cut.
        if is_lowest and at > x.begin + _EDGE:
            parts.append(
                f'<text x="{at:.1f}" y="{y.begin + 16:.0f}" text-anchor="middle" {muted}>{escape(text)}</text>'
            )
    return "".join(parts)


def _clipped(frame: _Frame, drawn: str) -> str:
    """Cut off what leaves the plot; an svg within the svg does that without an id, of which a page may have two."""
    left, top = round(frame.left), round(frame.top) - 12
    wide, tall = round(frame.right) - left, round(frame.bottom) + 2 - top
    box = f'x="{left}" y="{top}" width="{wide}" height="{tall}" viewBox="{left} {top} {wide} {tall}"'
    return f"<svg {box}>{drawn}</svg>"


def _shapes(
    layout: Any,  # noqa: ANN401  as above
    axes: Mapping[tuple[str, str], tuple[StillAxis, StillAxis]],
    frame: _Frame,
) -> tuple[str, str]:
    """Return the shapes below and above the traces."""
    x, y = axes.get(("x", "y")) or next(iter(axes.values()))
    below: list[str] = []
    above: list[str] = []
    for shape in layout.shapes:
        ends, heights = (shape.x0, shape.x1), (shape.y0, shape.y1)
        x0, x1 = map(frame.x, ends) if shape.xref == "paper" else x.pixels(ends).tolist()
        y0, y1 = map(frame.y, heights) if shape.yref == "paper" else y.pixels(heights).tolist()
        if shape.type == "rect":
            box = f"M{x0:.1f} {y0:.1f}H{x1:.1f}V{y1:.1f}H{x0:.1f}z"
            drawn = f'<path d="{box}" fill="{escape(shape.fillcolor)}" opacity="{shape.opacity}"/>'
        else:
            color = escape(shape.line.color)
            drawn = f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{color}"{dash_of(shape.line)}/>'
            place = f'x="{x1 - 4:.0f}" y="{y1 - 3:.0f}" text-anchor="end" fill="{color}"'
            drawn += f"<text {place}>{_plain(shape.label.text or '')}</text>"
        (below if shape.layer == "below" else above).append(drawn)
    return "".join(below), "".join(above)


def _texts(layout: Any, look: Any, frame: _Frame) -> Iterable[str]:  # noqa: ANN401  as above
    muted = f'fill="{escape(look.xaxis.tickfont.color)}"'
    yield f'<text x="12" y="24" font-size="15" font-weight="600">{_plain(layout.title.text or "")}</text>'
    yield f'<text x="12" y="42" {muted}>{_plain(layout.title.subtitle.text or "")}</text>'
    for note in layout.annotations:
        y = frame.y(note.y) + (12 if note.yanchor == "top" else -4)
        yield f'<text x="{frame.x(note.x) + 2:.0f}" y="{y:.0f}" {muted}>{_plain(note.text)}</text>'
    middle = (frame.left + frame.right) / 2
    if layout.xaxis.title.text:
        place = f'x="{middle:.0f}" y="{frame.bottom + 32:.0f}" text-anchor="middle"'
        yield f"<text {place} {muted}>{_plain(layout.xaxis.title.text)}</text>"
    if layout.yaxis.title.text:
        yield f'<text x="12" y="{frame.top - 8:.0f}" {muted}>{_plain(layout.yaxis.title.text)}</text>'


def _legend(figure: Any, frame: _Frame) -> str:  # noqa: ANN401  as above
    if figure.layout.showlegend is False:
        return ""
    at, parts = frame.left, []
    for trace in figure.data:
        if trace.showlegend is False or not trace.name or trace.type == "heatmap":
            continue
        wide = 18 + _LETTER_PX * len(trace.name) + 10
        if at + wide > _WIDTH:
            break
        y = frame.top - 14
        mark = f'<rect x="{at:.0f}" y="{y - 8:.0f}" width="9" height="9" rx="2" fill="{escape(color_of(trace))}"/>'
        parts.append(f'{mark}<text x="{at + 14:.0f}" y="{y:.0f}">{_plain(trace.name)}</text>')
        at += wide
    return "".join(parts)


def _plain(text: str) -> str:
    """Return a text of plotly, which may hold some markup, as text of a page."""
    bare = re.sub(r"<[^>]*>", " ", text).replace("&lt;", "<").replace("&amp;", "&")
    return escape(bare)
