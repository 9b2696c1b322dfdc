"""What an exchange reports of a request: filled in part or whole, cancelled, rejected, expired; late or early."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.accounting import apply_fill
from workbench.core.compiled import record_kernel
from workbench.core.execution import block_entries, set_brackets
from workbench.core.intents import UNITS
from workbench.core.levels import clear_order
from workbench.core.records import FLATTEN, NO_REASON, SIGNAL, STOP_LOSS, TAKE_PROFIT
from workbench.core.rounding import lot_quantity

if TYPE_CHECKING:
    from workbench.core.records import Book, Record

# Bits of field `e` of a REPORT event.
DONE, MAKER = 1, 2
# Request numbers from here on are not the core's: they name the stops that rest at an exchange.
RESTING_STOPS = 1 << 40


@record_kernel
def _want_rest(book: Book, s: int) -> None:
    """Let what is left of an exit that ended unfilled leave at the next price, whatever that price is.

    Whoever was stopped out is out, though the price has come back since. Only a target waits for its price again.
    """
    y = book.symbols[s]
    reason = y["exit_request_reason"]
    if reason == TAKE_PROFIT or lot_quantity(y["instrument"], y["exit_in_flight"]) <= 0.0:
        return
    y["exit_reason"] = min(y["exit_reason"], reason)
    if reason == SIGNAL:
        y["exit_sizing"] = UNITS
        y["exit_size"] = y["exit_in_flight"]


@record_kernel
def apply_report(book: Book, event: Record) -> None:
    """Book a `REPORT` event: ``a`` signed quantity filled, ``b`` price, ``c`` fee, ``d`` request number, ``e`` flags.

    A request is in flight until its whole quantity is filled or a report says `DONE`; until then its symbol sends no
    other of its kind. A fill that arrives after a cancel is booked all the same, and leaves again at once when entries
    are halted: a fill is a fact. One of a stop that rests at the exchange closes for `STOP_LOSS`, unasked.
    """
    a = book.account
    s = event["symbol"]
    y = book.symbols[s]
    signed = event["a"]
    number = int(event["d"])
    flags = int(event["e"])
    is_exit = y["exit_in_flight"] > 0.0 and number == y["exit_request"]
    is_entry = number == y["entry_request"] and not is_exit
    reason = SIGNAL
    if is_exit:
        reason = y["exit_request_reason"]
    elif number >= RESTING_STOPS:
        reason = STOP_LOSS
        # An exit of a part waits for this stop's end, and is sent for what is left of it then.
        y["exit_in_flight"] = max(0.0, y["exit_in_flight"] - abs(signed))
    a["time_ns"] = max(a["time_ns"], event["time_ns"])
    if signed != 0.0:
        if is_entry and y["quantity"] == 0.0 and y["entry_is_resting"] == 1:
            set_brackets(
                y,
                y["order_stop_loss"],
                y["order_take_profit"],
                y["order_trailing_stop"],
                y["order_max_holding_s"],
            )
        apply_fill(book, s, signed, event["b"], event["c"], event["time_ns"], reason, 1 if flags & MAKER else 0)
        if reason == STOP_LOSS and not is_exit and y["quantity"] == 0.0:
            block_entries(book, s, event["time_ns"], reason)
        if is_entry and a["halted"] != 0 and y["quantity"] != 0.0:
            y["exit_reason"] = min(y["exit_reason"], FLATTEN)
    if is_exit:
        y["exit_in_flight"] = max(0.0, y["exit_in_flight"] - abs(signed))
        if flags & DONE and y["quantity"] != 0.0:
            _want_rest(book, s)
        if flags & DONE or y["quantity"] == 0.0:
            y["exit_in_flight"] = 0.0
    elif is_entry:
        y["entry_in_flight"] = max(0.0, y["entry_in_flight"] - abs(signed))
        if flags & DONE:
            y["entry_in_flight"] = 0.0
        if y["entry_in_flight"] == 0.0 and y["order_is_exit"] == 0:
            clear_order(y)
        if y["entry_in_flight"] == 0.0 and y["quantity"] == 0.0:
            y["exit_reason"] = NO_REASON
