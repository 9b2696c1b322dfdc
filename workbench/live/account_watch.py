"""Looks now and then whether the exchange holds what the session booked, and carries out what a person decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.live.reconciliation import Difference, Reconciliation
from workbench.model import EVENT, REPORT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from workbench.live.clock import Clock
    from workbench.live.order_line import OrderLine
    from workbench.live.record import SessionRecord
    from workbench.model import AccountState, Instrument

__all__ = ["FOREIGN", "AccountWatch"]

FOREIGN: Final = -1.0
"""Request number of a report that books what no order of the session did."""

_KIND: Final = "adjust"
_NS_PER_S: Final = 1_000_000_000
# Real time between two looks, and between looks while one shows a difference: three of them take longer than an
# exchange's lists may lag behind.
_EVERY_NS: Final = 30 * _NS_PER_S
_AGAIN_NS: Final = 8 * _NS_PER_S


class AccountWatch:
    """Compares the account of a session with the exchange's word; the session's thread alone calls it.

    Parameters
    ----------
    orders : OrderLine
        Asks the exchange.
    instruments : sequence of Instrument
        Of the session's symbols.
    record : SessionRecord
        Keeps what was there before the session, and every decision.
    clock : Clock
        Real time.
    """

    def __init__(
        self, orders: OrderLine, instruments: Sequence[Instrument], record: SessionRecord, clock: Clock
    ) -> None:
        self._orders = orders
        self._instruments = tuple(instruments)
        self._record = record
        self._clock = clock
        self._asked_ns = clock.monotonic_ns()
        self._told: tuple[Difference, ...] = ()
        self._books = Reconciliation(instruments, self._known_before())

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What is certain and not decided."""
        return self._books.differences

    def look(self, account: AccountState, time_ns: int) -> tuple[str, ...]:
        """Ask when it is time, compare what has come, and return what people should know.

        Parameters
        ----------
        account : AccountState
            The session's.
        time_ns : int
            Time of the market, ns UTC.
        """
        told: list[str] = []
        held = self._orders.holdings.take(is_busy=self._orders.outstanding > 0)
        if held is not None:
            booked = self._orders.unbooked
            for position in account.positions:
                booked[position.symbol] += position.quantity
            found = self._books.look(held, booked, time_ns)
            certain = self._books.differences
            told = [str(one) for one in certain if one.symbol not in {known.symbol for known in self._told}]
            self._told = certain
            self._asked_ns = self._clock.monotonic_ns() - (_EVERY_NS - _AGAIN_NS if len(found) > len(certain) else 0)
        elif not self._orders.outstanding and self._clock.monotonic_ns() - self._asked_ns >= _EVERY_NS:
            self._asked_ns = self._clock.monotonic_ns()
            self._orders.holdings.look()
        return tuple(told)

    def next_ns(self) -> int:
        """Return after how much real time the next look is due, ns; while an order is open its report comes first."""
        if self._orders.outstanding:
            return _EVERY_NS
        return max(0, self._asked_ns + _EVERY_NS - self._clock.monotonic_ns())

    def decide(self, answer: str, account: AccountState, prices: Mapping[str, float], time_ns: int) -> NDArray[np.void]:
        """Carry out a person's answer to every certain difference.

        Parameters
        ----------
        answer : str
            One of ``ANSWERS``.
        account : AccountState
            The session's.
        prices : mapping of str to float
            Last price of each symbol, at which an adopted quantity is booked; without one it stays undecided.
        time_ns : int
            Time of the market, ns UTC.

        Returns
        -------
        ndarray of EVENT
            Rows that book what was adopted.
        """
        rows = []
        for one in self._books.differences:
            adopts = answer != "ignore"
            if adopts and one.symbol not in prices:
                continue
            self._books.decide(one.symbol)
            quantity = self._adoptable(one, account) if adopts else 0.0
            if quantity:
                self._books.adopted(one, quantity)
                symbol = [each.symbol for each in self._instruments].index(one.symbol)
                rows.append((REPORT, symbol, time_ns, quantity, prices[one.symbol], 0.0, FOREIGN, 0.0, 0))
            body = {"answer": answer, "symbol": one.symbol, "quantity": one.quantity, "adopted": quantity}
            self._record.note(_KIND, time_ns, {**body, "before": self._books.before})
        self._told = self._books.differences
        return np.array(rows, dtype=EVENT)

    def _adoptable(self, difference: Difference, account: AccountState) -> float:
        """Return what can be booked of a difference: on spot no position falls below nothing."""
        instrument = next(one for one in self._instruments if one.symbol == difference.symbol)
        position = account.position(difference.symbol)
        held = 0.0 if position is None else position.quantity
        return difference.quantity if instrument.kind != "spot" else max(difference.quantity, -held)

    def _known_before(self) -> Mapping[str, float]:
        """Return what was there before the session: as noted, or, for a new session, as the exchange says now."""
        notes = self._record.notes(_KIND)
        if notes:
            before: Mapping[str, float] = notes[-1].body["before"]
            return before
        before = self._orders.holdings.ask()
        self._record.note(_KIND, 0, {"before": before})
        return before
