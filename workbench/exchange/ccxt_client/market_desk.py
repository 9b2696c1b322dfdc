"""Market data over REST: rules, candles, trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError
from workbench.exchange.ccxt_client.build import near
from workbench.exchange.ccxt_client.limiter import CallPriority
from workbench.exchange.ccxt_client.parsing import parse_candle, parse_market_trade
from workbench.exchange.ccxt_client.rules import market_rules
from workbench.exchange.ccxt_client.timing import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.exchange.ccxt_client.calls import CallDesk
    from workbench.exchange.ccxt_client.exchange_clock import ExchangeClock
    from workbench.exchange.market_data import Candle, MarketRules, MarketTrade
    from workbench.model.timeframe import Timeframe

__all__ = ["BINANCE_FAMILY", "MarketDesk"]

BINANCE_FAMILY: Final = frozenset({"binance", "binanceus", "binanceusdm"})
"""The exchanges of ccxt that speak as Binance does."""


class MarketDesk:
    """Asks for what everybody may know.

    Parameters
    ----------
    exchange : ccxt exchange
        Asked.
    desk : CallDesk
        Makes the calls.
    clock : ExchangeClock
        Tells which candles have ended.
    """

    def __init__(self, exchange: Any, desk: CallDesk, clock: ExchangeClock) -> None:  # noqa: ANN401 - ccxt has no types
        self._exchange = exchange
        self._desk = desk
        self._clock = clock
        self._rules: dict[str, MarketRules] = {}

    async def market(self, symbol: str) -> Mapping[str, Any]:
        """Return ccxt's market of a `symbol`, or raise ConfigError with near ones."""
        if not self._exchange.markets:
            await self._desk.read("its markets", self._exchange.load_markets, CallPriority.MARKET)
        markets: Mapping[str, Mapping[str, Any]] = self._exchange.markets
        if symbol not in markets:
            raise ConfigError(f"{self._desk.name} does not trade {symbol!r}{near(symbol, tuple(markets))}")
        return markets[symbol]

    async def rules(self, symbol: str) -> MarketRules:
        """Return the rules of the market of a `symbol`."""
        known = self._rules.get(symbol)
        if known is None:
            market = await self.market(symbol)
            known = market_rules(self._desk.name, symbol, market, self._exchange.precisionMode)
            self._rules[symbol] = known
        return known

    async def refresh(self) -> None:
        """Ask for all markets again."""
        await self._desk.read("its markets", lambda: self._exchange.load_markets(reload=True), CallPriority.MARKET)
        self._rules.clear()

    async def candles(self, symbol: str, timeframe: Timeframe, since_ns: int, limit: int) -> tuple[Candle, ...]:
        """Return up to `limit` candles of a `symbol` and `timeframe` from `since_ns` on; DataError for a bad one."""
        await self.market(symbol)
        self.check_timeframe(timeframe)
        since_ms = -(-since_ns // NS_PER_MS)
        # What is open when the exchange is asked may be answered unfinished, however late the answer comes.
        asked_ns = self._clock.now_ns()
        rows = await self._desk.read(
            f"{timeframe} candles of {symbol}",
            lambda: self._exchange.fetch_ohlcv(symbol, timeframe.name, since_ms, limit),
            CallPriority.MARKET,
        )
        # Some exchanges round `since` down.
        candles = [self._candle(symbol, row, timeframe, asked_ns) for row in rows if row and row[0] >= since_ms]
        return tuple(candles[:limit])

    async def trades(
        self, symbol: str, *, since_ns: int | None, after_id: str | None, limit: int
    ) -> tuple[MarketTrade, ...]:
        """Return up to `limit` trades of a `symbol` behind `after_id`, else from `since_ns` on, else the latest."""
        market = await self.market(symbol)
        since_ms = None if since_ns is None else since_ns // NS_PER_MS
        params: dict[str, Any] = {}
        if self._exchange.id in BINANCE_FAMILY:
            params, since_ms = self._binance_trades(market, after_id), None
        rows = await self._desk.read(
            f"trades of {symbol}",
            lambda: self._exchange.fetch_trades(symbol, since_ms, limit, params),
            CallPriority.MARKET,
        )
        trades = [parse_market_trade(symbol, row) for row in rows]
        if after_id is not None:
            trades = behind(trades, after_id)
        elif since_ns is not None:
            trades = [trade for trade in trades if trade.time_ns >= since_ns]
        return tuple(trades[:limit])

    def exchange_now_ns(self) -> int:
        """Return the exchange's time as we know it, ns UTC."""
        return self._clock.now_ns()

    def check_timeframe(self, timeframe: Timeframe) -> None:
        """Raise ConfigError unless the exchange has candles of a `timeframe`."""
        offered = self._exchange.timeframes or {}
        if timeframe.name not in offered:
            raise ConfigError(f"{self._desk.name} has no candles of {timeframe.name}; it has {', '.join(offered)}")

    def _binance_trades(self, market: Mapping[str, Any], after_id: str | None) -> dict[str, Any]:
        """Return how to ask Binance for trades by the ids that its streams use; ccxt's default has ids of its own."""
        prefix = "publicGet" if market.get("spot") else "fapiPublicGet"
        # Old ones are told to those with a key only.
        if after_id is not None and after_id.isdigit() and self._exchange.apiKey:
            return {"fetchTradesMethod": f"{prefix}HistoricalTrades", "fromId": int(after_id) + 1}
        return {"fetchTradesMethod": f"{prefix}Trades"}

    def _candle(self, symbol: str, row: list[Any], timeframe: Timeframe, asked_ns: int) -> Candle:
        is_closed = row[0] * NS_PER_MS + timeframe.ns <= asked_ns
        return parse_candle(symbol, row, is_closed=is_closed)


def behind(trades: list[MarketTrade], after_id: str) -> list[MarketTrade]:
    """Return those of some trades, oldest first, that come behind the one of an id; all when it is not among them."""
    if after_id.isdigit() and all(trade.trade_id is not None and trade.trade_id.isdigit() for trade in trades):
        return [trade for trade in trades if int(trade.trade_id or 0) > int(after_id)]
    ids = [trade.trade_id for trade in trades]
    return trades[ids.index(after_id) + 1 :] if after_id in ids else trades
