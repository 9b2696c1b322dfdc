"""Whether a record that is run again asks for the very orders that its notes say were wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.reports import RESTING_STOPS
from workbench.errors import JournalError
from workbench.live.order_effects import intent_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from workbench.live.order_journal import OrderNote
    from workbench.model import ExchangeRequest

__all__ = ["doubt_of"]

# An exit may be sent for less than was asked for, once a stop at the exchange has closed a part of the position; and
# until when an order may leave is a matter of the clock.
_EXACT = ("symbol", "side", "kind", "price", "time_in_force", "is_exit", "time_ns")


def doubt_of(intents: Sequence[OrderNote], requests: Sequence[ExchangeRequest]) -> str | None:
    """Return where a replay parts from what was recorded, and None when it does not.

    Parameters
    ----------
    intents : sequence of OrderNote
        The recorded intents, oldest first. What was asked for and never recorded has never left, so that it is no
        difference.
    requests : sequence of ExchangeRequest
        All that the core asked for when the recorded inputs were run again.

    Raises
    ------
    JournalError
        The replay asked for fewer orders: a new one would get the number, and so the name at the exchange, of one that
        was sent. Nothing can be sent then, not even an exit.
    """
    wanted = {request.number: request for request in requests}
    recorded = [note.body for note in intents if note.body["number"] < RESTING_STOPS]
    for body in recorded:
        request = wanted.get(body["number"])
        if request is None or not _is_same(body, request):
            now = "nothing" if request is None else _requested(request)
            text = (
                f"the record, run again, does not do what it did: order {body['number']} was {_recorded(body)} and "
                f"would be {now} now; the strategy or a package is not what it was, or decides by chance"
            )
            if max(one["number"] for one in recorded) > max(wanted, default=-1):
                raise JournalError(f"{text}; close its position at the exchange, and start a new session")
            return text
    return None


def _is_same(body: Mapping[str, Any], request: ExchangeRequest) -> bool:
    if request.cancels is not None or body["kind"] == "cancel":
        return bool(body["kind"] == "cancel" and body["cancels"] == request.cancels)
    intent = intent_of(request, body["client_order_id"], body["expires_ns"])
    is_enough = body["quantity"] <= intent.quantity if intent.is_exit else body["quantity"] == intent.quantity
    return is_enough and all(body[name] == getattr(intent, name) for name in _EXACT)


def _recorded(body: Mapping[str, Any]) -> str:
    if body["kind"] == "cancel":
        return f"the cancel of order {body['cancels']}"
    return f"{body['kind']} {body['side']} {body['quantity']:.8g} {body['symbol']}"


def _requested(request: ExchangeRequest) -> str:
    if request.cancels is not None:
        return f"the cancel of order {request.cancels}"
    intent = intent_of(request, "", 0)
    return f"{intent.kind} {intent.side} {intent.quantity:.8g} {intent.symbol}"
