"""The traces of a figure as pieces of SVG: candles, lines, marks, bars, a map; coarse enough to be small."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.charts.decimation import envelope_rows
from workbench.charts.still_axis import values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from workbench.charts.still_axis import StillAxis

    Floats = NDArray[np.float64]
    Drawer = Callable[[Any, StillAxis, StillAxis], str]

__all__ = ["DRAWERS", "color_of", "dash_of"]

_CANDLES: Final = 150
_POINTS: Final = 240
_BARS: Final = 300
_SHADES: Final = 16
_DASHES: Final = {"dot": "2 3", "dash": "8 5"}


def color_of(trace: Any) -> str:  # noqa: ANN401  plotly has no types
    """Return the colour by which a trace is known."""
    for part in (trace.line, trace.marker):
        if isinstance(part.color, str):
            return str(part.color)
    return "#888888"


def dash_of(line: Any) -> str:  # noqa: ANN401  as above
    """Return the attribute of a broken line; nothing for a whole one."""
    pattern = _DASHES.get(line.dash or "")
    return f' stroke-dasharray="{pattern}"' if pattern else ""


def _scatter(trace: Any, across: StillAxis, up: StillAxis) -> str:  # noqa: ANN401  as above
    x, y = across.pixels(trace.x), up.pixels(trace.y)
    mode = trace.mode or "lines"
    parts = []
    if "lines" in mode:
        x_line, y_line = _thinned(x, y)
        path = _line_path(x_line, y_line)
        color, width = escape(trace.line.color or color_of(trace)), trace.line.width or 1.5
        if trace.fill == "tozeroy" and path:
            foot = float(np.clip(up.place(np.zeros(1))[0], min(up.begin, up.end), max(up.begin, up.end)))
            area = f"{path}L{x_line[-1]:.0f} {foot:.0f}L{x_line[0]:.0f} {foot:.0f}Z"
            parts.append(f'<path d="{area}" fill="{escape(trace.fillcolor or color)}"/>')
        faint = f' opacity="{trace.opacity}"' if trace.opacity is not None else ""
        look = f'fill="none" stroke="{color}" stroke-width="{width}"{dash_of(trace.line)}{faint}'
        parts.append(f'<path d="{path}" {look}/>' if path else "")
    if "markers" in mode:
        parts.append(_marks(trace, x, y))
    return "".join(parts)


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    if len(y) <= _POINTS or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return x, y
    rows = envelope_rows(y, max_points=_POINTS)
    return x[rows], y[rows]


def _line_path(x: Floats, y: Floats) -> str:
    pieces, is_down = [], False
    for at, height in zip(x.tolist(), y.tolist(), strict=True):
        if not (np.isfinite(at) and np.isfinite(height)):
            is_down = False
            continue
        pieces.append(f"{'L' if is_down else 'M'}{at:.1f} {height:.1f}")
        is_down = True
    return "".join(pieces)


def _marks(trace: Any, x: Floats, y: Floats) -> str:  # noqa: ANN401  as above
    marker = trace.marker
    size = float(np.max(np.asarray(marker.size if marker.size is not None else 6, dtype=np.float64)))
    symbol = str(marker.symbol or "circle")
    turn = -1.0 if "down" in symbol or marker.angle == 180 else 1.0  # noqa: PLR2004  degrees
    off = turn * float(marker.standoff or 0.0)
    half = size / 2
    shapes = []
    for at, height in zip(x.tolist(), (y + off).tolist(), strict=True):
        if not (np.isfinite(at) and np.isfinite(height)):
            continue
        if "triangle" in symbol:
            shapes.append(f"M{at:.0f} {height - turn * half:.0f}l{half:.0f} {turn * size:.0f}h{-size:.0f}z")
        else:
            turns = f"a{half:.1f} {half:.1f} 0 1 0 {size:.0f} 0a{half:.1f} {half:.1f} 0 1 0 {-size:.0f} 0z"
            shapes.append(f"M{at - half:.0f} {height:.0f}{turns}")
    color = escape(marker.color if isinstance(marker.color, str) else color_of(trace))
    look = f'fill="none" stroke="{color}" stroke-width="1.5"' if "open" in symbol else f'fill="{color}"'
    return f'<path d="{"".join(shapes)}" {look}/>' if shapes else ""


def _candles(trace: Any, across: StillAxis, up: StillAxis) -> str:  # noqa: ANN401  as above
    x = across.pixels(trace.x)
    first = np.arange(0, len(x), max(1, -(-len(x) // _CANDLES)))
    last = np.append(first[1:], len(x)) - 1
    tops = up.place(np.maximum.reduceat(values_of(trace.high, up.kind), first))
    feet = up.place(np.minimum.reduceat(values_of(trace.low, up.kind), first))
    opens, closes = up.pixels(trace.open)[first], up.pixels(trace.close)[last]
    middle = (x[first] + x[last]) / 2
    half = 0.35 * float(np.diff(middle).min()) if len(middle) > 1 else 4.0
    paths: dict[str, list[str]] = {}
    for at, top, foot, begin, end in zip(*(one.tolist() for one in (middle, tops, feet, opens, closes)), strict=True):
        # Pixels count from above: a candle that rises ends at the smaller one.
        color = (trace.increasing if end <= begin else trace.decreasing).line.color
        body = f"M{at - half:.1f} {begin:.1f}h{2 * half:.1f}V{end:.1f}h{-2 * half:.1f}z"
        paths.setdefault(str(color), []).append(f"M{at:.1f} {top:.1f}V{foot:.1f}{body}")
    return _painted(paths)


def _bars(trace: Any, across: StillAxis, up: StillAxis) -> str:  # noqa: ANN401  as above
    left, heights = values_of(trace.x, across.kind, across.names), np.asarray(trace.y, dtype=np.float64)
    gap = float(np.diff(left).min()) if len(left) > 1 else 1.0
    wide = float(np.min(trace.width)) if trace.width is not None else 0.8 * gap
    begin = left if trace.offset is not None else left - wide / 2
    # Of too many, each group is drawn as wide as it is and as high as its highest.
    count = max(1, -(-len(left) // _BARS))
    rows = [start + int(np.argmax(heights[start : start + count])) for start in range(0, len(left), count)]
    begin = begin[::count]
    end = begin + wide + (count - 1) * gap
    colors = np.broadcast_to(np.asarray(trace.marker.color, dtype=object), len(left))[rows]
    edges = zip(
        across.place(begin).tolist(), across.place(end).tolist(), up.pixels(heights[rows]).tolist(), strict=True
    )
    zero = float(up.place(np.zeros(1))[0])
    paths: dict[str, list[str]] = {}
    for color, (x0, x1, y) in zip(colors.tolist(), edges, strict=True):
        paths.setdefault(str(color), []).append(f"M{x0:.1f} {zero:.0f}V{y:.1f}H{x1:.1f}V{zero:.0f}z")
    faint = trace.marker.opacity
    return _painted(paths, "" if faint is None else f' opacity="{faint}"', stroke=False)


def _waterfall(trace: Any, across: StillAxis, up: StillAxis) -> str:  # noqa: ANN401  as above
    parts, level = [], 0.0
    middles = across.pixels(trace.x).tolist()
    half = 0.4 * (middles[1] - middles[0]) if len(middles) > 1 else 40.0
    for at, amount, measure, text in zip(middles, trace.y, trace.measure, trace.text, strict=True):
        is_total = measure == "total"
        begin, end = (0.0, float(amount)) if is_total else (level, level + float(amount))
        level = end
        kind = trace.totals if is_total else trace.increasing if amount >= 0 else trace.decreasing
        foot, top = up.place(np.array([begin, end])).tolist()
        box = f"M{at - half:.0f} {foot:.1f}h{2 * half:.0f}V{top:.1f}h{-2 * half:.0f}z"
        parts.append(f'<path d="{box}" fill="{escape(kind.marker.color)}"/>')
        parts.append(f'<text x="{at:.0f}" y="{min(foot, top) - 4:.0f}" text-anchor="middle">{escape(text)}</text>')
    return "".join(parts)


def _heatmap(trace: Any, across: StillAxis, up: StillAxis) -> str:  # noqa: ANN401  as above
    values = np.asarray(trace.z, dtype=np.float64)
    finite = values[np.isfinite(values)]
    low = float(trace.zmin if trace.zmin is not None else finite.min(initial=0.0))
    high = float(trace.zmax if trace.zmax is not None else finite.max(initial=1.0))
    shades = np.clip(np.nan_to_num((values - low) / (high - low or 1.0)) * (_SHADES - 1), 0, _SHADES - 1).round()
    if trace.reversescale:
        shades = _SHADES - 1 - shades
    x, y = across.pixels(trace.x), up.pixels(trace.y)
    wide = abs(x[1] - x[0]) if len(x) > 1 else abs(across.end - across.begin)
    tall = abs(y[1] - y[0]) if len(y) > 1 else abs(up.end - up.begin)
    paths: dict[str, list[str]] = {}
    for row, column in np.argwhere(np.isfinite(values)).tolist():
        color = _blend(trace.colorscale, shades[row, column] / (_SHADES - 1))
        cell = f"M{x[column] - wide / 2:.1f} {y[row] - tall / 2:.1f}h{wide:.1f}v{tall:.1f}h{-wide:.1f}z"
        paths.setdefault(color, []).append(cell)
    return _painted(paths, stroke=False)


def _blend(scale: Any, share: float) -> str:  # noqa: ANN401  as above
    """Return the colour of a scale of hexadecimal colours at a share of its length."""
    places = [float(place) for place, _ in scale]
    parts = np.array([[int(color[at : at + 2], 16) for at in (1, 3, 5)] for _, color in scale], dtype=np.float64)
    mixed = [round(float(np.interp(share, places, parts[:, part]))) for part in range(3)]
    return f"#{mixed[0]:02x}{mixed[1]:02x}{mixed[2]:02x}"


def _painted(paths: Mapping[str, list[str]], more: str = "", *, stroke: bool = True) -> str:
    parts = []
    for color, pieces in paths.items():
        rim = f' stroke="{escape(color)}"' if stroke else ""
        parts.append(f'<path d="{"".join(pieces)}" fill="{escape(color)}"{rim}{more}/>')
    return "".join(parts)


DRAWERS: Final[Mapping[str, Drawer]] = {
    "scatter": _scatter,
    "candlestick": _candles,
    "bar": _bars,
    "waterfall": _waterfall,
    "heatmap": _heatmap,
}
"""How each kind of trace is drawn."""
