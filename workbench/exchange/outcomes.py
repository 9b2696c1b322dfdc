"""What sending or cancelling an order came to: yes, definitely no, or nobody can tell yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from workbench.exchange.order_states import OrderState

__all__ = [
    "TOO_MANY_ORDERS",
    "UNKNOWN_CAUSES",
    "Accepted",
    "OrderOutcome",
    "Refused",
    "Unknown",
    "UnknownCause",
]

TOO_MANY_ORDERS: Final = "too_many_orders"
"""Code of the refusal at our own door of an entry that is one too many within a minute."""

UnknownCause = Literal["timeout", "connection", "server_error", "bad_answer", "unclear_refusal"]

UNKNOWN_CAUSES: Final[tuple[UnknownCause, ...]] = (
    "timeout",
    "connection",
    "server_error",
    "bad_answer",
    "unclear_refusal",
)
"""Why nobody can tell what an order did: no answer in time; the line broke; the server's own error (5xx); an answer
that is no order (no JSON, no id, cut off, too large); or a refusal that is not on the short list of definite ones."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The exchange has the order, or has taken the cancel.

    Parameters
    ----------
    order : OrderState
        The order as the exchange answered. After a cancel it may be filled in part.
    was_adopted : bool, default False
        Whether the answer was "duplicate" and the order was then found by its client id: it is ours, sent before.
    """

    order: OrderState
    was_adopted: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Definitely no: nothing was executed, and this ticket will never be.

    Parameters
    ----------
    reason : str
        Why, in words; never a secret.
    code : str
        The exchange's own code (``"-2010"``), or a word of ours: ``lot``, ``min_quantity``, ``max_quantity``,
        ``price``, ``min_notional``, ``order_kind``, ``market_closed``, ``rate_limit``, ``auth``, ``nonce``,
        ``insufficient_funds``, ``not_found``, ``never_arrived``, ``expired``, ``invalid_order``, ``permission``, or
        ``too_many_orders``, the limit of orders per minute of the permit.
    was_sent : bool, default True
        Whether the exchange said it; False when it was refused at our own door.
    """

    reason: str
    code: str
    was_sent: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell yet: the order may have been executed, may still be, or may never have arrived.

    Never send it again. Ask by client id; "not found" counts only from `closes_ns` on.

    Parameters
    ----------
    cause : str
        One of ``UNKNOWN_CAUSES``.
    reason : str
        What happened, in words; never a secret.
    sent_ns : int
        When the request left, ns UTC of the exchange's clock as we know it.
    closes_ns : int or None
        Exchange time from which on the request can no longer be accepted, ns UTC: what is not found after it never
        arrived. None when the exchange has no such rule, so that only a person can decide.
    """

    cause: UnknownCause
    reason: str
    sent_ns: int
    closes_ns: int | None


OrderOutcome: TypeAlias = Accepted | Refused | Unknown
"""What placing or cancelling an order came to."""
