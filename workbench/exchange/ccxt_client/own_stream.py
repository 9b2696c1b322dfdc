"""The stream of our own orders and trades: what the websocket tells, and what it forgot, each once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError, DataError, ExchangeError
from workbench.exchange.ccxt_client.parsing import parse_order, parse_own_trade
from workbench.exchange.ccxt_client.stream_loop import StreamLoop
from workbench.exchange.ccxt_client.unread import unread_rows
from workbench.exchange.order_states import OrderState, OwnTrade
from workbench.exchange.streams import BadRecord, StreamInterrupted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from workbench.exchange.ccxt_client.account_desk import AccountDesk
    from workbench.exchange.ccxt_client.calls import CallDesk
    from workbench.exchange.ccxt_client.exchange_clock import ExchangeClock
    from workbench.exchange.ccxt_client.timing import Timing
    from workbench.exchange.streams import OwnEvent

__all__ = ["OwnStream"]

_REMEMBERED: Final = 50_000
_WAITING_ROOM: Final = 10_000
# An account without orders is silent for days, so its line is judged by the poll, not by its silence.
_SILENT_AFTER_S: Final = 86_400.0
# How far back trades are told: what a measured clock may be wrong by, and one that could not be measured.
_OVERLAP_NS: Final = 2_000_000_000
_UNMEASURED_OVERLAP_NS: Final = 300_000_000_000


class OwnStream:
    """The account's orders and trades in some markets, from now on.

    Parameters
    ----------
    exchange : ccxt exchange
        Watched.
    desk : CallDesk
        Makes the calls.
    account_desk : AccountDesk
        Asked for trades over REST.
    clock : ExchangeClock
        From when on trades are told.
    timing : Timing
        Waiting.
    symbols : sequence of str
        The markets.
    poll_s : float
        Seconds between two questions over REST.
    """

    def __init__(
        self,
        exchange: Any,  # noqa: ANN401 - ccxt has no types
        desk: CallDesk,
        account_desk: AccountDesk,
        clock: ExchangeClock,
        timing: Timing,
        *,
        symbols: Sequence[str],
        poll_s: float,
    ) -> None:
        if not symbols:
            raise ConfigError("symbols must name at least one market")
        self._exchange = exchange
        self._desk = desk
        self._account_desk = account_desk
        self._timing = timing
        self._symbols = tuple(symbols)
        self._poll_s = poll_s
        self._clock = clock
        self._start_ns = 0
        self._events: asyncio.Queue[OwnEvent | Exception] = asyncio.Queue(_WAITING_ROOM)
        self._wake = asyncio.Event()
        self._booked: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._last_ids: dict[str, str] = {}
        self._orders: OrderedDict[tuple[str, str], OrderState] = OrderedDict()

    async def events(self) -> AsyncGenerator[OwnEvent, None]:
        """Yield order states, trades, interruptions and bad records, for ever."""
        self._start_ns = await self._first_ns()
        tasks = [asyncio.create_task(self._ask_rest())]
        for symbol in self._symbols:
            if self._exchange.has.get("watchOrders"):
                tasks.append(asyncio.create_task(self._listen(symbol, self._watch_orders, parse_order)))
            if self._exchange.has.get("watchMyTrades"):
                tasks.append(asyncio.create_task(self._listen(symbol, self._watch_trades, parse_own_trade)))
        try:
            while True:
                event = await self._events.get()
                if self._exchange.is_shut:
                    return
                if isinstance(event, Exception):
                    raise event
                if self._is_new(event):
                    yield event
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _first_ns(self) -> int:
        """Return the exchange's time from which on trades are told; a fill told twice is better than one left out."""
        if not self._clock.is_fresh and self._clock.can_be_measured:
            with suppress(ExchangeError):
                await self._clock.measure()
        return self._clock.now_ns() - (_OVERLAP_NS if self._clock.is_fresh else _UNMEASURED_OVERLAP_NS)

    async def _watch_orders(self, symbol: str) -> Any:  # noqa: ANN401 - ccxt has no types
        return unread_rows(self._exchange.orders, symbol) or await self._exchange.watch_orders(symbol)

    async def _watch_trades(self, symbol: str) -> Any:  # noqa: ANN401 - ccxt has no types
        return unread_rows(self._exchange.myTrades, symbol) or await self._exchange.watch_my_trades(symbol)

    async def _listen(self, symbol: str, watch: Callable[[str], Any], parse: Callable[[Any], OwnEvent]) -> None:
        """Pass on what the websocket brings of one kind."""
        source = partial(watch, symbol)
        loop = StreamLoop(
            self._exchange, self._desk, self._timing, source, symbol=symbol, silent_after_s=_SILENT_AFTER_S
        )
        try:
            async with aclosing(loop.answers()) as answers:
                async for answer in answers:
                    if loop.was_interrupted:
                        loop.was_interrupted = False
                        self._wake.set()
                    if isinstance(answer, BadRecord | StreamInterrupted):
                        await self._events.put(answer)
                        continue
                    loop.heard()
                    for row in answer:
                        await self._events.put(self._parsed(symbol, parse, row))
            # Only closing the client ends the loop; whoever waits for an event is told.
            await self._events.put(ConfigError("the client is closed"))
        except (ConfigError, ExchangeError) as error:
            await self._events.put(error)

    async def _ask_rest(self) -> None:
        """Ask for trades at the start, after each interruption and from time to time, whatever the websocket says."""
        while True:
            for symbol in self._symbols:
                try:
                    await self._ask_for(symbol)
                except ExchangeError as error:
                    if not error.retryable:
                        await self._events.put(error)
                        return
                    now_ns = self._timing.now_ns()
                    await self._events.put(
                        StreamInterrupted(symbol, "unavailable", str(error), 0, now_ns, self._poll_s)
                    )
            self._wake.clear()
            timer = asyncio.ensure_future(self._timing.sleep(self._poll_s))
            waker = asyncio.ensure_future(self._wake.wait())
            try:
                await asyncio.wait({timer, waker}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
                waker.cancel()

    async def _ask_for(self, symbol: str) -> None:
        last_id = self._last_ids.get(symbol)
        since_ns = None if last_id is not None else self._start_ns
        for trade in await self._account_desk.own_trades(symbol, after_id=last_id, since_ns=since_ns):
            await self._events.put(trade)
            # Only REST moves this on: a trade that the websocket brings may have overtaken one that it lost.
            self._last_ids[symbol] = trade.trade_id

    def _parsed(self, symbol: str, parse: Callable[[Any], OwnEvent], row: Any) -> OwnEvent:  # noqa: ANN401 - ccxt has no types
        try:
            return parse(row)
        except (DataError, TypeError, ValueError) as error:
            return BadRecord(symbol, self._desk.redact(str(error)))

    def _is_new(self, event: OwnEvent) -> bool:
        """Return whether an event says something new, and note it."""
        if isinstance(event, OwnTrade):
            trade_key = (event.symbol, event.trade_id)
            is_new = trade_key not in self._booked and event.time_ns >= self._start_ns
            self._booked[trade_key] = None
            _forget_oldest(self._booked)
            return is_new
        if isinstance(event, OrderState):
            order_key = (event.symbol, event.order_id)
            known = self._orders.get(order_key)
            # Totals never go back, and what is done stays done: a late event of an earlier state is left out.
            if known is not None and (event == known or event.filled < known.filled or _reopens(known, event)):
                return False
            self._orders[order_key] = event
            _forget_oldest(self._orders)
        return True


def _reopens(known: OrderState, event: OrderState) -> bool:
    return not known.is_open and event.is_open and event.filled <= known.filled


def _forget_oldest(memory: OrderedDict[Any, Any]) -> None:
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
