"""The client of a real exchange, or of the practice exchange, by ccxt."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError
from workbench.exchange.ccxt_client.account_desk import AccountDesk
from workbench.exchange.ccxt_client.build import build_async_exchange
from workbench.exchange.ccxt_client.calls import CallDesk
from workbench.exchange.ccxt_client.candle_stream import CandleStream
from workbench.exchange.ccxt_client.exchange_clock import ExchangeClock
from workbench.exchange.ccxt_client.limiter import RateBudget, RateLimiter
from workbench.exchange.ccxt_client.market_desk import MarketDesk
from workbench.exchange.ccxt_client.order_desk import OrderDesk
from workbench.exchange.ccxt_client.own_stream import OwnStream
from workbench.exchange.ccxt_client.real_trading import MoneyDoor
from workbench.exchange.ccxt_client.sessions import open_limited_session
from workbench.exchange.ccxt_client.timing import SystemTiming
from workbench.exchange.ccxt_client.trade_stream import TradeStream
from workbench.exchange.credentials import redacted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from workbench.exchange.ccxt_client.settings import ClientSettings
    from workbench.exchange.ccxt_client.timing import Timing
    from workbench.exchange.market_data import (
        Balance,
        Candle,
        ClockReading,
        ExchangePosition,
        MarketRules,
        MarketTrade,
    )
    from workbench.exchange.order_states import OrderState, OwnTrade
    from workbench.exchange.outcomes import OrderOutcome
    from workbench.exchange.protocol import ExchangeClient
    from workbench.exchange.streams import CandleEvent, OwnEvent, TradeEvent
    from workbench.exchange.tickets import OrderTicket
    from workbench.model.timeframe import Timeframe

__all__ = ["CcxtClient"]

_MS_PER_S: Final = 1_000.0
# How many seconds' worth of calls may be made at once after a pause.
_BURST_S: Final = 5.0


class CcxtClient:
    """An `ExchangeClient` of any exchange that ccxt knows. It needs a running event loop from its first call on.

    Parameters
    ----------
    settings : ClientSettings
        Which exchange, which account, which key.
    timing : Timing, optional
        Our clock; the computer's unless given.

    Raises
    ------
    ConfigError
        ccxt does not know the exchange.

    Examples
    --------
    >>> from workbench.exchange.ccxt_client.settings import ClientSettings
    >>> CcxtClient(ClientSettings(exchange="binance"))
    CcxtClient(binance, spot)
    """

    def __init__(self, settings: ClientSettings, *, timing: Timing | None = None) -> None:
        self._settings = settings
        self._timing = SystemTiming() if timing is None else timing
        self._exchange: Any = build_async_exchange(settings)
        credentials = settings.credentials
        budget = settings.budget or _usual_budget(float(self._exchange.rateLimit))
        self._limiter = RateLimiter(settings.exchange, budget, self._timing)
        self._desk = CallDesk(settings.exchange, self._limiter, redacted if credentials is None else credentials.redact)
        self._clock = ExchangeClock(self._exchange, self._desk, self._timing)
        self._exchange.limiter = self._limiter
        self._exchange.now_ns = self._timing.now_ns
        self._exchange.exchange_now_ns = self._clock.now_ns
        self._exchange.open_session = partial(open_limited_session, settings.max_body_bytes)
        is_spot = settings.kind == "spot"
        self._market_desk = MarketDesk(self._exchange, self._desk, self._clock)
        self._account_desk = AccountDesk(self._exchange, self._desk, self._market_desk, self._clock, is_spot=is_spot)
        self._order_desk = OrderDesk(
            self._exchange, self._desk, self._market_desk, self._clock, settings, speed=self._timing.speed
        )
        self._door = MoneyDoor(settings, self._order_desk, self._market_desk, self._account_desk)

        if TYPE_CHECKING:
            _: ExchangeClient = self  # keeps the protocol, as the type checker sees here

    def __repr__(self) -> str:
        return f"CcxtClient({self._settings.exchange}, {self._settings.kind})"

    @property
    def name(self) -> str:
        """Name of the exchange, as the user wrote it."""
        return self._settings.exchange

    @property
    def clock(self) -> ClockReading | None:
        """The reading of the exchange's clock in use, None before the first."""
        return self._clock.reading

    async def measure_clock(self) -> ClockReading:
        """Measure the exchange's clock and use it for every signature from now on."""
        return await self._clock.measure()

    async def market_rules(self, symbol: str) -> MarketRules:
        """Return the rules of the market of a `symbol`."""
        return await self._market_desk.rules(symbol)

    async def refresh_markets(self) -> None:
        """Ask for the rules of all markets again."""
        await self._market_desk.refresh()

    async def candles(self, symbol: str, timeframe: Timeframe, since_ns: int, limit: int = 500) -> tuple[Candle, ...]:
        """Return up to `limit` candles of a `symbol` and `timeframe` that open at `since_ns` or later."""
        return await self._market_desk.candles(symbol, timeframe, since_ns, limit)

    async def trades(
        self, symbol: str, *, since_ns: int | None = None, after_id: str | None = None, limit: int = 1_000
    ) -> tuple[MarketTrade, ...]:
        """Return up to `limit` trades of a `symbol` behind `after_id`, else from `since_ns` on, else the latest."""
        return await self._market_desk.trades(symbol, since_ns=since_ns, after_id=after_id, limit=limit)

    async def place_order(self, ticket: OrderTicket) -> OrderOutcome:
        """Send the order of a `ticket`, once, and return what came of it; to a real exchange only with a permit."""
        self._check_key()
        return await self._door.place(ticket)

    async def require_safe_key(self) -> None:
        """Raise RealTradingDisabledError when the key may withdraw, or nobody knows; play money needs no such thing."""
        self._check_key()
        await self._door.require_safe_key()

    def request_closes_ns(self, sent_ns: int) -> int | None:
        """Return the exchange's time from which on a request that left at `sent_ns` can no longer be accepted."""
        return self._order_desk.closes_ns(sent_ns)

    async def cancel_order(self, symbol: str, client_order_id: str) -> OrderOutcome:
        """Cancel the order of a `symbol` that we call `client_order_id`."""
        self._check_key()
        return await self._order_desk.cancel(symbol, client_order_id)

    async def order(self, symbol: str, client_order_id: str) -> OrderState | None:
        """Return the order of a `symbol` that we call `client_order_id`; None when the exchange has none."""
        self._check_key()
        return await self._order_desk.order(symbol, client_order_id)

    async def open_orders(self, symbol: str | None = None) -> tuple[OrderState, ...]:
        """Return the account's open orders, of one `symbol`, or of all without one."""
        self._check_key()
        return await self._account_desk.open_orders(symbol)

    async def own_trades(
        self, symbol: str, *, after_id: str | None = None, since_ns: int | None = None
    ) -> tuple[OwnTrade, ...]:
        """Return the account's trades of a `symbol` behind `after_id`, else from `since_ns` on, else the latest."""
        self._check_key()
        return await self._account_desk.own_trades(symbol, after_id=after_id, since_ns=since_ns)

    async def balances(self) -> Mapping[str, Balance]:
        """Return what the account has, by currency; those with nothing are left out."""
        self._check_key()
        return await self._account_desk.balances()

    async def positions(self, symbols: Sequence[str] | None = None) -> tuple[ExchangePosition, ...]:
        """Return the open positions, all or those of some `symbols`; none for an account of spot."""
        self._check_key()
        return await self._account_desk.positions(symbols)

    def watch_trades(self, symbol: str, *, silent_after_s: float = 60.0) -> AsyncGenerator[TradeEvent, None]:
        """Stream the trades of a `symbol`; after `silent_after_s` without one its line is taken for dead."""
        return TradeStream(
            self._exchange,
            self._desk,
            self._market_desk,
            self._timing,
            symbol=symbol,
            silent_after_s=silent_after_s,
        ).events()

    def watch_candles(
        self, symbol: str, timeframe: Timeframe, *, silent_after_s: float | None = None
    ) -> AsyncGenerator[CandleEvent, None]:
        """Stream the candles of a `symbol` and `timeframe`; `silent_after_s` is one candle and 30 s unless given."""
        return CandleStream(
            self._exchange,
            self._desk,
            self._market_desk,
            self._timing,
            symbol=symbol,
            timeframe=timeframe,
            silent_after_s=silent_after_s,
        ).events()

    def watch_own(self, symbols: Sequence[str], *, poll_s: float = 30.0) -> AsyncGenerator[OwnEvent, None]:
        """Stream the account's orders and trades in some `symbols`, asking REST too every `poll_s` seconds."""
        self._check_key()
        return OwnStream(
            self._exchange,
            self._desk,
            self._account_desk,
            self._clock,
            self._timing,
            symbols=symbols,
            poll_s=poll_s,
        ).events()

    async def close(self) -> None:
        """Close every connection; streams end. May be called twice."""
        self._exchange.is_shut = True
        await self._limiter.close()
        await self._exchange.close()

    def _check_key(self) -> None:
        if self._settings.credentials is None:
            raise ConfigError(f"{self.name} needs credentials for everything that belongs to an account")


def _usual_budget(ms_per_cost: float) -> RateBudget:
    """Return as many calls as ccxt says that the exchange allows."""
    cost_per_s = _MS_PER_S / max(ms_per_cost, 1.0)
    return RateBudget(cost_per_s=cost_per_s, burst=cost_per_s * _BURST_S)
