"""Keeps one stop at the exchange for each position of a session: decides, and leaves it to an order line to send.

All that is known of a stop is in its order, which the journal's notes bring back; what is kept here beside it only
spaces the tries.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from workbench.core.order_state import Ended, Intent
from workbench.core.reports import RESTING_STOPS
from workbench.live import resting_stop
from workbench.live.notices import Notice
from workbench.live.resting_stop import PLACE_AGAIN_S, is_crossed, is_impossible, must_go, wanted_stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.order_state import LiveOrder, LiveOrders
    from workbench.exchange import OwnTrade
    from workbench.model import AccountState, ExchangeRequest, Instrument
    from workbench.model.orders import OrderSide

__all__ = ["NewStop", "StopKeeper"]

_NS_PER_S: Final = 1_000_000_000
_NEVER_WAS: Final = ("rejected", "never_arrived", "expired")
_REJECTED: Final = Ended("rejected", "the exchange rejected it")


class NewStop(NamedTuple):
    """An order to be sent: a stop at a `level`, or, where the level is None, an exit at once."""

    number: int
    symbol: str
    side: OrderSide
    quantity: float
    level: float | None

    def intent(self, client_order_id: str, time_ns: int, expires_ns: int) -> Intent:
        """Return the order to be recorded and sent."""
        return Intent(
            number=self.number,
            client_order_id=client_order_id,
            symbol=self.symbol,
            side=self.side,
            quantity=self.quantity,
            kind="market" if self.level is None else "stop",
            price=self.level,
            time_in_force="gtc",
            is_exit=True,
            time_ns=time_ns,
            expires_ns=expires_ns,
        )


@dataclass(slots=True)
class _Guard:
    """What is known of the protection of one symbol."""

    instrument: Instrument
    order: LiveOrder | None = None
    is_told: bool = False
    is_cancelled: bool = False
    placed_ns: int | None = None
    not_before_ns: int | None = None
    refusals: int = 0
    is_crossed: bool = False
    is_impossible: bool = False


@dataclass(frozen=True, slots=True)
class _HeldBack:
    """An exit that waits for the end of a stop, of which so much was filled when it was asked for."""

    request: ExchangeRequest
    order: LiveOrder
    filled: float


class StopKeeper:
    """Says which stops are to be placed and cancelled, and holds exits back while a stop may still be executed.

    Parameters
    ----------
    instruments : sequence of Instrument
        Of the session's symbols.
    orders : LiveOrders
        The session's orders, stops among them: their numbers begin at ``RESTING_STOPS``.
    """

    def __init__(self, instruments: Sequence[Instrument], orders: LiveOrders[OwnTrade]) -> None:
        self._orders = orders
        self._guards = {one.symbol: _Guard(one) for one in instruments}
        self._next = RESTING_STOPS
        self._ends: dict[int, Ended] = {}
        self._held: list[_HeldBack] = []
        self._notices: deque[Notice] = deque()

    @property
    def outstanding(self) -> int:
        """Exits that wait for the end of a stop."""
        return len(self._held)

    @property
    def unprotected(self) -> tuple[str, ...]:
        """Symbols whose stop was crossed before it could rest, while they are being closed."""
        return tuple(symbol for symbol, guard in self._guards.items() if guard.is_crossed)

    def restore(self, numbers: set[int]) -> None:
        """Take up the stops of a process that is gone; `numbers` are those of all recorded requests."""
        self._next = max(RESTING_STOPS, 1 + max(numbers, default=0))
        for order in self._orders.unfinished():
            if order.intent.number >= RESTING_STOPS:
                self._guards[order.intent.symbol].order = order

    def resting(self) -> tuple[str, ...]:
        """Return what rests at the exchange, in words."""
        return tuple(
            _text(guard.order) for guard in self._guards.values() if guard.order is not None and _rests(guard.order)
        )

    def notices(self) -> tuple[Notice, ...]:
        """Return what people should know, oldest first, and forget it."""
        return tuple(self._notices.popleft() for _ in range(len(self._notices)))

    def begun(self, order: LiveOrder) -> None:
        """Take that a stop is on its way."""
        guard = self._guards[order.intent.symbol]
        guard.order, guard.is_cancelled = order, False

    def ended(self, number: int, ended: Ended) -> None:
        """Take why a stop never came to be."""
        self._ends[number] = ended

    def holds_back(self, request: ExchangeRequest) -> bool:
        """Return whether an exit must wait for the end of a stop, and keep it then."""
        order = self._guards[request.symbol].order
        if not request.is_exit or request.cancels is not None or order is None or order.is_reported:
            return False
        self._held.append(_HeldBack(request, order, order.booked))
        return True

    def look(self, account: AccountState, now_ns: int) -> list[NewStop | int]:
        """Return what is to be done now: stops to be placed, and numbers of orders to be cancelled.

        Parameters
        ----------
        account : AccountState
            The session's, with every report booked that was taken.
        now_ns : int
            Real time since some instant, ns.
        """
        steps = (self._step(symbol, account, now_ns) for symbol in self._guards)
        return [one for one in steps if one is not None]

    def release(self, account: AccountState) -> list[tuple[ExchangeRequest, float]]:
        """Return the exits whose stop has ended, each with what is left for it, 0 where that is less than one lot."""
        ready = [one for one in self._held if one.order.is_reported]
        self._held = [one for one in self._held if not one.order.is_reported]
        return [(one.request, self._left(one, account)) for one in ready]

    # ---- one symbol ----

    def _step(self, symbol: str, account: AccountState, now_ns: int) -> NewStop | int | None:
        guard = self._guards[symbol]
        position = account.position(symbol)
        wanted = wanted_stop(position, guard.instrument)
        self._heed(guard, now_ns)
        is_held = any(one.request.symbol == symbol for one in self._held)
        if position is None:
            guard.is_crossed, guard.refusals = False, 0
        order = guard.order
        if order is not None:
            may_follow = now_ns - (guard.placed_ns or 0) >= resting_stop.REPLACE_S * _NS_PER_S
            goes = is_held or must_go(order, wanted, guard.instrument, may_follow=may_follow or guard.placed_ns is None)
            if not goes or not order.is_open or not order.intent.is_protective_stop:
                return None
            guard.is_cancelled = True
            return order.intent.number
        is_waiting = guard.not_before_ns is not None and now_ns < guard.not_before_ns
        if wanted is None or is_held or is_waiting or guard.is_impossible or self._is_leaving(symbol):
            return None
        guard.placed_ns = now_ns
        self._next += 1
        level = None if guard.is_crossed else wanted.level
        return NewStop(self._next - 1, symbol, wanted.side, wanted.quantity, level)

    def _is_leaving(self, symbol: str) -> bool:
        """Return whether an exit is under way that the core asked for."""
        return any(one.intent.is_exit and one.intent.symbol == symbol for one in self._orders.unfinished())

    def _heed(self, guard: _Guard, now_ns: int) -> None:
        """Take what has become of the symbol's order."""
        order = guard.order
        if order is None:
            return
        if not order.is_reported:
            if _rests(order) and not guard.is_told:
                guard.is_told, guard.refusals = True, 0
                self._tell(f"{_text(order)} rests at the exchange")
            return
        guard.order = None
        if order.status in _NEVER_WAS:
            self._refused(guard, order, now_ns)
        elif order.status == "filled":
            guard.is_told = False
            self._tell(f"{_text(order)} was executed by the exchange")
        elif not guard.is_cancelled:
            guard.is_told = False
            self._tell(f"{_text(order)} was ended at the exchange, not by this session")

    def _refused(self, guard: _Guard, order: LiveOrder, now_ns: int) -> None:
        ended = self._ends.pop(order.intent.number, _REJECTED)
        reason = ended.reason
        symbol = order.intent.symbol
        guard.is_told = False
        if is_impossible(reason):
            guard.is_impossible = True
            self._tell(f"{symbol} has no stop at the exchange, only the one that this session watches: {reason}")
            return
        if not order.intent.is_protective_stop:
            self._tell(f"{symbol} is UNPROTECTED: leaving at market failed: {reason}; it is tried again")
            return
        if order.status == "rejected" and is_crossed(reason, ended.code):
            guard.is_crossed = True
            self._tell(f"{symbol} is UNPROTECTED: {_text(order)} is crossed already: {reason}; leaving at market")
            return
        wait_s = PLACE_AGAIN_S[min(guard.refusals, len(PLACE_AGAIN_S) - 1)]
        guard.refusals += 1
        guard.not_before_ns = now_ns + int(wait_s * _NS_PER_S)
        self._tell(
            f"{symbol} has no stop at the exchange: {reason}; it is tried again in {wait_s:g} s",
            needs_person=guard.refusals >= len(PLACE_AGAIN_S),
        )

    def _left(self, held: _HeldBack, account: AccountState) -> float:
        symbol = held.request.symbol
        position = account.position(symbol)
        filled = held.order.booked - held.filled
        left = min(held.request.quantity - filled, 0.0 if position is None else abs(position.quantity))
        is_lot = left > 0.0 and float(self._guards[symbol].instrument.quantize_quantity(left)) > 0.0
        return left if is_lot else 0.0

    def _tell(self, text: str, *, needs_person: bool = False) -> None:
        self._notices.append(Notice(0, "stop", text, needs_person=needs_person))


def _rests(order: LiveOrder) -> bool:
    return order.is_open and order.is_answered and order.intent.is_protective_stop


def _text(order: LiveOrder) -> str:
    intent = order.intent
    if not intent.is_protective_stop:
        return f"an exit of {intent.quantity:.8g} {intent.symbol}"
    return f"a stop of {intent.quantity:.8g} {intent.symbol} at {intent.price:.10g}"
