"""What one price event, one mark and one decision do: the order of events lives here and nowhere else.

A bar is fed as an opening jump, two continuous legs to its extremes and one to its close; a live tick is one jump. The
fill rules R1-R13 of the design are quoted where they act.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.core.accounting import charge_funding
from workbench.core.compiled import inlined_kernel, record_kernel
from workbench.core.execution import cancel_order, exit_at, exit_inline, fill_resting, place_entry
from workbench.core.intents import DEFAULT, FRACTION, NOTIONAL
from workbench.core.levels import liquidation_level, near_reason, see_price
from workbench.core.log import log_row
from workbench.core.records import (
    ADVERSE,
    COLOUR,
    DAILY_LOSS,
    DAY_NS,
    FAVOURABLE,
    FLATTEN,
    LIMIT,
    LIQUIDATION,
    MARKET,
    MAX_DRAWDOWN,
    MAX_HOLDING,
    NO_ORDER,
    NO_REASON,
    OLHC,
    SIGNAL,
    STOP,
    TAKE_PROFIT,
    TRIP_ROW,
)
from workbench.core.review import equity_now
from workbench.core.rounding import lot_quantity, patient_price

if TYPE_CHECKING:
    from workbench.core.records import Book, Record

# What a leg meets first.
NOTHING, PROTECTION, TARGET, RESTING, MARGIN = range(5)


@inlined_kernel
def _see_market(book: Book, s: int, price: float, time_ns: int) -> None:
    y = book.symbols[s]
    y["reference"] = y["last"]
    y["last"] = price
    y["last_time_ns"] = time_ns
    y["last_phase"] = book.account["phase"]
    book.account["time_ns"] = time_ns


@inlined_kernel
def jump_exits(book: Book, s: int, price: float, time_ns: int, funding_rate: float) -> None:
    """Let the price of symbol `s` jump to `price`: the exits of an open or a tick, in the order of R13."""
    _see_market(book, s, price, time_ns)
    y = book.symbols[s]
    if y["quantity"] == 0.0:
        return
    if funding_rate != 0.0:
        charge_funding(book, s, price, funding_rate)
    see_exit(book, s, price, time_ns)
    if y["quantity"] == 0.0 or (book.config["is_external"] == 1 and y["exit_in_flight"] > 0.0):
        return
    if y["exit_reason"] == SIGNAL:
        _signal_exit(book, s, price, time_ns)
    elif y["order_is_exit"] == 1 and y["order_side"] * price <= y["order_side"] * y["order_price"]:
        fill_resting(book, s, price, time_ns)


@inlined_kernel
def see_exit(book: Book, s: int, price: float, time_ns: int) -> None:
    """Close the position at event price `price` if any protective reason holds there, by the first one of R13."""
    y = book.symbols[s]
    side = 1 if y["quantity"] > 0.0 else -1
    reason = NO_REASON
    kind = MARKET
    if side * price <= side * liquidation_level(book, s):
        reason = LIQUIDATION
    elif y["exit_reason"] <= FLATTEN:
        reason = y["exit_reason"]
    elif side * price <= side * y["near"]:
        reason = near_reason(y, price)
    elif side * price >= side * y["target"]:
        reason = TAKE_PROFIT
        kind = LIMIT
    elif time_ns >= y["time_limit_ns"] or y["exit_reason"] == MAX_HOLDING:
        reason = MAX_HOLDING
    elif y["exit_reason"] < SIGNAL:
        # A protective exit that ended unfilled at an exchange: it is wanted still.
        reason = y["exit_reason"]
    if reason != NO_REASON:
        exit_inline(book, s, abs(y["quantity"]), price, time_ns, reason, kind)


@inlined_kernel
def _signal_exit(book: Book, s: int, price: float, time_ns: int) -> None:
    """Carry out the pending exit of the strategy: whole or in part, at the market or resting at a limit."""
    y = book.symbols[s]
    y["exit_reason"] = NO_REASON
    held = abs(y["quantity"])
    quantity = held
    size = y["exit_size"]
    # A nonsense size closes everything: an exit is never denied.
    if y["exit_sizing"] != DEFAULT and size > 0.0 and size < math.inf:
        if y["exit_sizing"] == FRACTION:
            size *= held
        elif y["exit_sizing"] == NOTIONAL:
            size /= price
        if size < held:
            quantity = lot_quantity(book.symbols[s]["instrument"], size)
    if quantity <= 0.0:
        return
    order_side = -1 if y["quantity"] > 0.0 else 1
    if not y["exit_limit"] > 0.0:
        exit_inline(book, s, quantity, price, time_ns, SIGNAL, MARKET)
        return
    level = patient_price(book.symbols[s]["instrument"], y["exit_limit"], order_side)
    if order_side * price <= order_side * level:
        exit_at(book, s, quantity, price, time_ns, SIGNAL, LIMIT)
        return
    y["order_kind"] = LIMIT
    y["order_side"] = order_side
    y["order_is_exit"] = 1
    y["order_quantity"] = quantity
    y["order_price"] = level


@inlined_kernel
def jump_entries(book: Book, s: int, price: float, time_ns: int) -> None:
    """Let pending and resting entries of symbol `s` act at an open or a tick, then let its position see the price."""
    y = book.symbols[s]
    before = y["quantity"]
    waits = y["exit_in_flight"] > 0.0 or y["entry_in_flight"] > 0.0
    if y["blocked"] == 0 and not waits:
        if y["entry_side"] != 0:
            place_entry(book, s, price, time_ns)
        elif y["order_kind"] != NO_ORDER and y["order_is_exit"] == 0:
            ahead = y["order_side"] if y["order_kind"] == STOP else -y["order_side"]
            if ahead * price >= ahead * y["order_price"]:
                fill_resting(book, s, price, time_ns)
    # What opens here has paid this price, slipped; it sees the prices that come.
    if before * y["quantity"] > 0.0:
        see_price(book, s, price)


@inlined_kernel
def _next_trigger(book: Book, s: int, cur: float, end: float) -> tuple[int, float]:
    """Return what the price meets first on its way from `cur` to `end`, and at which price.

    Prices are multiplied by the direction of the leg, so that "first" is always "smallest". A level already passed at
    `cur` acts at `cur`. Ties go to the earlier of liquidation, stop, target, resting order (R13).
    """
    y = book.symbols[s]
    way = 1.0 if end > cur else -1.0
    start = way * cur
    best = way * end
    kind = NOTHING
    held = y["quantity"]
    if held != 0.0:
        side = 1.0 if held > 0.0 else -1.0
        if side * way < 0.0:
            level = max(way * liquidation_level(book, s), start)
            if level <= best:
                best, kind = level, MARGIN
            level = max(way * y["near"], start)
            if level < best or (level == best and kind == NOTHING):
                best, kind = level, PROTECTION
        elif side * cur <= side * liquidation_level(book, s):
            return MARGIN, cur
        elif side * cur <= side * y["near"]:
            return PROTECTION, cur
        else:
            level = max(way * y["target"], start)
            if level <= best:
                best, kind = level, TARGET
    if y["order_kind"] != NO_ORDER and y["blocked"] == 0 and y["entry_in_flight"] == 0.0:
        ahead = y["order_side"] if y["order_kind"] == STOP else -y["order_side"]
        if ahead * way > 0.0:
            level = max(way * y["order_price"], start)
            if level < best or (level == best and kind == NOTHING):
                best, kind = level, RESTING
    return kind, way * best


@record_kernel
def leg(book: Book, s: int, end: float, time_ns: int) -> None:
    """Let the price of symbol `s` move continuously to `end`, meeting its levels in the order they lie (R2, R4-R7)."""
    y = book.symbols[s]
    cur = y["last"]
    book.account["time_ns"] = time_ns
    # Each turn uses up a position or an order; an entry can be stopped on the same leg, hence more than one.
    for _ in range(6):
        kind, price = _next_trigger(book, s, cur, end)
        if kind == NOTHING:
            break
        y["last"] = price
        if kind == RESTING:
            fill_resting(book, s, price, time_ns)
        elif kind == TARGET:
            exit_at(book, s, abs(y["quantity"]), price, time_ns, TAKE_PROFIT, LIMIT)
        elif kind == MARGIN:
            exit_at(book, s, abs(y["quantity"]), price, time_ns, LIQUIDATION, STOP)
        else:
            exit_at(book, s, abs(y["quantity"]), price, time_ns, near_reason(y, price), STOP)
        if book.config["is_external"] == 1:
            break
        cur = price
    _see_market(book, s, end, time_ns)
    see_price(book, s, end)


@inlined_kernel
def move(book: Book, s: int, end: float, time_ns: int) -> None:
    """Let the price move continuously to `end`: `leg`, without the call when the way meets nothing."""
    y = book.symbols[s]
    held = y["quantity"]
    is_free = y["order_kind"] == NO_ORDER
    if is_free and held != 0.0:
        side = 1.0 if held > 0.0 else -1.0
        worst = min(side * y["last"], side * end)
        is_free = (
            worst > side * y["near"]
            and side * end < side * y["target"]
            and (y["instrument"]["is_spot"] == 1 or worst > side * liquidation_level(book, s))
        )
    if is_free:
        _see_market(book, s, end, time_ns)
        see_price(book, s, end)
    else:
        leg(book, s, end, time_ns)


@inlined_kernel
def mark(book: Book, time_ns: int, is_close: bool) -> None:  # noqa: FBT001  kernels take positions
    """Mark the account after a phase and judge the breakers: loss >= limit trips (R8).

    The base of a day is the equity of the last mark before 00:00 UTC. A breaker that trips on a bar's close acts at the
    next event of each symbol, every other one at this event's own price.
    """
    a = book.account
    g = book.config
    day = time_ns // DAY_NS
    if day != a["day"]:
        a["day"] = day
        a["day_base"] = a["equity"]
    equity = equity_now(book)
    a["equity"] = equity
    a["equity_peak"] = max(a["equity_peak"], equity)
    if a["halted"] != 0:
        return
    if g["max_drawdown"] > 0.0 and equity <= a["equity_peak"] * (1.0 - g["max_drawdown"]):
        _trip(book, MAX_DRAWDOWN, 1, g["max_drawdown"], equity, a["equity_peak"])
    elif g["daily_loss"] > 0.0 and equity <= a["day_base"] * (1.0 - g["daily_loss"]):
        _trip(book, DAILY_LOSS, 2, g["daily_loss"], equity, a["day_base"])
    else:
        return
    if not is_close:
        _flatten_now(book, time_ns)


@record_kernel
def _flatten_now(book: Book, time_ns: int) -> None:
    """Close what a breaker wants closed at the prices of this very event; stale prices fill nothing (R12)."""
    a = book.account
    for s in range(book.symbols.shape[0]):
        y = book.symbols[s]
        if y["quantity"] != 0.0 and y["last_phase"] == a["phase"]:
            exit_at(book, s, abs(y["quantity"]), y["last"], time_ns, y["exit_reason"], MARKET)
    a["equity"] = equity_now(book)


@record_kernel
def _trip(book: Book, reason: int, bit: int, limit: float, equity: float, base: float) -> None:
    """Halt entries and close everything: `equity` is too far below `base`."""
    a = book.account
    a["halted"] |= bit
    a["trip_count"] += 1
    record = log_row(book, TRIP_ROW, 0, 0, a["time_ns"])
    record["code"] = reason
    record["entry"] = limit
    # An account without a base has lost all of it.
    record["value"] = 1.0 - equity / base if base > 0.0 else 1.0
    close_all(book, reason)


@record_kernel
def close_all(book: Book, reason: int) -> None:
    """Cancel every entry and make each position leave at its symbol's next event, for `reason`."""
    for s in range(book.symbols.shape[0]):
        y = book.symbols[s]
        y["entry_side"] = 0
        cancel_order(book, s)
        # An entry in flight may still fill: what it opens leaves for the same reason.
        if y["quantity"] != 0.0 or y["entry_in_flight"] > 0.0:
            y["exit_reason"] = min(y["exit_reason"], reason)


@inlined_kernel
def end_of_bar(book: Book, s: int) -> None:
    """Count a closed bar of symbol `s` and lift the block on re-entry (R9)."""
    y = book.symbols[s]
    y["blocked"] = 0
    if y["quantity"] != 0.0:
        y["bars_held"] += 1
        book.account["open_bars"] += 1


@inlined_kernel
def time_out(book: Book, s: int, time_ns: int) -> None:
    """Let a position whose time is over on a bar's close leave at the next event (R8)."""
    y = book.symbols[s]
    if y["quantity"] != 0.0 and time_ns >= y["time_limit_ns"]:
        y["exit_reason"] = min(y["exit_reason"], MAX_HOLDING)


@record_kernel
def clear_breakers(book: Book) -> None:
    """Lift every tripped breaker; peak and day base restart from the present equity."""
    a = book.account
    a["halted"] = 0
    a["equity_peak"] = a["equity"]
    a["day_base"] = a["equity"]


@inlined_kernel
def first_extreme_is_low(y: Record, path: int, is_green: bool) -> bool:  # noqa: FBT001  kernels take positions
    """Return whether the bar goes to its low before its high, chosen after the open's fills (R2)."""
    if path == ADVERSE:
        return y["quantity"] >= 0.0
    if path == FAVOURABLE:
        return y["quantity"] < 0.0
    if path == COLOUR:
        return is_green
    return path == OLHC
