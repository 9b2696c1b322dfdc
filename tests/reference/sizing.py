"""How much an entry buys, and the review it has to pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tests.reference.levels import nearer, round_down, stop_grid
from tests.reference.records import Book, Decision

if TYPE_CHECKING:
    from tests.reference.simulator import Simulator

NS = 1_000_000_000
TOLERANCE = 1e-9  # a size computed from a cap must not fail that cap by one rounding
Refusal = tuple[str, float, float]


def leverage_of(sim: Simulator, book: Book) -> float:
    """Return the leverage that this symbol may use."""
    return min(sim.risk.max_leverage, book.instrument.max_leverage)


def others_notional(sim: Simulator, book: Book) -> float:
    """Return what the positions of the other symbols are worth, without sign."""
    return sum(abs(other.position.signed) * other.mark for other in sim.books if other is not book and other.position)


def spendable(sim: Simulator) -> float:
    """Return the cash that may buy coins: without what perpetual positions have moved in and out of it."""
    return sim.cash + sum(b.position.signed * b.mark for b in sim.open_books() if not b.instrument.is_spot)


def full_quantity(sim: Simulator, book: Book, price: float, fee: float) -> float:
    """Return the quantity that all free equity buys after costs (not rounded, not capped)."""
    leverage = leverage_of(sim, book)
    most = leverage * sim.equity()
    free = most - others_notional(sim, book)
    if free <= TOLERANCE * most:  # what rounding leaves of nothing
        return 0.0
    quantity = free / (price * (1 + leverage * fee))
    if book.instrument.is_spot:
        quantity = min(quantity, spendable(sim) / (price * (1 + fee)))
    return max(quantity, 0.0)


def wanted_quantity(sim: Simulator, book: Book, decision: Decision, price: float, fee: float) -> float:
    """Return the quantity of an entry that fills at ``price``, rounded down to the lot."""
    full = full_quantity(sim, book, price, fee)
    caps = [cap for cap in (sim.risk.max_order_notional, sim.risk.max_position_notional) if cap is not None]
    default = min([full, *(cap / price for cap in caps)])
    size = decision.size
    if decision.sizing == "default":
        quantity = default
    elif decision.sizing == "fraction":
        quantity = size * full
    elif decision.sizing == "notional":
        quantity = size / price
    elif decision.sizing == "units":
        quantity = size
    else:
        distance = nearer([sim.risk.stop_loss, decision.stop_loss])
        level = stop_grid(price * (1 - decision.side * distance), -decision.side, book.instrument.tick)
        quantity = min(size * sim.equity() / abs(price - level), full)
    return round_down(quantity, book.instrument.lot)


def bad_level(decision: Decision) -> Refusal | None:
    """Return the refusal of a level that cannot be meant."""
    if decision.limit is not None and decision.stop is not None:
        return ("invalid_level", math.nan, decision.stop)
    for price in (decision.limit, decision.stop, decision.take_profit, decision.max_holding_s):
        if price is not None and not 0 < price < math.inf:
            return ("invalid_level", 0.0, price)
    for fraction in (decision.stop_loss, decision.trailing_stop):
        if fraction is not None and not 0 < fraction < 1:
            return ("invalid_level", 1.0, fraction)
    return None


def bad_size(sim: Simulator, decision: Decision) -> Refusal | None:
    """Return the refusal of a size that cannot be meant."""
    if decision.sizing == "default":
        return None
    size = decision.size
    highest = 1.0 if decision.sizing == "fraction" else math.inf
    if size is None or not 0 < size < math.inf or size > highest:
        return ("invalid_size", highest, math.nan if size is None else size)
    if decision.sizing == "risk" and sim.risk.stop_loss is None and decision.stop_loss is None:
        return ("invalid_size", math.nan, size)
    return None


def permission(sim: Simulator, book: Book, decision: Decision, price: float, time_ns: int) -> Refusal | None:
    """Review what does not depend on the quantity."""
    worthless = ("invalid_level", 0.0, price) if price <= 0 else None
    refusal = bad_level(decision) or worthless or bad_size(sim, decision)
    if refusal:
        return refusal
    if sim.halted:
        return ("halted", 0.0, 1.0)
    if sim.is_paused:
        return ("paused", 0.0, 1.0)
    if time_ns < book.cooldown_until_ns:
        return ("cooldown", sim.risk.cooldown_s, (book.cooldown_until_ns - time_ns) / NS)
    if book.instrument.is_spot and decision.side < 0:
        return ("short_on_spot", 0.0, 1.0)
    return None


def pace_and_collar(sim: Simulator, price: float, reference: float | None, time_ns: int) -> Refusal | None:
    """Review the number of orders in this minute and the distance from the last fresh price."""
    allowed = sim.risk.max_orders_per_minute
    count = sim.orders_in_minute.get(time_ns // (60 * NS), 0)
    if allowed is not None and count >= allowed:
        return ("max_orders_per_minute", allowed, count + 1)
    collar = sim.risk.price_collar
    if collar is not None and reference is not None and abs(price / reference - 1) > collar:
        return ("price_collar", collar, abs(price / reference - 1))
    return None


def money(sim: Simulator, book: Book, quantity: float, price: float, fee: float) -> Refusal | None:
    """Review quantity, caps, leverage and funds at the price of the fill."""
    notional = quantity * price
    minimum = book.instrument.min_notional or 0.0
    if notional <= 0 or notional < minimum:
        return ("min_notional", minimum, notional)
    for rule in ("max_order_notional", "max_position_notional"):
        cap = getattr(sim.risk, rule)
        if cap is not None and notional > cap * (1 + TOLERANCE):
            return (rule, cap, notional)
    leverage = leverage_of(sim, book)
    used = notional * (1 + leverage * fee) + others_notional(sim, book)
    if used > leverage * sim.equity() * (1 + TOLERANCE):
        return ("max_leverage", leverage, used / sim.equity())
    if book.instrument.is_spot and notional * (1 + fee) > spendable(sim) * (1 + TOLERANCE):
        return ("insufficient_funds", spendable(sim), notional * (1 + fee))
    return None
