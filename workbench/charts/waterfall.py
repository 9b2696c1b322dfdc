"""The figure of a waterfall: how a session's equity parted from that of the backtest, one step each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from workbench.charts.figure import Figure
from workbench.charts.theme import ThemeName, palette_of, template_of

if TYPE_CHECKING:
    from workbench.model import EquityWaterfall

__all__ = ["waterfall_figure"]

HEIGHT_PX: Final = 380
# Rounding is no step worth a column.
_SHOWN_SHARE: Final = 1e-9


def waterfall_figure(waterfall: EquityWaterfall, *, theme: ThemeName = "auto") -> go.Figure:
    """Draw what each part added to, or took from, the final equity of the bar-only backtest.

    Parameters
    ----------
    waterfall : EquityWaterfall
        The parts.
    theme : {"auto", "light", "dark"}, default "auto"
        Colours.

    Returns
    -------
    plotly.graph_objects.Figure
        One column a part, each beginning where the one before ends, and one for their sum.

    Raises
    ------
    ConfigError
        An unknown theme.

    Examples
    --------
    >>> from workbench.model import EquityPart, EquityWaterfall
    >>> parts = (EquityPart(name="latency", amount=-2.0, meaning="The market moved."),)
    >>> figure = waterfall_figure(EquityWaterfall(currency="USDT", start=100.0, end=98.0, parts=parts))
    >>> figure.data[0].x
    ('latency', 'difference')
    """
    palette = palette_of(theme)
    smallest = _SHOWN_SHARE * abs(waterfall.start)
    shown = [part for part in waterfall.parts if part.name != "rest" or abs(part.amount) > smallest]
    figure = Figure(
        go.Waterfall(
            x=[*(part.name for part in shown), "difference"],
            y=[*(part.amount for part in shown), waterfall.difference],
            measure=[*("relative" for _ in shown), "total"],
            text=[f"{amount:+,.2f}" for amount in (*(part.amount for part in shown), waterfall.difference)],
            textposition="outside",
            # A column at the edge keeps its number.
            cliponaxis=False,
            customdata=[*(part.meaning for part in shown), "Final equity against the bar-only backtest."],
            hovertemplate="%{x}: %{text} " + waterfall.currency + "<br>%{customdata}<extra></extra>",
            increasing={"marker": {"color": palette.up}},
            decreasing={"marker": {"color": palette.down}},
            totals={"marker": {"color": palette.equity}},
            connector={"line": {"color": palette.grid, "width": 1}},
        )
    )
    figure.update_layout(
        template=template_of(palette),
        height=HEIGHT_PX,
        margin={"l": 8, "r": 8, "t": 72, "b": 8},
        showlegend=False,
        title={"text": "Session against bar-only backtest", "subtitle": {"text": _subtitle(waterfall)}},
        yaxis={"title": {"text": waterfall.currency}},
    )
    return figure


def _subtitle(waterfall: EquityWaterfall) -> str:
    text = f"{waterfall.start:,.2f} to {waterfall.end:,.2f} {waterfall.currency}"
    if waterfall.matched_orders or waterfall.missed_orders or waterfall.extra_orders:
        text += (
            f" · {waterfall.matched_orders} orders matched, {waterfall.missed_orders} missed, "
            f"{waterfall.extra_orders} extra"
        )
    return text
