"""What became of an order whose outcome is unknown: asked until it is found, or proven never to have arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError, ExchangeError
from workbench.exchange.outcomes import Accepted, Refused

if TYPE_CHECKING:
    from workbench.core.order_state import Answer, Failed, Looked, Query
    from workbench.exchange.ccxt_client.timing import Timing
    from workbench.exchange.outcomes import OrderOutcome, Unknown
    from workbench.exchange.protocol import ExchangeClient
    from workbench.exchange.tickets import OrderTicket

__all__ = ["look_up", "settle_order"]

_NS_PER_S: Final = 1_000_000_000


async def settle_order(
    client: ExchangeClient,
    ticket: OrderTicket,
    unknown: Unknown,
    timing: Timing,
    *,
    poll_s: float = 0.5,
    give_up_s: float = 60.0,
) -> OrderOutcome:
    """Ask for an order until it is certain what became of it. Nothing is ever sent again.

    "Not found" proves nothing while the request may still be on its way to the matching engine; only a question that
    is *asked* after that time counts.

    Parameters
    ----------
    client : ExchangeClient
        Asked.
    ticket : OrderTicket
        As it was sent.
    unknown : Unknown
        What sending it came to.
    timing : Timing
        The client's clock.
    poll_s : float, default 0.5
        Real seconds between two questions, above 0.
    give_up_s : float, default 60.0
        Real seconds after which the outcome stays unknown.

    Returns
    -------
    Accepted, Refused or Unknown
        `Accepted` with what the exchange has; `Refused` with code ``never_arrived``; or `unknown` itself, when the
        exchange would not tell in time, or has no rule by which a request is ever too old: then a person decides.

    Raises
    ------
    ConfigError
        A duration is not above 0.
    """
    # numba comes with the core and takes a second, which a process that only serves or reads an exchange need not wait.
    from workbench.core.order_state import Doubted, Ended, Failed, Procedures, Query, Sleep  # noqa: PLC0415  as said

    if not (poll_s > 0.0 and give_up_s > 0.0):
        raise ConfigError(f"poll_s and give_up_s must be above 0, were {poll_s} and {give_up_s}")
    end_ns = timing.monotonic_ns() + int(give_up_s * _NS_PER_S)
    asking = Procedures(poll_s).resolve(ticket, Doubted(unknown.reason, unknown.closes_ns))
    answer: Answer = None
    try:
        while True:
            effect = asking.send(answer)
            answer = None
            if isinstance(effect, Query):
                answer = await look_up(client, effect, timing)
                if isinstance(answer, Failed) and not answer.may_repeat:
                    return unknown
            elif isinstance(effect, Sleep):
                if timing.monotonic_ns() + int(effect.duration_s * _NS_PER_S) > end_ns:
                    return unknown
                await timing.sleep(effect.duration_s)
    except StopIteration as end:
        placed = end.value
    finally:
        asking.close()
    if isinstance(placed, Ended):
        return Refused(f"{client.name} has no such order, and can no longer take it", placed.status)
    return Accepted(placed.report, was_adopted=True)


async def look_up(client: ExchangeClient, query: Query, timing: Timing) -> Looked | Failed:
    """Ask an exchange for an order, once, and note at what time of the exchange it was asked.

    Parameters
    ----------
    client : ExchangeClient
        Asked.
    query : Query
        Which order.
    timing : Timing
        The client's clock.

    Returns
    -------
    Looked or Failed
        `Looked` with the order or None, and the exchange's time just before the question left.
    """
    from workbench.core.order_state import Failed, Looked  # noqa: PLC0415  as above

    asked_ns = timing.now_ns() + (client.clock.offset_ns if client.clock is not None else 0)
    try:
        return Looked(await client.order(query.symbol, query.client_order_id), asked_ns)
    except ExchangeError as error:
        return Failed(str(error), may_repeat=error.retryable)
