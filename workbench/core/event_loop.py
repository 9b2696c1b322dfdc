"""The recorded sequence of events through the core: what a live session runs, and what proves it afterwards."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.core.batch import end_row, open_events, record_row, rest_events
from workbench.core.compiled import record_kernel
from workbench.core.decisions import decide_code
from workbench.core.execution import cancel_order
from workbench.core.log import has_room
from workbench.core.memory import book_of
from workbench.core.records import FLATTEN
from workbench.core.reports import apply_report
from workbench.core.steps import clear_breakers, close_all, end_of_bar, jump_entries, jump_exits, mark
from workbench.model.events import BAR, BAR_CLOSED, COMMAND, REPORT, TICK, TIME_ADVANCED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.core.memory import Memory
    from workbench.core.records import Book, Record

    Floats = NDArray[np.float64]

# Codes of the commands, as in `workbench.model.COMMANDS`.
PAUSE, RESUME, FLATTEN_ALL, STOP_SESSION, KILL, CLEAR_BREAKER = range(6)


@record_kernel
def tick(book: Book, s: int, price: float, time_ns: int) -> None:
    """Run one live print: a jump of symbol `s`, and a mark."""
    book.account["phase"] += 1
    jump_exits(book, s, price, time_ns, 0.0)
    jump_entries(book, s, price, time_ns)
    mark(book, time_ns, False)  # noqa: FBT003  kernels take positions


@record_kernel
def mark_prices(memory: Memory, prices: Floats, time_ns: int) -> None:
    """Run one jump of every symbol whose price is not nan, exits before entries, and one mark."""
    book = book_of(memory)
    book.account["phase"] += 1
    for s in range(prices.shape[0]):
        if prices[s] == prices[s]:
            jump_exits(book, s, prices[s], time_ns, 0.0)
    for s in range(prices.shape[0]):
        if prices[s] == prices[s]:
            jump_entries(book, s, prices[s], time_ns)
    mark(book, time_ns, False)  # noqa: FBT003  kernels take positions


@record_kernel
def command(book: Book, code: int) -> None:
    """Carry out a person's command; orders that follow from it act at the next price event of each symbol."""
    a = book.account
    if code == RESUME:
        a["paused"] = 0
    elif code == CLEAR_BREAKER:
        clear_breakers(book)
    elif code == FLATTEN_ALL:
        a["paused"] = 1
        close_all(book, FLATTEN)
    else:
        a["paused"] = 1
        if code != KILL:
            _cancel_entries(book)


@record_kernel
def _cancel_entries(book: Book) -> None:
    """Cancel what would open a position; exits stay."""
    for s in range(book.symbols.shape[0]):
        y = book.symbols[s]
        y["entry_side"] = 0
        if y["order_is_exit"] == 0:
            cancel_order(book, s)


@record_kernel
def collect(bars: Floats, event: Record) -> None:
    """Put one `BAR` row in its place of the group."""
    s = event["symbol"]
    bars[0, s, 0] = event["a"]
    bars[1, s, 0] = event["b"]
    bars[2, s, 0] = event["c"]
    bars[3, s, 0] = event["d"]
    bars[4, s, 0] = event["e"]


@record_kernel
def decide_group(
    book: Book,
    events: NDArray[np.void],
    last: int,
    codes: NDArray[np.uint8],
    levels: Floats,
    columns: NDArray[np.int64],
) -> int:
    """Make the decisions of the group of `BAR` rows that ends at row `last`; return the code of the first symbol."""
    first = last
    while first > 0 and events[first - 1]["kind"] == BAR and events[first - 1]["remaining"] > 0:
        first -= 1
    decision = 0
    for i in range(first, last + 1):
        s = events[i]["symbol"]
        decide_code(book, s, codes[i], levels[s], columns[i])
        if s == 0:
            decision = codes[i]
    return decision


@record_kernel
def run_rows(  # noqa: PLR0913  one array for each input and output
    memory: Memory,
    events: NDArray[np.void],
    begin: int,
    codes: NDArray[np.uint8],
    levels: Floats,
    columns: NDArray[np.int64],
    bars: Floats,
    no_funding: Floats,
    trace: NDArray[np.void],
) -> int:
    """Run events from row `begin` on; return the row after the last one run.

    With `codes` (one per event, used at the last row of each bar or group of bars) everything runs. Without (length 0)
    the loop stops after each such row, and the caller decides. ``bars``, shape (5, n_symbols, 1), collects a group of
    `BAR` rows across calls and is nan where a symbol has none; the caller clears it after deciding. ``no_funding`` has
    shape (2, n_symbols, 0). ``levels`` has shape (n_symbols, 8, m), ``columns`` the column of each event in it. Stops
    early when the log is full.
    """
    book = book_of(memory)
    decides = codes.shape[0] > 0
    for i in range(begin, events.shape[0]):
        if not has_room(book):
            return i
        event = events[i]
        kind = event["kind"]
        s = event["symbol"]
        if kind == TICK:
            tick(book, s, event["a"], event["time_ns"])
        elif kind == COMMAND:
            command(book, int(event["a"]))
        elif kind == REPORT:
            apply_report(book, event)
        elif kind == TIME_ADVANCED:
            book.account["time_ns"] = event["time_ns"]
            mark(book, event["time_ns"], True)  # noqa: FBT003  kernels take positions
        elif kind == BAR_CLOSED:
            end_of_bar(book, s)
            if not decides:
                return i + 1
            decide_code(book, s, codes[i], levels[s], columns[i])
            if trace.shape[0] > 0:
                record_row(book, trace, event["time_ns"], s, codes[i])
        elif kind == BAR:
            collect(bars, event)
            if event["remaining"] == 0:
                open_events(book, 0, event["time_ns"], bars, no_funding)
                rest_events(book, 0, event["time_ns"], bars, no_funding)
                end_row(book, 0, bars)
                if not decides:
                    return i + 1
                decision = decide_group(book, events, i, codes, levels, columns)
                if trace.shape[0] > 0:
                    record_row(book, trace, event["time_ns"], 0, decision)
                bars[:] = math.nan
    return events.shape[0]


@record_kernel
def put_code(memory: Memory, s: int, code: int, levels: Floats) -> None:
    """Make a rule code wait; `decide_code` for callers in Python, with levels of shape (8, 1)."""
    decide_code(book_of(memory), s, code, levels, 0)


@record_kernel
def record_decision(memory: Memory, trace: NDArray[np.void], time_ns: int, s: int, decision: int) -> None:
    """Add a row to the trace; `record_row` for callers in Python."""
    record_row(book_of(memory), trace, time_ns, s, decision)
