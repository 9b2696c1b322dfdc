"""The stream of a market's trades: each once, in order, with every hole found and told."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import DataError, ExchangeError
from workbench.exchange.ccxt_client.parsing import parse_market_trade
from workbench.exchange.ccxt_client.stream_loop import StreamLoop
from workbench.exchange.ccxt_client.unread import unread_rows
from workbench.exchange.market_data import MarketTrade
from workbench.exchange.streams import BadRecord, StreamGap, StreamInterrupted, TradeBatch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from workbench.exchange.ccxt_client.calls import CallDesk
    from workbench.exchange.ccxt_client.market_desk import MarketDesk
    from workbench.exchange.ccxt_client.timing import Timing
    from workbench.exchange.streams import TradeEvent

__all__ = ["TradeStream"]

_POLL_S: Final = 2.0
_PAGE: Final = 1_000
_MOST_PAGES: Final = 50
_REMEMBERED: Final = 10_000
# Where the ids of a spot market's trades are whole numbers without holes.
_COUNTS_TRADES: Final = frozenset({"binance", "binanceus"})


class TradeStream:
    """One market's trades from now on.

    Parameters
    ----------
    exchange : ccxt exchange
        Watched.
    desk : CallDesk
        Makes the calls.
    market_desk : MarketDesk
        Fills holes over REST.
    timing : Timing
        Waiting, and when something arrived.
    symbol : str
        The market.
    silent_after_s : float
        Seconds without a trade after which the line is taken for dead.
    """

    def __init__(
        self,
        exchange: Any,  # noqa: ANN401 - ccxt has no types
        desk: CallDesk,
        market_desk: MarketDesk,
        timing: Timing,
        *,
        symbol: str,
        silent_after_s: float,
    ) -> None:
        self._exchange = exchange
        self._market_desk = market_desk
        self._timing = timing
        self._symbol = symbol
        self._is_counted = False
        self._is_polled = not exchange.has.get("watchTrades")
        source = self._poll if self._is_polled else self._watch
        self._loop = StreamLoop(exchange, desk, timing, source, symbol=symbol, silent_after_s=silent_after_s)
        self._last: MarketTrade | None = None
        self._seen: OrderedDict[str, None] = OrderedDict()

    async def events(self) -> AsyncGenerator[TradeEvent, None]:
        """Yield batches, gaps, interruptions and bad records, for ever."""
        market = await self._market_desk.market(self._symbol)
        self._is_counted = bool(market.get("spot")) and self._exchange.id in _COUNTS_TRADES
        async with aclosing(self._loop.answers()) as answers:
            async for answer in answers:
                events = []
                if not isinstance(answer, BadRecord | StreamInterrupted):
                    events = await self._take(answer)
                else:
                    yield answer
                    if isinstance(answer, StreamInterrupted) and answer.cause == "silent":
                        events = await self._catch_up()
                for event in events:
                    yield event

    async def _watch(self) -> Sequence[Any]:
        unread = unread_rows(self._exchange.trades.get(self._symbol), self._symbol)
        rows: Sequence[Any] = unread or await self._exchange.watch_trades(self._symbol)
        return rows

    async def _poll(self) -> Sequence[MarketTrade]:
        if self._last is not None:
            await self._timing.sleep(_POLL_S)
        return await self._rest_trades(self._last, _PAGE)

    async def _rest_trades(self, after: MarketTrade | None, limit: int) -> tuple[MarketTrade, ...]:
        if after is None:
            return await self._market_desk.trades(self._symbol, since_ns=None, after_id=None, limit=1)
        return await self._market_desk.trades(
            self._symbol, since_ns=after.time_ns, after_id=after.trade_id, limit=limit
        )

    async def _take(self, rows: Sequence[Any]) -> list[TradeEvent]:
        """Return the events that some trades of the stream are."""
        events: list[TradeEvent] = []
        trades: list[MarketTrade] = []
        for row in rows:
            try:
                trades.append(self._parsed(row))
            except DataError as error:
                events.append(BadRecord(self._symbol, str(error)))
        if self._is_counted:
            trades.sort(key=lambda trade: int(trade.trade_id or 0))
        for run in self._runs(self._new(trades)):
            if self._last is not None:
                events += await self._fill(self._last, run[0])
            events.append(self._batch(run, is_backfill=False))
        return events

    def _parsed(self, row: Any) -> MarketTrade:  # noqa: ANN401 - ccxt has no types
        trade = row if isinstance(row, MarketTrade) else parse_market_trade(self._symbol, row)
        if self._is_counted and not (trade.trade_id or "").isdigit():
            raise DataError(f"{self._symbol} trade: id must be a number, was {trade.trade_id!r}")
        return trade

    def _runs(self, trades: list[MarketTrade]) -> list[list[MarketTrade]]:
        """Return trades cut at every hole between them."""
        runs: list[list[MarketTrade]] = []
        for trade in trades:
            is_next = bool(runs) and (
                not self._is_counted or int(trade.trade_id or 0) == int(runs[-1][-1].trade_id or 0) + 1
            )
            if is_next:
                runs[-1].append(trade)
            else:
                runs.append([trade])
        return runs

    async def _catch_up(self) -> list[TradeEvent]:
        """Return what REST has that a silent line did not bring."""
        if self._last is None:
            return []
        try:
            trades = self._new(list(await self._rest_trades(self._last, _PAGE)))
        except (DataError, ExchangeError):
            return []
        if not trades:
            return []
        last, end = self._last, trades[-1]
        missing = int(end.trade_id or 0) - int(last.trade_id or 0) if self._is_counted else None
        gap = StreamGap(self._symbol, last.time_ns, end.time_ns, last.trade_id, end.trade_id, missing, len(trades))
        return [gap, self._batch(trades, is_backfill=True)]

    async def _fill(self, last: MarketTrade, first: MarketTrade) -> list[TradeEvent]:
        """Return the gap between two trades and what REST has of it; nothing when there is none."""
        missing = int(first.trade_id or 0) - int(last.trade_id or 0) - 1 if self._is_counted else None
        was_interrupted, self._loop.was_interrupted = self._loop.was_interrupted, False
        if missing == 0 or (missing is None and not was_interrupted):
            return []
        found = await self._between(last, first)
        if missing is None and not found:
            return []
        ends = (last.time_ns, first.time_ns, last.trade_id, first.trade_id)
        events: list[TradeEvent] = [StreamGap(self._symbol, *ends, missing, len(found))]
        if found:
            events.append(self._batch(found, is_backfill=True))
        return events

    async def _between(self, last: MarketTrade, first: MarketTrade) -> list[MarketTrade]:
        """Return what REST has between two trades, page by page; what came so far when it fails."""
        found: list[MarketTrade] = []
        for _ in range(_MOST_PAGES):
            try:
                page = await self._rest_trades(found[-1] if found else last, _PAGE)
            except (DataError, ExchangeError):
                break
            # Asked by time, a page begins with what the one before ended with.
            known = {trade.trade_id for trade in found if trade.trade_id is not None}
            inside = self._new([trade for trade in page if self._is_before(trade, first)])
            inside = [trade for trade in inside if trade.trade_id not in known]
            found += inside
            if not inside or not page or not self._is_before(page[-1], first):
                break
        return found

    def _is_before(self, trade: MarketTrade, first: MarketTrade) -> bool:
        if self._is_counted:
            return int(trade.trade_id or 0) < int(first.trade_id or 0)
        return trade.time_ns <= first.time_ns and trade.trade_id != first.trade_id

    def _new(self, trades: list[MarketTrade]) -> list[MarketTrade]:
        """Return those trades that nobody was told of."""
        if self._is_counted:
            known = int(self._last.trade_id or 0) if self._last is not None else -1
            counted = {int(trade.trade_id or 0): trade for trade in trades}
            return [trade for number, trade in counted.items() if number > known]
        return [trade for trade in trades if trade.trade_id is None or trade.trade_id not in self._seen]

    def _batch(self, trades: list[MarketTrade], *, is_backfill: bool) -> TradeBatch:
        """Return a batch, and note that its trades are told."""
        self._last = trades[-1]
        for trade in trades:
            if trade.trade_id is not None and not self._is_counted:
                self._seen[trade.trade_id] = None
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        self._loop.last_data_ns = max(self._loop.last_data_ns, self._last.time_ns)
        self._loop.heard()
        return TradeBatch(self._symbol, tuple(trades), is_backfill, self._timing.now_ns())
