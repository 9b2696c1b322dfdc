"""From what a strategy says after a bar to what waits for the next price event (fill rules R1, R9)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.core.compiled import inlined_kernel, record_kernel
from workbench.core.execution import cancel_order
from workbench.core.intents import DEFAULT, ENTER_LONG, ENTER_SHORT, EXIT, HOLD, Intent, PositionView
from workbench.core.memory import book_of
from workbench.core.records import NO_ORDER, SIGNAL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.core.memory import Memory
    from workbench.core.records import Book

# Bits of a rule code.
LONG_IN, LONG_OUT, SHORT_IN, SHORT_OUT = 1, 2, 4, 8
# Rows of the levels that go with rule codes.
SIZE, LIMIT_PRICE, STOP_PRICE, STOP_DISTANCE, TARGET_DISTANCE, TRAIL_DISTANCE, HOLDING_S, SIZING = range(8)


@inlined_kernel
def action_of(code: int, quantity: float) -> int:
    """Return the action that a rule code means for a position of signed `quantity`.

    While flat, entry and exit signalled together for one side, or entries for both sides, mean no entry. In a position
    an opposite entry reverses and a same-side entry does nothing.
    """
    long_in = (code & LONG_IN) != 0
    short_in = (code & SHORT_IN) != 0
    long_out = (code & LONG_OUT) != 0
    short_out = (code & SHORT_OUT) != 0
    if quantity > 0.0:
        if short_in and not long_in and not short_out:
            return ENTER_SHORT
        return EXIT if long_out else HOLD
    if quantity < 0.0:
        if long_in and not short_in and not long_out:
            return ENTER_LONG
        return EXIT if short_out else HOLD
    if long_in and not long_out and not short_in:
        return ENTER_LONG
    if short_in and not short_out and not long_in:
        return ENTER_SHORT
    return HOLD


@inlined_kernel
def _cancel_by_code(book: Book, s: int, code: int) -> None:
    """Let an exit signal of one side cancel that side's pending or resting entry while flat."""
    y = book.symbols[s]
    waiting = y["entry_side"] if y["entry_side"] != 0 else y["order_side"]
    if (waiting > 0 and (code & LONG_OUT) != 0) or (waiting < 0 and (code & SHORT_OUT) != 0):
        y["entry_side"] = 0
        cancel_order(book, s)


@record_kernel
def decide(book: Book, s: int, intent: Intent) -> None:
    """Make `intent` wait for the symbol's next price event."""
    y = book.symbols[s]
    held = y["quantity"]
    action = intent.action
    nothing_to_exit = held == 0.0 and y["entry_side"] == 0 and y["order_kind"] == NO_ORDER
    if action == HOLD or (action == EXIT and nothing_to_exit):
        return
    book.account["decisions"] += 1
    if action == EXIT:
        y["entry_side"] = 0
        cancel_order(book, s)
        if held != 0.0:
            y["exit_reason"] = min(y["exit_reason"], SIGNAL)
            y["exit_sizing"] = intent.sizing
            y["exit_size"] = intent.size
            y["exit_limit"] = intent.limit
        return
    side = 1 if action == ENTER_LONG else -1
    if held * side > 0.0:
        return
    cancel_order(book, s)
    y["entry_side"] = side
    y["sizing"] = intent.sizing
    y["size"] = intent.size
    y["limit"] = intent.limit
    y["stop"] = intent.stop
    y["stop_loss"] = intent.stop_loss
    y["take_profit"] = intent.take_profit
    y["trailing_stop"] = intent.trailing_stop
    y["max_holding_s"] = intent.max_holding_s
    # A market reversal closes first; a resting one closes when it fills.
    if held != 0.0 and math.isnan(intent.limit) and math.isnan(intent.stop):
        y["exit_reason"] = min(y["exit_reason"], SIGNAL)
        y["exit_sizing"] = DEFAULT
        y["exit_limit"] = math.nan


@inlined_kernel
def decide_code(book: Book, s: int, code: int, levels: NDArray[np.float64], column: int) -> None:
    """Make the rule code of one bar wait, with its levels from `column` of `levels` (8, m); m = 1 is for every bar."""
    y = book.symbols[s]
    if y["quantity"] == 0.0:
        _cancel_by_code(book, s, code)
    action = action_of(code, y["quantity"])
    if action == HOLD:
        return
    if levels.shape[1] == 1:
        column = 0
    nan = math.nan
    if action == EXIT:
        decide(book, s, Intent(EXIT, DEFAULT, nan, nan, nan, nan, nan, nan, nan))
        return
    decide(
        book,
        s,
        Intent(
            action,
            int(levels[SIZING, column]),
            levels[SIZE, column],
            levels[LIMIT_PRICE, column],
            levels[STOP_PRICE, column],
            levels[STOP_DISTANCE, column],
            levels[TARGET_DISTANCE, column],
            levels[TRAIL_DISTANCE, column],
            levels[HOLDING_S, column],
        ),
    )


@record_kernel
def position_view(book: Book, s: int) -> PositionView:
    """Return what a strategy may see of its position."""
    y = book.symbols[s]
    held = y["quantity"]
    equity = book.account["equity"]
    if held == 0.0:
        return PositionView(0.0, math.nan, 0, 0, 0.0, equity, True, False, False)  # noqa: FBT003  a namedtuple
    side = 1.0 if held > 0.0 else -1.0
    open_return = side * (y["last"] - y["entry_price"]) / y["entry_price"]
    return PositionView(
        held,
        y["entry_price"],
        y["entry_time_ns"],
        y["bars_held"],
        open_return,
        equity,
        False,  # noqa: FBT003  a namedtuple
        held > 0.0,
        held < 0.0,
    )


@record_kernel
def put_intent(memory: Memory, s: int, intent: Intent) -> None:
    """Make `intent` wait; `decide` for callers in Python."""
    decide(book_of(memory), s, intent)


@record_kernel
def view_of(memory: Memory, s: int) -> PositionView:
    """Return the position of symbol `s`; `position_view` for callers in Python."""
    return position_view(book_of(memory), s)
