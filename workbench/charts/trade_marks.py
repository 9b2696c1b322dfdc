"""Traces of trades on a price chart: entries, exits, the line between them, stops and targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from workbench.charts.decimation import Candles
    from workbench.charts.theme import Palette

# Two marks a trade: at most 2,000 marks on a figure.
MAX_TRADES: Final = 1_000

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Times = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Holding:
    """When and at which levels positions were held: closed trades first, then open positions.

    Parameters
    ----------
    start, end : ndarray of datetime64
        Entry, and exit or the last bar.
    entry_price, quantity, stop, target : ndarray of float64
        ``nan`` where a position had no such level.
    is_long : ndarray of bool
        Side.
    """

    start: Times
    end: Times
    entry_price: Floats
    quantity: Floats
    stop: Floats
    target: Floats
    is_long: Flags


def drawn_rows(pnl: Floats) -> NDArray[np.int64]:
    """Return the rows of the trades to draw: all, or the 1,000 with the largest profit or loss, in their order.

    Examples
    --------
    >>> drawn_rows(np.array([5.0, -7.0])).tolist()
    [0, 1]
    """
    if pnl.size <= MAX_TRADES:
        return np.arange(pnl.size, dtype=np.int64)
    return np.sort(np.argsort(-np.abs(pnl), kind="stable")[:MAX_TRADES]).astype(np.int64)


def trade_traces(
    trades: pd.DataFrame, open_positions: pd.DataFrame, candles: Candles, *, palette: Palette
) -> list[go.Scatter]:
    """Return the traces of one symbol's trades; kinds of which there are none are left out.

    Parameters
    ----------
    trades : pandas.DataFrame
        Closed trades with the columns of a result's ``trades`` and their ``stop`` and ``target`` levels.
    open_positions : pandas.DataFrame
        Open positions with ``side``, ``quantity``, ``entry_time``, ``entry_price``, ``stop`` and ``target``.
    candles : Candles
        The candles below; each mark stands on the candle that holds its time.
    palette : Palette
        The colours to use.

    Returns
    -------
    list of plotly.graph_objects.Scatter
        Levels first, so that marks lie on top.
    """
    holding = _holding(trades, open_positions, candles)
    exit_ = holding.end[: len(trades)]
    exit_price = _floats(trades, "exit_price")
    is_win = _floats(trades, "pnl") > 0.0
    traces = [
        _segments(holding.start, holding.end, holding.stop, holding.stop, "Stop", palette.stop, dash="solid"),
        _segments(holding.start, holding.end, holding.target, holding.target, "Target", palette.target, dash="solid"),
    ]
    for mask, color in ((is_win, palette.up), (~is_win, palette.down)):
        start, price = holding.start[: len(trades)][mask], holding.entry_price[: len(trades)][mask]
        traces.append(_segments(start, exit_[mask], price, exit_price[mask], "", color, dash="dot"))
    size = _mark_size(holding.start.size)
    # A shape of its own for each: red and green alone say nothing to one man in twelve.
    for mask, name, color, symbol in (
        (is_win, "Exit with profit", palette.up, "circle"),
        (~is_win, "Exit with loss", palette.down, "x"),
    ):
        mark = _marker(color, palette, symbol=symbol, size=size // 2 + 1)
        traces.append(_exits(trades[mask], exit_[mask], name, mark))
    # An arrow stands off its price, below for a long and above for a short: a reversal's exit has the same price.
    for mask, name, color, angle in (
        (holding.is_long, "Long entry", palette.up, 0),
        (~holding.is_long, "Short entry", palette.down, 180),
    ):
        arrow = {**_marker(color, palette, symbol="triangle-up", size=size), "angle": angle}
        traces += _entries(holding, mask, name, arrow)
    return [trace for trace in traces if len(trace.x)]


def _holding(trades: pd.DataFrame, open_positions: pd.DataFrame, candles: Candles) -> Holding:
    def both(name: str) -> Floats:
        return np.concatenate((_floats(trades, name), _floats(open_positions, name)))

    last = np.full(len(open_positions), candles.time_ns[-1]).astype("datetime64[ns]")
    entered = np.concatenate((_times(trades, "entry_time"), _times(open_positions, "entry_time")))
    left = np.concatenate((_times(trades, "exit_time"), last))
    sides = [*trades["side"], *open_positions["side"]]
    return Holding(
        start=_on_candle(entered, candles),
        end=_on_candle(left, candles),
        entry_price=both("entry_price"),
        quantity=both("quantity"),
        stop=both("stop"),
        target=both("target"),
        is_long=np.array([side == "long" for side in sides], dtype=bool),
    )


def _segments(
    start: Times, end: Times, first: Floats, second: Floats, name: str, color: str, *, dash: str
) -> go.Scatter:
    rows = np.flatnonzero(np.isfinite(first) & np.isfinite(second))
    x: list[object] = []
    y: list[float | None] = []
    for row in rows.tolist():
        # None lifts the pen between two trades.
        x += (start[row], end[row], None)
        y += (float(first[row]), float(second[row]), None)
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": color, "width": 1, "dash": dash},
        opacity=0.75,
        name=name,
        showlegend=bool(name),
        hoverinfo="skip",
    )


def _entries(holding: Holding, mask: Flags, name: str, marker: dict[str, object]) -> list[go.Scatter]:
    if not mask.any():
        return []
    shared = {"mode": "markers", "name": name, "legendgroup": name}
    # The legend would stand its arrow off too, so its entry is a trace of its own.
    return [
        go.Scatter(
            x=holding.start[mask],
            y=holding.entry_price[mask],
            customdata=holding.quantity[mask],
            marker={**marker, "standoff": 0.8 * _mark_size(holding.start.size)},
            hovertemplate="%{customdata:,.6~g} at %{y:,.8~g}",
            showlegend=False,
            **shared,
        ),
        go.Scatter(x=[None], y=[None], marker=marker, hoverinfo="skip", **shared),
    ]


def _exits(trades: pd.DataFrame, time: Times, name: str, marker: dict[str, object]) -> go.Scatter:
    notes = [_note(*row) for row in zip(trades["exit_reason"], trades["pnl"], trades["return_"], strict=True)]
    return go.Scatter(
        x=time,
        y=_floats(trades, "exit_price"),
        text=notes,
        mode="markers",
        marker=marker,
        name=name,
        hovertemplate="%{y:,.8~g}, %{text}",
    )


def _note(reason: str, pnl: float, return_: float) -> str:
    return f"{reason.replace('_', ' ')}, {pnl:+,.2f} ({100.0 * return_:+.2f} %)"


def _mark_size(count: int) -> int:
    """Return the size of an arrow in pixels: smaller where there are many, or they would hide the candles."""
    return next((size for most, size in ((60, 11), (250, 8)) if count <= most), 6)


def _marker(color: str, palette: Palette, *, symbol: str, size: int) -> dict[str, object]:
    return {"symbol": symbol, "size": size, "color": color, "line": {"color": palette.outline, "width": 1}}


def _floats(frame: pd.DataFrame, name: str) -> Floats:
    values: Floats = frame[name].to_numpy(dtype=np.float64)
    return values


def _times(frame: pd.DataFrame, name: str) -> Times:
    times: Times = frame[name].to_numpy(dtype="datetime64[ns]")
    return times


def _on_candle(time: Times, candles: Candles) -> Times:
    rows = np.searchsorted(candles.time_ns, time.astype("datetime64[ns]").astype(np.int64), side="right") - 1
    return (candles.time_ns[np.maximum(rows, 0)] // 1_000_000).astype("datetime64[ms]")
