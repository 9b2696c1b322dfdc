"""Turn a wish into a fill: by the fill model here, or as a request to an exchange whose reports come later.

Whether fills are simulated or external is one field of the config. Either way `apply_fill` books them, and a request in
flight keeps its symbol from sending the same thing twice.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.core.accounting import book_entry, book_exit
from workbench.core.compiled import inlined_kernel, record_kernel
from workbench.core.intents import UNITS
from workbench.core.levels import clear_order
from workbench.core.log import deny, log_row
from workbench.core.memory import book_of
from workbench.core.records import (
    ALLOWED,
    CANCEL,
    LIMIT,
    LIQUIDATION,
    MARKET,
    MAX_LOSS,
    NO_ORDER,
    NO_REASON,
    REQUEST_ROW,
    SIGNAL,
    STOP,
    STOP_LOSS,
    TRAILING_STOP,
)
from workbench.core.review import equity_now, recheck_funds, review_entry
from workbench.core.rounding import patient_price, slipped_price, worse_price

if TYPE_CHECKING:
    from workbench.core.memory import Memory
    from workbench.core.records import Book, Record


@record_kernel
def request(book: Book, s: int, signed: float, kind: int, price: float, reason: int, is_exit: int) -> int:
    """Record an order for the exchange and return its number; time is that of the account's last event."""
    a = book.account
    number = a["request_count"]
    a["request_count"] += 1
    record = log_row(book, REQUEST_ROW, s, 1 if signed > 0.0 else -1, a["time_ns"])
    record["sequence"] = number
    record["flag"] = kind
    record["quantity"] = abs(signed)
    record["price"] = price
    record["code"] = reason
    record["value"] = float(is_exit)
    record["entry"] = 1.0 if is_exit == 0 and book.symbols[s]["entry_is_resting"] == 1 else 0.0
    return number


@record_kernel
def cancel_order(book: Book, s: int) -> None:
    """Cancel the resting order of the symbol, at the exchange too when it lies there."""
    y = book.symbols[s]
    if y["order_kind"] == NO_ORDER:
        return
    if book.config["is_external"] == 1 and y["order_is_exit"] == 0:
        signed = y["order_side"] * y["order_quantity"]
        request(book, s, signed, CANCEL, float(y["entry_request"]), SIGNAL, 0)
    clear_order(y)


@inlined_kernel
def exit_inline(book: Book, s: int, quantity: float, price: float, time_ns: int, reason: int, kind: int) -> None:
    """Close `quantity` of the position at event price or level `price`.

    A `LIMIT` exit gets `price` itself and the maker fee, every other kind slips and pays the taker fee (R3-R5). After a
    protective exit nothing of the symbol may enter until the next decision (R9), and pending entries are gone (R13).
    """
    y = book.symbols[s]
    instrument = book.symbols[s]["instrument"]
    side = -1 if y["quantity"] > 0.0 else 1
    if book.config["is_external"] == 1:
        if y["exit_in_flight"] == 0.0:
            y["exit_in_flight"] = quantity
            y["exit_request_reason"] = reason
            y["exit_request"] = request(book, s, side * quantity, kind, price, reason, 1)
    else:
        is_maker = 1 if kind == LIMIT else 0
        fill_price = price if is_maker == 1 else slipped_price(instrument, book.config, price, side)
        fee = quantity * fill_price * (instrument["maker_fee"] if is_maker == 1 else instrument["taker_fee"])
        book_exit(book, s, side * quantity, fill_price, fee, time_ns, reason, is_maker)
    if reason != SIGNAL:
        block_entries(book, s, time_ns, reason)


@record_kernel
def exit_at(book: Book, s: int, quantity: float, price: float, time_ns: int, reason: int, kind: int) -> None:
    """Close `quantity` of the position: `exit_inline` behind a call, for where an exit is rare."""
    exit_inline(book, s, quantity, price, time_ns, reason, kind)


@record_kernel
def block_entries(book: Book, s: int, time_ns: int, reason: int) -> None:
    """Let nothing enter after a protective exit: until the next decision (R9), and while the symbol cools down."""
    y = book.symbols[s]
    y["blocked"] = 1
    y["entry_side"] = 0
    y["exit_reason"] = NO_REASON
    cancel_order(book, s)
    if reason in (STOP_LOSS, TRAILING_STOP, MAX_LOSS, LIQUIDATION):
        y["cooldown_until_ns"] = time_ns + book.config["cooldown_ns"]


@inlined_kernel
def _enter(book: Book, s: int, signed: float, price: float, time_ns: int, kind: int) -> None:
    """Open a position at fill price `price`; the brackets must be set."""
    y = book.symbols[s]
    instrument = book.symbols[s]["instrument"]
    y["entry_equity"] = equity_now(book)
    if book.config["is_external"] == 1:
        y["entry_is_resting"] = 0
        y["entry_in_flight"] = abs(signed)
        y["entry_request"] = request(book, s, signed, kind, price, SIGNAL, 0)
        return
    rate = instrument["maker_fee"] if kind == LIMIT else instrument["taker_fee"]
    fee = abs(signed) * price * rate
    book_entry(book, s, signed, price, fee, time_ns, SIGNAL, 1 if kind == LIMIT else 0)


@inlined_kernel
def place_entry(book: Book, s: int, price: float, time_ns: int) -> None:
    """Review the pending entry at event price `price` and send it: filled at once, resting, or denied."""
    y = book.symbols[s]
    instrument = book.symbols[s]["instrument"]
    side = y["entry_side"]
    y["entry_side"] = 0
    if side * y["quantity"] > 0.0:
        # Decided while an earlier entry was in flight, which has filled since: it is no reversal and adds nothing.
        return
    kind = MARKET
    order_price = slipped_price(instrument, book.config, price, side)
    if not math.isnan(y["limit"]):
        kind = LIMIT
        order_price = patient_price(instrument, y["limit"], side)
        if side * price <= side * order_price:
            order_price = price
    elif not math.isnan(y["stop"]):
        kind = STOP
        level = worse_price(instrument, y["stop"], side)
        if side * price < side * level:
            order_price = slipped_price(instrument, book.config, level, side)
        else:
            kind = MARKET
    is_due = kind == MARKET or (kind == LIMIT and order_price == price)
    if is_due and y["quantity"] != 0.0:
        # A reversal by a limit or stop that the market has passed already: out first, then in (R9).
        exit_at(book, s, abs(y["quantity"]), price, time_ns, SIGNAL, kind)
        if y["quantity"] != 0.0:
            return
    rule, quantity, limit, value = review_entry(book, s, side, kind, order_price, time_ns)
    if rule != ALLOWED:
        deny(book, rule, s, side, time_ns, (quantity, limit, value))
        return
    if is_due:
        set_brackets(y, y["stop_loss"], y["take_profit"], y["trailing_stop"], y["max_holding_s"])
        _enter(book, s, side * quantity, order_price, time_ns, kind)
        return
    _rest(y, side, quantity, kind, order_price if kind == LIMIT else worse_price(instrument, y["stop"], side))
    if book.config["is_external"] == 1:
        y["entry_is_resting"] = 1
        y["entry_in_flight"] = quantity
        y["entry_request"] = request(book, s, side * quantity, kind, y["order_price"], SIGNAL, 0)


@record_kernel
def _rest(y: Record, side: int, quantity: float, kind: int, price: float) -> None:
    """Keep the pending entry as the symbol's resting order."""
    y["order_kind"] = kind
    y["order_side"] = side
    y["order_is_exit"] = 0
    y["order_quantity"] = quantity
    y["order_price"] = price
    y["order_stop_loss"] = y["stop_loss"]
    y["order_take_profit"] = y["take_profit"]
    y["order_trailing_stop"] = y["trailing_stop"]
    y["order_max_holding_s"] = y["max_holding_s"]


@record_kernel
def set_brackets(y: Record, stop_loss: float, take_profit: float, trailing_stop: float, max_holding_s: float) -> None:
    """Set the brackets that the position about to open will carry."""
    y["bracket_stop_loss"] = stop_loss
    y["bracket_take_profit"] = take_profit
    y["bracket_trailing_stop"] = trailing_stop
    y["bracket_max_holding_s"] = max_holding_s


@record_kernel
def fill_resting(book: Book, s: int, price: float, time_ns: int) -> None:
    """Fill the resting order of the symbol at level or event price `price` (R4, R5)."""
    y = book.symbols[s]
    instrument = book.symbols[s]["instrument"]
    kind = y["order_kind"]
    side = y["order_side"]
    quantity = y["order_quantity"]
    if y["order_is_exit"] == 1:
        clear_order(y)
        exit_at(book, s, min(quantity, abs(y["quantity"])), price, time_ns, SIGNAL, kind)
        return
    if y["quantity"] != 0.0:
        exit_at(book, s, abs(y["quantity"]), price, time_ns, SIGNAL, kind)
    fill_price = price if kind == LIMIT else slipped_price(instrument, book.config, price, side)
    fee = instrument["maker_fee"] if kind == LIMIT else instrument["taker_fee"]
    rule, limit, value = recheck_funds(book, s, side, quantity, fill_price, fee)
    if rule != ALLOWED:
        deny(book, rule, s, side, time_ns, (quantity, limit, value))
        clear_order(y)
        return
    set_brackets(y, y["order_stop_loss"], y["order_take_profit"], y["order_trailing_stop"], y["order_max_holding_s"])
    clear_order(y)
    _enter(book, s, side * quantity, fill_price, time_ns, kind)
    y["entered_in_leg"] = 1


@record_kernel
def process_order(  # noqa: PLR0913  the fields of an order and of the event
    memory: Memory, s: int, side: int, quantity: float, kind: int, price: float, time_ns: int, reduce_only: int
) -> None:
    """Execute an order of `quantity` units at event price `price`: close what is held on the other side, open the rest.

    A `LIMIT` order gets the price itself and the maker fee, every other kind slips. Only what opens is reviewed.
    """
    book = book_of(memory)
    y = book.symbols[s]
    y["reference"] = y["last"]
    y["last"] = price
    y["last_time_ns"] = time_ns
    book.account["time_ns"] = time_ns
    against = max(0.0, -side * y["quantity"])
    closing = min(quantity, against)
    if closing > 0.0:
        exit_at(book, s, closing, price, time_ns, SIGNAL, kind)
    if reduce_only == 1 or quantity <= closing:
        return
    y["sizing"] = UNITS
    y["size"] = quantity - closing
    y["limit"] = math.nan
    y["stop"] = math.nan
    set_intent_brackets(y, math.nan)
    order_price = price if kind == LIMIT else slipped_price(y["instrument"], book.config, price, side)
    rule, allowed, limit, value = review_entry(book, s, side, kind, order_price, time_ns)
    if rule != ALLOWED:
        deny(book, rule, s, side, time_ns, (allowed, limit, value))
        return
    set_brackets(y, math.nan, math.nan, math.nan, math.nan)
    _enter(book, s, side * allowed, order_price, time_ns, kind)


@record_kernel
def set_intent_brackets(y: Record, value: float) -> None:
    """Set all brackets of the pending entry to `value`; nan clears them."""
    y["stop_loss"] = value
    y["take_profit"] = value
    y["trailing_stop"] = value
    y["max_holding_s"] = value
