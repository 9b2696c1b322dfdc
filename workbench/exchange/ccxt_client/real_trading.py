"""The money door: every order goes through it, and nothing but play money goes through without a permit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import ExchangeError, RealTradingDisabledError
from workbench.exchange.ccxt_client.guarded_calls import DOOR_IS_OPEN
from workbench.exchange.ccxt_client.order_dialects import require_known_orders
from workbench.exchange.outcomes import TOO_MANY_ORDERS, Refused
from workbench.exchange.real_money.permit import ORDERS_PER_MINUTE, RealTradingPermit, only_reduces

if TYPE_CHECKING:
    from workbench.exchange.ccxt_client.account_desk import AccountDesk
    from workbench.exchange.ccxt_client.market_desk import MarketDesk
    from workbench.exchange.ccxt_client.order_desk import OrderDesk
    from workbench.exchange.ccxt_client.settings import ClientSettings
    from workbench.exchange.outcomes import OrderOutcome
    from workbench.exchange.tickets import OrderTicket

__all__ = ["MoneyDoor", "require_permission"]


def require_permission(settings: ClientSettings) -> RealTradingPermit | None:
    """Return the permit that a client's orders need; None where they are play money.

    Parameters
    ----------
    settings : ClientSettings
        Of the client that is about to send an order.

    Raises
    ------
    RealTradingDisabledError
        The order would be real, and there is no permit.

    Examples
    --------
    >>> from workbench.exchange.ccxt_client.settings import ClientSettings
    >>> require_permission(ClientSettings(exchange="binance"))
    Traceback (most recent call last):
        ...
    workbench.errors.RealTradingDisabledError: no order is sent to binance: real trading is off; start a session with
    wb.live after `workbench arm`, or use exchange="practice"
    """
    if settings.is_play_money:
        return None
    permit = settings.permit
    if not isinstance(permit, RealTradingPermit) or not permit.covers(settings.exchange, settings.credentials):
        raise RealTradingDisabledError(
            f"no order is sent to {settings.exchange}: real trading is off; start a session with wb.live after "
            '`workbench arm`, or use exchange="practice"'
        )
    return permit


class MoneyDoor:
    """Sends orders when they are play money, or when the permit lets them through.

    Parameters
    ----------
    settings : ClientSettings
        Of the client.
    order_desk : OrderDesk
        Sends.
    market_desk : MarketDesk
        Knows the last price.
    account_desk : AccountDesk
        Knows what the key may do.
    """

    def __init__(
        self, settings: ClientSettings, order_desk: OrderDesk, market_desk: MarketDesk, account_desk: AccountDesk
    ) -> None:
        self._settings = settings
        self._order_desk = order_desk
        self._market_desk = market_desk
        self._account_desk = account_desk
        self._is_key_safe = False

    async def place(self, ticket: OrderTicket) -> OrderOutcome:
        """Send the order of a `ticket`, once, if it may be sent, and return what came of it.

        Raises
        ------
        RealTradingDisabledError
            It is no play money, and there is no permit.
        ExchangeError
            Nothing was sent, as the market's rules could not be read.
        """
        permit = require_permission(self._settings)
        if permit is None:
            return await self._send(ticket)
        reason = None if only_reduces(ticket) else await self._key_problem(permit)
        reason = reason or permit.refusal(ticket, await self._last_price(ticket.symbol))
        if reason is not None:
            is_too_many = reason.startswith(ORDERS_PER_MINUTE)
            return Refused(reason, TOO_MANY_ORDERS if is_too_many else "permission", was_sent=False)
        try:
            outcome = await self._send(ticket)
        except ExchangeError:
            permit.take_back(ticket)
            raise
        if isinstance(outcome, Refused):
            permit.take_back(ticket)
        return outcome

    async def require_safe_key(self) -> None:
        """Ask the exchange what the key may do, once.

        Raises
        ------
        RealTradingDisabledError
            There is no permit, the key may withdraw, or nobody knows whether it may; or orders could not be followed.
        ExchangeError
            The exchange could not be asked.
        """
        permit = require_permission(self._settings)
        if permit is None or self._is_key_safe:
            return
        require_known_orders(self._settings.ccxt_name, is_spot=self._settings.kind == "spot")
        name, exchange = self._settings.credentials, self._settings.exchange
        answer = await self._account_desk.may_withdraw()
        if answer is True or (answer is None and permit.can_withdraw != "no"):
            what = "may withdraw" if answer else "may withdraw for all we know: the exchange does not tell, nor did you"
            raise RealTradingDisabledError(
                f"real trading is off: {name} {what}; make a key at {exchange} that may only trade, best bound to an "
                "address, and add it with `workbench keys add`"
            )
        self._is_key_safe = True

    async def _send(self, ticket: OrderTicket) -> OrderOutcome:
        token = DOOR_IS_OPEN.set(True)
        try:
            return await self._order_desk.place(ticket)
        finally:
            DOOR_IS_OPEN.reset(token)

    async def _key_problem(self, permit: RealTradingPermit) -> str | None:
        """Return why the key may not be used; None when it may."""
        try:
            await self.require_safe_key()
        except (RealTradingDisabledError, ExchangeError) as error:
            return f"{permit}: {error}"
        return None

    async def _last_price(self, symbol: str) -> float | None:
        """Return the price of the exchange's last trade, asked for now; None when it cannot be had."""
        try:
            trades = await self._market_desk.trades(symbol, since_ns=None, after_id=None, limit=1)
        except ExchangeError:
            return None
        return trades[-1].price if trades else None
