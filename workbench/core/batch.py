"""The batch driver: whole histories through the core in one compiled loop.

`open_events` and `rest_events` are the definition: four phases for all symbols of one timestamp. Where nothing can
happen, `workbench.core.quiet` is a short cut that leaves the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.accounting import charge_funding
from workbench.core.compiled import inlined_kernel, kernel, place, record_kernel
from workbench.core.curve import largest_fall, new_columns, see_piece
from workbench.core.decisions import decide_code
from workbench.core.log import has_room
from workbench.core.memory import book_of
from workbench.core.quiet import CLOSE, HIGH, LOW, OPEN, Tape, common_step, quiet_run, time_at, trace_row
from workbench.core.records import ADVERSE
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
    import numpy as np
    from numpy.typing import NDArray

    from workbench.core.memory import Memory
    from workbench.core.records import Book

    Floats = NDArray[np.float64]


@inlined_kernel
def open_events(book: Book, row: int, time_ns: int, values: Floats, funding: Floats) -> None:
    """Run the first phase of a row: the open of all symbols, exits before entries.

    ``values`` has shape (5, n_symbols, n); a missing row is nan. ``funding`` has shape (2, n_symbols, n), the rates due
    at the open and at the close, or size 0.
    """
    i = place(row)
    symbols = book.symbols.shape[0]
    has_funding = funding.shape[2] > 0
    book.account["phase"] += 1
    for s in range(symbols):
        price = values[OPEN, s, i]
        if price == price:  # noqa: PLR0124  nan marks a missing row
            jump_exits(book, s, price, time_ns, funding[0, s, i] if has_funding else 0.0)
    for s in range(symbols):
        price = values[OPEN, s, i]
        if price == price:  # noqa: PLR0124  nan marks a missing row
            jump_entries(book, s, price, time_ns)
    mark(book, time_ns, False)  # noqa: FBT003  kernels take positions


@inlined_kernel
def rest_events(book: Book, row: int, time_ns: int, values: Floats, funding: Floats) -> None:
    """Run the other phases of a row: first extremes, second extremes, closes. Decisions are not made here."""
    i = place(row)
    a = book.account
    close_ns = time_ns + book.config["timeframe_ns"]
    symbols = book.symbols.shape[0]
    has_funding = funding.shape[2] > 0
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


@inlined_kernel
def end_row(book: Book, row: int, values: Floats) -> None:
    """Count the closed bar of every symbol that has one in this row."""
    for s in range(book.symbols.shape[0]):
        if values[OPEN, s, place(row)] == values[OPEN, s, place(row)]:
            end_of_bar(book, s)


@inlined_kernel
def may_be_quiet(book: Book, funding: Floats) -> bool:
    """Return whether the short cut over quiet bars may be taken at all."""
    return book.symbols.shape[0] == 1 and book.config["is_exact"] == 0 and funding.shape[2] == 0


@record_kernel
def one_row(book: Book, tape: Tape, funding: Floats, row: int) -> None:
    """Run the price events of a row and count its bars; decisions and records are left to the caller."""
    fast = may_be_quiet(book, funding)
    if fast and quiet_run(book, tape, row, row + 1, 0) > row:
        return
    time_ns = time_at(tape, row)
    open_events(book, row, time_ns, tape.values, funding)
    if fast and quiet_run(book, tape, row, row + 1, 1) > row:
        return
    rest_events(book, row, time_ns, tape.values, funding)
    end_row(book, row, tape.values)


@inlined_kernel
def record_row(book: Book, trace: NDArray[np.void], time_ns: int, s: int, decision: int) -> None:
    """Add the state of the account after a bar of symbol `s` to the trace."""
    row = book.output["trace_rows"]
    if row < trace.shape[0]:
        trace[place(row)]["symbol"] = s
    gross = 0.0
    for k in range(book.symbols.shape[0]):
        gross += abs(book.symbols[k]["quantity"]) * book.symbols[k]["last"]
    trace_row(book, trace, time_ns, book.account["equity"], gross, decision)


@inlined_kernel
def _run_coded(
    book: Book, tape: Tape, funding: Floats, codes: NDArray[np.uint8], levels: Floats, begin: int, end: int
) -> int:
    fast = may_be_quiet(book, funding)
    row = begin
    opened = 0
    while row < end:
        if opened == 0 and not has_room(book):
            return row
        if fast:
            after = quiet_run(book, tape, row, end, opened)
            if after > row:
                row = after
                opened = 0
                code = codes[0, place(row - 1)]
                if code != 0:
                    decide_code(book, 0, code, levels[0], row - 1)
                continue
        time_ns = time_at(tape, row)
        if opened == 0:
            open_events(book, row, time_ns, tape.values, funding)
            # What the open filled may leave the rest of the bar quiet.
            opened = 1
            continue
        rest_events(book, row, time_ns, tape.values, funding)
        opened = 0
        end_row(book, row, tape.values)
        for s in range(book.symbols.shape[0]):
            # A missing bar has no code.
            if codes[s, place(row)] != 0:
                decide_code(book, s, codes[s, place(row)], levels[s], row)
        if tape.equity.shape[0] > 0:
            tape.equity[place(row - tape.equity_begin)] = book.account["equity"]
        if tape.trace.shape[0] > 0:
            record_row(book, tape.trace, time_ns, 0, codes[0, place(row)])
        row += 1
    return end


@record_kernel
def run_bars(  # noqa: PLR0913  one array for each input and output
    memory: Memory,
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

    ``codes`` has shape (n_symbols, n), 0 on missing bars, ``levels`` (n_symbols, 8, m) with m = 1 or n. ``equity``, of
    shape (end - begin,) or (0,), takes the rows from `begin` on.
    """
    book = book_of(memory)
    tape = Tape(times, values, codes[0], trace, equity, begin, common_step(times, book.config["timeframe_ns"]))
    # Twice the same: where their number is known to be one, the compiler drops the loops over the symbols.
    if book.symbols.shape[0] == 1:
        return _run_coded(book, tape, funding, codes, levels, begin, end)
    return _run_coded(book, tape, funding, codes, levels, begin, end)


@kernel
def run_marks(  # noqa: PLR0913  as above
    memory: Memory,
    times: NDArray[np.int64],
    values: Floats,
    funding: Floats,
    codes: NDArray[np.uint8],
    levels: Floats,
    no_trace: NDArray[np.void],
    piece: Floats,
    rows: NDArray[np.int64],
    marks: Floats,
    start: float,
) -> float:
    """Run all rows with a log that records nothing; return the worst fall of the equity, which was `start` before.

    `marks` takes the equity at `rows`, which ascend. The curve comes and goes in `piece`, as much as fits there at a
    time: as a whole it would drive the bars out of the processor's cache.
    """
    columns = new_columns()
    peak, lowest, worst = start, start, 0.0
    mark_row = 0
    for begin in range(0, times.shape[0], piece.shape[0]):
        end = min(begin + piece.shape[0], times.shape[0])
        run_bars(memory, times, values, funding, codes, levels, no_trace, piece, begin, end)
        peak, lowest, worst = see_piece(piece[: end - begin], columns, peak, lowest, worst)
        while mark_row < rows.shape[0] and rows[mark_row] < end:
            marks[mark_row] = piece[rows[mark_row] - begin]
            mark_row += 1
    return largest_fall(peak, lowest, worst)
