"""The order book as a stream of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.exchange.practice.book import Book
from workbench.exchange.practice.numbers import decimal_of, decimal_text

if TYPE_CHECKING:
    from decimal import Decimal

    from workbench.exchange.practice.listing import Listing
    from workbench.exchange.practice.orders import Side

__all__ = ["DEPTH_LEVELS", "DepthStream", "side_of_book", "update_id"]

DEPTH_LEVELS: Final = 20
"""Levels of the book that are shown; a snapshot with more would keep levels that no change ever takes away."""


def update_id(time_ms: int) -> int:
    """Return the number of the book as a print at a time left it: that millisecond."""
    return time_ms


def side_of_book(listing: Listing, last: Decimal, side: Side, count: int) -> list[tuple[str, str]]:
    """Return price and quantity of the best levels that an order of a side meets, as text."""
    levels = Book(listing, last).levels(side, count)
    return [(decimal_text(price), decimal_text(quantity)) for price, quantity in levels]


class DepthStream:
    """Changes of the book from one price to the next.

    Parameters
    ----------
    listing : Listing
        The market.
    price, time_ms
        Last print when the stream begins.
    partial : int
        Levels of a stream that repeats the best ones whole; 0 for one that tells changes.
    """

    def __init__(self, listing: Listing, price: float, time_ms: int, partial: int) -> None:
        self._listing = listing
        self._partial = partial
        self._previous_id = update_id(time_ms)
        self._sides = self._sides_at(price)

    def move(self, price: float, time_ms: int) -> str:
        """Return the message that takes the book to a price."""
        sides = self._sides_at(price)
        previous, self._previous_id = self._previous_id, update_id(time_ms)
        if self._partial and not self._listing.is_perpetual:
            bids, asks = (_json_levels(list(side.items())) for side in sides)
            self._sides = sides
            return f'{{"lastUpdateId":{update_id(time_ms)},"bids":{bids},"asks":{asks}}}'
        changes = [_changed(before, now) for before, now in zip(self._sides, sides, strict=True)]
        self._sides = sides
        chain = f',"pu":{previous}' if self._listing.is_perpetual else ""
        return (
            f'{{"e":"depthUpdate","E":{time_ms},"T":{time_ms},"s":"{self._listing.symbol}","U":{previous + 1},'
            f'"u":{update_id(time_ms)}{chain},"b":{_json_levels(changes[0])},"a":{_json_levels(changes[1])}}}'
        )

    def _sides_at(self, price: float) -> tuple[dict[str, str], dict[str, str]]:
        count, last = self._partial or DEPTH_LEVELS, decimal_of(price)
        return (
            dict(side_of_book(self._listing, last, "SELL", count)),
            dict(side_of_book(self._listing, last, "BUY", count)),
        )


def _changed(before: dict[str, str], now: dict[str, str]) -> list[tuple[str, str]]:
    """Return the levels to set, and to take away with a quantity of 0."""
    gone = [(price, "0.00000000") for price in before if price not in now]
    return gone + [(price, quantity) for price, quantity in now.items() if before.get(price) != quantity]


def _json_levels(levels: list[tuple[str, str]]) -> str:
    return "[" + ",".join(f'["{price}","{quantity}"]' for price, quantity in levels) + "]"
