"""The figure of a quality report: closes with what was found on them, and how many of the bars are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import plotly.graph_objects as go

from workbench.charts.decimation import envelope_rows
from workbench.charts.figure import Figure
from workbench.charts.figures import WIDE, utc_labels
from workbench.charts.theme import Palette, ThemeName, name_pane, palette_of, template_of
from workbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from workbench.charts.decimation import Floats, Integers
    from workbench.model import Instrument, Timeframe

__all__ = ["QualityView", "quality_figure"]

HEIGHT_PX: Final = 440
MAX_BUCKETS: Final = 240
MAX_MARKS: Final = 1_000
# Kinds that belong to one row; the rest is told by the lower panel or by the title.
MARKS: Final = ("bad_row", "jump", "duplicate", "off_grid", "out_of_order")
# Shares of the height from the bottom: bars that are there, closes.
DOMAINS: Final = ((0.0, 0.2), (0.27, 1.0))


class QualityView(Protocol):
    """What the figure needs of a report; `workbench.data.QualityReport` has it."""

    @property
    def title(self) -> str:
        """What was looked at."""

    @property
    def instrument(self) -> Instrument:
        """The symbol, whose quote currency the prices are in."""

    @property
    def timeframe(self) -> Timeframe:
        """Length of a bar."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many findings there are of each kind."""

    @property
    def time_ns(self) -> Integers:
        """Each time that can be read, once, ascending."""

    @property
    def closes(self) -> Floats:
        """The first close at each of these times; ``nan`` where there is none."""

    def headline(self) -> str:
        """Return one line about the whole."""

    def to_frame(self) -> pd.DataFrame:
        """Return the findings: kind, row, time, count, reason."""


def quality_figure(report: QualityView, *, theme: ThemeName = "auto") -> go.Figure:
    """Return the figure of a quality report.

    Above, the closes, broken where bars are missing, with a mark on each row that was found bad or odd; below, which
    share of the bars is there, over at most 240 stretches of time.

    Parameters
    ----------
    report : QualityView
        The report.
    theme : {"auto", "light", "dark"}, default "auto"
        ``auto`` has a transparent background and reads on light and dark pages.

    Returns
    -------
    plotly.graph_objects.Figure
        Two panels on one UTC axis.

    Raises
    ------
    ConfigError
        An unknown theme.
    DataError
        No row has a time.
    """
    palette = palette_of(theme)
    if not len(report.time_ns):
        raise DataError(f"{report.title} has no time to draw")
    figure = Figure(_close_line(report, palette))
    figure.add_traces(_marks(report, palette))
    figure.add_traces(_presence(report, palette))
    _lay_out(figure, report, palette)
    return figure


def _close_line(report: QualityView, palette: Palette) -> go.Scatter:
    """Return the closes as a line that breaks at gaps; not drawn is only what the eye would not see."""
    times, closes = report.time_ns, report.closes
    whole = np.isfinite(closes)
    times, closes = times[whole], closes[whole]
    rows = envelope_rows(closes)
    # A break is drawn where bars are missing between the first row of one stretch and the last of the one before.
    jumps = np.flatnonzero(np.diff(times) > report.timeframe.ns) + 1
    starts = np.unique(np.searchsorted(rows, jumps))
    drawn_times = np.insert(utc_labels(times[rows]), starts, np.datetime64("NaT"))
    return go.Scatter(
        x=drawn_times,
        y=np.insert(closes[rows], starts, np.nan),
        mode="lines",
        name="Close",
        line={"color": palette.equity, "width": 1.3},
        hovertemplate="%{y:,.8~g}<extra>close</extra>",
        showlegend=False,
    )


def _marks(report: QualityView, palette: Palette) -> list[go.Scatter]:
    """Return one trace of marks a kind, at the closes of the rows."""
    frame = report.to_frame()
    colours = dict(zip(MARKS, (palette.down, palette.stop, palette.reference, palette.up, palette.muted), strict=True))
    symbols = dict(zip(MARKS, ("x", "triangle-up", "circle-open", "diamond-open", "line-ns-open"), strict=True))
    traces = []
    for kind in MARKS:
        # One finding about many rows, such as a table with its newest row first, is no place on the line.
        found = frame[(frame["kind"] == kind) & frame["time"].notna() & (frame["count"] == 1)].head(MAX_MARKS)
        if found.empty:
            continue
        times = found["time"].dt.tz_localize(None).to_numpy(dtype="datetime64[ns]").view(np.int64)
        closes = report.closes[np.searchsorted(report.time_ns, times)]
        total = report.counts[kind]
        some = f", {len(found):,} drawn" if total > len(found) else ""
        traces.append(
            go.Scatter(
                x=utc_labels(times),
                y=closes,
                mode="markers",
                name=f"{kind.replace('_', ' ')} ({total:,}{some})",
                marker={"color": colours[kind], "symbol": symbols[kind], "size": 7, "line": {"width": 1.2}},
                text=[
                    f"row {row}: {_escaped(reason)}" for row, reason in zip(found["row"], found["reason"], strict=True)
                ],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    return traces


def _presence(report: QualityView, palette: Palette) -> go.Bar:
    """Return the share of bars that are there, as bars over stretches of time."""
    times, length = report.time_ns, report.timeframe.ns
    slots = (int(times[-1]) - int(times[0])) // length + 1
    per_bucket = -(-slots // MAX_BUCKETS)
    buckets = -(-slots // per_bucket)
    which = np.minimum((times - times[0]) // length // per_bucket, buckets - 1)
    there = np.bincount(which, minlength=buckets)
    room = np.full(buckets, per_bucket)
    room[-1] = slots - per_bucket * (buckets - 1)
    share = 100.0 * np.minimum(there / room, 1.0)
    starts = times[0] + np.arange(buckets) * per_bucket * length
    width_ms = per_bucket * length / 1e6
    return go.Bar(
        x=utc_labels(starts),
        y=share,
        width=np.full(buckets, width_ms),
        offset=0,
        yaxis="y2",
        name="Bars present",
        marker={"color": [palette.up if value == 100.0 else palette.down for value in share], "line": {"width": 0}},  # noqa: PLR2004 - all of them
        customdata=np.stack((there, room), axis=1),
        hovertemplate="%{customdata[0]:,} of %{customdata[1]:,}<extra>bars present</extra>",
        showlegend=False,
    )


def _lay_out(figure: go.Figure, report: QualityView, palette: Palette) -> None:
    below, above = DOMAINS
    span = int(report.time_ns[-1] - report.time_ns[0]) + report.timeframe.ns
    edges = np.array([report.time_ns[0] - span // 100, report.time_ns[-1] + report.timeframe.ns + span // 100])
    closes = report.closes[np.isfinite(report.closes) & (report.closes > 0.0)]
    is_wide = bool(len(closes)) and float(closes.min()) < float(closes.max()) / WIDE
    axis = {"side": "right", "showgrid": True}
    scale = {"type": "log", "dtick": "D2"} if is_wide else {"tickformat": ","}
    figure.update_layout(
        template=template_of(palette),
        height=HEIGHT_PX,
        margin={"l": 28, "r": 72, "t": 80, "b": 40},
        title={
            "text": _escaped(report.title),
            "subtitle": {"text": report.headline(), "font": {"color": palette.muted, "size": 12}},
            "y": 0.96,
            "yanchor": "top",
        },
        bargap=0,
        hovermode="closest",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 0, "yanchor": "bottom"},
        xaxis={
            "type": "date",
            "anchor": "y2",
            "range": [str(edge) for edge in utc_labels(edges)],
            "hoverformat": "%Y-%m-%d %H:%M UTC",
            "title": {"text": "UTC"},
        },
        yaxis={
            **axis,
            "domain": above,
            "nticks": 7,
            **scale,
        },
        yaxis2={**axis, "domain": below, "range": [0, 105], "dtick": 50, "ticksuffix": " %"},
    )
    close = f"Close, {report.instrument.quote}{', log scale' if is_wide else ''}"
    for text, top in ((close, above[1]), ("Bars present, % of those due", below[1])):
        name_pane(figure, text, top, palette, is_inside=top == above[1])


def _escaped(text: str) -> str:
    """Return text that plotly does not take for markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
