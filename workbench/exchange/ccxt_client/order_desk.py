"""Orders: sent once, answered with yes, no or unknown, and found again by our own name of them."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import DataError, ExchangeError
from workbench.exchange.ccxt_client.limiter import CallPriority
from workbench.exchange.ccxt_client.market_desk import BINANCE_FAMILY
from workbench.exchange.ccxt_client.order_dialects import completed_answer, stop_list
from workbench.exchange.ccxt_client.parsing import parse_order
from workbench.exchange.ccxt_client.rules import OrderNumbers, order_numbers
from workbench.exchange.ccxt_client.taxonomy import (
    is_duplicate,
    is_not_found,
    order_refusal,
    read_problem,
    unknown_cause,
)
from workbench.exchange.ccxt_client.timing import NS_PER_MS, NS_PER_S
from workbench.exchange.outcomes import Accepted, Refused, Unknown

if TYPE_CHECKING:
    from workbench.exchange.ccxt_client.call_record import CallRecord
    from workbench.exchange.ccxt_client.calls import Attempt, CallDesk
    from workbench.exchange.ccxt_client.exchange_clock import ExchangeClock
    from workbench.exchange.ccxt_client.market_desk import MarketDesk
    from workbench.exchange.ccxt_client.order_dialects import StopList
    from workbench.exchange.ccxt_client.settings import ClientSettings
    from workbench.exchange.order_states import OrderState
    from workbench.exchange.outcomes import OrderOutcome, UnknownCause
    from workbench.exchange.tickets import OrderTicket

__all__ = ["OrderDesk"]

_REMEMBERED: Final = 100_000
# Binance takes a request up to a second from its future; the rest is for what the measured offset may be wrong.
_AHEAD_NS: Final = NS_PER_S
_MARGIN_NS: Final = NS_PER_S
# What ccxt calls them where it describes what an exchange can do.
_FEATURES: Final = {"ioc": "IOC", "fok": "FOK", "post_only": "PO"}
_TIMES_IN_FORCE: Final = {"gtc": "GTC", "ioc": "IOC", "fok": "FOK"}


class OrderDesk:
    """Sends and cancels orders, and asks for them.

    Parameters
    ----------
    exchange : ccxt exchange
        Spoken to.
    desk : CallDesk
        Makes the calls.
    market_desk : MarketDesk
        Knows the markets' rules.
    clock : ExchangeClock
        The exchange's time.
    settings : ClientSettings
        Window of a request, and how far the clocks may be apart.
    speed : float
        Seconds of the exchange's time in a real one.
    """

    def __init__(
        self,
        exchange: Any,  # noqa: ANN401 - ccxt has no types
        desk: CallDesk,
        market_desk: MarketDesk,
        clock: ExchangeClock,
        settings: ClientSettings,
        *,
        speed: float,
    ) -> None:
        self._exchange = exchange
        self._desk = desk
        self._market_desk = market_desk
        self._clock = clock
        self._settings = settings
        self._speed = speed
        self._sent: OrderedDict[str, None] = OrderedDict()

    async def place(self, ticket: OrderTicket) -> OrderOutcome:
        """Send the order of a `ticket` unless it was sent before, and return what came of it."""
        numbers = order_numbers(ticket, await self._market_desk.rules(ticket.symbol))
        if isinstance(numbers, Refused):
            return numbers
        if ticket.client_order_id in self._sent:
            return await self._adopted(ticket, "it was sent before", self._clock.now_ns())
        refusal = self._kind_refusal(ticket)
        if refusal is not None:
            return refusal
        # Before anything is waited for: the same ticket may come again meanwhile.
        self._remember(ticket.client_order_id)
        refusal = await self._clock_refusal()
        if refusal is not None:
            self._sent.pop(ticket.client_order_id, None)
            return refusal
        priority = CallPriority.EXIT if ticket.is_exit or ticket.reduce_only else CallPriority.ENTRY
        attempt = await self._desk.attempt(partial(self._create, ticket, numbers), priority)
        outcome = await self._placed(ticket, numbers, attempt)
        if isinstance(outcome, Refused) and not outcome.was_sent:
            self._sent.pop(ticket.client_order_id, None)
        return outcome

    async def cancel(self, symbol: str, client_order_id: str) -> OrderOutcome:
        """Cancel the order of a `symbol` that we call `client_order_id`."""
        await self._market_desk.market(symbol)
        # A cancel is worth trying by a doubtful clock too.
        with suppress(ExchangeError):
            await self._clock.trust()
        outcome: OrderOutcome | None = None
        for params in self._lookups(symbol):
            call = partial(self._exchange.cancel_order, "", symbol, {"clientOrderId": client_order_id, **params})
            attempt = await self._desk.attempt(call, CallPriority.CANCEL)
            outcome = self._cancelled(attempt)
            if not (isinstance(outcome, Refused) and outcome.code == "not_found"):
                break
        return outcome or Refused("nothing was asked", "not_found", was_sent=False)

    async def order(self, symbol: str, client_order_id: str) -> OrderState | None:
        """Return the order of a `symbol` that we call `client_order_id`; None when the exchange has none."""
        await self._market_desk.market(symbol)
        await self._clock.trust()
        for params in self._lookups(symbol):
            call = partial(self._exchange.fetch_order, "", symbol, {"clientOrderId": client_order_id, **params})
            # What an order did may be unknown until this is answered, so it does not stand behind other reads.
            attempt = await self._desk.attempt(call, CallPriority.EXIT)
            if attempt.error is None:
                following = self._become(symbol, attempt) if params else None
                if following is None:
                    return self._read_order(attempt, client_order_id)
                return await self._following(symbol, client_order_id, following, attempt.record)
            if not is_not_found(attempt.error, attempt.record):
                problem = self._problem(client_order_id, attempt.error, attempt)
                # A new name, so that neither ccxt's error nor its frames hang on what is raised.
                del attempt
                raise problem
        return None

    def _become(self, symbol: str, attempt: Attempt[Any]) -> str | None:
        """Return the exchange's name of the order that a stop has become; None for one that still waits, or ended."""
        stops, answer = self._stops(symbol), attempt.answer
        if stops is None or stops.becomes is None or not isinstance(answer, dict) or answer.get("status") != "closed":
            return None
        told = answer.get("info")
        # Without a name it was triggered, and nobody can tell yet what it did.
        return str(told.get(stops.becomes) or "") if isinstance(told, dict) else ""

    async def _following(self, symbol: str, client_order_id: str, order_id: str, stop: CallRecord) -> OrderState:
        """Return the state of the order that a stop of ours has become."""
        if not order_id:
            raise self._desk.garbage(f"what the stop {client_order_id} has become", stop)
        call = partial(self._exchange.fetch_order, order_id, symbol)
        attempt = await self._desk.attempt(call, CallPriority.EXIT)
        if attempt.error is not None:
            problem = self._problem(client_order_id, attempt.error, attempt)
            del attempt
            raise problem
        return self._read_order(attempt, client_order_id, order_id)

    def _problem(self, client_order_id: str, error: BaseException, attempt: Attempt[Any]) -> ExchangeError:
        return read_problem(self._desk.name, f"order {client_order_id}", error, attempt.record, self._desk.redact)

    def closes_ns(self, sent_ns: int) -> int | None:
        """Return when a request sent at a time is too old even for the second look before the matching engine."""
        if self._exchange.id not in BINANCE_FAMILY:
            return None
        reading = self._clock.reading
        window_ns = int(self._settings.recv_window_ms * NS_PER_MS) + _AHEAD_NS + _MARGIN_NS
        return sent_ns + int(window_ns * self._speed) + (reading.delay_ns if reading is not None else NS_PER_S)

    async def _create(self, ticket: OrderTicket, numbers: OrderNumbers) -> Any:  # noqa: ANN401 - ccxt has no types
        params: dict[str, Any] = {"clientOrderId": ticket.client_order_id}
        kind, price = "market", None
        if ticket.kind == "limit":
            kind, price = "limit", numbers.price
            if ticket.time_in_force == "post_only":
                params["postOnly"] = True
            else:
                params["timeInForce"] = _TIMES_IN_FORCE[ticket.time_in_force]
        elif ticket.kind == "stop":
            params["stopLossPrice"] = numbers.price
            stops = self._stops(ticket.symbol)
            if stops is not None and stops.name is not None:
                params[stops.name] = ticket.client_order_id
        is_spot = (await self._market_desk.rules(ticket.symbol)).instrument.is_spot
        if ticket.reduce_only and not is_spot:
            params["reduceOnly"] = True
        return await self._exchange.create_order(ticket.symbol, kind, ticket.side, numbers.quantity, price, params)

    async def _placed(self, ticket: OrderTicket, numbers: OrderNumbers, attempt: Attempt[Any]) -> OrderOutcome:
        record = attempt.record
        sent_ns = record.sent_ns if record.sent_ns is not None else self._clock.now_ns()
        if attempt.error is None:
            problem = None if not record.is_garbage else "the answer is no document"
            state = None
            try:
                answer = completed_answer(self._exchange.id, attempt.answer, ticket, numbers.quantity)
                state = parse_order(answer)
            except DataError as error:
                problem = str(error)
            if state is not None and state.client_order_id not in {None, ticket.client_order_id}:
                problem = f"the answer is about order {state.client_order_id!r}"
            if state is None or problem is not None:
                return self._unknown("bad_answer", f"{problem}, {record.shown}", sent_ns)
            return Accepted(state)
        if is_duplicate(attempt.error, record):
            return await self._adopted(ticket, "the exchange has it already", sent_ns)
        refusal = order_refusal(attempt.error, record, self._desk.redact)
        if refusal is not None:
            return refusal
        told = record.shown if record.is_answered else f"{type(attempt.error).__name__}: {attempt.error}"
        return self._unknown(unknown_cause(attempt.error, record), told, sent_ns)

    async def _adopted(self, ticket: OrderTicket, why: str, sent_ns: int) -> OrderOutcome:
        """Return the order that the exchange has under our name: it is ours, whatever this request was answered."""
        try:
            state = await self.order(ticket.symbol, ticket.client_order_id)
        except ExchangeError as error:
            return self._unknown("unclear_refusal", f"{why}, and asking for it failed: {error}", sent_ns)
        if state is None:
            return self._unknown("unclear_refusal", f"{why}, and it does not show it yet", sent_ns)
        return Accepted(state, was_adopted=True)

    def _cancelled(self, attempt: Attempt[Any]) -> OrderOutcome:
        record = attempt.record
        sent_ns = record.sent_ns if record.sent_ns is not None else self._clock.now_ns()
        if attempt.error is None:
            try:
                return Accepted(parse_order(attempt.answer))
            except DataError as error:
                return self._unknown("bad_answer", f"{error}, {record.shown}", sent_ns)
        if is_not_found(attempt.error, record):
            return Refused(self._desk.redact(record.shown), "not_found")
        refusal = order_refusal(attempt.error, record, self._desk.redact)
        if refusal is not None:
            return refusal
        told = record.shown if record.is_answered else f"{type(attempt.error).__name__}: {attempt.error}"
        return self._unknown(unknown_cause(attempt.error, record), told, sent_ns)

    def _read_order(self, attempt: Attempt[Any], client_order_id: str, order_id: str | None = None) -> OrderState:
        """Return the order of an answer; one that a stop has become is called by its own `order_id`."""
        # The answer gets no name here: a traceback that shows names would show what it holds.
        state: OrderState | None = None
        try:
            state = parse_order(_renamed(attempt.answer, order_id, client_order_id))
        except DataError:
            state = None
        if state is None or state.client_order_id not in {None, client_order_id}:
            raise self._desk.garbage(f"order {client_order_id}", attempt.record)
        return state

    def _unknown(self, cause: UnknownCause, reason: str, sent_ns: int) -> Unknown:
        return Unknown(cause, self._desk.redact(reason), sent_ns, self.closes_ns(sent_ns))

    def _kind_refusal(self, ticket: OrderTicket) -> Refused | None:
        """Return why an order of this kind may not be sent through ccxt; None when it may.

        ccxt passes over what an exchange's adapter does not know: a stop would be sent as a plain market order and be
        executed at once, and an order that may only make would take.
        """
        known = partial(self._exchange.feature_value, ticket.symbol, "createOrder")
        if ticket.kind == "stop" and not known("stopLossPrice"):
            return Refused(f"ccxt sends {self._desk.name} no stops", "order_kind", was_sent=False)
        if ticket.kind == "stop" and self._stops(ticket.symbol) is None:
            reason = f"a stop at {self._desk.name} could not be asked for or cancelled, so it is sent no stops"
            return Refused(reason, "order_kind", was_sent=False)
        word = _FEATURES.get(ticket.time_in_force)
        if word is not None and not (known("timeInForce") or {}).get(word):
            reason = f"ccxt sends {self._desk.name} no orders that are {ticket.time_in_force}"
            return Refused(reason, "order_kind", was_sent=False)
        return None

    async def _clock_refusal(self) -> Refused | None:
        """Return why no order may be sent by this clock, which is measured first when that was long ago."""
        if not self._clock.can_be_measured:
            return None
        try:
            reading = self._clock.reading if self._clock.is_fresh else None
            reading = reading or await self._clock.measure()
        except ExchangeError as error:
            return Refused(f"the exchange's clock cannot be measured: {error}", "clock", was_sent=False)
        limit_s = self._settings.max_clock_offset_s
        if limit_s is not None and not self._settings.is_practice and abs(reading.offset_ns) > limit_s * NS_PER_S:
            offset_s = reading.offset_ns / NS_PER_S
            reason = f"max_clock_offset_s is {limit_s:g}, the exchange's clock is {offset_s:.1f} s from ours: set ours"
            return Refused(reason, "clock", was_sent=False)
        return None

    def _lookups(self, symbol: str) -> tuple[dict[str, Any], ...]:
        """Return how to look for an order: among the orders, and among the stops where those are kept apart."""
        stops = self._stops(symbol)
        return ({},) if stops is None or not stops.where else ({}, dict(stops.where))

    def _stops(self, symbol: str) -> StopList | None:
        return stop_list(self._exchange.id, is_spot=bool(self._exchange.markets[symbol].get("spot")))

    def _remember(self, client_order_id: str) -> None:
        self._sent[client_order_id] = None
        while len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)


def _renamed(answer: Any, order_id: str | None, client_order_id: str) -> Any:  # noqa: ANN401 - ccxt has no types
    """Return the answer about the order that a stop has become: ccxt calls it as the stop, and its trades do not."""
    if order_id is None or not isinstance(answer, dict):
        return answer
    return answer | {"id": order_id, "clientOrderId": client_order_id}
