"""Which order of an exchange is which fill of the simulation."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from workbench.core.reports import RESTING_STOPS
from workbench.model import REPORT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from workbench.core import Ledger

__all__ = ["FilledOrder", "Print", "exchange_orders", "match_orders", "simulated_orders"]


class Print(NamedTuple):
    """One execution: when, the signed quantity (+ bought), and the price."""

    time_ns: int
    signed: float
    price: float


class FilledOrder(NamedTuple):
    """An order that was filled, in whole or in part.

    Attributes
    ----------
    symbol : int
        Index of its symbol.
    is_exit : bool
        Whether it closed a position.
    time_ns : int
        When it was sent, ns UTC; for a simulated one, when it was filled.
    prints : tuple of Print
        Its executions, all of one side.
    fee : float
        What all of them cost, in quote currency.
    """

    symbol: int
    is_exit: bool
    time_ns: int
    prints: tuple[Print, ...]
    fee: float

    @property
    def signed(self) -> float:
        """What was bought (+) or sold (-), in units of the base currency."""
        return sum(one.signed for one in self.prints)

    @property
    def notional(self) -> float:
        """What was paid (+) or received (-) without the fee, in quote currency."""
        return sum(one.signed * one.price for one in self.prints)


def simulated_orders(ledger: Ledger) -> list[FilledOrder]:
    """Return each fill of a simulation as an order."""
    held: dict[int, float] = defaultdict(float)
    orders = []
    for row in ledger.fills:
        symbol, time_ns = int(row["symbol"]), int(row["time_ns"])
        signed = float(row["side"]) * float(row["quantity"])
        orders.append(
            FilledOrder(
                symbol,
                held[symbol] * signed < 0.0,
                time_ns,
                (Print(time_ns, signed, float(row["price"])),),
                float(row["fee"]),
            )
        )
        held[symbol] += signed
    return orders


def exchange_orders(ledger: Ledger, events: NDArray[np.void]) -> list[FilledOrder]:
    """Return the orders that an exchange reported as filled, in the order of their first fills.

    Parameters
    ----------
    ledger : Ledger
        The session's, which knows what was requested.
    events : ndarray of EVENT
        What the session recorded.
    """
    requests = {int(row["number"]): row for row in ledger.requests}
    groups: dict[tuple[int, int], list[np.void]] = {}
    for place, event in enumerate(events[(events["kind"] == REPORT) & (events["a"] != 0.0)]):
        number = int(event["d"])
        # What nobody asked for, such as a correction, stands by itself.
        key = (number, 0) if number in requests or number >= RESTING_STOPS else (-1, place)
        groups.setdefault(key, []).append(event)
    orders = []
    held: dict[int, float] = defaultdict(float)
    for (number, _), rows in groups.items():
        symbol = int(rows[0]["symbol"])
        prints = tuple(Print(int(row["time_ns"]), float(row["a"]), float(row["b"])) for row in rows)
        request = requests.get(number)
        is_exit = held[symbol] * prints[0].signed < 0.0 if request is None else bool(request["is_exit"])
        time_ns = prints[0].time_ns if request is None else int(request["time_ns"])
        orders.append(FilledOrder(symbol, is_exit, time_ns, prints, sum(float(row["c"]) for row in rows)))
        held[symbol] += orders[-1].signed
    return orders


def match_orders(
    simulated: Sequence[FilledOrder], real: Sequence[FilledOrder]
) -> tuple[list[tuple[FilledOrder, FilledOrder]], list[FilledOrder], list[FilledOrder]]:
    """Return the pairs of orders that are the same decision, and those of either side that are left.

    A request leaves at the very price at which the simulation fills, so most pairs have one time. Where the accounts
    have parted, an order is paired with the nearest of its kind that lies between the pairs around it.
    """
    pairs: dict[int, int] = {}
    places: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for place, one in enumerate(simulated):
        places[_kind(one), one.time_ns].append(place)
    for place, one in enumerate(real):
        found = places[_kind(one), one.time_ns]
        if found:
            pairs[place] = found.pop(0)
    for place, one in enumerate(real):
        if place not in pairs:
            nearest = _nearest(place, one, simulated, real, pairs)
            if nearest is not None:
                pairs[place] = nearest
    taken = set(pairs.values())
    return (
        [(simulated[other], real[place]) for place, other in sorted(pairs.items())],
        [one for place, one in enumerate(simulated) if place not in taken],
        [one for place, one in enumerate(real) if place not in pairs],
    )


def _kind(one: FilledOrder) -> tuple[int, bool, bool]:
    return one.symbol, one.is_exit, one.signed > 0.0


def _nearest(
    place: int, one: FilledOrder, simulated: Sequence[FilledOrder], real: Sequence[FilledOrder], pairs: dict[int, int]
) -> int | None:
    """Return the place of the free simulated order nearest in time that crosses no pair of its symbol, or None."""
    mine = {other: pair for other, pair in pairs.items() if real[other].symbol == one.symbol}
    first = max((pair for other, pair in mine.items() if other < place), default=-1)
    last = min((pair for other, pair in mine.items() if other > place), default=len(simulated))
    free = [
        other
        for other in range(first + 1, last)
        if _kind(simulated[other]) == _kind(one) and other not in mine.values()
    ]
    return min(free, key=lambda other: abs(simulated[other].time_ns - one.time_ns), default=None)
