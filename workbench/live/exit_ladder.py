"""What is changed in an exit that was refused before it is tried again: a fixed ladder, and then it takes a person.

=====  =======================================================================================
Try    What is sent
=====  =======================================================================================
1      the exit as it is wanted
2      the same, rounded by the market's rules as they are now
3      no more than the account holds, which fees, a person or another program may have reduced
4 to 6 that, as a market order at any price
=====  =======================================================================================
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError, ExchangeError

if TYPE_CHECKING:
    from workbench.exchange import ExchangeClient, OrderTicket

__all__ = ["climbed"]

_FRESH_RULES: Final = 1
_NO_MORE_THAN_HELD: Final = 2
_AT_MARKET: Final = 3


async def climbed(ticket: OrderTicket, refused_before: int, client: ExchangeClient) -> OrderTicket | None:
    """Return an exit as it is to be sent after so many refusals in a row; None when the account has nothing of it.

    What cannot be asked for is left as it is: a try that may fail is better than none.

    Parameters
    ----------
    ticket : OrderTicket
        The exit as it is wanted.
    refused_before : int
        How many exits of its symbol were refused in a row just before.
    client : ExchangeClient
        Asked for rules and holdings.
    """
    if not ticket.is_exit or refused_before < _FRESH_RULES:
        return ticket
    with suppress(ConfigError, ExchangeError):
        await client.refresh_markets()
    if refused_before >= _NO_MORE_THAN_HELD:
        try:
            held = await _held(ticket, client)
        except (ConfigError, ExchangeError):
            held = None
        if held is not None and held <= 0.0:
            return None
        if held is not None:
            ticket = replace(ticket, quantity=min(ticket.quantity, held))
    if refused_before >= _AT_MARKET:
        ticket = replace(ticket, kind="market", price=None, time_in_force="gtc")
    return ticket


async def _held(ticket: OrderTicket, client: ExchangeClient) -> float | None:
    """Return how much of an exit the account can give; None when that does not bound it."""
    if ":" in ticket.symbol:
        side = 1.0 if ticket.side == "sell" else -1.0
        positions = await client.positions([ticket.symbol])
        return sum(side * one.quantity for one in positions if one.symbol == ticket.symbol)
    if ticket.side != "sell":
        return None
    balance = (await client.balances()).get(ticket.symbol.partition("/")[0])
    return 0.0 if balance is None else balance.free
