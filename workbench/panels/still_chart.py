"""A small chart without scripts: the candles and the equity of a session or a result as inline SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.charts.live_source import equity_until_now

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.charts.live_source import ChartState

__all__ = ["still_chart"]

_CANDLES: Final = 90
_WIDTH: Final = 720.0
_PRICE: Final = 150.0
_EQUITY: Final = 60.0
_GAP: Final = 12.0
_OPEN, _HIGH, _LOW, _CLOSE = 1, 2, 3, 4
_LEAST: Final = 2


def still_chart(state: ChartState) -> str:
    """Return the newest ninety candles with the fills on them and the equity below; nothing of less than two."""
    bars = np.asarray(state.bars)[-_CANDLES:]
    if len(bars) < _LEAST:
        return ""
    equity = equity_until_now(state)
    equity = equity[equity[:, 0] >= bars[0, 0]] if len(equity) else equity
    start, step_ms = float(bars[0, 0]), state.timeframe_ns / 1e6
    wide = _WIDTH / (float(bars[-1, 0] - start) / step_ms + 1)
    parts = [_candles(bars, start, step_ms, wide), _marks(state, bars, start, step_ms, wide)]
    if len(equity) >= _LEAST:
        parts.append(_line(equity, start, step_ms, wide))
    height = _PRICE + _GAP + _EQUITY
    return (
        f'<svg class="wb-still-chart" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" preserveAspectRatio="none" role="img">'
        f"<title>Price, fills and equity of the newest {len(bars)} bars</title>{''.join(parts)}</svg>"
    )


def _candles(bars: NDArray[np.float64], start: float, step_ms: float, wide: float) -> str:
    up: list[str] = []
    down: list[str] = []
    for row in bars:
        x = ((row[0] - start) / step_ms + 0.5) * wide
        high, low, top, foot = (_height(bars, row[one]) for one in (_HIGH, _LOW, _OPEN, _CLOSE))
        half = 0.32 * wide
        path = f"M{x:.1f} {high:.1f}V{low:.1f}M{x - half:.1f} {top:.1f}H{x + half:.1f}V{foot:.1f}H{x - half:.1f}Z"
        (up if row[_CLOSE] >= row[_OPEN] else down).append(path)
    return "".join(
        f'<path class="wb-{tone}" d="{"".join(paths)}" fill="currentColor" stroke="currentColor"/>'
        for tone, paths in (("up", up), ("down", down))
    )


def _height(bars: NDArray[np.float64], price: float) -> float:
    low, high = float(bars[:, _LOW].min()), float(bars[:, _HIGH].max())
    return _PRICE - 4.0 - (price - low) / (high - low or 1.0) * (_PRICE - 8.0)


def _marks(state: ChartState, bars: NDArray[np.float64], start: float, step_ms: float, wide: float) -> str:
    """Return a triangle for each fill: up below a purchase, down above a sale."""
    found = []
    for time_ns, price, side, *_ in state.marks:
        place = (time_ns / 1e6 - start) / step_ms
        if place < 0:
            continue
        x, y = min(place, len(bars)) * wide, _height(bars, price)
        turn = 1 if side > 0 else -1
        found.append(f"M{x:.1f} {y + 3 * turn:.1f}l4 {7 * turn}h-8Z")
    return f'<path d="{"".join(found)}" fill="var(--wb-text)"/>' if found else ""


def _line(equity: NDArray[np.float64], start: float, step_ms: float, wide: float) -> str:
    low, high = float(equity[:, 1].min()), float(equity[:, 1].max())
    foot = _PRICE + _GAP + _EQUITY - 3.0
    scale = (_EQUITY - 6.0) / (high - low or 1.0)
    pairs = ((((row[0] - start) / step_ms + 0.5) * wide, foot - (row[1] - low) * scale) for row in equity)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)
    return f'<polyline points="{points}" fill="none" stroke="var(--wb-equity)" stroke-width="1.6"/>'
