"""Prices and quantities on the instrument's grid, and the levels that protect a position."""

from __future__ import annotations

import math
from typing import Any

from tests.reference.records import OpenPosition

EPSILON = 1e-6  # of one tick or lot: a level that float noise moved off the grid is still on it


def round_down(value: float, step: float | None) -> float:
    """Return the grid point at or below the value."""
    return value if step is None else math.floor(value / step + EPSILON) * step


def round_up(value: float, step: float | None) -> float:
    """Return the grid point at or above the value."""
    return value if step is None else math.ceil(value / step - EPSILON) * step


def stop_grid(price: float, side: int, tick: float | None) -> float:
    """Round the price of a stop or a slipped market order against us: sells down, buys up (``side`` of the order)."""
    return round_up(price, tick) if side > 0 else round_down(price, tick)


def limit_grid(price: float, side: int, tick: float | None) -> float:
    """Round the price of a limit or target so that it is never violated: sells up, buys down."""
    return round_down(price, tick) if side > 0 else round_up(price, tick)


def slipped(price: float, side: int, slippage: float, tick: float | None) -> float:
    """Return what a market order of this side pays when the price stands at ``price``."""
    return stop_grid(price * (1 + side * slippage), side, tick)


def nearer(values: list[float | None]) -> float | None:
    """Return the smallest of the distances (or times) that are set."""
    known = [value for value in values if value is not None]
    return min(known) if known else None


def trail_distance(position: OpenPosition, risk: Any) -> float | None:
    """Return the distance of the config's trail at the present peak, None while there is none."""
    if risk.trailing_activate_at is None:
        return risk.trailing_stop
    side = position.side
    threshold = position.entry_price * (1 + side * risk.trailing_activate_at)
    is_active = side * position.peak >= side * threshold
    if risk.trailing_distance_after is None:
        return risk.trailing_stop if is_active else None
    return risk.trailing_distance_after if is_active else risk.trailing_stop


def trail_level(position: OpenPosition, risk: Any, tick: float | None) -> float | None:
    """Return the trailing stop's level, the nearer of the strategy's own and the config's."""
    distance = nearer([trail_distance(position, risk), position.own_trail])
    if distance is None:
        return None
    return stop_grid(position.peak * (1 - position.side * distance), -position.side, tick)
