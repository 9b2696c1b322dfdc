"""The one place where money moves: a fill changes cash, position, fees and realized profit.

Cash counts the whole notional of a fill, for spot and perpetual alike, so that ``cash + sum(quantity * last)`` is the
equity of the account at every moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.compiled import inlined_kernel, record_kernel
from workbench.core.levels import clear_position, protect
from workbench.core.log import is_recorded, log_row
from workbench.core.records import FILL_ROW, TRADE_ROW

if TYPE_CHECKING:
    from workbench.core.records import Book


@record_kernel
def apply_fill(  # noqa: PLR0913  what an exchange says of a fill
    book: Book, s: int, signed: float, price: float, fee: float, time_ns: int, reason: int, is_maker: int
) -> None:
    """Book a fill of `signed` units (+ bought, - sold) of symbol `s`; a fill beyond flat closes first, then opens."""
    held = book.symbols[s]["quantity"]
    if held * signed >= 0.0:
        book_entry(book, s, signed, price, fee, time_ns, reason, is_maker)
    elif abs(signed) <= abs(held) or _left_over(book, s, held + signed) == 0.0:
        # A position of several fills may be a float residue off what closes it: nothing opens on the other side.
        book_exit(book, s, signed, price, fee, time_ns, reason, is_maker)
    else:
        share = abs(held) / abs(signed)
        book_exit(book, s, -held, price, fee * share, time_ns, reason, is_maker)
        book_entry(book, s, signed + held, price, fee * (1.0 - share), time_ns, reason, is_maker)


@inlined_kernel
def book_exit(  # noqa: PLR0913  as above
    book: Book, s: int, signed: float, price: float, fee: float, time_ns: int, reason: int, is_maker: int
) -> None:
    """Book a fill against the position, at most as large as it but for a residue."""
    _record_fill(book, s, signed, price, fee, time_ns, reason, is_maker)
    _reduce(book, s, signed, price, fee, time_ns, reason)


@inlined_kernel
def book_entry(  # noqa: PLR0913  as above
    book: Book, s: int, signed: float, price: float, fee: float, time_ns: int, reason: int, is_maker: int
) -> None:
    """Book a fill that opens a position or adds to it."""
    _record_fill(book, s, signed, price, fee, time_ns, reason, is_maker)
    _increase(book, s, signed, price, fee, time_ns)


@inlined_kernel
def _record_fill(  # noqa: PLR0913  as above
    book: Book, s: int, signed: float, price: float, fee: float, time_ns: int, reason: int, is_maker: int
) -> None:
    a = book.account
    a["cash"] -= signed * price + fee
    a["fees"] += fee
    if is_recorded(book):
        record = log_row(book, FILL_ROW, s, 1 if signed > 0.0 else -1, time_ns)
        record["sequence"] = a["fill_count"]
        record["quantity"] = abs(signed)
        record["price"] = price
        record["fee"] = fee
        record["code"] = reason
        record["flag"] = is_maker
    a["fill_count"] += 1


@inlined_kernel
def _increase(book: Book, s: int, signed: float, price: float, fee: float, time_ns: int) -> None:
    y = book.symbols[s]
    held = y["quantity"]
    if held == 0.0:
        y["entry_price"] = price
        y["entry_time_ns"] = time_ns
        y["entry_fees"] = fee
        y["funding"] = 0.0
        y["bars_held"] = 0
        y["lowest"] = price
        y["highest"] = price
        y["peak"] = price
        y["quantity"] = signed
    else:
        total = held + signed
        y["entry_price"] = (y["entry_price"] * held + price * signed) / total
        y["entry_fees"] += fee
        y["quantity"] = total
    protect(book, s)


@inlined_kernel
def _reduce(book: Book, s: int, signed: float, price: float, fee: float, time_ns: int, reason: int) -> None:
    a = book.account
    y = book.symbols[s]
    held = y["quantity"]
    quantity = abs(signed)
    side = 1.0 if held > 0.0 else -1.0
    share = quantity / abs(held)
    gross = side * (price - y["entry_price"]) * quantity
    entry_fees = y["entry_fees"] * share
    funding = y["funding"] * share
    a["realized"] += gross
    y["lowest"] = min(y["lowest"], price)
    y["highest"] = max(y["highest"], price)
    pnl = gross - entry_fees - fee - funding
    _record_trade(book, s, side, quantity, price, time_ns, reason, pnl, entry_fees + fee, funding)
    left = _left_over(book, s, held + signed)
    if left == 0.0:
        clear_position(y)
    else:
        y["quantity"] = left
        y["entry_fees"] -= entry_fees
        y["funding"] -= funding


@inlined_kernel
def _left_over(book: Book, s: int, quantity: float) -> float:
    """Return the quantity after a reduction without the residue of float subtraction (0.3 - 0.1 - 0.2)."""
    lot = book.symbols[s]["instrument"]["lot"]
    if lot > 0.0:
        per_unit = book.symbols[s]["instrument"]["lots_per_unit"]
        if per_unit > 0.0:
            return np.rint(quantity * per_unit) / per_unit
        return np.rint(quantity / lot) * lot
    return 0.0 if abs(quantity) <= 1e-12 * abs(book.symbols[s]["quantity"]) else quantity


@inlined_kernel
def _record_trade(  # noqa: PLR0913  the columns of a closed trade
    book: Book,
    s: int,
    side: float,
    quantity: float,
    price: float,
    time_ns: int,
    reason: int,
    pnl: float,
    fees: float,
    funding: float,
) -> None:
    a = book.account
    y = book.symbols[s]
    entry = y["entry_price"]
    a["trade_count"] += 1
    if pnl > 0.0:
        a["winning_trades"] += 1
        a["gross_profit"] += pnl
    else:
        a["gross_loss"] -= pnl
    if not is_recorded(book):
        return
    record = log_row(book, TRADE_ROW, s, 1 if side > 0.0 else -1, time_ns)
    record["quantity"] = quantity
    record["start_ns"] = y["entry_time_ns"]
    record["entry"] = entry
    record["price"] = price
    record["code"] = reason
    record["value"] = pnl
    record["return_"] = pnl / (entry * quantity)
    record["fee"] = fees
    record["funding"] = funding
    record["flag"] = y["bars_held"]
    best = y["highest"] if side > 0.0 else y["lowest"]
    worst = y["lowest"] if side > 0.0 else y["highest"]
    record["mae"] = min(0.0, side * (worst - entry) / entry)
    record["mfe"] = max(0.0, side * (best - entry) / entry)
    record["stop"] = y["near"]
    record["target"] = y["target"]


@record_kernel
def charge_funding(book: Book, s: int, price: float, rate: float) -> None:
    """Charge a funding payment on the position of symbol `s`: longs pay a positive `rate` of ``quantity * price``."""
    a = book.account
    y = book.symbols[s]
    amount = y["quantity"] * price * rate
    a["cash"] -= amount
    a["funding"] += amount
    y["funding"] += amount
