"""Protective levels of a position: stop, trailing stop, loss limit, target and time limit.

A level that is off lies where no price can reach it: 0.0 below a long, ``inf`` above it, mirrored for a short.
Comparing prices with levels then needs no test for "is it on".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.core.compiled import inlined_kernel, record_kernel
from workbench.core.records import (
    MAX_LOSS,
    NEVER,
    NO_ORDER,
    NO_REASON,
    STOP_LOSS,
    TRAILING_STOP,
)
from workbench.core.rounding import patient_price, worse_price

if TYPE_CHECKING:
    from workbench.core.records import Book, Record

NS_PER_SECOND = 1e9


@inlined_kernel
def nearer(first: float, second: float) -> float:
    """Return the smaller of two distances of which 0 and nan mean "not given"."""
    if not first > 0.0:
        return max(0.0, second)
    if not second > 0.0:
        return first
    return min(first, second)


@inlined_kernel
def protect(book: Book, s: int) -> None:
    """Set every protective level of the open position from its entry price, the config and the entry's own brackets.

    The nearer level and the shorter time win. Called when a position opens and when it grows.
    """
    y = book.symbols[s]
    g = book.config
    instrument = book.symbols[s]["instrument"]
    long = y["quantity"] > 0.0
    side = 1 if long else -1
    entry = y["entry_price"]
    off = 0.0 if long else math.inf
    distance = nearer(g["stop_loss"], y["bracket_stop_loss"])
    y["stop_level"] = worse_price(instrument, entry * (1.0 - side * distance), -side) if distance > 0.0 else off
    y["loss_level"] = off
    if g["max_loss"] > 0.0:
        level = entry - side * g["max_loss"] * y["entry_equity"] / abs(y["quantity"])
        y["loss_level"] = worse_price(instrument, level, -side)
    distance = nearer(g["take_profit"], y["bracket_take_profit"])
    y["target"] = math.inf if long else 0.0
    if distance > 0.0:
        y["target"] = patient_price(instrument, entry * (1.0 + side * distance), -side)
    y["trail_distance"] = nearer(y["bracket_trailing_stop"], 0.0)
    y["activation"] = entry * (1.0 + side * g["trailing_activate_at"]) if g["trailing_activate_at"] >= 0.0 else 0.0
    y["time_limit_ns"] = _time_limit(y, g)
    trail(book, s)


@inlined_kernel
def _time_limit(y: Record, g: Record) -> int:
    limit = NEVER
    if g["max_holding_ns"] > 0:
        limit = y["entry_time_ns"] + g["max_holding_ns"]
    if y["bracket_max_holding_s"] > 0.0:
        limit = min(limit, y["entry_time_ns"] + int(y["bracket_max_holding_s"] * NS_PER_SECOND))
    return limit


@inlined_kernel
def config_trail_distance(y: Record, g: Record, side: int) -> float:
    """Return the distance of the config's trailing stop at the present peak; 0.0 while there is none."""
    if not g["trailing_activate_at"] >= 0.0:
        return g["trailing_stop"]
    if side * y["peak"] >= side * y["activation"]:
        return g["trailing_distance_after"] if g["trailing_distance_after"] > 0.0 else g["trailing_stop"]
    return g["trailing_stop"] if g["trailing_distance_after"] > 0.0 else 0.0


@inlined_kernel
def trail(book: Book, s: int) -> None:
    """Set the trailing level from the peak, and the nearest of the stop-type levels."""
    y = book.symbols[s]
    side = 1 if y["quantity"] > 0.0 else -1
    distance = nearer(config_trail_distance(y, book.config, side), y["trail_distance"])
    if distance > 0.0:
        y["trail_level"] = worse_price(book.symbols[s]["instrument"], y["peak"] * (1.0 - side * distance), -side)
    else:
        y["trail_level"] = 0.0 if side > 0 else math.inf
    if side > 0:
        y["near"] = max(y["stop_level"], y["trail_level"], y["loss_level"])
    else:
        y["near"] = min(y["stop_level"], y["trail_level"], y["loss_level"])


@inlined_kernel
def near_reason(y: Record, price: float) -> int:
    """Return the reason of a stop-type exit at `price`: stop or trail, whichever is nearer, before max loss (R13)."""
    side = 1 if y["quantity"] > 0.0 else -1
    stop = side * y["stop_level"]
    trailing = side * y["trail_level"]
    if side * price > max(stop, trailing):
        return MAX_LOSS
    return STOP_LOSS if stop >= trailing else TRAILING_STOP


@inlined_kernel
def see_price(book: Book, s: int, price: float) -> None:
    """Let an open position see `price`: raise its peak and widen its excursions (fill rule R7)."""
    y = book.symbols[s]
    held = y["quantity"]
    if held == 0.0:
        return
    y["lowest"] = min(y["lowest"], price)
    y["highest"] = max(y["highest"], price)
    if (held > 0.0 and price > y["peak"]) or (held < 0.0 and price < y["peak"]):
        y["peak"] = price
        trail(book, s)


@inlined_kernel
def liquidation_level(book: Book, s: int) -> float:
    """Return the price at which symbol `s` is liquidated; if none is, 0.0 for a long and ``inf`` for a short."""
    if book.symbols[s]["instrument"]["is_spot"] == 1:
        return 0.0 if book.symbols[s]["quantity"] > 0.0 else math.inf
    return _margin_level(book, s)


@record_kernel
def _margin_level(book: Book, s: int) -> float:
    """Return the price of perpetual `s` at which the account falls below maintenance margin, other marks fixed.

    ``0.0`` for a long that no price can liquidate and for a short that every price does. With equity ``e + q * p`` and
    maintenance ``m + r * |q| * p`` the two meet at ``p = (m - e) / (q - r * |q|)``.
    """
    y = book.symbols[s]
    held = y["quantity"]
    equity = book.account["cash"]
    margin = 0.0
    for k in range(book.symbols.shape[0]):
        if k != s:
            value = book.symbols[k]["quantity"] * book.symbols[k]["last"]
            equity += value
            if book.symbols[k]["instrument"]["is_spot"] == 0:
                margin += abs(value) * book.symbols[k]["instrument"]["maintenance_margin"]
    level = (margin - equity) / (held - book.symbols[s]["instrument"]["maintenance_margin"] * abs(held))
    if level <= 0.0:
        # No price above 0 hurts a long so much; for a short every one does: the rest of the account has lost all.
        return 0.0
    return worse_price(book.symbols[s]["instrument"], level, -1 if held > 0.0 else 1)


@inlined_kernel
def clear_position(y: Record) -> None:
    """Make the record flat; the market, the guards and what is pending stay."""
    y["quantity"] = 0.0
    y["entry_price"] = 0.0
    y["entry_time_ns"] = 0
    y["entry_fees"] = 0.0
    y["funding"] = 0.0
    y["bars_held"] = 0
    y["lowest"] = 0.0
    y["highest"] = 0.0
    y["peak"] = 0.0
    y["activation"] = 0.0
    y["trail_distance"] = 0.0
    y["stop_level"] = 0.0
    y["trail_level"] = 0.0
    y["loss_level"] = 0.0
    y["near"] = 0.0
    y["target"] = 0.0
    y["time_limit_ns"] = NEVER
    y["exit_reason"] = NO_REASON
    if y["order_is_exit"] == 1:
        clear_order(y)


@inlined_kernel
def clear_order(y: Record) -> None:
    """Forget the resting order."""
    y["order_kind"] = NO_ORDER
    y["order_side"] = 0
    y["order_is_exit"] = 0
    y["order_quantity"] = 0.0
    y["order_price"] = 0.0
