"""Which exit, or resting entry, a price movement meets first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.reference.levels import stop_grid, trail_level
from tests.reference.records import Book

if TYPE_CHECKING:
    from tests.reference.simulator import Simulator

# Rule R13, with the user's flatten beside the breakers.
ORDER = (
    "liquidation",
    "max_drawdown",
    "daily_loss",
    "flatten",
    "stop_loss",
    "trailing_stop",
    "max_loss",
    "take_profit",
    "max_holding",
    "signal",
    "entry",
)


@dataclass(frozen=True)
class Exit:
    """A way out of a position: before slippage, and whether it is a limit order."""

    price: float
    reason: str
    is_maker: bool


def liquidation_level(sim: Simulator, book: Book) -> float | None:
    """Return the price at which equity falls to the maintenance margin, every other mark standing still."""
    position = book.position
    if position is None or book.instrument.is_spot:
        return None
    rest = sim.cash
    for other in sim.books:
        if other is not book and other.position:
            rest += other.position.signed * other.mark
            if not other.instrument.is_spot:
                rest -= other.instrument.maintenance_margin * other.position.quantity * other.mark
    margin = book.instrument.maintenance_margin
    # long: rest + q*p = margin*q*p; short: rest - q*p = margin*q*p
    if position.side > 0:
        level = -rest / (position.quantity * (1 - margin))
    else:
        level = rest / (position.quantity * (1 + margin))
    return stop_grid(level, -position.side, book.instrument.tick)


def stop_levels(sim: Simulator, book: Book) -> dict[str, float | None]:
    """Return every level that closes the position when the price moves against it."""
    position = book.position
    return {
        "liquidation": liquidation_level(sim, book),
        "stop_loss": position.stop_level,
        "trailing_stop": trail_level(position, sim.risk, book.instrument.tick),
        "max_loss": position.max_loss_level,
    }


def crossed_at(book: Book, levels: dict[str, float | None], price: float) -> list[str]:
    """Return the exits whose level a price has reached or passed."""
    side = book.position.side
    reasons = [r for r, level in levels.items() if level is not None and side * price <= side * level]
    if "stop_loss" in reasons and "trailing_stop" in reasons:
        is_trail_nearer = side * levels["trailing_stop"] > side * levels["stop_loss"]
        reasons.remove("stop_loss" if is_trail_nearer else "trailing_stop")
    target = book.position.target_level
    if target is not None and side * price >= side * target:
        reasons.append("take_profit")
    return reasons


def jump_exit(sim: Simulator, book: Book, price: float, time_ns: int) -> Exit | None:
    """Return the exit that a jump to ``price`` gives: one reason, the event's price."""
    levels = stop_levels(sim, book)
    reasons = crossed_at(book, levels, price) + list(book.exits)
    limit = book.position.time_limit_ns
    if limit is not None and time_ns >= limit:
        reasons.append("max_holding")
    if not reasons:
        return None
    reason = min(reasons, key=ORDER.index)
    return Exit(price, reason, is_maker=reason == "take_profit")


def next_on_leg(sim: Simulator, book: Book, start: float, end: float) -> Exit | None:
    """Return what the price meets first on its way from ``start`` to ``end``, both ends included."""
    meetings: list[tuple[float, int, Exit]] = []

    def meet(level: float, reason: str, *, is_maker: bool) -> None:
        meetings.append((abs(level - start), ORDER.index(reason), Exit(level, reason, is_maker)))

    if book.position:
        levels = stop_levels(sim, book)
        here, there = crossed_at(book, levels, start), crossed_at(book, levels, end)
        for reason in here:  # already crossed: nothing between the level and this price was tradable
            meet(start, reason, is_maker=reason == "take_profit")
        for reason in there:
            if reason not in here:
                level = book.position.target_level if reason == "take_profit" else levels[reason]
                meet(level, reason, is_maker=reason == "take_profit")
    if book.order and book.order.is_reached(end):
        meet(book.order.level, "entry", is_maker=book.order.is_limit)
    return min(meetings, key=lambda m: m[:2])[2] if meetings else None
