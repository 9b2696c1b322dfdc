"""All orders of a session: what an exchange says of them, in any order and any number of times, becomes bookings."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, Protocol, TypeVar

from workbench.core.order_state.live_order import LiveOrder

if TYPE_CHECKING:
    from workbench.core.order_state.effects import Ended
    from workbench.core.order_state.intents import Intent
    from workbench.core.order_state.live_order import OrderReport

__all__ = ["Booking", "LiveOrders", "TradeReport"]

# Orders that are done and still remembered, because a trade of theirs may come late.
_MOST_DONE: Final = 1_000
# Orders of which a trade was told before anything else; those of strangers stay there until newer ones push them out.
_MOST_WAITING: Final = 1_000


class TradeReport(Protocol):
    """One trade of ours, as far as it counts here; its id is unique for its symbol."""

    @property
    def trade_id(self) -> str:
        """The exchange's name of the trade."""

    @property
    def order_id(self) -> str:
        """The exchange's name of its order."""

    @property
    def client_order_id(self) -> str | None:
        """Our name of its order; None where the exchange does not tell."""

    @property
    def quantity(self) -> float:
        """Amount in the base currency, above 0."""


TradeT = TypeVar("TradeT", bound=TradeReport)


class Booking(NamedTuple, Generic[TradeT]):
    """Something to book: a trade of an order, or its end when no trade of it has said so."""

    order: LiveOrder
    trade: TradeT | None
    is_done: bool


class LiveOrders(Generic[TradeT]):
    """Matches what an exchange says with the orders that were wanted; each method returns what is to be booked.

    An order is booked as done once and not before all of it that was filled is booked. Trades and states may come in
    any order, twice, and trades before it is known whose they are: those wait.
    """

    def __init__(self) -> None:
        # Counts what was new: of two looks at it, the second says whether what came between told anything.
        self.news = 0
        self._orders: dict[int, LiveOrder] = {}
        self._done: deque[int] = deque()
        self._by_name: dict[str, int] = {}
        self._by_id: dict[str, int] = {}
        self._waiting: OrderedDict[str, list[TradeT]] = OrderedDict()
        self._doubtful: deque[LiveOrder] = deque()
        self._refused_exits: dict[str, int] = {}

    @property
    def outstanding(self) -> int:
        """Orders of which more will be told for certain: unanswered, or ended with fills that have not come yet."""
        return sum(not one.is_reported and not (one.is_answered and one.is_open) for one in self._orders.values())

    def unfinished(self) -> tuple[LiveOrder, ...]:
        """Return the orders of which not everything is booked yet, oldest first."""
        return tuple(one for one in self._orders.values() if not one.is_reported)

    def take_doubtful(self) -> tuple[LiveOrder, ...]:
        """Return, once, orders that are open although it was booked that they had ended: somebody must end them."""
        return tuple(self._doubtful.popleft() for _ in range(len(self._doubtful)))

    def refused_exits(self, symbol: str) -> int:
        """Return how many exits of a `symbol` were refused in a row."""
        return self._refused_exits.get(symbol, 0)

    def forgive_exits(self, symbol: str) -> None:
        """Begin anew to count the refused exits of a `symbol`: a person has looked."""
        self._refused_exits.pop(symbol, None)

    def sent(self, number: int) -> None:
        """Take that an order has left."""
        order = self._orders.get(number)
        if order is not None:
            order.move("sent")

    def doubt(self, number: int) -> None:
        """Take that nobody can tell what became of an order."""
        order = self._orders.get(number)
        if order is not None:
            order.move("unknown")

    def get(self, number: int) -> LiveOrder | None:
        """Return an order by its number; None when it is not known, or forgotten."""
        return self._orders.get(number)

    def number_of(self, client_order_id: str | None) -> int | None:
        """Return the number of an order by our name of it; None for those of strangers."""
        return None if client_order_id is None else self._by_name.get(client_order_id)

    def intend(self, intent: Intent) -> LiveOrder:
        """Take an order that is about to be recorded and sent."""
        order = self._orders[intent.number] = LiveOrder(intent)
        self._by_name[intent.client_order_id] = intent.number
        return order

    def report(self, number: int, report: OrderReport) -> list[Booking[TradeT]]:
        """Take what the exchange says of an order: its name there, its total, and whether it is done."""
        order = self._orders.get(number)
        if order is None:
            return []
        before = order.status
        self.news += order.report(report)
        if order.status != before:
            self._count_refusals(order)
        return self._named(order, report.order_id) + self._finished(order)

    def end(self, number: int, ended: Ended) -> list[Booking[TradeT]]:
        """End an order that will never be."""
        order = self._orders.get(number)
        if order is None:
            return []
        if order.end(ended.status):
            self.news += 1
            self._count_refusals(order)
        elif order.is_open:
            # The exchange has shown it: what it is must be asked.
            self._doubtful.append(order)
        return self._finished(order)

    def trade(self, trade: TradeT) -> list[Booking[TradeT]]:
        """Take a trade; one of an order that is not known yet waits, one of a stranger's until it is forgotten."""
        number = self._by_id.get(trade.order_id)
        if number is not None:
            return self._booked(self._orders[number], trade)
        number = self.number_of(trade.client_order_id)
        if number is not None:
            return self._named(self._orders[number], trade.order_id) + self._booked(self._orders[number], trade)
        waiting = self._waiting.setdefault(trade.order_id, [])
        if all(one.trade_id != trade.trade_id for one in waiting):
            self.news += 1
            waiting.append(trade)
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.popitem(last=False)
        return []

    def is_booked(self, order: LiveOrder, trade: TradeT) -> bool:
        """Return whether a trade was booked before: streams and REST tell the same one."""
        return trade.trade_id in order.trade_ids

    def _count_refusals(self, order: LiveOrder) -> None:
        symbol = order.intent.symbol
        if not order.intent.is_exit or order.intent.is_protective_stop:
            return
        if order.status == "rejected":
            self._refused_exits[symbol] = self.refused_exits(symbol) + 1
        elif order.status in {"acknowledged", "partially_filled", "filled", "cancelled"}:
            self._refused_exits.pop(symbol, None)

    def _named(self, order: LiveOrder, order_id: str) -> list[Booking[TradeT]]:
        """Note the exchange's name of an order, and book the trades that waited for it."""
        order.order_id = order_id
        self._by_id[order_id] = order.intent.number
        waiting = self._waiting.pop(order_id, None)
        return [] if waiting is None else [one for trade in waiting for one in self._booked(order, trade)]

    def _booked(self, order: LiveOrder, trade: TradeT) -> list[Booking[TradeT]]:
        if self.is_booked(order, trade):
            return []
        self.news += 1
        order.book(trade.trade_id, trade.quantity)
        is_done = order.is_complete
        if is_done:
            self._report_end(order)
        return [Booking(order, trade, is_done)]

    def _finished(self, order: LiveOrder) -> list[Booking[TradeT]]:
        """Book the end of an order when nothing of it is missing and no trade of it has said so."""
        if order.is_open:
            if order.is_reported:
                self._doubtful.append(order)
            return []
        if order.is_reported or not order.is_complete:
            return []
        self._report_end(order)
        return [Booking(order, None, is_done=True)]

    def _report_end(self, order: LiveOrder) -> None:
        """Remember an order as done; a fill of it that comes all the same is a fact and is booked."""
        if order.is_reported:
            return
        order.is_reported = True
        self._done.append(order.intent.number)
        if len(self._done) > _MOST_DONE:
            oldest = self._orders.pop(self._done.popleft())
            self._by_name.pop(oldest.intent.client_order_id, None)
            self._by_id.pop(oldest.order_id or "", None)
