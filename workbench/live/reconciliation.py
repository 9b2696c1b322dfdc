"""Whether the exchange holds what the account of a session says, and what people are told when it does not.

An exchange is asked now and then, between two orders. One look proves nothing: a trade may be on its way to us. The
same difference in several looks is real: somebody else traded on the account, or a balance was moved by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from workbench.model import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.model import Instrument

__all__ = ["ANSWERS", "Difference", "Reconciliation"]

ANSWERS: Final = ("adopt", "flatten", "ignore")
"""What a person may decide of a difference: take it into the session's position; take it and close everything; leave it
to its owner for good."""

# Looks in a row that must show the same difference.
_LOOKS: Final = 3
# Parts of a lot within which two quantities are the same: float sums of fills.
_SAME: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Difference:
    """What the exchange holds of one symbol, against what the session booked.

    Attributes
    ----------
    symbol : str
        Unified symbol.
    expected, found : float
        In base units, with sign: what was there before the session and its own position; what the exchange says.
    since_ns : int
        Time of the market at which it was first seen, ns UTC.
    looks : int
        In how many looks in a row it was the same.
    """

    symbol: str
    expected: float
    found: float
    since_ns: int
    looks: int = 1

    @property
    def quantity(self) -> float:
        """Base units that the exchange has more, below 0 fewer."""
        return self.found - self.expected

    @property
    def is_certain(self) -> bool:
        """Whether it was seen often enough to be no trade that is still on its way."""
        return self.looks >= _LOOKS

    def __str__(self) -> str:
        side = "more" if self.quantity > 0.0 else "less"
        return (
            f"the exchange has {abs(self.quantity):.8g} {self.symbol.partition('/')[0]} {side} than was booked "
            f"({self.found:.8g}, not {self.expected:.8g}), seen since {utc_text(self.since_ns, to_second=True)}"
        )


class Reconciliation:
    """Compares looks at the exchange with the account; knows nothing of lines and threads.

    Parameters
    ----------
    instruments : sequence of Instrument
        Of the session's symbols.
    before : mapping of str to float
        What the exchange held of each symbol when the session began: it is not the session's.

    Examples
    --------
    >>> from workbench.model import Instrument
    >>> books = Reconciliation([Instrument.of("BTC/USDT")], {"BTC/USDT": 1.0})
    >>> for _ in range(3):
    ...     found = books.look({"BTC/USDT": 1.2}, {"BTC/USDT": 0.5}, 0)
    >>> found[0].is_certain, round(found[0].quantity, 9)
    (True, -0.3)
    """

    def __init__(self, instruments: Sequence[Instrument], before: Mapping[str, float]) -> None:
        self._lots = {one.symbol: one.lot or 0.0 for one in instruments}
        self.before = {symbol: before.get(symbol, 0.0) for symbol in self._lots}
        self._open: dict[str, Difference] = {}

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Those that are certain and not decided."""
        return tuple(one for one in self._open.values() if one.is_certain)

    def look(self, held: Mapping[str, float], booked: Mapping[str, float], time_ns: int) -> tuple[Difference, ...]:
        """Take what the exchange holds and what the account has of each symbol; return what differs now.

        Differences below one lot are dust that no order could take out: they are taken as not the session's.
        """
        found: dict[str, Difference] = {}
        for symbol, lot in self._lots.items():
            expected = self.before[symbol] + booked.get(symbol, 0.0)
            one = Difference(symbol, expected, held.get(symbol, 0.0), time_ns)
            if abs(one.quantity) <= lot * (1.0 - _SAME) or abs(one.quantity) <= _SAME * abs(one.expected):
                continue
            known = self._open.get(symbol)
            if known is not None and abs(known.quantity - one.quantity) <= _SAME * abs(one.quantity):
                one = replace(one, since_ns=known.since_ns, looks=known.looks + 1)
            found[symbol] = one
        self._open = found
        return tuple(found.values())

    def decide(self, symbol: str) -> Difference | None:
        """Close the certain difference of a `symbol` and return it; from now on it counts as not the session's.

        Who adopts it books it as a fill, and takes that out of ``before`` again with `adopted`.
        """
        one = self._open.get(symbol)
        if one is None or not one.is_certain:
            return None
        del self._open[symbol]
        self.before[symbol] += one.quantity
        return one

    def adopted(self, difference: Difference, quantity: float) -> None:
        """Count a `quantity` of a decided `difference` as the session's: it was booked."""
        self.before[difference.symbol] -= quantity
