"""The account over REST: balances, positions, open orders, own trades."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import DataError, ExchangeUnavailableError
from workbench.exchange.ccxt_client.limiter import CallPriority
from workbench.exchange.ccxt_client.market_desk import BINANCE_FAMILY
from workbench.exchange.ccxt_client.order_dialects import stop_list
from workbench.exchange.ccxt_client.parsing import parse_order, parse_own_trade, parse_position
from workbench.exchange.ccxt_client.timing import NS_PER_MS
from workbench.exchange.market_data import Balance

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from workbench.exchange.ccxt_client.calls import CallDesk
    from workbench.exchange.ccxt_client.exchange_clock import ExchangeClock
    from workbench.exchange.ccxt_client.market_desk import MarketDesk
    from workbench.exchange.market_data import ExchangePosition
    from workbench.exchange.order_states import OrderState, OwnTrade

__all__ = ["AccountDesk"]

_PAGE: Final = 1_000
# An account that has traded more since the last look is read on at the next look.
_MOST_PAGES: Final = 100


class AccountDesk:
    """Asks what the account has and did. What cannot be read is an error and never "nothing".

    Parameters
    ----------
    exchange : ccxt exchange
        Asked.
    desk : CallDesk
        Makes the calls.
    market_desk : MarketDesk
        Knows the markets.
    clock : ExchangeClock
        The time by which questions are signed.
    is_spot : bool
        Whether the account is one of spot, which has no positions.
    """

    def __init__(
        self,
        exchange: Any,  # noqa: ANN401 - ccxt has no types
        desk: CallDesk,
        market_desk: MarketDesk,
        clock: ExchangeClock,
        *,
        is_spot: bool,
    ) -> None:
        self._exchange = exchange
        self._desk = desk
        self._market_desk = market_desk
        self._clock = clock
        self._is_spot = is_spot

    async def balances(self) -> Mapping[str, Balance]:
        """Return what the account has, by currency, without those of nothing."""
        answer = await self._read("balances", self._exchange.fetch_balance)
        try:
            free, locked = answer["free"], answer["used"]
            found = {name: Balance(float(free[name] or 0.0), float(locked.get(name) or 0.0)) for name in free}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._unreadable("balances", error) from None
        if not found:
            # ccxt makes an empty account of whatever it does not understand; a real one lists at least what it had.
            raise self._unreadable("balances", DataError("the answer names no currency at all"))
        return {name: balance for name, balance in found.items() if balance.total}

    async def may_withdraw(self) -> bool | None:
        """Return whether the key may withdraw; None where the exchange does not tell."""
        call = getattr(self._exchange, "sapi_get_account_apirestrictions", None)
        if self._exchange.id not in BINANCE_FAMILY or call is None:
            return None
        answer = await self._read("what the key may do", call)
        may = answer.get("enableWithdrawals") if isinstance(answer, dict) else None
        if not isinstance(may, bool):
            raise self._unreadable("what the key may do", DataError(f"enableWithdrawals must be a bool, was {may}"))
        return may

    async def positions(self, symbols: Sequence[str] | None) -> tuple[ExchangePosition, ...]:
        """Return the open positions, all or those of some `symbols`."""
        if self._is_spot:
            return ()
        wanted = None if symbols is None else list(symbols)
        rows = await self._read("positions", lambda: self._exchange.fetch_positions(wanted))
        return tuple(position for position in self._parsed("positions", parse_position, rows) if position is not None)

    async def open_orders(self, symbol: str | None) -> tuple[OrderState, ...]:
        """Return the open orders, all or those of one `symbol`."""
        rows = await self._read("open orders", lambda: self._exchange.fetch_open_orders(symbol))
        stops = stop_list(self._exchange.id, is_spot=self._is_spot)
        if stops is not None and stops.listed:
            call = partial(self._exchange.fetch_open_orders, symbol, None, None, dict(stops.listed))
            rows = [*rows, *await self._read("open stops", call)]
        return tuple(self._parsed("open orders", parse_order, rows))

    async def own_trades(self, symbol: str, *, after_id: str | None, since_ns: int | None) -> tuple[OwnTrade, ...]:
        """Return the own trades of a `symbol` behind `after_id`, else from `since_ns` on, else the latest page."""
        await self._market_desk.market(symbol)
        by_id = self._exchange.id in BINANCE_FAMILY and (after_id is None or after_id.isdigit())
        first_ms = None if since_ns is None or (by_id and after_id is not None) else since_ns // NS_PER_MS
        params = {"fromId": int(after_id) + 1} if by_id and after_id is not None else {}
        found: dict[str, OwnTrade] = {}
        for _ in range(_MOST_PAGES):
            call = partial(self._exchange.fetch_my_trades, symbol, first_ms, _PAGE, params)
            rows = await self._read(f"own trades of {symbol}", call)
            page = self._parsed(f"own trades of {symbol}", parse_own_trade, rows)
            fresh = [trade for trade in page if trade.trade_id not in found]
            found.update((trade.trade_id, trade) for trade in fresh)
            if len(page) < _PAGE or not fresh or (after_id is None and since_ns is None):
                break
            last = page[-1]
            if by_id:
                params, first_ms = {"fromId": int(last.trade_id) + 1}, None
            else:
                first_ms = last.time_ns // NS_PER_MS
        trades = sorted(found.values(), key=lambda trade: (trade.time_ns, trade.trade_id.zfill(20)))
        if since_ns is not None and after_id is None:
            trades = [trade for trade in trades if trade.time_ns >= since_ns]
        ids = [trade.trade_id for trade in trades]
        return tuple(trades[ids.index(after_id) + 1 :] if after_id in ids else trades)

    async def _read(self, what: str, call: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - ccxt has no types
        await self._clock.trust()
        return await self._desk.read(what, call, CallPriority.ACCOUNT)

    def _parsed(self, what: str, parse: Callable[[Any], Any], rows: Any) -> list[Any]:  # noqa: ANN401 - ccxt has no types
        """Return the records of some rows; one that cannot be read spoils them all, as an unknown one is not none."""
        problem: Exception
        try:
            return [parse(row) for row in rows]
        except (AttributeError, DataError, TypeError, ValueError) as error:
            problem = error
        raise self._unreadable(what, problem)

    def _unreadable(self, what: str, error: Exception) -> ExchangeUnavailableError:
        text = f"{self._desk.name} did not tell {what}: {self._desk.redact(str(error))}"
        return ExchangeUnavailableError(text, exchange=self._desk.name, retryable=True)
