"""Risk review: how large an entry may be, and whether it may leave at all.

A denial is a value with rule, limit and value. Only entries are reviewed; an exit is never denied.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.core.compiled import inlined_kernel, record_kernel
from workbench.core.intents import DEFAULT, FRACTION, NOTIONAL, RISK
from workbench.core.levels import nearer
from workbench.core.records import (
    ALLOWED,
    COOLDOWN,
    HALTED,
    INSUFFICIENT_FUNDS,
    INVALID_LEVEL,
    INVALID_SIZE,
    LIMIT,
    MARKET,
    MAX_LEVERAGE,
    MAX_ORDER_NOTIONAL,
    MAX_ORDERS_PER_MINUTE,
    MAX_POSITION_NOTIONAL,
    MIN_NOTIONAL,
    MINUTE_NS,
    PAUSED,
    PRICE_COLLAR,
    SHORT_ON_SPOT,
)
from workbench.core.rounding import lot_quantity, worse_price

if TYPE_CHECKING:
    from workbench.core.records import Book, Record

# What float rounding may add to a size before it counts as beyond a limit.
TOLERANCE = 1.0 + 1e-9
# Part of the equity that counts as nothing.
DUST = 1e-9


@inlined_kernel
def equity_now(book: Book) -> float:
    """Return cash plus all positions at their last marks."""
    total = book.account["cash"]
    for k in range(book.symbols.shape[0]):
        total += book.symbols[k]["quantity"] * book.symbols[k]["last"]
    return total


@inlined_kernel
def other_notional(book: Book, s: int) -> float:
    """Return the notional of all positions but that of symbol `s`, at their last marks."""
    total = 0.0
    for k in range(book.symbols.shape[0]):
        if k != s:
            total += abs(book.symbols[k]["quantity"]) * book.symbols[k]["last"]
    return total


@inlined_kernel
def spot_cash(book: Book) -> float:
    """Return the cash that may buy coins: without what perpetual positions have moved in and out of it."""
    total = book.account["cash"]
    for k in range(book.symbols.shape[0]):
        if book.symbols[k]["instrument"]["is_spot"] == 0:
            total += book.symbols[k]["quantity"] * book.symbols[k]["last"]
    return total


@inlined_kernel
def full_quantity(book: Book, s: int, price: float, fee: float) -> float:
    """Return the quantity that all free equity after costs buys or sells at `price`, within leverage and spot cash."""
    instrument = book.symbols[s]["instrument"]
    leverage = min(book.config["max_leverage"], instrument["max_leverage"])
    most = leverage * equity_now(book)
    free = most - other_notional(book, s)
    # What rounding leaves of an equity that is used up buys nothing.
    if free <= DUST * most:
        return 0.0
    quantity = free / (price * (1.0 + leverage * fee))
    if instrument["is_spot"] == 1:
        cash = spot_cash(book)
        quantity = min(quantity, cash / (price * (1.0 + fee))) if cash > DUST * most else 0.0
    return max(quantity, 0.0)


@inlined_kernel
def sized_quantity(book: Book, s: int, side: int, price: float, fee: float) -> float:
    """Return the quantity that the pending entry asks for at `price`, before rounding; nan for a nonsense size."""
    y = book.symbols[s]
    g = book.config
    sizing = y["sizing"]
    size = y["size"]
    full = full_quantity(book, s, price, fee)
    capped = min(full, g["max_order_notional"] / price, g["max_position_notional"] / price)
    if sizing == DEFAULT:
        return capped
    if not (size > 0.0 and size < math.inf):
        return math.nan
    if sizing == FRACTION:
        return size * full if size <= 1.0 else math.nan
    if sizing == NOTIONAL:
        return size / price
    if sizing == RISK:
        distance = nearer(g["stop_loss"], y["stop_loss"])
        if not distance > 0.0:
            return math.nan
        # Measured to the level where the stop will lie, not to the unrounded one.
        loss = abs(price - worse_price(y["instrument"], price * (1.0 - side * distance), -side))
        return min(full, size * equity_now(book) / loss) if loss > 0.0 else math.nan
    return size


@inlined_kernel
def has_valid_levels(y: Record) -> bool:
    """Return whether the levels of the pending entry that are given (not nan) lie in range, one price at most."""
    return (
        (math.isnan(y["limit"]) or math.isnan(y["stop"]))
        and not (y["limit"] <= 0.0 or y["limit"] == math.inf)
        and not (y["stop"] <= 0.0 or y["stop"] == math.inf)
        and not (y["stop_loss"] <= 0.0 or y["stop_loss"] >= 1.0)
        and not (y["take_profit"] <= 0.0 or y["take_profit"] == math.inf)
        and not (y["trailing_stop"] <= 0.0 or y["trailing_stop"] >= 1.0)
        and not (y["max_holding_s"] <= 0.0 or y["max_holding_s"] == math.inf)
    )


@inlined_kernel
def _gate(book: Book, s: int, side: int, time_ns: int) -> tuple[int, float, float]:
    """Return the first rule that forbids any entry now, with limit and value; ALLOWED when none does."""
    a = book.account
    y = book.symbols[s]
    g = book.config
    if a["halted"] != 0:
        return HALTED, 0.0, float(a["halted"])
    if a["paused"] != 0:
        return PAUSED, 0.0, 1.0
    if time_ns < y["cooldown_until_ns"]:
        return COOLDOWN, g["cooldown_ns"] / 1e9, (y["cooldown_until_ns"] - time_ns) / 1e9
    if side < 0 and book.symbols[s]["instrument"]["is_spot"] == 1:
        return SHORT_ON_SPOT, 0.0, -1.0
    minute = time_ns // MINUTE_NS
    if a["minute"] != minute:
        a["minute"] = minute
        a["minute_orders"] = 0
    if g["max_orders_per_minute"] > 0 and a["minute_orders"] >= g["max_orders_per_minute"]:
        return MAX_ORDERS_PER_MINUTE, float(g["max_orders_per_minute"]), float(a["minute_orders"] + 1)
    return ALLOWED, 0.0, 0.0


@inlined_kernel
def _collar(book: Book, s: int, kind: int, order_price: float) -> tuple[int, float, float]:
    """Judge the price against the last fresh one: the mark before this event, for a resting order this event's."""
    y = book.symbols[s]
    limit = book.config["price_collar"]
    price = y["last"] if kind == MARKET else order_price
    reference = y["reference"] if kind == MARKET else y["last"]
    if limit > 0.0 and reference > 0.0:
        away = abs(price / reference - 1.0)
        if away > limit:
            return PRICE_COLLAR, limit, away
    return ALLOWED, 0.0, 0.0


@inlined_kernel
def _caps(book: Book, s: int, side: int, quantity: float, price: float, fee: float) -> tuple[int, float, float]:
    """Judge a rounded quantity against minimum notional, caps, leverage and funds."""
    g = book.config
    # What is held on the same side stays; what is held on the other is closed first.
    held = max(0.0, side * book.symbols[s]["quantity"]) * price
    instrument = book.symbols[s]["instrument"]
    notional = quantity * price
    # Also nothing: a price that slippage or the tick has rounded down to 0.
    if notional <= 0.0 or notional < instrument["min_notional"]:
        return MIN_NOTIONAL, instrument["min_notional"], notional
    if notional > g["max_order_notional"] * TOLERANCE:
        return MAX_ORDER_NOTIONAL, g["max_order_notional"], notional
    if held + notional > g["max_position_notional"] * TOLERANCE:
        return MAX_POSITION_NOTIONAL, g["max_position_notional"], held + notional
    leverage = min(g["max_leverage"], instrument["max_leverage"])
    equity = equity_now(book)
    used = other_notional(book, s) + held + notional
    # Leverage is judged after the entry fee: equity that pays the fee cannot carry a position.
    if used > leverage * (equity - notional * fee) * TOLERANCE:
        return MAX_LEVERAGE, leverage, used / equity if equity > 0.0 else math.inf
    if instrument["is_spot"] == 1 and notional * (1.0 + fee) > spot_cash(book) * TOLERANCE:
        return INSUFFICIENT_FUNDS, spot_cash(book), notional * (1.0 + fee)
    return ALLOWED, 0.0, 0.0


@inlined_kernel
def affordable(book: Book, s: int, quantity: float, price: float, fee: float) -> float:
    """Return `quantity` rounded down to the lot and, on spot, until cash after fee cannot turn negative."""
    instrument = book.symbols[s]["instrument"]
    quantity = lot_quantity(instrument, quantity)
    if instrument["is_spot"] == 1:
        cash = spot_cash(book)
        step = instrument["lot"]
        for _ in range(4):
            # The same operations as the booking of the fill, so that not even the last bit goes below zero.
            if (
                cash - (quantity * price + quantity * price * fee) >= 0.0
                or quantity * price * (1.0 + fee) > cash * TOLERANCE
            ):
                break
            quantity = lot_quantity(instrument, quantity - step) if step > 0.0 else quantity * (1.0 - 4e-16)
    return max(quantity, 0.0)


@inlined_kernel
def review_entry(
    book: Book, s: int, side: int, kind: int, price: float, time_ns: int
) -> tuple[int, float, float, float]:
    """Return (rule, quantity, limit, value) for the pending entry at fill or order price `price`.

    ``rule`` is `ALLOWED` when the order may leave with ``quantity``; its place in the minute is then taken.
    """
    y = book.symbols[s]
    instrument = book.symbols[s]["instrument"]
    fee = instrument["maker_fee"] if kind == LIMIT else instrument["taker_fee"]
    # A tick as large as the price may round it to 0.
    if not has_valid_levels(y) or price <= 0.0:
        return INVALID_LEVEL, 0.0, 0.0, math.nan
    wanted = sized_quantity(book, s, side, price, fee)
    if math.isnan(wanted):
        return INVALID_SIZE, 0.0, 0.0, y["size"]
    rule, limit, value = _gate(book, s, side, time_ns)
    if rule == ALLOWED:
        rule, limit, value = _collar(book, s, kind, price)
    quantity = affordable(book, s, wanted, price, fee)
    if rule == ALLOWED:
        rule, limit, value = _caps(book, s, side, quantity, price, fee)
    if rule == ALLOWED:
        book.account["minute_orders"] += 1
    return rule, quantity, limit, value


@record_kernel
def recheck_funds(book: Book, s: int, side: int, quantity: float, price: float, fee: float) -> tuple[int, float, float]:
    """Judge caps, leverage and funds again when a resting order fills: others may have used them meanwhile."""
    return _caps(book, s, side, quantity, price, fee)
