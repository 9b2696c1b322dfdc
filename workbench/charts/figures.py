"""The static figure of a backtest: candles with trades and protective levels, equity, drawdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench.charts.decimation import Candles, Floats, Integers, envelope_rows, join_candles
from workbench.charts.figure import Figure
from workbench.charts.live_source import chosen_symbol
from workbench.charts.theme import Palette, ThemeName, name_pane, palette_of, template_of
from workbench.charts.trade_marks import MAX_TRADES, drawn_rows, trade_traces
from workbench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.model import Bars

HEIGHT_PX: Final = 720
# From this ratio of the largest to the smallest value on, an axis is logarithmic.
WIDE: Final = 8.0
# Shares of the height from the bottom: drawdown, equity, candles, with a gap between.
DOMAINS: Final = ((0.0, 0.13), (0.17, 0.38), (0.42, 1.0))


class BacktestView(Protocol):
    """What the figure needs of a result; `workbench.research.BacktestResult` has it."""

    @property
    def title(self) -> str:
        """The strategy as the call that makes it."""

    @property
    def bars(self) -> Bars:
        """The bars of the run."""

    @property
    def equity(self) -> pd.Series[float]:
        """Equity at each bar's close, indexed by aware UTC time."""

    @property
    def drawdown(self) -> pd.Series[float]:
        """Fraction below the peak, at least 0, indexed like ``equity``."""

    @property
    def buy_and_hold(self) -> pd.Series[float]:
        """The same cash in the market from the first open on, indexed like ``equity``."""

    @property
    def trades(self) -> pd.DataFrame:
        """Closed trades."""

    @property
    def trade_levels(self) -> pd.DataFrame:
        """Protective levels, row by row of ``trades``: ``stop`` and ``target``, nan where there was none."""

    @property
    def open_positions(self) -> pd.DataFrame:
        """Positions at the end, with their ``stop`` and ``target``."""


def backtest_figure(result: BacktestView, *, symbol: str | None = None, theme: ThemeName = "auto") -> go.Figure:
    """Return the figure of a backtest.

    Above, one symbol's candles with entries, exits and the stop and target of each trade; below, the account's equity
    beside buying and holding, and its drawdown. More than 1,500 bars are joined into longer candles and lines are
    reduced to their envelope; of more than 1,000 trades those with the largest profit or loss are drawn. The subtitle
    says so.

    Parameters
    ----------
    result : BacktestView
        A backtest's result.
    symbol : str, optional
        Whose candles; the first symbol by default.
    theme : {"auto", "light", "dark"}, default "auto"
        ``auto`` has a transparent background and reads on light and dark pages.

    Returns
    -------
    plotly.graph_objects.Figure
        Three panels on one UTC axis.

    Raises
    ------
    ConfigError
        An unknown theme, or a symbol that the bars do not hold.
    DataError
        The symbol's bars are all missing.
    """
    palette = palette_of(theme)
    symbol = chosen_symbol(result.bars.symbols, symbol)
    bars = result.bars.one(symbol)
    if not len(bars):
        raise DataError(f"{symbol} has no bars to draw")
    candles = join_candles(bars.time_ns, bars.values[:4, 0], timeframe=bars.timeframe)
    trades = result.trades.join(result.trade_levels)
    trades = trades[trades["symbol"] == symbol]
    positions = result.open_positions
    positions = positions[positions["symbol"] == symbol]
    drawn = trades.iloc[drawn_rows(trades["pnl"].to_numpy(dtype=np.float64))]
    figure = Figure(candle_trace(candles, symbol, palette))
    figure.add_traces(trade_traces(drawn, positions, candles, palette=palette))
    figure.add_traces(_account_traces(result, palette))
    quote = bars.instruments[0].quote
    subtitle = _subtitle(bars, candles, trade_count=len(trades))
    _lay_out(figure, title=f"{result.title}  ·  {symbol} {bars.timeframe}", subtitle=subtitle, palette=palette)
    account = np.concatenate((np.asarray(result.equity), np.asarray(result.buy_and_hold)))
    log_price, log_equity = _is_wide(np.stack((candles.low, candles.high))), _is_wide(account)
    _label_panels(figure, (f"Price, {quote}", log_price), (f"Equity, {quote}", log_equity), palette=palette)
    span = _price_range(candles, drawn, positions)
    figure.update_layout(
        xaxis={"range": _time_range(candles)},
        yaxis={"range": np.log10(span).tolist() if log_price else span},
    )
    if not np.any(np.asarray(result.drawdown)):
        figure.update_layout(yaxis3={"range": [-1, 0]})  # else the axis would go up from 0
    return figure


def utc_labels(time_ns: Integers) -> NDArray[np.datetime64]:
    """Return times as plotly draws them without changing the zone: naive UTC in milliseconds.

    Examples
    --------
    >>> utc_labels(np.array([1_500_000_000_000_000_000])).astype(str).tolist()
    ['2017-07-14T02:40:00.000']
    """
    return (time_ns // 1_000_000).astype("datetime64[ms]")


def candle_trace(candles: Candles, symbol: str, palette: Palette) -> go.Candlestick:
    """Return the candles of a figure, in the colors of its palette."""
    return go.Candlestick(
        x=utc_labels(candles.time_ns),
        open=candles.open,
        high=candles.high,
        low=candles.low,
        close=candles.close,
        increasing={"line": {"color": palette.up, "width": 1}, "fillcolor": palette.up},
        decreasing={"line": {"color": palette.down, "width": 1}, "fillcolor": palette.down},
        name=symbol,
        showlegend=False,
        hovertemplate="O %{open:,.8~g}  H %{high:,.8~g}  L %{low:,.8~g}  C %{close:,.8~g}<extra></extra>",
    )


def _account_traces(result: BacktestView, palette: Palette) -> list[go.Scatter]:
    equity, reference = result.equity, result.buy_and_hold
    drawdown = -100.0 * result.drawdown
    return [
        _line(
            reference,
            "Buy and hold",
            {"color": palette.reference, "width": 1, "dash": "dot"},
            axis="y2",
            unit="%{y:,.2f}",
        ),
        _line(equity, "Equity", {"color": palette.equity, "width": 1.6}, axis="y2", unit="%{y:,.2f}"),
        _line(
            drawdown,
            "Drawdown",
            {"color": palette.down, "width": 1},
            axis="y3",
            unit="%{y:.2f} %",
            fill_color=palette.shade,
        ),
    ]


def _line(
    series: pd.Series[float], name: str, line: dict[str, object], *, axis: str, unit: str, fill_color: str | None = None
) -> go.Scatter:
    values: Floats = np.asarray(series, dtype=np.float64)
    rows = envelope_rows(values)
    times = utc_labels(pd.DatetimeIndex(series.index).as_unit("ns").asi8[rows])
    return go.Scatter(
        x=times,
        y=values[rows],
        name=name,
        mode="lines",
        line=line,
        yaxis=axis,
        fill=None if fill_color is None else "tozeroy",
        fillcolor=fill_color,
        showlegend=fill_color is None,
        hovertemplate=unit,
    )


def _time_range(candles: Candles) -> list[str]:
    span = int(candles.time_ns[-1] - candles.time_ns[0]) + candles.period.ns
    # A candle stands on the time at which it opens: half of the first one lies before it.
    before = max(span // 100, 3 * candles.period.ns // 5)
    edges = np.array([candles.time_ns[0] - before, candles.time_ns[-1] + candles.period.ns + span // 50])
    return [str(edge) for edge in utc_labels(edges)]


def _is_wide(values: Floats) -> bool:
    """Return whether values grow so much that their beginning would be a flat line on a linear axis."""
    return 0.0 < float(values.min()) < float(values.max()) / WIDE


def _price_range(candles: Candles, *frames: pd.DataFrame) -> list[float]:
    """Return the price axis: all candles, and levels not so far off that they would press the candles flat."""
    low, high = float(candles.low.min()), float(candles.high.max())
    reach = 0.3 * (high - low)
    levels = np.concatenate([frame[name].to_numpy(dtype=np.float64) for frame in frames for name in ("stop", "target")])
    near = levels[(levels > low - reach) & (levels < high + reach)]
    low, high = float(near.min(initial=low)), float(near.max(initial=high))
    # A share of the distance, and never so much that a logarithmic axis would reach 0.
    margin = 0.05 * (high - low) or 0.01 * high
    return [max(low - margin, 0.9 * low), high + margin]


def _subtitle(bars: Bars, candles: Candles, *, trade_count: int) -> str:
    first, last = (str(time)[:16].replace("T", " ") for time in utc_labels(bars.time_ns[[0, -1]]))
    parts = [f"{first} to {last} UTC", f"{len(bars):,} bars"]
    if candles.is_joined:
        parts[-1] += f" drawn as {candles.time_ns.size:,} candles of {candles.period}"
    parts.append(f"{trade_count:,} trades")
    if trade_count > MAX_TRADES:
        parts[-1] += f", the {MAX_TRADES:,} with the largest profit or loss drawn"
    return "  ·  ".join(parts)


def _lay_out(figure: go.Figure, *, title: str, subtitle: str, palette: Palette) -> None:
    below, middle, above = DOMAINS
    axis = {"side": "right", "fixedrange": False, "showgrid": True, "nticks": 6}
    figure.update_layout(
        template=template_of(palette),
        height=HEIGHT_PX,
        margin={"l": 28, "r": 72, "t": 84, "b": 44},
        title={
            "text": title,
            "subtitle": {"text": subtitle, "font": {"color": palette.muted, "size": 12}},
            "y": 0.97,
            "yanchor": "top",
        },
        hovermode="x unified",
        hoversubplots="axis",
        # Below: on a narrow page it has two lines, and above they would lie on the title.
        legend={"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 0, "yanchor": "bottom"},
        xaxis={
            "type": "date",
            "anchor": "y3",
            "rangeslider": {"visible": False},
            # Plotly rims a spike with what it takes for the background: a white band where that is transparent.
            "showspikes": False,
            "hoverformat": "%Y-%m-%d %H:%M UTC",
        },
        yaxis={**axis, "domain": above, "tickformat": ",", "hoverformat": ",.6~g", "nticks": 8},
        yaxis2={**axis, "domain": middle, "tickformat": ",.6~g"},
        yaxis3={**axis, "domain": below, "ticksuffix": " %", "nticks": 4, "rangemode": "tozero"},
    )


def _label_panels(figure: go.Figure, *panels: tuple[str, bool], palette: Palette) -> None:
    """Write what each panel shows, from the top down, and give those that are wide a logarithmic axis."""
    tops = tuple(domain[1] for domain in reversed(DOMAINS))
    for (text, is_log), top, axis in zip(
        (*panels, ("Drawdown", False)), tops, ("yaxis", "yaxis2", "yaxis3"), strict=True
    ):
        if is_log:
            figure.update_layout({axis: {"type": "log", "dtick": "D2"}})
        title = f"{text}, log scale" if is_log else text
        name_pane(figure, title, top, palette, is_inside=axis == "yaxis")
