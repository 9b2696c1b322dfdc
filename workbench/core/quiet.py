"""The short cut over quiet bars: stretches of one symbol in which nothing can happen, in a few comparisons each.

What it leaves behind are the bytes that `workbench.core.batch` leaves the long way; a test compares the two on random
markets. Every check is on the careful side: "maybe" means no, and the long way decides.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workbench.core.compiled import inlined_kernel, place
from workbench.core.fetching import fetch
from workbench.core.levels import liquidation_level, trail
from workbench.core.records import DAY_NS, NO_ORDER, NO_REASON, TRACE
from workbench.core.steps import first_extreme_is_low

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.records import Book

    Floats = NDArray[np.float64]

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)

# Rows that are looked at together where it can be done, and most of one call.
FOUR, EIGHT = 4, 8
MOST = 256

# What a `Tape` leaves out.
NO_CODES = np.zeros(0, np.uint8)
NO_EQUITY = np.zeros(0)
NO_TRACE = np.zeros(0, TRACE)

NO_BITS = np.uint64(0)


class Tape(NamedTuple):
    """The bars of a run with the first symbol's decisions, and where the account is recorded; length 0 leaves one out.

    Attributes
    ----------
    times : ndarray of int64, shape (n,)
        Open of each bar, ns UTC.
    values : ndarray of float64, shape (5, n_symbols, n)
        Open, high, low, close and volume; a missing row is nan.
    codes : ndarray of uint8, shape (n,) or (0,)
        Rule codes of the first symbol.
    trace : ndarray of `TRACE`
        Takes a row for each bar.
    equity : ndarray of float64, shape (m,) or (0,)
        Takes the equity at each bar's close, from row `equity_begin` on.
    equity_begin : int
        Row of its first place.
    step_ns : int
        Distance of all opens where it is the same, ns; 0 where it is not known to be.
    """

    times: NDArray[np.int64]
    values: Floats
    codes: NDArray[np.uint8]
    trace: NDArray[np.void]
    equity: Floats
    equity_begin: int
    step_ns: int


@inlined_kernel
def time_at(tape: Tape, row: int) -> int:
    """Return the open of a bar, without a look at its time where that can be told from the first one's."""
    if tape.step_ns > 0:
        return tape.times[0] + row * tape.step_ns
    return tape.times[place(row)]


@inlined_kernel
def common_step(times: NDArray[np.int64], timeframe_ns: int) -> int:
    """Return the distance of opens that are at least a timeframe apart if it is the same for all, else 0."""
    rows = times.shape[0]
    is_even = rows > 0 and times[rows - 1] - times[0] == (rows - 1) * timeframe_ns
    return timeframe_ns if is_even else 0


@inlined_kernel
def quiet_run(book: Book, tape: Tape, begin: int, end: int, opened: int) -> int:
    """Run bars of the only symbol from row `begin` on as long as nothing can happen in them; return the first not run.

    Stops after a bar with a rule code other than 0, whose decision is left to the caller. With `opened` 1 the open of
    the first bar has been run already, with what it filled, and only the rest of that bar has to be quiet.
    """
    a = book.account
    y = book.symbols[0]
    g = book.config
    if y["exit_reason"] != NO_REASON or y["entry_side"] != 0 or y["order_kind"] != NO_ORDER:
        return begin
    timeframe = g["timeframe_ns"]
    # The close, too, must lie in the day of the last mark: its own would begin the next one.
    until = (a["day"] + 1) * DAY_NS - timeframe
    if y["quantity"] == 0.0:
        row = _flat_run(book, tape, begin, end, until)
    else:
        row = _held_run(book, tape, begin, end, min(until, y["time_limit_ns"] - timeframe))
    if row > begin:
        last = place(row - 1)
        close = tape.values[CLOSE, 0, last]
        close_ns = time_at(tape, row - 1) + timeframe
        y["first_low"] = 1 if first_extreme_is_low(y, g["path"], close >= tape.values[OPEN, 0, last]) else 0
        y["entered_in_leg"] = 0
        y["blocked"] = 0
        y["reference"] = tape.values[LOW, 0, last] if y["first_low"] == 0 else tape.values[HIGH, 0, last]
        y["last"] = close
        y["last_time_ns"] = close_ns
        a["time_ns"] = close_ns
        a["phase"] += 4 * (row - begin) - opened
        y["last_phase"] = a["phase"]
    return row


@inlined_kernel
def _flat_run(book: Book, tape: Tape, begin: int, end: int, until: int) -> int:
    """Run bars without a position; missing ones between them as well."""
    # In a stretch of missing bars each would look for the end of all.
    if math.isnan(tape.values[CLOSE, 0, place(begin)]):
        return begin
    row = _undecided_end(tape, begin, end, until)
    # What the symbol saw last must be a bar that is there.
    while row > begin and math.isnan(tape.values[CLOSE, 0, place(row - 1)]):
        row -= 1
    # Equity and its peak stay: the last mark has seen this cash.
    _keep_cash(tape, begin, row, book.account["cash"])
    _trace(book, tape, begin, row, 0.0)
    return row


class _Limits(NamedTuple):
    """What a held position must not reach in a quiet bar; 0.0 where a breaker is off."""

    cash: float
    held: float
    drawdown: float
    daily_loss: float
    daily_floor: float


@inlined_kernel
def _held_run(book: Book, tape: Tape, begin: int, end: int, until: int) -> int:
    """Hold the position over bars in which neither a level, a time limit nor a breaker can be reached."""
    a = book.account
    y = book.symbols[0]
    g = book.config
    long = y["quantity"] > 0.0
    floor, ceiling = _quiet_span(book)
    limits = _Limits(
        a["cash"], y["quantity"], g["max_drawdown"], g["daily_loss"], a["day_base"] * (1.0 - g["daily_loss"])
    )
    trails = y["trail_distance"] > 0.0 or g["trailing_stop"] > 0.0 or g["trailing_distance_after"] > 0.0
    equity_peak, lowest, highest = a["equity_peak"], math.inf, 0.0
    is_watched = trails or limits.drawdown > 0.0 or limits.daily_loss > 0.0
    row = begin
    end = _undecided_end(tape, begin, end, until)
    while row < end:
        width = FOUR if is_watched or end - begin < EIGHT else EIGHT
        # The last window reaches back over rows already run. They raise no peak again, and levels that have moved since
        # can only call it not calm: then its new rows are looked at one by one.
        at = min(row, end - width)
        if begin <= at:
            low, high = _extremes_of_four(tape, at) if width == FOUR else _extremes_of_eight(tape, at)
            calm, raised = True, equity_peak
            if is_watched:
                # As below with the extremes of all: what trips or raises nothing then does so in none of them.
                calm, raised = _is_calm(limits, equity_peak, low, high)
                calm = calm and not (trails and _is_new_peak(y["peak"], low, high, long))
            if low > floor and high < ceiling and calm:
                equity_peak, lowest, highest = raised, min(lowest, low), max(highest, high)
                _keep_four(tape, at, limits)
                if width == EIGHT:
                    _keep_four(tape, at + FOUR, limits)
                row = at + width
                continue
        low, high = tape.values[LOW, 0, place(row)], tape.values[HIGH, 0, place(row)]
        calm, raised = _is_calm(limits, equity_peak, low, high)
        # The other way round, so that a missing bar (nan) is not quiet.
        if not (low > floor and high < ceiling and calm):
            break
        if trails and _is_new_peak(y["peak"], low, high, long):
            before = y["peak"]
            y["peak"] = high if long else low
            trail(book, 0)
            floor, ceiling = _quiet_span(book)
            # The raised stop holds for the rest of this bar (R7): if it might be reached, undo and go the long way.
            if low <= floor or high >= ceiling:
                y["peak"] = before
                trail(book, 0)
                break
        equity_peak, lowest, highest = raised, min(lowest, low), max(highest, high)
        _keep_one(tape, row, limits)
        row += 1
    if row > begin:
        _see_held(book, row - begin, lowest, highest, tape.values[CLOSE, 0, place(row - 1)])
    _trace(book, tape, begin, row, limits.held)
    return row


@inlined_kernel
def _see_held(book: Book, rows: int, lowest: float, highest: float, close: float) -> None:
    """Let the position and the account see quiet bars between two prices, the last of which closed at `close`."""
    a = book.account
    y = book.symbols[0]
    long = y["quantity"] > 0.0
    y["peak"] = max(y["peak"], highest) if long else min(y["peak"], lowest)
    y["lowest"] = min(y["lowest"], lowest)
    y["highest"] = max(y["highest"], highest)
    y["bars_held"] += rows
    a["open_bars"] += rows
    a["equity_peak"] = max(a["equity_peak"], a["cash"] + y["quantity"] * (highest if long else lowest))
    a["equity"] = a["cash"] + y["quantity"] * close


@inlined_kernel
def _is_calm(limits: _Limits, equity_peak: float, low: float, high: float) -> tuple[bool, float]:
    """Return whether prices between `low` and `high` trip no breaker, and the peak of the equity after them."""
    at_low, at_high = limits.cash + limits.held * low, limits.cash + limits.held * high
    raised = max(equity_peak, at_low, at_high)
    worst = min(at_low, at_high)
    trips = (limits.drawdown > 0.0 and worst <= raised * (1.0 - limits.drawdown)) or (
        limits.daily_loss > 0.0 and worst <= limits.daily_floor
    )
    return not trips, raised


@inlined_kernel
def _is_new_peak(peak: float, low: float, high: float, long: bool) -> bool:  # noqa: FBT001  kernels take positions
    return high > peak if long else low < peak


@inlined_kernel
def _undecided_end(tape: Tape, begin: int, end: int, until: int) -> int:
    """Return the row after the first one with a code, or the first one at or after `until` or `end`, or far away."""
    row, last = begin, min(end, begin + MOST)
    if tape.codes.shape[0] == 0:
        row = last
    while row + EIGHT <= last:
        eight = _eight_codes(tape.codes, row)
        if eight != NO_BITS:
            row += _first_byte(eight)
            break
        row += EIGHT
    while row < last and tape.codes[place(row)] == 0:
        row += 1
    row = min(row + 1, last)
    # What a code makes wait acts at the next open, which nothing has touched: its way to the processor begins here.
    fetch(tape.values[OPEN, 0], row)
    while row > begin and time_at(tape, row - 1) >= until:
        row -= 1
    return row


@inlined_kernel
def _eight_codes(codes: NDArray[np.uint8], row: int) -> np.uint64:
    """Return the codes of eight rows as the bytes of one word, the first one lowest: a single read when compiled."""
    low = np.uint64(codes[place(row)]) | (np.uint64(codes[place(row + 1)]) << np.uint64(8))
    low |= (np.uint64(codes[place(row + 2)]) << np.uint64(16)) | (np.uint64(codes[place(row + 3)]) << np.uint64(24))
    low |= (np.uint64(codes[place(row + 4)]) << np.uint64(32)) | (np.uint64(codes[place(row + 5)]) << np.uint64(40))
    return (
        low | (np.uint64(codes[place(row + 6)]) << np.uint64(48)) | (np.uint64(codes[place(row + 7)]) << np.uint64(56))
    )


@inlined_kernel
def _first_byte(word: np.uint64) -> int:
    """Return which byte of a word that is not 0 is the first one that is not 0, without a branch to mispredict."""
    number = 0
    for bits in (32, 16, 8):
        is_empty = (word << np.uint64(64 - bits)) == NO_BITS
        number += bits // 8 if is_empty else 0
        word = word >> np.uint64(bits) if is_empty else word
    return number


@inlined_kernel
def _extremes_of_four(tape: Tape, row: int) -> tuple[float, float]:
    """Return the lowest and the highest price of four rows; a lowest of nan when one is missing."""
    low, high = tape.values[LOW, 0], tape.values[HIGH, 0]
    a, b, c, d = low[place(row)], low[place(row + 1)], low[place(row + 2)], low[place(row + 3)]
    e, f, g, h = high[place(row)], high[place(row + 1)], high[place(row + 2)], high[place(row + 3)]
    # The least of numbers and a nan may be a number, but not their sum. Trees, because chains of minima are slow.
    lowest = math.nan if math.isnan((a + b) + (c + d)) else min(min(a, b), min(c, d))  # noqa: PLW3301  as just said
    return lowest, max(max(e, f), max(g, h))  # noqa: PLW3301  as just said


@inlined_kernel
def _extremes_of_eight(tape: Tape, row: int) -> tuple[float, float]:
    """Return the same of eight rows."""
    low, high = _extremes_of_four(tape, row)
    other_low, other_high = _extremes_of_four(tape, row + FOUR)
    lowest = math.nan if math.isnan(low + other_low) else min(low, other_low)
    return lowest, max(high, other_high)


@inlined_kernel
def _quiet_span(book: Book) -> tuple[float, float]:
    """Return the prices between which neither a stop, a target nor the margin acts on the only position."""
    y = book.symbols[0]
    margin = liquidation_level(book, 0)
    if y["quantity"] > 0.0:
        return max(y["near"], margin), y["target"]
    return y["target"], min(y["near"], margin)


@inlined_kernel
def _trace(book: Book, tape: Tape, begin: int, end: int, held: float) -> None:
    """Add the quiet rows `begin` to `end` to the trace, with `held` units in the account."""
    if tape.trace.shape[0] > 0:
        cash = book.account["cash"]
        for row in range(begin, end):
            close = tape.values[CLOSE, 0, place(row)] if held != 0.0 else 0.0
            code = tape.codes[place(row)] if tape.codes.shape[0] > 0 else 0
            trace_row(book, tape.trace, time_at(tape, row), cash + held * close, abs(held) * close, code)


@inlined_kernel
def _keep_one(tape: Tape, row: int, limits: _Limits) -> None:
    """Keep the equity at a close."""
    if tape.equity.shape[0] > 0:
        close = tape.values[CLOSE, 0, place(row)]
        tape.equity[place(row - tape.equity_begin)] = limits.cash + limits.held * close


@inlined_kernel
def _keep_four(tape: Tape, row: int, limits: _Limits) -> None:
    """Keep the equity of four rows; they are read before the first is written, so that the compiler makes a vector."""
    if tape.equity.shape[0] == 0:
        return
    equity, close = tape.equity, tape.values[CLOSE, 0]
    a, b, c, d = close[place(row)], close[place(row + 1)], close[place(row + 2)], close[place(row + 3)]
    at = row - tape.equity_begin
    equity[place(at)] = limits.cash + limits.held * a
    equity[place(at + 1)] = limits.cash + limits.held * b
    equity[place(at + 2)] = limits.cash + limits.held * c
    equity[place(at + 3)] = limits.cash + limits.held * d


@inlined_kernel
def _keep_cash(tape: Tape, begin: int, end: int, cash: float) -> None:
    """Keep the equity of rows without a position, the last ones twice: a second loop for them would take longer."""
    if tape.equity.shape[0] == 0:
        return
    equity = tape.equity
    row, last = begin - tape.equity_begin, end - tape.equity_begin
    if end - begin < EIGHT:
        while row < last:
            equity[place(row)] = cash
            row += 1
    while row < last:
        row = min(row, last - EIGHT)
        for k in range(EIGHT):
            equity[place(row + k)] = cash
        row += EIGHT


@inlined_kernel
def trace_row(book: Book, trace: NDArray[np.void], time_ns: int, equity: float, gross: float, decision: int) -> None:
    """Add a row to the trace."""
    row = book.output["trace_rows"]
    if row >= trace.shape[0]:
        return
    record = trace[place(row)]
    record["time_ns"] = time_ns
    record["close_time_ns"] = time_ns + book.config["timeframe_ns"]
    record["equity"] = equity
    record["cash"] = book.account["cash"]
    record["gross"] = gross
    record["decision"] = decision
    book.output["trace_rows"] = row + 1
