"""Live prices of an exchange as a feed: its trades, or its closed candles, with everything that is wrong with them.

Nothing is repaired silently: a hole is told, what REST could still give of it follows in its place, and a price that
cannot be is left out and counted.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import DataError, ExchangeError
from workbench.exchange import BadRecord, CandleBatch, StreamGap, StreamInterrupted, TradeBatch
from workbench.live.candle_closer import CandleCloser
from workbench.live.feeds import BATCH_ROWS
from workbench.live.notices import Notice
from workbench.model import BAR, EVENT, TICK, Bar, utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workbench.exchange import Candle, ExchangeClient, MarketTrade
    from workbench.live.exchange_line import ExchangeLine
    from workbench.model import Timeframe

__all__ = ["ExchangeFeed"]

# Trades or candles of one call when what was missed is fetched.
_PAGE: Final = 1_000
# The session's thread waits as long for candles that fill a hole.
_CANDLES_TIMEOUT_S: Final = 5.0
# How wrong our idea of the exchange's time may be.
_CLOCK_ERROR_NS: Final = 2_000_000_000
# Events that wait for a session; of one that is so far behind the stream ends, which is told.
_MOST_WAITING: Final = 1_000_000

Row = tuple[int, int, int, float, float, float, float, float, int]


class ExchangeFeed:
    """A feed of an exchange's trades or candles; `listen` names the event that is set when something comes.

    Parameters
    ----------
    line : ExchangeLine
        Where they come from.
    symbols : sequence of str
        Symbols of the session.
    timeframe : Timeframe
        Length of a candle.
    since_ns : int
        Trades from here on are fed, also those from before the stream began: the open of the current bar, ns UTC.
    is_bar_only : bool
        Candles in place of trades.
    """

    def __init__(
        self, line: ExchangeLine, symbols: Sequence[str], timeframe: Timeframe, *, since_ns: int, is_bar_only: bool
    ) -> None:
        self.start_ns = since_ns
        self.is_bar_only = is_bar_only
        self._line = line
        self._symbols = tuple(symbols)
        self._timeframe = timeframe
        # Notices stand among the rows, because a hole lies between certain prices.
        self._coming: deque[Row | Notice] = deque()
        self._notices: list[Notice] = []
        self._wake = threading.Event()
        self._failed: str | None = None
        pump = self._pump_candles if is_bar_only else self._pump_trades
        for index in range(len(self._symbols)):
            line.run(partial(pump, index), self._fail)

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will ever come: a stream broke for good, and the reason is a notice."""
        return self._failed is not None and not self._coming

    @property
    def failure(self) -> str | None:
        """Why a stream broke for good; None while none has."""
        return self._failed

    @property
    def has_news(self) -> bool:
        """Whether something has come that was not polled yet."""
        return bool(self._coming)

    def next_due_ns(self) -> int | None:
        """Return None: nobody knows when the next trade happens."""
        return None

    def listen(self, wake: threading.Event) -> None:
        """Set `wake` whenever something comes."""
        self._wake = wake
        wake.set()

    def poll(self, now_ns: int) -> NDArray[np.void]:  # noqa: ARG002  what has come is due
        """Return the next rows of `EVENT` that have come, at most a batch and up to the next notice.

        The notices before them are due by then: take them before the rows are run.
        """
        while self._coming and isinstance(self._coming[0], Notice):
            self._notices.append(self._coming.popleft())  # type: ignore[arg-type]  # as just asked
        rows: list[Row] = []
        while self._coming and len(rows) < BATCH_ROWS and not isinstance(self._coming[0], Notice):
            rows.append(self._coming.popleft())  # type: ignore[arg-type]  # as just asked
        return np.array(rows, dtype=EVENT)

    def notices(self) -> tuple[Notice, ...]:
        """Return what people should know, oldest first, and forget it."""
        notices, self._notices = tuple(self._notices), []
        return notices

    def closed_bars(self, symbol: str, start_ns: int, end_ns: int) -> tuple[Bar, ...]:
        """Return the candles of a `symbol` that open in ``[start_ns, end_ns)``, asked for now.

        They are over whatever our clock says: a price of `end_ns` or later has come.

        Raises
        ------
        ExchangeError
            The exchange did not answer.
        """

        async def fetch(client: ExchangeClient) -> list[Candle]:
            return await self._candles(client, symbol, start_ns, end_ns)

        found = self._line.ask(fetch, timeout_s=_CANDLES_TIMEOUT_S)
        return tuple(
            Bar(one.symbol, one.time_ns, one.open, one.high, one.low, one.close, one.volume)
            for one in found
            if start_ns <= one.time_ns < end_ns
        )

    def close(self) -> None:
        """Close the line."""
        self._line.close()

    async def _pump_trades(self, index: int, client: ExchangeClient) -> None:
        """Bring the trades of a symbol: those since the start that were before the stream, and then the stream."""
        symbol = self._symbols[index]
        is_first = True
        gap: StreamGap | None = None
        async for event in client.watch_trades(symbol):
            if isinstance(event, TradeBatch):
                if is_first:
                    await self._take_missed(index, client, event.trades[0])
                    is_first = False
                self._take([_tick(index, trade) for trade in event.trades])
                if gap is not None and event.is_backfill:
                    # The hole lies before or behind what was fetched of it, nobody knows.
                    text = f"{symbol}: more may be missing before {utc_text(gap.before_ns)}"
                    self._note(Notice(gap.before_ns, "gap", text, hole_in=symbol))
                gap = None
            else:
                self._tell(event)
                gap = event if isinstance(event, StreamGap) and not event.is_whole else None

    async def _take_missed(self, index: int, client: ExchangeClient, first: MarketTrade) -> None:
        """Bring the trades before the stream's first, and tell of a hole where the exchange does not give them all."""
        symbol = self._symbols[index]
        trades: list[MarketTrade] = []
        try:
            trades, why = await self._before(client, symbol, first)
        except (DataError, ExchangeError) as error:
            why = str(error)
        if why is not None:
            text = f"{symbol}: what was traded since {utc_text(self.start_ns)} could not be fetched: {why}"
            self._note(Notice(first.time_ns, "gap", text, hole_in=symbol))
        self._take([_tick(index, trade) for trade in trades])
        if why is not None:
            self._note(Notice(first.time_ns, "gap", f"{symbol}: the stream begins here", hole_in=symbol))

    async def _before(
        self, client: ExchangeClient, symbol: str, first: MarketTrade
    ) -> tuple[list[MarketTrade], str | None]:
        """Return the trades from the start up to the first one of the stream, and why some may be missing, or None."""
        found: list[MarketTrade] = []
        last_id: str | None = None
        while True:
            page = await client.trades(symbol, since_ns=self.start_ns if last_id is None else None, after_id=last_id)
            is_full = len(page) >= _PAGE
            for trade in page:
                is_first = trade.trade_id is not None and trade.trade_id == first.trade_id
                if is_first or trade.time_ns > first.time_ns:
                    # An exchange that cannot seek by time gives its latest ones, which need not reach the start.
                    is_cut = last_id is None and is_full
                    return found, "the exchange gives no more than its latest" if is_cut else None
                if trade.time_ns >= self.start_ns:
                    found.append(trade)
            if not is_full or page[-1].trade_id is None:
                return found, "the exchange's list ends before the stream begins"
            last_id = page[-1].trade_id

    async def _pump_candles(self, index: int, client: ExchangeClient) -> None:
        """Bring the closed candles of a symbol."""
        symbol, timeframe = self._symbols[index], self._timeframe
        closer = CandleCloser(self.start_ns)
        await self._confirm(index, closer, client, self.start_ns)
        async for event in client.watch_candles(symbol, timeframe):
            if not isinstance(event, CandleBatch):
                self._tell(event)
                continue
            self._close_bars(index, closer, [self._believed(candle) for candle in event.candles])
            if closer.unconfirmed_ns is not None:
                await self._confirm(index, closer, client, closer.unconfirmed_ns)

    def _believed(self, candle: Candle) -> Candle:
        """Return a candle that says it is closed long before its end as one that does not say."""
        early_ns = candle.time_ns + self._timeframe.ns - self._line.now_ns()
        if not candle.is_closed or early_ns <= _CLOCK_ERROR_NS:
            return candle
        text = f"{candle.symbol}: the candle of {utc_text(candle.time_ns)} says it is closed before its end"
        self._note(Notice(candle.time_ns, "bad_record", text))
        return replace(candle, is_closed=None)

    async def _confirm(self, index: int, closer: CandleCloser, client: ExchangeClient, since_ns: int) -> None:
        """Take the candles from a time on as the exchange gives them when asked; what it does not give stays open."""
        symbol = self._symbols[index]
        # Asked for at least once, should our clock be behind.
        end_ns = max(self._line.now_ns(), since_ns + 1)
        try:
            candles = await self._candles(client, symbol, since_ns, end_ns)
        except (DataError, ExchangeError) as error:
            text = f"{symbol}: the candles from {utc_text(since_ns)} on could not be fetched: {error}"
            self._note(Notice(since_ns, "gap", text))
            return
        self._close_bars(index, closer, candles)

    async def _candles(self, client: ExchangeClient, symbol: str, since_ns: int, end_ns: int) -> list[Candle]:
        """Return the candles of a `symbol` from a time up to another one, page by page, however long a page is."""
        found: list[Candle] = []
        while since_ns < end_ns:
            page = await client.candles(symbol, self._timeframe, since_ns, _PAGE)
            fresh = [one for one in page if one.time_ns >= since_ns]
            if not fresh:
                break
            found += fresh
            since_ns = fresh[-1].time_ns + self._timeframe.ns
        return found

    def _close_bars(self, index: int, closer: CandleCloser, candles: Sequence[Candle]) -> None:
        rows: list[Row] = []
        for candle in candles:
            closed, revision = closer.take(candle)
            if closed is not None:
                values = (closed.open, closed.high, closed.low, closed.close, closed.volume)
                rows.append((BAR, index, closed.time_ns, *values, 0))
            if revision is not None:
                self._note(Notice(candle.time_ns, "revision", f"{candle.symbol}: {revision}"))
        self._take(rows)

    def _take(self, rows: list[Row]) -> None:
        if len(self._coming) + len(rows) > _MOST_WAITING:
            raise OverflowError(f"the session is more than {_MOST_WAITING:,} prices behind")
        self._coming.extend(rows)
        self._wake.set()

    def _tell(self, event: StreamGap | StreamInterrupted | BadRecord) -> None:
        if isinstance(event, StreamGap):
            size = "an unknown number" if event.missing is None else f"{event.missing:,}"
            text = (
                f"{event.symbol}: {size} missing between {utc_text(event.after_ns)} and {utc_text(event.before_ns)}; "
                f"{event.recovered:,} of them were fetched"
            )
            self._note(Notice(event.before_ns, "gap", text, hole_in=None if event.is_whole else event.symbol))
        elif isinstance(event, StreamInterrupted):
            text = f"{event.symbol}: the stream is {event.cause} ({event.reason}); next try in {event.retry_in_s:g} s"
            self._note(Notice(event.last_data_ns, "stream", text))
        else:
            self._note(Notice(0, "bad_record", f"{event.symbol}: {event.reason}"))

    def _note(self, notice: Notice) -> None:
        # Of a session that takes nothing, words are left out; a hole never is, for it changes what its bars mean.
        if len(self._coming) < _MOST_WAITING or notice.hole_in is not None or self._failed is not None:
            self._coming.append(notice)
        self._wake.set()

    def _fail(self, reason: str) -> None:
        self._failed = reason
        self._note(Notice(0, "stream", f"the stream ended for good: {reason}"))


def _tick(index: int, trade: MarketTrade) -> Row:
    return (TICK, index, trade.time_ns, trade.price, trade.quantity, 0.0, 0.0, 0.0, 0)
