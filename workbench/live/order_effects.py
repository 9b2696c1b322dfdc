"""Carries out on a line's thread what the procedures of orders want done."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.core.order_state import (
    Cancel,
    Doubted,
    Failed,
    Found,
    Intent,
    Now,
    Query,
    Refused,
    Send,
    Sleep,
    Tell,
    Told,
)
from workbench.errors import ExchangeError, OrderError, RealTradingDisabledError
from workbench.exchange import Accepted, OrderState, OrderTicket, Unknown, look_up
from workbench.live.exit_ladder import climbed
from workbench.live.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from workbench.core.order_state import Answer, Effect
    from workbench.exchange import ExchangeClient
    from workbench.exchange.ccxt_client.timing import Timing
    from workbench.model import ExchangeRequest

__all__ = ["OrderDoubted", "OrderSent", "intent_of", "perform", "ticket_of"]

_log = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class OrderSent:
    """An order is about to leave."""

    number: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class OrderDoubted:
    """Nobody can tell what became of an order."""

    number: int
    reason: str


def intent_of(request: ExchangeRequest, client_order_id: str, expires_ns: int) -> Intent:
    """Return the order that carries out a `request`; after `expires_ns` of our clock it is too old to be sent."""
    # An exit leaves now or is asked for anew; only an entry may wait in the book.
    is_limit = request.kind == "limit"
    is_stop = request.kind == "stop" and not request.is_exit
    return Intent(
        number=request.number,
        client_order_id=client_order_id,
        symbol=request.symbol,
        side=request.side,
        quantity=request.quantity,
        kind="limit" if is_limit else "stop" if is_stop else "market",
        price=request.price if is_limit or is_stop else None,
        time_in_force="ioc" if is_limit and not request.may_rest else "gtc",
        is_exit=request.is_exit,
        time_ns=request.time_ns,
        expires_ns=expires_ns,
    )


def ticket_of(intent: Intent) -> OrderTicket:
    """Return an intent as an order at an exchange.

    Raises
    ------
    OrderError
        No exchange would take it.
    """
    return OrderTicket(
        client_order_id=intent.client_order_id,
        symbol=intent.symbol,
        side=intent.side,
        quantity=intent.quantity,
        kind=intent.kind,
        price=intent.price,
        time_in_force=intent.time_in_force,  # type: ignore[arg-type]  # the core knows it as text; the ticket checks it
        reduce_only=intent.is_exit,
        is_exit=intent.is_exit,
    )


async def perform(
    procedure: Generator[Effect, Answer, Result],
    client: ExchangeClient,
    timing: Timing,
    put: Callable[[OrderState | Notice | OrderSent | OrderDoubted], None],
    first: Answer = None,
) -> Result:
    """Carry out what a procedure wants done, from its answer `first` on, and return what it comes to.

    What the session must know meanwhile is `put`. Cancelled, it leaves the order as a crash would.
    """
    answer = first
    try:
        while True:
            effect = procedure.send(answer)
            answer = await _done(effect, client, timing, put)
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        procedure.close()


async def _done(effect: Effect, client: ExchangeClient, timing: Timing, put: Callable[[Any], None]) -> Answer:
    match effect:
        case Now():
            return timing.now_ns()
        case Send(intent, refused_before):
            put(OrderSent(intent.number, timing.now_ns()))
            answer = await _sent(intent, refused_before, client, timing)
            if isinstance(answer, Doubted):
                put(OrderDoubted(intent.number, answer.reason))
            return answer
        case Query():
            return await look_up(client, effect, timing)
        case Cancel(symbol, name):
            return await _cancelled(symbol, name, client)
        case Sleep(duration_s):
            await timing.sleep(duration_s)
        case Tell(text, needs_person):
            put(Notice(0, "order", text, needs_person=needs_person))
        case Told(_, report) if isinstance(report, OrderState):
            put(report)
    return None


async def _sent(intent: Intent, refused_before: int, client: ExchangeClient, timing: Timing) -> Answer:
    """Send an order and return what came of it: whatever is not a yes or a definite no is a doubt."""
    try:
        ticket = await climbed(ticket_of(intent), refused_before, client)
        if ticket is None:
            return Refused(f"the account holds nothing of {intent.symbol} that could be closed")
        outcome = await client.place_order(ticket)
    except (ExchangeError, OrderError, RealTradingDisabledError) as error:
        # No exchange would take it, or, by the client's contract, nothing was sent.
        return Refused(str(error))
    except Exception as error:  # noqa: BLE001  logged with its traceback, and the order is asked for
        # The border of the exchange: it may have left before whatever broke.
        _log.exception("sending order %s broke", intent.client_order_id)
        now_ns = timing.now_ns() + (client.clock.offset_ns if client.clock is not None else 0)
        return Doubted(f"{type(error).__name__}: {error}", client.request_closes_ns(now_ns))
    if isinstance(outcome, Accepted):
        return Found(outcome.order)
    if isinstance(outcome, Unknown):
        return Doubted(outcome.reason, outcome.closes_ns)
    return Refused(outcome.reason, outcome.code)


async def _cancelled(symbol: str, name: str, client: ExchangeClient) -> Answer:
    try:
        outcome = await client.cancel_order(symbol, name)
    except ExchangeError as error:
        return Failed(str(error), may_repeat=error.retryable)
    return Found(outcome.order) if isinstance(outcome, Accepted) else Failed(outcome.reason)
