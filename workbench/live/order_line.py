"""From the core's requests to orders at an exchange, and from what the exchange says to the core's reports.

An order is sent once. What nobody can tell is asked for until it is certain; meanwhile the request stays in flight, so
that the core sends no other of its kind. A trade is booked once, by the exchange's own id. The journal that lets this
outlive its process comes with the session's own process; in this one nothing is kept on disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import ConfigError, ExchangeError, OrderError
from workbench.exchange import Accepted, OrderState, OrderTicket, OwnTrade, Refused, Unknown, settle_order
from workbench.live.notices import Notice
from workbench.live.report_book import ReportBook
from workbench.model import EVENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workbench.exchange import ExchangeClient
    from workbench.exchange.outcomes import OrderOutcome
    from workbench.live.exchange_line import ExchangeLine
    from workbench.model import ExchangeRequest, Instrument

__all__ = ["OrderLine"]

# How often own trades are asked for beside the stream, real seconds.
_POLL_S: Final = 5.0
# Waits before a refused exit, or a cancel that came to nothing, is tried again, real seconds; then it takes a person.
_RETRIES_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
_MOST_NOTICES: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Answer:
    """What sending or cancelling came to, on its way from the line's thread to the session's."""

    number: int
    outcome: OrderOutcome


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
        self._symbols = tuple(one.symbol for one in instruments)
        self._book = ReportBook(tuple(instruments))
        self._inbox: deque[_Answer | OrderState | OwnTrade | Notice] = deque()
        self._notices: deque[Notice] = deque(maxlen=_MOST_NOTICES)
        self._wake = threading.Event()
        self._refused_exits: dict[str, int] = {}
        self._placing: dict[int, asyncio.Event] = {}
        self._cancelling: set[int] = set()
        line.run(self._watch, self._broken)

    @property
    def outstanding(self) -> int:
        """Requests, cancels too, of which it is not yet known what became of them; a resting order is known."""
        return self._book.outstanding + len(self._cancelling)

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

    def listen(self, wake: threading.Event) -> None:
        """Set `wake` whenever something comes."""
        self._wake = wake
        wake.set()

    def send(self, requests: Sequence[ExchangeRequest]) -> None:
        """Carry out requests, in the background and in their order."""
        for request in requests:
            cancelled = request.cancels
            if cancelled is not None:
                self._cancelling.add(cancelled)
                self._line.run(partial(self._cancel, request.symbol, cancelled), self._broken)
                continue
            self._book.expect(request)
            try:
                ticket = self._ticket(request)
            except OrderError as error:
                self._inbox.append(_Answer(request.number, Refused(str(error), "invalid_order", was_sent=False)))
                continue
            self._placing[request.number] = asyncio.Event()
            self._line.run(partial(self._place, request.number, ticket), self._broken)

    def take(self) -> NDArray[np.void]:
        """Return the reports that have come, rows of kind ``REPORT`` in the order in which they are to be booked."""
        while self._inbox:
            item = self._inbox.popleft()
            if isinstance(item, Notice):
                self._notices.append(item)
            elif isinstance(item, OwnTrade):
                self._book.trade(item)
            elif isinstance(item, OrderState):
                number = self._number_of(item.client_order_id)
                if number is not None:
                    self._book.state(number, item)
            else:
                self._answered(item)
        return np.array(self._book.take(), dtype=EVENT)

    def notices(self) -> tuple[Notice, ...]:
        """Return what people should know, oldest first, and forget it."""
        return tuple(self._notices.popleft() for _ in range(len(self._notices)))

    def client_order_id(self, number: int) -> str:
        """Return the name at the exchange of the request with this `number`."""
        return f"{self._prefix}-{number}"

    def _number_of(self, client_order_id: str | None) -> int | None:
        prefix, _, number = (client_order_id or "").rpartition("-")
        return int(number) if prefix == self._prefix and number.isdecimal() else None

    def _ticket(self, request: ExchangeRequest) -> OrderTicket:
        # An exit leaves now or is asked for anew; only an entry may wait in the book.
        is_limit = request.kind == "limit"
        is_stop = request.kind == "stop" and not request.is_exit
        return OrderTicket(
            client_order_id=self.client_order_id(request.number),
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            kind="limit" if is_limit else "stop" if is_stop else "market",
            price=request.price if is_limit or is_stop else None,
            time_in_force="ioc" if is_limit and not request.may_rest else "gtc",
            reduce_only=request.is_exit,
            is_exit=request.is_exit,
        )

    async def _place(self, number: int, ticket: OrderTicket, client: ExchangeClient) -> None:
        try:
            outcome = await self._sent(ticket, client)
        finally:
            self._placing.pop(number).set()
        if isinstance(outcome, Refused) and ticket.is_exit:
            tried = self._refused_exits.get(ticket.symbol, 0)
            self._refused_exits[ticket.symbol] = tried + 1
            if tried >= len(_RETRIES_S):
                text = (
                    f"the exit of {ticket.symbol} was refused {tried + 1} times, last: {outcome.reason}; it needs you"
                )
                self._put(Notice(0, "order", text, needs_person=True))
                return
            await self._line.timing.sleep(_RETRIES_S[tried])
        elif isinstance(outcome, Accepted):
            self._refused_exits.pop(ticket.symbol, None)
        self._put(_Answer(number, outcome))

    async def _sent(self, ticket: OrderTicket, client: ExchangeClient) -> OrderOutcome:
        """Send an order and return what became of it, asked for until it is certain, or nobody can tell."""
        try:
            outcome = await client.place_order(ticket)
        except ExchangeError as error:
            return Refused(str(error), "rules_unknown", was_sent=False)
        if not isinstance(outcome, Unknown):
            return outcome
        self._put(Notice(outcome.sent_ns, "order", f"{ticket.client_order_id} is unknown: {outcome.reason}; asking"))
        return await settle_order(client, ticket, outcome, self._line.timing)

    async def _cancel(self, symbol: str, number: int, client: ExchangeClient) -> None:
        """Cancel an order, and again while it stays open; only a state of the order itself says that it is done."""
        name, reason = self.client_order_id(number), "it is still open"
        is_placed = self._placing.get(number)
        try:
            if is_placed is not None:
                # Overtaking its order, a cancel would find nothing, which proves nothing.
                await is_placed.wait()
            for wait_s in (0.0, *_RETRIES_S):
                await self._line.timing.sleep(wait_s)
                try:
                    outcome = await client.cancel_order(symbol, name)
                    state = outcome.order if isinstance(outcome, Accepted) else await client.order(symbol, name)
                except ExchangeError as error:
                    reason = str(error)
                    continue
                if state is None:
                    # Refused before, or nobody knows: what sending it came to tells, not this.
                    return
                self._put(state)
                if not state.is_open:
                    return
            text = f"{name} could not be cancelled: {reason}; it needs you"
            self._put(Notice(0, "order", text, needs_person=True))
        finally:
            self._cancelling.discard(number)
            self._wake.set()

    async def _watch(self, client: ExchangeClient) -> None:
        async for event in client.watch_own(self._symbols, poll_s=_POLL_S):
            if isinstance(event, (OrderState, OwnTrade)):
                self._put(event)
            else:
                self._put(Notice(0, "stream", f"own orders: {event.reason}"))

    def _answered(self, answer: _Answer) -> None:
        outcome = answer.outcome
        if isinstance(outcome, Accepted):
            self._book.state(answer.number, outcome.order)
        elif isinstance(outcome, Refused):
            self._notices.append(Notice(0, "order", f"order {answer.number} was refused: {outcome.reason}"))
            self._book.refused(answer.number)
        else:
            text = (
                f"order {answer.number} stays unknown: {outcome.reason}; look at the exchange, nothing was sent again"
            )
            self._notices.append(Notice(0, "order", text, needs_person=True))

    def _put(self, item: _Answer | OrderState | OwnTrade | Notice) -> None:
        self._inbox.append(item)
        self._wake.set()

    def _broken(self, reason: str) -> None:
        self._put(Notice(0, "order", f"the order line broke: {reason}", needs_person=True))
