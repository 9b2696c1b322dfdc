"""The stream of a market's candles: every change told, every missing one found."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import DataError, ExchangeError
from workbench.exchange.ccxt_client.parsing import parse_candle
from workbench.exchange.ccxt_client.stream_loop import StreamLoop
from workbench.exchange.ccxt_client.unread import changed_candles, unread_rows
from workbench.exchange.streams import BadRecord, CandleBatch, StreamGap, StreamInterrupted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from workbench.exchange.ccxt_client.calls import CallDesk
    from workbench.exchange.ccxt_client.market_desk import MarketDesk
    from workbench.exchange.ccxt_client.timing import Timing
    from workbench.exchange.market_data import Candle
    from workbench.exchange.streams import CandleEvent
    from workbench.model.timeframe import Timeframe

__all__ = ["CandleStream"]

_GRACE_S: Final = 30.0
_LONGEST_POLL_S: Final = 15.0
_PAGE: Final = 1_000
_REMEMBERED: Final = 1_000


class CandleStream:
    """One market's candles from now on.

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
    timeframe : Timeframe
        Length of a candle.
    silent_after_s : float or None
        Seconds without a change after which the line is taken for dead; None = one candle and 30 s.
    """

    def __init__(
        self,
        exchange: Any,  # noqa: ANN401 - ccxt has no types
        desk: CallDesk,
        market_desk: MarketDesk,
        timing: Timing,
        *,
        symbol: str,
        timeframe: Timeframe,
        silent_after_s: float | None,
    ) -> None:
        self._exchange = exchange
        self._market_desk = market_desk
        self._timing = timing
        self._symbol = symbol
        self._timeframe = timeframe
        self._is_polled = not exchange.has.get("watchOHLCV")
        limit_s = timeframe.seconds / timing.speed + _GRACE_S if silent_after_s is None else silent_after_s
        source = self._poll if self._is_polled else self._watch
        self._loop = StreamLoop(exchange, desk, timing, source, symbol=symbol, silent_after_s=limit_s)
        self._told: OrderedDict[int, Candle] = OrderedDict()
        self._last_ns: int | None = None

    async def events(self) -> AsyncGenerator[CandleEvent, None]:
        """Yield batches, gaps, interruptions and bad records, for ever."""
        await self._market_desk.market(self._symbol)
        self._market_desk.check_timeframe(self._timeframe)
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
        rows = unread_rows(self._cache, self._symbol)
        rows = rows or await self._exchange.watch_ohlcv(self._symbol, self._timeframe.name)
        return changed_candles(self._cache, rows)

    @property
    def _cache(self) -> Any:  # noqa: ANN401 - ccxt has no types
        return self._exchange.ohlcvs.get(self._symbol, {}).get(self._timeframe.name)

    async def _poll(self) -> Sequence[Candle]:
        if self._last_ns is not None:
            await self._timing.sleep(min(_LONGEST_POLL_S, self._timeframe.seconds / 4 / self._timing.speed))
        return await self._rest_candles(self._last_ns)

    async def _rest_candles(self, since_ns: int | None) -> tuple[Candle, ...]:
        """Return the candles from one on; without one, the open one and the one before."""
        if since_ns is None:
            since_ns = self._timeframe.floor(self._market_desk.exchange_now_ns()) - self._timeframe.ns
        return await self._market_desk.candles(self._symbol, self._timeframe, since_ns, _PAGE)

    async def _take(self, rows: Sequence[Any]) -> list[CandleEvent]:
        """Return the events that some candles of the stream are."""
        events: list[CandleEvent] = []
        candles: list[Candle] = []
        for row in rows:
            try:
                candles.append(row if self._is_polled else parse_candle(self._symbol, row, is_closed=None))
            except DataError as error:
                events.append(BadRecord(self._symbol, str(error)))
        for run in self._runs(self._changed(sorted(candles, key=lambda candle: candle.time_ns))):
            events += await self._fill(run[0].time_ns)
            events.append(self._batch(run, is_backfill=False))
        return events

    def _runs(self, candles: list[Candle]) -> list[list[Candle]]:
        """Return candles cut at every hole between them."""
        runs: list[list[Candle]] = []
        for candle in candles:
            if runs and candle.time_ns <= runs[-1][-1].time_ns + self._timeframe.ns:
                runs[-1].append(candle)
            else:
                runs.append([candle])
        return runs

    async def _catch_up(self) -> list[CandleEvent]:
        """Return what REST has that a silent line did not bring."""
        last_ns = self._last_ns
        if last_ns is None:
            return []
        try:
            changed = self._changed(list(await self._rest_candles(last_ns)))
        except (DataError, ExchangeError):
            return []
        if not changed:
            return []
        recovered = sum(candle.time_ns > last_ns for candle in changed)
        missing = (changed[-1].time_ns - last_ns) // self._timeframe.ns
        gap = StreamGap(self._symbol, last_ns, changed[-1].time_ns, None, None, missing, recovered)
        return [gap, self._batch(changed, is_backfill=True)] if recovered else [self._batch(changed, is_backfill=True)]

    async def _fill(self, first_ns: int) -> list[CandleEvent]:
        """Return the gap before a candle and what REST has of it; nothing when there is none."""
        last_ns, step_ns = self._last_ns, self._timeframe.ns
        self._loop.was_interrupted = False
        if last_ns is None or first_ns <= last_ns + step_ns:
            return []
        try:
            page = await self._rest_candles(last_ns)
        except (DataError, ExchangeError):
            page = ()
        # The last one told was still open: what became of it belongs to the hole too.
        found = self._changed([candle for candle in page if candle.time_ns < first_ns])
        recovered = sum(candle.time_ns > last_ns for candle in found)
        missing = (first_ns - last_ns) // step_ns - 1
        events: list[CandleEvent] = [StreamGap(self._symbol, last_ns, first_ns, None, None, missing, recovered)]
        if found:
            events.append(self._batch(found, is_backfill=True))
        return events

    def _changed(self, candles: list[Candle]) -> list[Candle]:
        """Return those candles that nobody was told of as they are."""
        return [candle for candle in candles if self._told.get(candle.time_ns) != candle]

    def _batch(self, candles: list[Candle], *, is_backfill: bool) -> CandleBatch:
        """Return a batch, and note that its candles are told."""
        for candle in candles:
            self._told[candle.time_ns] = candle
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        newest_ns = candles[-1].time_ns
        self._last_ns = newest_ns if self._last_ns is None else max(self._last_ns, newest_ns)
        self._loop.last_data_ns = self._last_ns
        self._loop.heard()
        return CandleBatch(self._symbol, self._timeframe.name, tuple(candles), is_backfill, self._timing.now_ns())
