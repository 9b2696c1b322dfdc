"""The one interface between the workbench and any exchange: the ccxt client and the simulated account implement it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

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
    from workbench.exchange.streams import CandleEvent, OwnEvent, TradeEvent
    from workbench.exchange.tickets import OrderTicket
    from workbench.model.timeframe import Timeframe

__all__ = ["ExchangeClient"]


class ExchangeClient(Protocol):
    """One account (or none, for market data only) at one exchange. Belongs to one event loop; not for threads.

    Times are ns UTC. Reads either return or raise an `ExchangeError`: with ``retryable`` the same read may be repeated
    (`ExchangeTimeoutError`, `RateLimitError`, `ExchangeUnavailableError`), without it (`AuthError`, or the plain class)
    repeating is useless. Orders never raise for what an exchange does: they return an `OrderOutcome`. No method repeats
    a call by itself. An unknown symbol or timeframe raises `ConfigError`, what an exchange cannot do at all too.
    """

    @property
    def name(self) -> str:
        """Name of the exchange, as the user wrote it."""

    @property
    def clock(self) -> ClockReading | None:
        """The reading in use, None before the first `measure_clock`; exchange time is our time plus its offset."""

    async def measure_clock(self) -> ClockReading:
        """Measure the exchange's clock and use it for every signature from now on.

        Several round trips are made; of the one with the smallest delay the midpoint counts. Call it at the start, and
        every ten minutes or so.

        Raises
        ------
        ExchangeError
            No round trip succeeded.
        """

    async def market_rules(self, symbol: str) -> MarketRules:
        """Return the rules of the market of a `symbol`. The exchange is asked once; `refresh_markets` asks again."""

    async def refresh_markets(self) -> None:
        """Ask for the rules of all markets again: daily, and after a refusal for precision."""

    async def candles(self, symbol: str, timeframe: Timeframe, since_ns: int, limit: int = 500) -> tuple[Candle, ...]:
        """Return up to `limit` candles of a `symbol` and `timeframe` that open at `since_ns` or later, oldest first.

        At most one page of the exchange (often 1,000). The candle that is still open has ``is_closed=False``: by the
        exchange's clock, its interval has not ended. Candles that the exchange does not have are absent.
        """

    async def trades(
        self, symbol: str, *, since_ns: int | None = None, after_id: str | None = None, limit: int = 1_000
    ) -> tuple[MarketTrade, ...]:
        """Return up to `limit` trades of a `symbol`, oldest first.

        Those behind the trade `after_id`, else from `since_ns` on, else the latest.

        An exchange that cannot seek by id or time returns what it has of its latest ones that fits.
        """

    async def place_order(self, ticket: OrderTicket) -> OrderOutcome:
        """Send the order of a `ticket`, once, and return what came of it.

        `Refused` with ``was_sent=False``: the market's rules forbid it (lot, smallest order, price), nothing was sent.
        `Unknown`: never send again, ask with `order`. "Duplicate" is answered by looking the order up and adopting it.
        A ticket is sent at most once per client: a second call with the same id looks it up and never sends.

        Raises
        ------
        ExchangeError
            Nothing was sent, as the market's rules could not be read.
        """

    def request_closes_ns(self, sent_ns: int) -> int | None:
        """Return the exchange's time from which on a request that left at `sent_ns` can no longer be accepted, ns UTC.

        None when the exchange has no such rule.
        """

    async def cancel_order(self, symbol: str, client_order_id: str) -> OrderOutcome:
        """Cancel an order of a `symbol` by our name of it, its `client_order_id`.

        `Accepted`: cancelled, with what was filled before. `Refused` with code ``not_found``: the exchange has no such
        *open* order, so it is done already, or never arrived: ask with `order`.
        """

    async def order(self, symbol: str, client_order_id: str) -> OrderState | None:
        """Return an order of a `symbol` by our `client_order_id`; None when the exchange says that it has none.

        None proves nothing before the `Unknown.closes_ns` of the order.
        """

    async def open_orders(self, symbol: str | None = None) -> tuple[OrderState, ...]:
        """Return the account's open orders, also those that others placed; of one `symbol`, or of all without one."""

    async def own_trades(
        self, symbol: str, *, after_id: str | None = None, since_ns: int | None = None
    ) -> tuple[OwnTrade, ...]:
        """Return the account's trades of a `symbol`, oldest first: those behind `after_id` or from `since_ns`.

        Reads page after page until there is none left. Without either, the latest page.
        """

    async def balances(self) -> Mapping[str, Balance]:
        """Return what the account has, by currency; those with nothing are left out."""

    async def positions(self, symbols: Sequence[str] | None = None) -> tuple[ExchangePosition, ...]:
        """Return the open positions of perpetuals, all or those of some `symbols`; none for an account of spot."""

    def watch_trades(self, symbol: str, *, silent_after_s: float = 60.0) -> AsyncGenerator[TradeEvent, None]:
        """Stream the trades of a `symbol` from now on.

        By websocket where the exchange has one, else by polling. Gaps are found by trade id where the ids are whole
        numbers without holes, and filled over REST as far as possible; they are reported either way. After
        `silent_after_s` seconds without a trade (a ping is no data) the stream reports `StreamInterrupted`, connects
        anew and asks REST for what it missed.
        """

    def watch_candles(
        self, symbol: str, timeframe: Timeframe, *, silent_after_s: float | None = None
    ) -> AsyncGenerator[CandleEvent, None]:
        """Stream the candles of a `symbol` and `timeframe`, the open one included; gaps by open time.

        `silent_after_s` is one interval and 30 s unless given. A candle is final when ``is_closed`` is True; where the
        exchange does not tell (None), confirm it with `candles` once a later one has come.
        """

    def watch_own(self, symbols: Sequence[str], *, poll_s: float = 30.0) -> AsyncGenerator[OwnEvent, None]:
        """Stream the account's order states and trades in some `symbols`.

        Each trade comes once by its id, whether the stream or REST told it first: REST is asked at the start, after
        each interruption and every `poll_s` seconds. Trades executed seconds before the stream began may be among them,
        older ones are left out. Of one order, a state with less filled than one before is left out, and so is one that
        repeats the last.
        """

    async def close(self) -> None:
        """Close every connection; streams end. May be called twice."""
