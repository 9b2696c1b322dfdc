"""What an order line does in the background, on the line's thread: places, follows, recovers, cancels and listens."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from workbench.core.order_state import Ended, Found, Procedures
from workbench.errors import ConfigError, ExchangeError
from workbench.exchange import OrderState, OwnTrade
from workbench.live.notices import Notice
from workbench.live.order_effects import perform

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from workbench.core.order_state import Answer, Effect, Intent, LiveOrder, Placed
    from workbench.exchange import ExchangeClient
    from workbench.exchange.ccxt_client.timing import Timing

__all__ = ["OrderPlaced", "OrderTasks", "Placing", "TradesComplete"]

# How often own trades are asked for beside the stream, real seconds.
_POLL_S: Final = 5.0
# How often it is made sure that none is missing, real seconds.
_AUDIT_S: Final = 60.0
_RETRY_S: Final = 1.0
_NS_PER_S: Final = 1_000_000_000
# Own trades may be listed this late, real seconds.
_LAG_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """What placing or recovering an order came to; None when an exit stays in flight until a person has looked."""

    number: int
    placed: Placed | None


@dataclass(frozen=True, slots=True)
class TradesComplete:
    """All own trades up to a time of the exchange have been told, ns UTC."""

    to_ns: int


@dataclass(slots=True, eq=False)
class Placing:
    """An order that is on its way; a cancel waits for its end, as overtaking the order it would find nothing."""

    began_ns: int = 0
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    is_there: bool = False


class OrderTasks:
    """The tasks of an order line; what they find out is `put` for the session's thread.

    Parameters
    ----------
    timing : Timing
        The line's clock.
    symbols : tuple of str
        The session's markets.
    put : callable
        Takes what the session's thread must know.
    """

    def __init__(self, timing: Timing, symbols: tuple[str, ...], put: Callable[[object], None]) -> None:
        self._timing = timing
        self._symbols = symbols
        self._put = put
        self._procedures = Procedures()
        # Orders that are under way or open.
        self._active = 0
        # Whether own trades may come that are worth asking for.
        self._is_wanted = asyncio.Event()

    async def place(
        self,
        intent: Intent,
        procedure: Generator[Effect, Answer, Placed | None],
        first: Answer,
        placing: Placing,
        client: ExchangeClient,
    ) -> None:
        """Go on with a procedure from its answer `first` on, and then follow the order while it is open."""
        placed: Placed | None = None
        self._active += 1
        self._is_wanted.set()
        try:
            try:
                placed = await perform(procedure, client, self._timing, self._put, first)
            finally:
                placing.is_there = not isinstance(placed, Ended)
                placing.is_over.set()
            self._put(OrderPlaced(intent.number, placed))
            if isinstance(placed, Found) and placed.report.is_open:
                await perform(self._procedures.follow(intent), client, self._timing, self._put)
        finally:
            self._active -= 1

    async def recover(self, order: LiveOrder, placing: Placing, client: ExchangeClient) -> None:
        """Find out what became of an order of a process that is gone, and then follow it while it is open."""
        closes_ns = None
        if not order.is_answered:
            await self._measure_clock(client)
            # Nothing of that process can have left later than now. What the exchange has shown is there for certain.
            closes_ns = client.request_closes_ns(self._exchange_ns(client))
        procedure = self._procedures.recover(order.intent, closes_ns)
        await self.place(order.intent, procedure, None, placing, client)

    async def cancel(
        self,
        procedure: Generator[Effect, Answer, None],
        placing: Placing | None,
        done: object,
        client: ExchangeClient,
    ) -> None:
        """Cancel an order once it is known to be there; `done` is put when that has come to an end."""
        try:
            if placing is not None:
                await placing.is_over.wait()
            if placing is None or placing.is_there:
                await perform(procedure, client, self._timing, self._put)
        finally:
            self._put(done)

    async def watch(self, client: ExchangeClient) -> None:
        """Pass on what the exchange streams of own orders and trades.

        What no waiting of the client's mends, such as a key that was revoked, takes a person; it is tried again from
        time to time all the same, or a session that somebody lets go on would not hear of its fills.
        """
        while True:
            try:
                async for event in client.watch_own(self._symbols, poll_s=_POLL_S):
                    if isinstance(event, (OrderState, OwnTrade)):
                        self._put(event)
                    else:
                        self._put(Notice(0, "stream", f"the stream of own orders was disturbed: {event.reason}"))
            except ExchangeError as error:
                text = f"own orders and fills are not told: {error}"
                self._put(Notice(0, "order", text, needs_person=True))
            else:
                # The client was closed.
                return
            await self._timing.sleep(_AUDIT_S)

    async def audit(self, since_ns: int | None, client: ExchangeClient) -> None:
        """Fetch own trades again from time to time, so that it is known up to when none is missing.

        Parameters
        ----------
        since_ns : int or None
            Exchange time from which on trades may be missing; None when none is missing yet.
        client : ExchangeClient
            Asked.
        """
        await self._measure_clock(client)
        if since_ns is None:
            since_ns = self._exchange_ns(client) - self._lag_ns
            await self._timing.sleep(_AUDIT_S)
        self._is_wanted.set()
        while True:
            await self._is_wanted.wait()
            is_idle = not self._active
            asked_ns = self._exchange_ns(client)
            is_told = await self._fetch(since_ns, client)
            if is_told:
                since_ns = asked_ns - self._lag_ns
                self._put(TradesComplete(since_ns))
                if is_idle:
                    # Nothing that is open can trade.
                    self._is_wanted.clear()
            await self._timing.sleep(_AUDIT_S if is_told else _POLL_S)

    async def _fetch(self, since_ns: int, client: ExchangeClient) -> bool:
        for symbol in self._symbols:
            try:
                trades = await client.own_trades(symbol, since_ns=since_ns)
            except ExchangeError as error:
                self._put(Notice(0, "stream", f"own trades of {symbol} could not be asked for: {error}"))
                return False
            for trade in trades:
                self._put(trade)
        return True

    async def _measure_clock(self, client: ExchangeClient) -> None:
        """Measure the exchange's clock unless it is known; a first reading later on would be a jump in its time."""
        while client.clock is None:
            try:
                await client.measure_clock()
            except ConfigError:
                return
            except ExchangeError as error:
                if not error.retryable:
                    return
            else:
                return
            await self._timing.sleep(_RETRY_S)

    def _exchange_ns(self, client: ExchangeClient) -> int:
        return self._timing.now_ns() + (client.clock.offset_ns if client.clock is not None else 0)

    @property
    def _lag_ns(self) -> int:
        return int(_LAG_S * _NS_PER_S * max(1.0, self._timing.speed))
