"""The batch driver: whole histories through the core in one compiled loop.

`bar_events` is the definition: four phases for all symbols of one timestamp. `quiet_run` is a short cut for bars of one
symbol in which nothing can happen; it leaves the same bytes, and a test compares the two on random markets.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workbench.core.accounting import charge_funding
from workbench.core.compiled import inlined_kernel, record_kernel
from workbench.core.decisions import decide_code
from workbench.core.levels import liquidation_level, trail
from workbench.core.log import has_room
from workbench.core.records import ADVERSE, DAY_NS, NO_ORDER, NO_REASON, TRACE
from workbench.core.steps import (
    end_of_bar,
    first_extreme_is_low,
    jump_entries,
    jump_exits,
    leg,
    mark,
    move,
    time_out,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.records import Book

    Floats = NDArray[np.float64]

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)

# What a `Tape` leaves out.
NO_CODES = np.zeros(0, np.uint8)
NO_EQUITY = np.zeros(0)
NO_TRACE = np.zeros(0, TRACE)


@record_kernel
def bar_events(book: Book, i: int, time_ns: int, values: Floats, funding: Floats) -> None:
    """Run the price events of row `i` of all symbols: opens, first extremes, second extremes, closes.

    ``values`` has shape (5, n_symbols, n); a missing row is nan. ``funding`` has shape (2, n_symbols, n), the rates due
    at
    the open and at the close, or size 0. Decisions are not made here.
    """
    a = book.account
    close_ns = time_ns + book.config["timeframe_ns"]
    symbols = book.symbols.shape[0]
    has_funding = funding.shape[2] > 0
    a["phase"] += 1
    for s in range(symbols):
        price = values[OPEN, s, i]
        if price == price:  # noqa: PLR0124  nan marks a missing row
            jump_exits(book, s, price, time_ns, funding[0, s, i] if has_funding else 0.0)
    for s in range(symbols):
        price = values[OPEN, s, i]
        if price == price:  # noqa: PLR0124  nan marks a missing row
            jump_entries(book, s, price, time_ns)
    mark(book, time_ns, False)  # noqa: FBT003  kernels take positions
    a["phase"] += 1
    for s in range(symbols):
        price = values[OPEN, s, i]
        if price == price:  # noqa: PLR0124  nan marks a missing row
            y = book.symbols[s]
            low_first = first_extreme_is_low(y, book.config["path"], values[CLOSE, s, i] >= price)
            y["first_low"] = 1 if low_first else 0
            move(book, s, values[LOW, s, i] if low_first else values[HIGH, s, i], time_ns)
    mark(book, time_ns, False)  # noqa: FBT003  kernels take positions
    a["phase"] += 1
    for s in range(symbols):
        if values[OPEN, s, i] == values[OPEN, s, i]:
            second_extreme(book, s, values[HIGH, s, i], values[LOW, s, i], time_ns)
    mark(book, time_ns, False)  # noqa: FBT003  kernels take positions
    a["phase"] += 1
    for s in range(symbols):
        price = values[CLOSE, s, i]
        if price == price:  # noqa: PLR0124  nan marks a missing row
            if has_funding and funding[1, s, i] != 0.0:
                charge_funding(book, s, price, funding[1, s, i])
            move(book, s, price, close_ns)
            time_out(book, s, close_ns)
    mark(book, close_ns, True)  # noqa: FBT003  kernels take positions


@inlined_kernel
def second_extreme(book: Book, s: int, high: float, low: float, time_ns: int) -> None:
    """Go to the second extreme and, after an entry by a resting order there, once more to the adverse one (R2)."""
    y = book.symbols[s]
    y["entered_in_leg"] = 0
    low_first = y["first_low"] == 1
    move(book, s, high if low_first else low, time_ns)
    if y["entered_in_leg"] == 1 and book.config["path"] == ADVERSE:
        if low_first and y["quantity"] > 0.0:
            leg(book, s, low, time_ns)
        elif not low_first and y["quantity"] < 0.0:
            leg(book, s, high, time_ns)


class Tape(NamedTuple):
    """The bars of one symbol with their decisions, and where the account is recorded; length 0 leaves one out."""

    times: NDArray[np.int64]
    values: Floats
    codes: NDArray[np.uint8]
    trace: NDArray[np.void]
    equity: Floats


@inlined_kernel
def quiet_run(book: Book, tape: Tape, begin: int, end: int) -> int:
    """Run bars of the only symbol from `begin` on as long as nothing can happen in them; return the first row not run.

    Stops after a bar with a rule code other than 0, whose decision is left to the caller. Every test is on the careful
    side: "maybe" means no, and `bar_events` decides. Prices and levels live in local variables, so a quiet bar costs a
    few
    comparisons.
    """
    a = book.account
    y = book.symbols[0]
    g = book.config
    if y["exit_reason"] != NO_REASON or y["entry_side"] != 0 or y["order_kind"] != NO_ORDER:
        return begin
    timeframe = g["timeframe_ns"]
    day_begin = a["day"] * DAY_NS
    # The close, too, must lie in the day: its mark would begin the next one.
    day_end = day_begin + DAY_NS - timeframe
    if y["quantity"] == 0.0:
        row = _flat_run(book, tape, begin, end, (day_begin, day_end))
    else:
        limit = min(day_end, y["time_limit_ns"] - timeframe)
        row = _held_run(book, tape, begin, end, (day_begin, limit))
    if row > begin:
        last = row - 1
        close = tape.values[CLOSE, 0, last]
        close_ns = tape.times[last] + timeframe
        y["first_low"] = 1 if first_extreme_is_low(y, g["path"], close >= tape.values[OPEN, 0, last]) else 0
        y["entered_in_leg"] = 0
        y["blocked"] = 0
        y["reference"] = tape.values[LOW, 0, last] if y["first_low"] == 0 else tape.values[HIGH, 0, last]
        y["last"] = close
        y["last_time_ns"] = close_ns
        a["time_ns"] = close_ns
        a["phase"] += 4 * (row - begin)
        y["last_phase"] = a["phase"]
    return row


@inlined_kernel
def _flat_run(book: Book, tape: Tape, begin: int, end: int, span: tuple[int, int]) -> int:
    a = book.account
    cash = a["cash"]
    row = begin
    code = 0
    while row < end and code == 0 and span[0] <= tape.times[row] < span[1]:
        code = tape.codes[row] if tape.codes.shape[0] > 0 else 0
        if tape.equity.shape[0] > 0:
            tape.equity[row] = cash
        if tape.trace.shape[0] > 0:
            trace_row(book, tape.trace, tape.times[row], cash, 0.0, code)
        row += 1
    if row > begin:
        a["equity_peak"] = max(a["equity_peak"], cash)
        a["equity"] = cash
    return row


@inlined_kernel
def _held_run(  # noqa: PLR0915  one loop over local variables, which a second function could not share
    book: Book, tape: Tape, begin: int, end: int, span: tuple[int, int]
) -> int:
    """Hold the position over bars in which neither a level, a time limit nor a breaker can be reached."""
    a = book.account
    y = book.symbols[0]
    g = book.config
    cash, held, equity_peak = a["cash"], y["quantity"], a["equity_peak"]
    long = held > 0.0
    floor, ceiling = _quiet_span(book)
    drawdown = g["max_drawdown"] if a["halted"] == 0 else 0.0
    daily_loss = g["daily_loss"] if a["halted"] == 0 else 0.0
    breaks = drawdown > 0.0 or daily_loss > 0.0
    daily_floor = a["day_base"] * (1.0 - daily_loss)
    trails = y["trail_distance"] > 0.0 or g["trailing_stop"] > 0.0 or g["trailing_distance_after"] > 0.0
    lowest, highest = math.inf, 0.0
    row = begin
    code = 0
    while row < end and code == 0 and span[0] <= tape.times[row] < span[1]:
        low, high = tape.values[LOW, 0, row], tape.values[HIGH, 0, row]
        if low <= floor or high >= ceiling:
            break
        if breaks:
            at_low, at_high = cash + held * low, cash + held * high
            raised = max(equity_peak, at_low, at_high)
            worst = min(at_low, at_high)
            if (drawdown > 0.0 and worst <= raised * (1.0 - drawdown)) or (daily_loss > 0.0 and worst <= daily_floor):
                break
            equity_peak = raised
        if trails and (high > y["peak"] if long else low < y["peak"]):
            before = y["peak"]
            y["peak"] = high if long else low
            trail(book, 0)
            floor, ceiling = _quiet_span(book)
            # The raised stop holds for the rest of this bar (R7): if it might be reached, undo and go the long way.
            if low <= floor or high >= ceiling:
                y["peak"] = before
                trail(book, 0)
                break
        lowest = min(lowest, low)
        highest = max(highest, high)
        marked = cash + held * tape.values[CLOSE, 0, row]
        code = tape.codes[row] if tape.codes.shape[0] > 0 else 0
        if tape.equity.shape[0] > 0:
            tape.equity[row] = marked
        if tape.trace.shape[0] > 0:
            trace_row(book, tape.trace, tape.times[row], marked, abs(held) * tape.values[CLOSE, 0, row], code)
        row += 1
    if row > begin:
        y["peak"] = max(y["peak"], highest) if long else min(y["peak"], lowest)
        y["lowest"] = min(y["lowest"], lowest)
        y["highest"] = max(y["highest"], highest)
        y["bars_held"] += row - begin
        a["open_bars"] += row - begin
        a["equity_peak"] = max(a["equity_peak"], cash + held * (highest if long else lowest))
        a["equity"] = cash + held * tape.values[CLOSE, 0, row - 1]
    return row


@inlined_kernel
def _quiet_span(book: Book) -> tuple[float, float]:
    """Return the prices between which neither a stop, a target nor the margin acts on the only position."""
    y = book.symbols[0]
    margin = liquidation_level(book, 0)
    if y["quantity"] > 0.0:
        return max(y["near"], margin), y["target"]
    return y["target"], min(y["near"], margin)


@inlined_kernel
def trace_row(book: Book, trace: NDArray[np.void], time_ns: int, equity: float, gross: float, decision: int) -> None:
    """Add a row to the trace."""
    row = book.output["trace_rows"]
    if row >= trace.shape[0]:
        return
    record = trace[row]
    record["time_ns"] = time_ns
    record["close_time_ns"] = time_ns + book.config["timeframe_ns"]
    record["equity"] = equity
    record["cash"] = book.account["cash"]
    record["gross"] = gross
    record["decision"] = decision
    book.output["trace_rows"] = row + 1


@inlined_kernel
def record_row(book: Book, trace: NDArray[np.void], time_ns: int, s: int, decision: int) -> None:
    """Add the state of the account after a bar of symbol `s` to the trace."""
    row = book.output["trace_rows"]
    if row < trace.shape[0]:
        trace[row]["symbol"] = s
    gross = 0.0
    for k in range(book.symbols.shape[0]):
        gross += abs(book.symbols[k]["quantity"]) * book.symbols[k]["last"]
    trace_row(book, trace, time_ns, book.account["equity"], gross, decision)


@record_kernel
def run_bars(  # noqa: PLR0913  one array for each input and output
    book: Book,
    times: NDArray[np.int64],
    values: Floats,
    funding: Floats,
    codes: NDArray[np.uint8],
    levels: Floats,
    trace: NDArray[np.void],
    equity: Floats,
    begin: int,
    end: int,
) -> int:
    """Run rows `begin` to `end` with decisions from rule codes; return the first row not run (log full) or `end`.

    ``codes`` has shape (n_symbols, n), ``levels`` (n_symbols, 8, m) with m = 1 or n, ``equity`` shape (n,) or (0,).
    """
    symbols = book.symbols.shape[0]
    fast = symbols == 1 and book.config["is_exact"] == 0 and funding.shape[2] == 0
    tape = Tape(times, values, codes[0], trace, equity)
    i = begin
    while i < end:
        if not has_room(book):
            return i
        if fast:
            row = quiet_run(book, tape, i, end)
            if row > i:
                i = row
                if codes[0, i - 1] != 0:
                    decide_code(book, 0, codes[0, i - 1], levels[0], i - 1)
                continue
        bar_events(book, i, times[i], values, funding)
        for s in range(symbols):
            if values[OPEN, s, i] == values[OPEN, s, i]:
                end_of_bar(book, s)
                if codes[s, i] != 0:
                    decide_code(book, s, codes[s, i], levels[s], i)
        if equity.shape[0] > 0:
            equity[i] = book.account["equity"]
        if trace.shape[0] > 0:
            record_row(book, trace, times[i], 0, codes[0, i])
        i += 1
    return end
