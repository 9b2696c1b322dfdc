"""The guard before real money: no order leaves for anything but an exchange that is played on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import RealTradingDisabledError

if TYPE_CHECKING:
    from workbench.exchange.ccxt_client.settings import ClientSettings

__all__ = ["require_play_money"]


def require_play_money(settings: ClientSettings) -> None:
    """Raise unless every call of a client goes to a server on this machine.

    Parameters
    ----------
    settings : ClientSettings
        Of the client that is about to send an order.

    Raises
    ------
    RealTradingDisabledError
        The order would reach a real exchange, which this version has no gates for.

    Examples
    --------
    >>> from workbench.exchange.ccxt_client.settings import ClientSettings
    >>> require_play_money(ClientSettings(exchange="binance"))
    Traceback (most recent call last):
        ...
    workbench.errors.RealTradingDisabledError: no order is sent to binance: this version trades with play money only;
    use exchange="practice"
    """
    if not settings.is_practice:
        raise RealTradingDisabledError(
            f"no order is sent to {settings.exchange}: this version trades with play money only; "
            'use exchange="practice"'
        )
