"""From the core's requests to orders at an exchange, and from what the exchange says to the core's reports.

The rules are those of `workbench.core.order_state`: an intent is durable before its order is sent, an order is sent
once, what nobody can tell is asked for until it is certain, and a trade is booked once, by the exchange's own id. Here
the session's thread records and books, and the line's thread sends, asks and waits.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.core.order_state import Ended, Found, Intent, Journal, Procedures
from workbench.core.reports import RESTING_STOPS
from workbench.errors import ConfigError, ExchangeError
from workbench.exchange import TOO_MANY_ORDERS, OrderState, OwnTrade
from workbench.live.holdings import holdings_of
from workbench.live.notices import Notice
from workbench.live.open_orders import OpenOrder
from workbench.live.order_effects import OrderDoubted, OrderSent, intent_of
from workbench.live.order_notes import NoteReader, cancel_body, state_body, trade_body
from workbench.live.order_record import OrderRecord
from workbench.live.order_resolution import problem_of
from workbench.live.order_tasks import OrderPlaced, OrderTasks, Placing, TradesComplete
from workbench.live.report_book import ReportBook
from workbench.live.stop_keeper import StopKeeper
from workbench.live.timing import DurationHistogram
from workbench.model import EVENT

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from numpy.typing import NDArray

    from workbench.core.order_state import LiveOrder
    from workbench.exchange import ExchangeClient
    from workbench.live.exchange_line import ExchangeLine
    from workbench.live.order_journal import OrderJournal, OrderNote
    from workbench.model import AccountState, ExchangeRequest, Instrument

__all__ = ["OrderLine"]

_NS_PER_S: Final = 1_000_000_000
# An order that could not leave within so many real seconds was decided on another market.
_LIFETIME_S: Final = 10.0
# Own trades are fetched from this long before the time up to which all are known, real seconds: lists may lag.
_OVERLAP_S: Final = 10.0
_MOST_NOTICES: Final = 1_000
_ENDS: Final = {"rejected": "was refused", "never_arrived": "never arrived", "expired": "was not sent"}


@dataclass(frozen=True, slots=True)
class _CancelDone:
    """A cancel came to its end, or to a person."""

    number: int


@dataclass(frozen=True, slots=True)
class _Holdings:
    """What the account holds, by symbol."""

    held: dict[str, float]


class OrderLine:
    """Carries out a session's requests at an exchange; the session's thread alone calls it.

    Parameters
    ----------
    line : ExchangeLine
        With a client that has credentials.
    instruments : sequence of Instrument
        Of the session's symbols.
    session_id : str
        What the client order ids are made of: two sessions never share one.
    """

    def __init__(self, line: ExchangeLine, instruments: Sequence[Instrument], session_id: str) -> None:
        self._line = line
        self._prefix = "wb" + hashlib.sha256(session_id.encode()).hexdigest()[:14]
        self._instruments = tuple(instruments)
        self._symbols = tuple(one.symbol for one in instruments)
        self._holdings: dict[str, float] | None = None
        self._is_disturbed = False
        self._record = OrderRecord(line.now_ns, self._put)
        self._latency = DurationHistogram()
        self._sent_ns: dict[int, int] = {}
        self._book = ReportBook(tuple(instruments))
        self._stops = StopKeeper(instruments, self._book.orders)
        self._procedures = Procedures()
        self._inbox: deque[Any] = deque()
        self._notices: deque[Notice] = deque(maxlen=_MOST_NOTICES)
        self._wake = threading.Event()
        self._placing: dict[int, Placing] = {}
        self._recovering: set[int] = set()
        self._cancelling: set[int] = set()
        self._held_back: dict[int, str] = {}
        self._late: dict[int, Ended] = {}
        self._tasks = OrderTasks(line.timing, self._symbols, self._put)
        self._is_audited = False
        line.run(self._tasks.watch, self._broken)

    @property
    def outstanding(self) -> int:
        """Requests, cancels too, of which it is not yet known what became of them; a resting order is known."""
        return self._book.outstanding + len(self._cancelling) + self._stops.outstanding

    @property
    def recovering(self) -> int:
        """Orders of a process before this one that are being asked for; none once that has come to need a person."""
        return len(self._recovering)

    @property
    def unprotected(self) -> tuple[str, ...]:
        """Symbols that nothing protects: their exit was refused as often as it is tried, or their stop was crossed."""
        return tuple(sorted({*self._held_back.values(), *self._stops.unprotected}))

    @property
    def resting_stops(self) -> tuple[str, ...]:
        """The stops that rest at the exchange, in words."""
        return self._stops.resting()

    @property
    def open_orders(self) -> tuple[OpenOrder, ...]:
        """The orders of which more may still be heard, oldest first, with the stops that rest."""
        return tuple(map(OpenOrder.of, self._book.orders.unfinished()))

    @property
    def unbooked(self) -> dict[str, float]:
        """What fees left of each symbol in the account and in no position, in base units; below 0 what they took."""
        return self._book.unbooked

    @property
    def has_news(self) -> bool:
        """Whether something has come that was not taken yet."""
        return bool(self._inbox)

    def require_funds(self, cash: float) -> None:
        """Check that the account has the session's `cash` free.

        Raises
        ------
        ConfigError
            It has less.
        ExchangeError
            It could not be asked.
        """
        quote = self._symbols[0].partition("/")[2].partition(":")[0]

        async def ask(client: ExchangeClient) -> float:
            balance = (await client.balances()).get(quote)
            return 0.0 if balance is None else balance.free

        free = self._line.ask(ask)
        if cash > free:
            raise ConfigError(f"cash must be at most what the account has free, {free:,.2f} {quote}, was {cash:,.2f}")

    def ask_holdings(self) -> dict[str, float]:
        """Return what the account holds of each symbol, in base units, asked for now.

        Raises
        ------
        ExchangeError
            The exchange did not say.
        """
        return self._line.ask(partial(holdings_of, instruments=self._instruments))

    def look_at_holdings(self) -> None:
        """Ask in the background what the account holds; `take_holdings` returns it when it has come."""
        self._holdings = None
        self._is_disturbed = False

        async def look(client: ExchangeClient) -> None:
            try:
                self._put(_Holdings(await holdings_of(client, self._instruments)))
            except ExchangeError as error:
                # Not to know is not to hold nothing: the next look asks again.
                self._put(Notice(0, "account", f"the exchange did not say what it holds: {error}"))

        self._line.run(look, self._broken)

    def take_holdings(self) -> dict[str, float] | None:
        """Return what the account was said to hold, once; None when nothing came, or orders changed it meanwhile."""
        held, self._holdings = self._holdings, None
        return None if self._is_disturbed or self.outstanding else held

    def listen(self, wake: threading.Event) -> None:
        """Set `wake` whenever something comes."""
        self._wake = wake
        wake.set()

    def record(self, journal: OrderJournal, latency: DurationHistogram | None = None) -> None:
        """Keep in `journal` what must outlive this process, and in `latency` how long each order took until its answer.

        Call it before anything is sent.
        """
        self._record.journal = journal
        self._latency = self._latency if latency is None else latency

    def restore(
        self, notes: Iterable[OrderNote], requests: Sequence[ExchangeRequest], reports: NDArray[np.void]
    ) -> None:
        """Take up the orders of a process that is gone: find out what became of them, and send none of them again.

        Parameters
        ----------
        notes : iterable of OrderNote
            All notes of the journal, oldest first; those that are not about orders are left out.
        requests : sequence of ExchangeRequest
            What the core asked for when the recorded inputs were replayed: of those that are still in flight, at least.
            One that has no recorded intent was never sent, and is reported as done with nothing filled.
        reports : ndarray of EVENT
            The recorded rows of kind ``REPORT``, in their order. What the notes tell beyond them comes with `take`.

        Raises
        ------
        JournalError
            The notes and the recorded reports contradict each other.
        """
        reader = NoteReader(self._book)
        for note in notes:
            reader.read(note)
        self._book.leave_out(reports.tolist())
        self._stops.restore(reader.recorded)
        unfinished = self._book.orders.unfinished()
        for order in unfinished:
            self._begin_placing(order, partial(self._tasks.recover, order))
            if not order.is_answered:
                self._recovering.add(order.intent.number)
        for request in requests:
            if request.number not in reader.recorded:
                self._never_sent(request, "the session ended before it was recorded")
        # What waits to be cancelled, and what is open although it was booked as done.
        doubtful = {order.intent.number for order in self._book.orders.take_doubtful()}
        for number in sorted(reader.cancelled | doubtful):
            self._cancel(number)
        if reader.recorded:
            # An exchange may take no time before its first one, so what was never complete begins with the first order.
            complete_ns = reader.begun_ns if reader.complete_to_ns is None else reader.complete_to_ns
            known_ns = [complete_ns, *(order.intent.time_ns for order in unfinished)]
            self._audit(min(known_ns) - self._market_ns(_OVERLAP_S))

    def send(self, requests: Sequence[ExchangeRequest]) -> None:
        """Record requests for good, and then carry them out in the background and in their order.

        What is buffered in the journal becomes durable with them. When it cannot be, no order leaves, and each is
        reported as done with nothing filled; cancels go out all the same. An exit waits while a stop of its symbol may
        be executed at the exchange: `protect` sends what is left of it then.
        """
        requests = [request for request in requests if not self._stops.holds_back(request)]
        intents: list[Intent] = []
        for request in requests:
            if request.cancels is not None:
                self._record.note("intent", request.time_ns, cancel_body(request, self.client_order_id(request.number)))
                continue
            if self._book.orders.get(request.number) is not None:
                # An exchange may well execute it again once the first is filled.
                text = f"order {request.number} was asked for twice; it is not sent again"
                self._put(Notice(0, "order", text, needs_person=True))
                continue
            intents.append(self._intent(request))
        self._begin(intents, is_wanted=bool(requests))
        for request in requests:
            if request.cancels is not None:
                self._cancel(request.cancels)

    def protect(self, account: AccountState) -> None:
        """Keep a stop at the exchange for each position, and let exits go on whose stop has ended.

        Parameters
        ----------
        account : AccountState
            The session's, with every report booked that was taken.
        """
        if self._recovering or self._book.has_rows:
            return
        for one in self._stops.look(account, self._line.timing.monotonic_ns()):
            if isinstance(one, int):
                self._cancel(one)
            else:
                name, expires_ns = self.client_order_id(one.number), self._expires_ns()
                self._begin([one.intent(name, account.time_ns, expires_ns)], is_wanted=True)
        self._notices.extend(self._stops.notices())
        for request, left in self._stops.release(account):
            if left > 0.0:
                self.send((replace(request, quantity=left),))
            else:
                self._never_sent(request, "the stop at the exchange has closed the position")

    def _begin(self, intents: Sequence[Intent], *, is_wanted: bool) -> None:
        """Record intents for good, with all that is buffered, and let them go their way."""
        self._is_disturbed = self._is_disturbed or is_wanted
        begun: list[tuple[Intent, Any, bool]] = []
        for intent in intents:
            expected = self._book.expect(intent)
            if intent.number >= RESTING_STOPS:
                self._stops.begun(expected)
            placing = self._procedures.place(intent, self._book.orders.refused_exits(intent.symbol))
            wanted = next(placing)
            is_noted = isinstance(wanted, Journal) and self._record.intent(wanted.intent)
            begun.append((intent, placing, is_noted))
        is_durable = not is_wanted or self._record.commit()
        if begun:
            self._audit(None)
        for intent, placing, is_noted in begun:
            order = self._book.orders.get(intent.number)
            if order is not None:
                self._sent_ns[intent.number] = self._line.timing.monotonic_ns()
                self._begin_placing(order, partial(self._tasks.place, intent, placing, is_noted and is_durable))

    def retry_exits(self) -> None:
        """Let exits that were refused too often be asked for anew, from the foot of the ladder: a person has looked."""
        for number, symbol in list(self._held_back.items()):
            self._ended(number, Ended("rejected", "it is tried anew, as a person asked"))
            self._book.orders.forgive_exits(symbol)
        self._wake.set()

    def withdraw(self) -> None:
        """Cancel every entry that may rest, also one that nobody waits for since its cancel came to a person."""
        for order in self._book.orders.unfinished():
            if not order.intent.is_exit and order.intent.kind != "market":
                self._cancel(order.intent.number)

    def resolve(self, number: int) -> str:
        """End an order of which nobody can tell, as a person has seen that it never arrived; return what came of it."""
        order, placing = self._book.orders.get(number), self._placing.get(number)
        asked_ns = 0 if placing is None else self._line.timing.monotonic_ns() - placing.began_ns
        problem = problem_of(number, order, asked_ns / _NS_PER_S, is_held_back=number in self._held_back)
        if problem is not None:
            return problem
        # It is asked for on and on: should it show up after all, it is cancelled, and what it filled is booked.
        self._placing.pop(number, None)
        self._recovering.discard(number)
        self._sent_ns.pop(number, None)
        self._ended(number, Ended("never_arrived", "a person has looked at the exchange"))
        self._wake.set()
        return f"order {number} counts as never arrived"

    def take(self) -> NDArray[np.void]:
        """Return the reports that have come, rows of kind ``REPORT`` in the order in which they are to be booked.

        What they come from is noted in the journal; both belong into one transaction.
        """
        late, self._late = self._late, {}
        for number, ended in late.items():
            self._ended(number, ended)
        while self._inbox:
            item = self._inbox.popleft()
            if isinstance(item, _Holdings):
                self._holdings = item.held
            else:
                self._take(item)
        for order in self._book.orders.take_doubtful():
            self._notices.append(
                Notice(0, "order", f"{order.intent.text} is open although it had ended; cancelling it")
            )
            self._cancel(order.intent.number)
        return np.array(self._book.take(), dtype=EVENT)

    def notices(self) -> tuple[Notice, ...]:
        """Return what people should know, oldest first, and forget it."""
        return tuple(self._notices.popleft() for _ in range(len(self._notices)))

    def client_order_id(self, number: int) -> str:
        """Return the name at the exchange of the request with this `number`, in letters and digits: OKX takes no other.

        An order of an earlier process keeps the name that was recorded: that of an older version has a dash in it.
        """
        order = self._book.orders.get(number)
        return f"{self._prefix}n{number}" if order is None else order.intent.client_order_id

    # ---- what is wanted ----

    def _intent(self, request: ExchangeRequest) -> Intent:
        return intent_of(request, self.client_order_id(request.number), self._expires_ns())

    def _begin_placing(self, order: LiveOrder, task: Callable[..., Coroutine[Any, Any, None]]) -> None:
        placing = self._placing[order.intent.number] = Placing(self._line.timing.monotonic_ns())
        self._line.run(partial(task, placing), self._broken)

    def _audit(self, since_ns: int | None) -> None:
        if not self._is_audited:
            self._is_audited = True
            self._line.run(partial(self._tasks.audit, since_ns), self._broken)

    def _never_sent(self, request: ExchangeRequest, reason: str) -> None:
        if request.cancels is not None:
            self._record.note("intent", request.time_ns, cancel_body(request, self.client_order_id(request.number)))
            self._cancel(request.cancels)
            return
        intent = self._intent(request)
        self._book.expect(intent)
        self._record.intent(intent)
        self._ended(intent.number, Ended("expired", reason))

    def _cancel(self, number: int) -> None:
        order = self._book.orders.get(number)
        if order is None or not order.is_open or number in self._cancelling:
            return
        self._cancelling.add(number)
        procedure = self._procedures.cancel(order.intent)
        placing = self._placing.get(number)
        self._line.run(partial(self._tasks.cancel, procedure, placing, _CancelDone(number)), self._broken)

    # ---- what has come ----

    def _take(self, item: object) -> None:
        if isinstance(item, Notice):
            self._heed(item)
        elif isinstance(item, OwnTrade):
            self._is_disturbed = True
            if self._book.trade(item):
                self._record.note("trade", item.time_ns, trade_body(item))
        elif isinstance(item, OrderState):
            self._told(self._book.orders.number_of(item.client_order_id), item)
        elif isinstance(item, OrderPlaced):
            self._placed(item)
        elif isinstance(item, OrderSent):
            self._book.orders.sent(item.number)
            body = {"client_order_id": self.client_order_id(item.number), "number": item.number}
            self._record.note("sent", item.time_ns, body)
        elif isinstance(item, OrderDoubted):
            self._book.orders.doubt(item.number)
            self._record.doubted(item.number, self.client_order_id(item.number), item.reason)
        elif isinstance(item, TradesComplete):
            self._record.note("trade", item.to_ns, {"complete_to_ns": item.to_ns})
        elif isinstance(item, _CancelDone):
            self._cancelling.discard(item.number)

    def _heed(self, notice: Notice) -> None:
        self._notices.append(notice)
        if notice.needs_person:
            # Waiting does not mend it, and the other positions need their exits. Nothing is opened until a person says
            # so, and what is still unknown stays in flight.
            self._recovering.clear()

    def _placed(self, item: OrderPlaced) -> None:
        self._placing.pop(item.number, None)
        sent_ns = self._sent_ns.pop(item.number, None)
        if sent_ns is not None:
            self._latency.record(self._line.timing.monotonic_ns() - sent_ns)
        self._recovering.discard(item.number)
        order = self._book.orders.get(item.number)
        if item.placed is None and order is not None:
            self._held_back[item.number] = order.intent.symbol
        if isinstance(item.placed, Ended):
            self._ended(item.number, item.placed)
        elif isinstance(item.placed, Found) and isinstance(item.placed.report, OrderState):
            self._told(item.number, item.placed.report)

    def _told(self, number: int | None, state: OrderState) -> None:
        if number is not None:
            self._held_back.pop(number, None)
        if number is not None and self._book.state(number, state):
            time_ns = state.update_ns or state.time_ns
            self._record.note("order_state", time_ns, state_body(number, self.client_order_id(number), state))

    def _ended(self, number: int, ended: Ended) -> None:
        if not self._record.has_intent(number):
            # The end of an order that no note tells of could not be told from damage later on: it waits in flight.
            self._late[number] = ended
            return
        self._held_back.pop(number, None)
        if number >= RESTING_STOPS:
            self._stops.ended(number, ended)
        else:
            text = f"order {number} {_ENDS[ended.status]}: {ended.reason}"
            order = self._book.orders.get(number)
            symbol = order.intent.symbol if order is not None and ended.code == TOO_MANY_ORDERS else None
            self._notices.append(Notice(0, "order", text, turned_away=symbol))
        self._book.end(number, ended)
        self._record.ended(number, self.client_order_id(number), ended)

    # ---- what is kept ----

    def _expires_ns(self) -> int:
        return self._line.timing.now_ns() + self._market_ns(_LIFETIME_S)

    def _market_ns(self, duration_s: float) -> int:
        return int(duration_s * _NS_PER_S * max(1.0, self._line.timing.speed))

    def _put(self, item: object) -> None:
        self._inbox.append(item)
        self._wake.set()

    def _broken(self, reason: str) -> None:
        self._put(Notice(0, "order", f"the order line broke: {reason}", needs_person=True))
