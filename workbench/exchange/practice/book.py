"""The order book around the last print: one tick of spread to each side, then level after level of the same size."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from workbench.exchange.practice.numbers import EXACT, ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.exchange.practice.listing import Listing
    from workbench.exchange.practice.orders import Side

__all__ = ["Book", "Level"]

_LEVELS: Final = 1_000
# A level holds this many of the smallest orders: 25 000 dollars where an order is at least 5.
_SMALLEST_ORDERS_IN_LEVEL: Final = Decimal(5_000)


class Level(NamedTuple):
    """A price of the book and the quantity on offer there."""

    price: Decimal
    quantity: Decimal


class Book:
    """What an order meets that comes when the last print was at a price.

    Nobody made it up but the exchange: it is refilled at once, so that two equal orders get equal prices. A market
    without a smallest order has a book without a bottom, where everything fills at the best price.

    Parameters
    ----------
    listing : Listing
        The market.
    last : Decimal
        Price of the last print.
    """

    def __init__(self, listing: Listing, last: Decimal) -> None:
        self.last = last
        self._listing = listing

    @property
    def level_quantity(self) -> Decimal:
        """Quantity at each level, in the base."""
        listing = self._listing
        if listing.min_notional == ZERO:
            return listing.max_quantity
        coins = EXACT.divide(listing.min_notional * _SMALLEST_ORDERS_IN_LEVEL, self.last)
        return max(listing.lot, listing.lot * (coins // listing.lot))

    def best(self, side: Side) -> Decimal:
        """Return the price at which an order of a side takes first."""
        tick = self._listing.tick
        return self.last + tick if side == "BUY" else max(self.last - tick, tick)

    def levels(self, side: Side, count: int = _LEVELS) -> Iterator[Level]:
        """Return what an order of a side meets, best first: asks for ``BUY``, bids for ``SELL``."""
        quantity, tick = self.level_quantity, self._listing.tick
        step = tick if side == "BUY" else -tick
        price = self.last
        for _ in range(count):
            price += step
            if price < tick:
                return
            yield Level(price, quantity)

    def taken(self, side: Side, quantity: Decimal, limit: Decimal | None = None) -> list[Level]:
        """Return what an order gets at once, level by level, up to its quantity and not beyond its limit."""
        taken: list[Level] = []
        for price, offered in self.levels(side):
            if quantity <= ZERO or (limit is not None and (price > limit if side == "BUY" else price < limit)):
                break
            part = min(quantity, offered)
            taken.append(Level(price, part))
            quantity -= part
        return taken
