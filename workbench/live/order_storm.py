"""When a strategy wants entries faster than it may, again and again: an order storm, which only a person ends."""

from __future__ import annotations

from typing import Final

__all__ = ["ORDERS_PER_MINUTE", "OrderStorm"]

ORDERS_PER_MINUTE: Final = "max_orders_per_minute"
"""The rule that denies entries which are too many."""

_MINUTE_NS: Final = 60 * 1_000_000_000
_DENIALS: Final = 3


class OrderStorm:
    """Counts the entries of each symbol that were too many in their minute, without a quiet minute between them.

    One such entry is the limit at work, as when many symbols enter on one bar; the next bar has room for those that had
    to wait. A symbol that is turned away again and again comes from a strategy that does something else than was meant.

    Examples
    --------
    >>> storm, second = OrderStorm(), 1_000_000_000
    >>> [storm.turned_away("BTC/USDT", after_s * second) for after_s in (10, 20, 70)]
    [False, False, True]
    """

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, int]] = {}

    def turned_away(self, symbol: str, time_ns: int) -> bool:
        """Take an entry that was one too many at a time of the market; return whether it makes a storm."""
        minute = time_ns // _MINUTE_NS
        last, count = self._counts.get(symbol, (minute, 0))
        count = count + 1 if abs(minute - last) <= 1 else 1
        self._counts[symbol] = minute, count
        return count >= _DENIALS
