"""The plain figure of a session: what its live chart shows, for notebooks that are read without a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go

from workbench.charts.decimation import envelope_rows, join_candles
from workbench.charts.figure import Figure
from workbench.charts.figures import candle_trace, utc_labels
from workbench.charts.live import quote_currency, timeframe_name
from workbench.charts.live_palette import LIVE_COLORS
from workbench.charts.live_source import equity_until_now
from workbench.charts.live_study import StudyNews, study_now
from workbench.charts.symbol_source import symbol_source
from workbench.charts.theme import name_pane, palette_of, template_of
from workbench.errors import DataError
from workbench.model import Timeframe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from workbench.charts.decimation import Candles
    from workbench.charts.live_source import ChartSource, ChartState, Mark
    from workbench.charts.theme import Palette, ThemeName

    Floats = NDArray[np.float64]

__all__ = ["session_figure"]

HEIGHT_PX: Final = 620
# As in the live chart, bottom to top: drawdown, equity, candles with the volume at their foot.
DOMAINS: Final = ((0.0, 0.155), (0.2, 0.385), (0.43, 1.0))
VOLUME_SHARE: Final = 0.16
_NS_PER_MS: Final = 1_000_000
_LEVEL_COLORS: Final = 6
_LEVEL_KINDS: Final = (("stop", "stop"), ("take", "target"), ("trail", "trailing"))


def session_figure(
    source: ChartSource, *, title: str, symbol: str | None = None, theme: ThemeName = "auto"
) -> go.Figure:
    """Return the figure of a session as it is now.

    Above, candles with the strategy's price levels, fills, the times in which a position was held and the levels that
    protect it, and volume; below, equity beside the backtest of the same bars, and drawdown.

    Parameters
    ----------
    source : ChartSource
        Handle of the session.
    title : str
        What stands above.
    symbol : str, optional
        Whose candles, fills and levels; the first symbol by default.
    theme : {"auto", "light", "dark"}, default "auto"
        ``auto`` has a transparent background and reads on light and dark pages.

    Raises
    ------
    ConfigError
        An unknown theme, or a symbol that the session does not trade.
    DataError
        The session has no bars yet.
    """
    palette = palette_of(theme)
    live = LIVE_COLORS["dark" if theme == "dark" else "light"]
    source = symbol_source(source, symbol)
    state = source.chart_state()
    bars = np.asarray(state.bars)
    if not len(bars):
        raise DataError(f"{state.symbol} has no bars to draw yet: start the session first")
    timeframe = Timeframe.of(timeframe_name(state.timeframe_ns))
    times = np.rint(bars[:, 0]).astype(np.int64) * _NS_PER_MS
    candles = join_candles(times, bars[:, 1:5].T, timeframe=timeframe)
    study = study_now(source, state)
    figure = Figure([*_volume(bars, times, candles, palette), candle_trace(candles, state.symbol, palette)])
    figure.add_traces(_levels(study, live))
    figure.add_traces(_results(state, study, palette, live))
    figure.add_traces(_marks(state.marks, study.marks, palette, live))
    _shade_held(figure, state, int(times[-1]) + timeframe.ns, palette)
    _draw_lines(figure, state.lines, palette, live)
    quote = quote_currency(state.symbol)
    subtitle = _subtitle(times, state) + (f"  ·  no backtest: {study.fault}" if study.fault else "")
    _lay_out(figure, f"{title}  ·  {state.symbol} {timeframe}", subtitle, quote, palette)
    figure.update_layout(
        xaxis={"range": _time_range(times, timeframe.ns)}, yaxis={"range": _price_range(candles, state.lines)}
    )
    return figure


def _volume(bars: Floats, times: NDArray[np.int64], candles: Candles, palette: Palette) -> list[go.Bar]:
    first = np.searchsorted(times, candles.time_ns)
    volume = np.add.reduceat(bars[:, 5], first)
    colors = np.where(candles.close >= candles.open, palette.up, palette.down)
    marker = {"color": colors, "opacity": 0.4, "line": {"width": 0}}
    hover = "volume %{y:,.6~g}<extra></extra>"
    x = utc_labels(candles.time_ns)
    return [go.Bar(x=x, y=volume, yaxis="y4", name="Volume", marker=marker, hovertemplate=hover, showlegend=False)]


def _line(times_ms: Floats, values: Floats, **options: Any) -> go.Scatter:  # noqa: ANN401  a trace's own options
    is_known = np.isfinite(values)
    times_ms, values = times_ms[is_known], values[is_known]
    rows = envelope_rows(values)
    x = utc_labels(np.rint(times_ms[rows]).astype(np.int64) * _NS_PER_MS)
    return go.Scatter(x=x, y=values[rows], mode="lines", **options)


def _levels(study: StudyNews, live: Mapping[str, str]) -> list[go.Scatter]:
    if not study.levels:
        return []
    table = np.concatenate(study.levels)
    return [
        _line(
            table[:, 0],
            table[:, 1 + number],
            name=name,
            line={"color": live[f"level_{number % _LEVEL_COLORS + 1}"], "width": 1.2},
            hovertemplate="%{y:,.8~g}",
        )
        for number, name in enumerate(study.names)
    ]


def _results(state: ChartState, study: StudyNews, palette: Palette, live: Mapping[str, str]) -> list[go.Scatter]:
    equity = equity_until_now(state)
    if not len(equity):
        return []
    own = {"color": palette.equity, "width": 1.5}
    traces = [_line(equity[:, 0], equity[:, 1], name="Equity", yaxis="y2", line=own, hovertemplate="%{y:,.2f}")]
    if study.equity:
        ghost = np.concatenate(study.equity)
        line = {"color": live["ghost"], "width": 1.2}
        # Drawn first, so that the session's line lies above it; the area between the two is shaded.
        traces.insert(
            0, _line(ghost[:, 0], ghost[:, 1], name="Backtest", yaxis="y2", line=line, hovertemplate="%{y:,.2f}")
        )
        traces[1].update(fill="tonexty", fillcolor=f"{live['ghost']}2e")
    drawdown = {"color": palette.down, "width": 1}
    traces.append(
        _line(
            equity[:, 0],
            100.0 * equity[:, 2],
            name="Drawdown",
            yaxis="y3",
            line=drawdown,
            fill="tozeroy",
            fillcolor=palette.shade,
            hovertemplate="%{y:.2f} %",
            showlegend=False,
        )
    )
    return traces


def _marks(
    marks: Sequence[Mark], ghosts: Sequence[Mark], palette: Palette, live: Mapping[str, str]
) -> list[go.Scatter]:
    rim = {"color": palette.outline, "width": 1}
    looks: dict[tuple[str, int], dict[str, object]] = {
        ("Backtest buy", 1): {"symbol": "triangle-up-open", "color": live["ghost"]},
        ("Backtest sell", -1): {"symbol": "triangle-down-open", "color": live["ghost"]},
        ("Buy", 1): {"symbol": "triangle-up", "color": palette.up, "line": rim},
        ("Sell", -1): {"symbol": "triangle-down", "color": palette.down, "line": rim},
    }
    traces = []
    for (name, side), look in looks.items():
        found = [mark for mark in (ghosts if name.startswith("Backtest") else marks) if mark[2] == side]
        if found:
            x = utc_labels(np.array([mark[0] for mark in found], dtype=np.int64))
            shown = {"text": [mark[3] for mark in found], "hovertemplate": "%{text}<extra></extra>"}
            marker = {"size": 10, **look}
            traces.append(
                go.Scatter(x=x, y=[mark[1] for mark in found], mode="markers", name=name, marker=marker, **shown)
            )
    return traces


def _shade_held(figure: go.Figure, state: ChartState, now_ns: int, palette: Palette) -> None:
    """Shade the times in which a position was held."""
    spans: list[tuple[int, int, int]] = []
    held, since = 0, 0
    for time_ns, _, _, _, holds in (*state.marks, (now_ns, 0.0, 0, "", 0)):
        if held and holds != held:
            spans.append((held, since, time_ns))
        if holds != held:
            held, since = holds, time_ns
    for side, begin, end in spans:
        x0, x1 = (str(edge) for edge in utc_labels(np.array([begin, end])))
        color = palette.up if side > 0 else palette.down
        figure.add_shape(
            type="rect",
            x0=x0,
            x1=x1,
            y0=DOMAINS[2][0],
            y1=DOMAINS[2][1],
            yref="paper",
            fillcolor=color,
            opacity=0.09,
            line={"width": 0},
            layer="below",
        )


def _draw_lines(figure: go.Figure, lines: Mapping[str, float], palette: Palette, live: Mapping[str, str]) -> None:
    colors = {"stop": palette.stop, "target": palette.target, "trailing": live["trailing"], "entry": live["entry"]}
    for name, price in lines.items():
        kind = next((kind for word, kind in _LEVEL_KINDS if word in name), "entry")
        line = {"color": colors[kind], "width": 1, "dash": "dash"}
        label = {"text": f"{name} {price:,.8g}", "textposition": "end", "font": {"color": colors[kind], "size": 11}}
        figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=price, y1=price, line=line, label=label)


def _time_range(times: NDArray[np.int64], step_ns: int) -> list[str]:
    span = int(times[-1] - times[0]) + step_ns
    edges = utc_labels(np.array([times[0] - span // 100, times[-1] + step_ns + span // 50]))
    return [str(edge) for edge in edges]


def _price_range(candles: Candles, lines: Mapping[str, float]) -> list[float]:
    low, high = float(candles.low.min()), float(candles.high.max())
    reach = max(high - low, 0.002 * high)
    near = [price for price in lines.values() if low - reach < price < high + reach]
    low, high = min([low, *near]), max([high, *near])
    span = high - low or 0.01 * high
    return [low - 0.19 * span, high + 0.07 * span]  # room for the volume below


def _subtitle(times: NDArray[np.int64], state: ChartState) -> str:
    first, last = (str(time)[:16].replace("T", " ") for time in utc_labels(times[[0, -1]]))
    return f"{first} to {last} UTC  ·  {len(times):,} bars  ·  {len(state.marks):,} fills"


def _lay_out(figure: go.Figure, title: str, subtitle: str, quote: str, palette: Palette) -> None:
    below, middle, above = DOMAINS
    axis = {"side": "right", "showgrid": True, "nticks": 6}
    volume = [float(value) for trace in figure.data if trace.name == "Volume" for value in trace.y]
    figure.update_layout(
        template=template_of(palette),
        height=HEIGHT_PX,
        margin={"l": 28, "r": 84, "t": 84, "b": 44},
        title={"text": title, "subtitle": {"text": subtitle, "font": {"color": palette.muted, "size": 12}}, "y": 0.97},
        hovermode="x unified",
        hoversubplots="axis",
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        xaxis={
            "type": "date",
            "anchor": "y3",
            "rangeslider": {"visible": False},
            "showspikes": False,
            "hoverformat": "%Y-%m-%d %H:%M UTC",
        },
        yaxis={**axis, "domain": above, "tickformat": ",", "nticks": 8},
        yaxis2={**axis, "domain": middle, "tickformat": ",.6~g"},
        yaxis3={**axis, "domain": below, "ticksuffix": " %", "nticks": 4, "rangemode": "tozero"},
        yaxis4={
            "overlaying": "y",
            "range": [0.0, (max(volume, default=0.0) or 1.0) / VOLUME_SHARE],
            "visible": False,
            "fixedrange": True,
        },
    )
    for text, (_, top) in zip(("Drawdown", f"Equity, {quote}", f"Price, {quote}"), DOMAINS, strict=True):
        name_pane(figure, text, top, palette, is_inside=top == above[1])
