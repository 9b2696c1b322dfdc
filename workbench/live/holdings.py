"""What an exchange says an account holds of the session's symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.exchange import ExchangeClient
    from workbench.model import Instrument

__all__ = ["holdings_of"]


async def holdings_of(client: ExchangeClient, instruments: Sequence[Instrument]) -> dict[str, float]:
    """Return how much the account holds of each instrument, in base units, shorts below 0.

    Of spot it is the balance of the base coin, what open orders hold back included; of a perpetual the position.

    Raises
    ------
    ExchangeError
        The exchange did not say: that is not the same as holding nothing.
    """
    spot = [one for one in instruments if one.kind == "spot"]
    perpetuals = [one.symbol for one in instruments if one.kind != "spot"]
    held: dict[str, float] = {}
    if spot:
        balances = await client.balances()
        held |= {one.symbol: balances[one.base].total if one.base in balances else 0.0 for one in spot}
    if perpetuals:
        positions = {one.symbol: one.quantity for one in await client.positions(perpetuals)}
        held |= {symbol: positions.get(symbol, 0.0) for symbol in perpetuals}
    return held
