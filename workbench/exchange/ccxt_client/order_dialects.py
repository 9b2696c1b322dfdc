"""What exchanges do each in their own way with orders: where stops wait, and which answers say little."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.errors import RealTradingDisabledError
from workbench.exchange.ccxt_client.market_desk import BINANCE_FAMILY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.exchange.tickets import OrderTicket

__all__ = ["StopList", "completed_answer", "require_known_orders", "stop_list"]

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class StopList(NamedTuple):
    """Where an exchange keeps stops that wait.

    Attributes
    ----------
    where : mapping
        What ccxt must be told to look for one, or to cancel it; empty where they stand among the orders.
    listed : mapping
        What it must be told to list them; empty as above.
    name : str or None
        As what the exchange takes our own name of a stop, where ccxt does not say it.
    becomes : str or None
        Where a stop that was triggered names the order that it has become, when that is another one.
    """

    where: Mapping[str, Any] = _NOTHING
    listed: Mapping[str, Any] = _NOTHING
    name: str | None = None
    becomes: str | None = None


_APART: Final = MappingProxyType({"trigger": True})
_OKX: Final = StopList(
    where=_APART,
    listed=MappingProxyType({"trigger": True, "ordType": "conditional"}),
    name="algoClOrdId",
    becomes="ordId",
)
# By the kind of market. What is missing here was not looked into: a stop that cannot be found again is worse than none.
# Bybit is, as ccxt neither asks it for an order nor cancels one by our own name of it.
_STOP_LISTS: Final[Mapping[bool, Mapping[str, StopList]]] = {
    True: {"okx": _OKX, **dict.fromkeys(BINANCE_FAMILY - {"binanceusdm"}, StopList())},
    False: {"okx": _OKX, **dict.fromkeys(BINANCE_FAMILY, StopList(where=_APART, listed=_APART))},
}
# They answer a new order by its name alone.
_SHORT_ANSWERS: Final = frozenset({"okx"})


def stop_list(exchange_id: str, *, is_spot: bool) -> StopList | None:
    """Return where an exchange of ccxt keeps stops that wait; None where it is not known, so that none may be sent.

    Examples
    --------
    >>> stop_list("binance", is_spot=True).where, dict(stop_list("binance", is_spot=False).where)
    (mappingproxy({}), {'trigger': True})
    >>> stop_list("bybit", is_spot=True) is None
    True
    """
    return _STOP_LISTS[is_spot].get(exchange_id)


def require_known_orders(exchange_id: str, *, is_spot: bool) -> None:
    """Raise RealTradingDisabledError unless an order of ours at an exchange of ccxt can be asked for and cancelled.

    Examples
    --------
    >>> require_known_orders("okx", is_spot=True)
    >>> require_known_orders("bybit", is_spot=True)
    Traceback (most recent call last):
        ...
    workbench.errors.RealTradingDisabledError: real trading is off: at bybit an order could not be asked for or
    cancelled by our own name of it; use one of binance, binanceus, okx
    """
    if stop_list(exchange_id, is_spot=is_spot) is None:
        raise RealTradingDisabledError(
            f"real trading is off: at {exchange_id} an order could not be asked for or cancelled by our own name of "
            f"it; use one of {', '.join(sorted(_STOP_LISTS[is_spot]))}"
        )


def completed_answer(exchange_id: str, answer: Any, ticket: OrderTicket, quantity: str) -> Any:  # noqa: ANN401 - ccxt has no types
    """Return ccxt's `answer` to a new order with what the exchange leaves out, and what was asked for says.

    What became of it meanwhile is asked for. Without a name of the exchange's it is no order even so.

    Parameters
    ----------
    exchange_id : str
        As ccxt spells it; of exchanges that answer in full nothing is filled in.
    answer : object
        As ccxt gave it.
    ticket : OrderTicket
        What was sent.
    quantity : str
        As it was sent, on the exchange's steps.
    """
    if exchange_id not in _SHORT_ANSWERS or not isinstance(answer, dict):
        return answer
    known = {"amount": float(quantity), "status": "open", "side": ticket.side, "symbol": ticket.symbol}
    if ticket.kind == "stop":
        known["stopPrice"] = ticket.price
    return answer | {name: value for name, value in known.items() if answer.get(name) is None}
