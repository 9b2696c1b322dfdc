"""The batch driver: whole histories through the core in one compiled loop.

`bar_events` is the definition: four phases for all symbols of one timestamp. `quiet_bar` is a short cut for one symbol on
a bar in which nothing can happen; it leaves the same bytes, and a test compares the two on random markets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.accounting import charge_funding
from workbench.core.compiled import inlined_kernel, record_kernel
from workbench.core.decisions import decide_code
from workbench.core.levels import liquidation_level, trail
from workbench.core.log import has_room
from workbench.core.records import ADVERSE, DAY_NS, NO_ORDER, NO_REASON
from workbench.core.steps import (
    end_of_bar,
    first_extreme_is_low,
    jump_entries,
    jump_exits,
    leg,
    mark,
    time_out,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.core.records import Book

    Floats = NDArray[np.float64]

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)


@record_kernel
def bar_events(book: Book, i: int, time_ns: int, values: Floats, funding: Floats) -> None:
    """Run the price events of row `i` of all symbols: opens, first extremes, second extremes, closes.

    ``values`` has shape (5, n_symbols, n); a missing row is nan. ``funding`` has shape (2, n_symbols, n), the rates due at
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
            leg(book, s, values[LOW, s, i] if low_first else values[HIGH, s, i], time_ns)
    mark(book, time_ns, False)  # noqa: FBT003  kernels take positions
    a["phase"] += 1
    for s in range(symbols):
        if values[OPEN, s, i] == values[OPEN, s, i]:  # noqa: PLR0124  nan marks a missing row
            second_extreme(book, s, values[HIGH, s, i], values[LOW, s, i], time_ns)
    mark(book, time_ns, False)  # noqa: FBT003  kernels take positions
    a["phase"] += 1
    for s in range(symbols):
        price = values[CLOSE, s, i]
        if price == price:  # noqa: PLR0124  nan marks a missing row
            if has_funding and funding[1, s, i] != 0.0:
                charge_funding(book, s, price, funding[1, s, i])
            leg(book, s, price, close_ns)
            time_out(book, s, close_ns)
    mark(book, close_ns, True)  # noqa: FBT003  kernels take positions


@inlined_kernel
def second_extreme(book: Book, s: int, high: float, low: float, time_ns: int) -> None:
    """Go to the second extreme and, after an entry by a resting order there, once more to the adverse one (R2)."""
    y = book.symbols[s]
    y["entered_in_leg"] = 0
    low_first = y["first_low"] == 1
    leg(book, s, high if low_first else low, time_ns)
    if y["entered_in_leg"] == 1 and book.config["path"] == ADVERSE:
        if low_first and y["quantity"] > 0.0:
            leg(book, s, low, time_ns)
        elif not low_first and y["quantity"] < 0.0:
            leg(book, s, high, time_ns)


@inlined_kernel
def quiet_bar(book: Book, time_ns: int, open_: float, high: float, low: float, close: float) -> bool:
    """Run one bar of the only symbol if nothing can happen in it, and return whether it was so.

    Every test is on the careful side: "maybe" means no, and `bar_events` decides.
    """
    a = book.account
    y = book.symbols[0]
    g = book.config
    close_ns = time_ns + g["timeframe_ns"]
    if (
        y["exit_reason"] != NO_REASON
        or y["entry_side"] != 0
        or y["order_kind"] != NO_ORDER
        or time_ns < a["day"] * DAY_NS
        or close_ns >= (a["day"] + 1) * DAY_NS
    ):
        return False
    cash = a["cash"]
    held = y["quantity"]
    if held == 0.0:
        a["equity_peak"] = max(a["equity_peak"], cash)
        a["equity"] = cash
    elif not _hold_quietly(book, close_ns, high, low):
        return False
    else:
        a["equity"] = cash + held * close
        y["bars_held"] += 1
        a["open_bars"] += 1
    y["first_low"] = 1 if first_extreme_is_low(y, g["path"], close >= open_) else 0
    y["entered_in_leg"] = 0
    y["blocked"] = 0
    y["reference"] = low if y["first_low"] == 0 else high
    y["last"] = close
    y["last_time_ns"] = close_ns
    a["time_ns"] = close_ns
    a["phase"] += 4
    y["last_phase"] = a["phase"]
    return True


@inlined_kernel
def _hold_quietly(book: Book, close_ns: int, high: float, low: float) -> bool:
    """Hold the position over a bar with these extremes if neither a level nor a breaker can be reached."""
    a = book.account
    y = book.symbols[0]
    g = book.config
    held = y["quantity"]
    long = held > 0.0
    worst = low if long else high
    best = high if long else low
    side = 1.0 if long else -1.0
    if close_ns >= y["time_limit_ns"] or side * best >= side * y["target"] or side * worst <= side * y["near"]:
        return False
    if book.symbols[0]["instrument"]["is_spot"] == 0 and side * worst <= side * liquidation_level(book, 0):
        return False
    lowest_equity = a["cash"] + held * worst
    peak = max(a["equity_peak"], a["cash"] + held * best)
    if a["halted"] == 0 and (
        (g["max_drawdown"] > 0.0 and lowest_equity <= peak * (1.0 - g["max_drawdown"]))
        or (g["daily_loss"] > 0.0 and lowest_equity <= a["day_base"] * (1.0 - g["daily_loss"]))
    ):
        return False
    if side * best > side * y["peak"]:
        before = y["peak"]
        y["peak"] = best
        trail(book, 0)
        # The raised stop holds for the rest of this bar (R7): if it might be reached, undo and go the long way.
        if side * worst <= side * y["near"]:
            y["peak"] = before
            trail(book, 0)
            return False
    a["equity_peak"] = peak
    y["lowest"] = min(y["lowest"], low)
    y["highest"] = max(y["highest"], high)
    return True


@inlined_kernel
def record_row(book: Book, trace: NDArray[np.void], time_ns: int, s: int, decision: int) -> None:
    """Add the state of the account after a bar to the trace."""
    row = book.output["trace_rows"]
    if row >= trace.shape[0]:
        return
    a = book.account
    gross = 0.0
    for k in range(book.symbols.shape[0]):
        gross += abs(book.symbols[k]["quantity"]) * book.symbols[k]["last"]
    record = trace[row]
    record["time_ns"] = time_ns
    record["close_time_ns"] = time_ns + book.config["timeframe_ns"]
    record["symbol"] = s
    record["equity"] = a["equity"]
    record["cash"] = a["cash"]
    record["gross"] = gross
    record["decision"] = decision
    book.output["trace_rows"] = row + 1


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
    """Run rows `begin` to `end` with decisions from rule codes; return the first row not run (buffers full) or `end`.

    ``codes`` has shape (n_symbols, n), ``levels`` (n_symbols, 8, m) with m = 1 or n, ``equity`` shape (n,) or (0,).
    """
    symbols = book.symbols.shape[0]
    fast = symbols == 1 and book.config["is_exact"] == 0 and funding.shape[2] == 0
    for i in range(begin, end):
        if not has_room(book):
            return i
        time_ns = times[i]
        if fast and quiet_bar(
            book, time_ns, values[OPEN, 0, i], values[HIGH, 0, i], values[LOW, 0, i], values[CLOSE, 0, i]
        ):
            if codes[0, i] != 0:
                decide_code(book, 0, codes[0, i], levels[0], i)
        else:
            bar_events(book, i, time_ns, values, funding)
            for s in range(symbols):
                if values[OPEN, s, i] == values[OPEN, s, i]:  # noqa: PLR0124  nan marks a missing row
                    end_of_bar(book, s)
                    if codes[s, i] != 0:
                        decide_code(book, s, codes[s, i], levels[s], i)
        if equity.shape[0] > 0:
            equity[i] = book.account["equity"]
        if trace.shape[0] > 0:
            record_row(book, trace, time_ns, 0, codes[0, i])
    return end
