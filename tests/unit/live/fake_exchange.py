"""An exchange that does only what a test tells it, and a line to it that goes on only when a test lets it."""

from __future__ import annotations

import asyncio
import queue
from collections import defaultdict, deque
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.manual_timing import ManualTiming
from tests.unit.live.markets import BTC, MIDNIGHT, MINUTE, SECOND
from workbench.exchange import Accepted, Balance, Candle, MarketTrade, OrderState, OwnTrade, StreamGap, TradeBatch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from workbench.exchange import OrderTicket

# More turns of the loop than anything here takes to come to rest.
TURNS = 60
_TRADE_NUMBERS = count()


def trade(number: int, price: float = 100.0, *, after_ns: int | None = None, trade_id: str | None = "") -> MarketTrade:
    """Return the market's trade `number`, that many seconds after midnight unless `after_ns` is given."""
    after = number * SECOND if after_ns is None else after_ns
    return MarketTrade(BTC, str(number) if trade_id == "" else trade_id, MIDNIGHT + after, price, 1.0, "buy")


def batch(*trades: MarketTrade, is_backfill: bool = False) -> TradeBatch:
    return TradeBatch(BTC, trades, is_backfill, 0)


def gap(*, missing: int | None, recovered: int) -> StreamGap:
    return StreamGap(BTC, MIDNIGHT, MIDNIGHT + MINUTE, None, None, missing, recovered)


def candle(minute: int, close: float = 100.0, *, is_closed: bool | None = True) -> Candle:
    """Return the flat candle of a minute after midnight."""
    return Candle(BTC, MIDNIGHT + minute * MINUTE, close, close, close, close, 1.0, is_closed)


def state_of(name: str, status: str = "filled", *, quantity: float = 1.0, filled: float | None = None) -> OrderState:
    """Return what the exchange says of the order that we call `name`; its own name of it is ``x-name``."""
    done = quantity if filled is None else filled
    return OrderState(
        symbol=BTC, order_id=f"x-{name}", client_order_id=name, side="buy", kind="market", quantity=quantity,
        filled=done, average_price=None, price=None, status=status,  # type: ignore[arg-type]  # one of its words
    )  # fmt: skip


def own_trade(name: str, quantity: float, price: float = 100.0, *, side: str = "buy", **changes: Any) -> OwnTrade:
    settings: dict[str, Any] = {
        "trade_id": f"t{next(_TRADE_NUMBERS)}",
        "fee": 0.0,
        "fee_currency": "USDT",
        "time_ns": MIDNIGHT,
    }
    return OwnTrade(
        symbol=BTC, order_id=f"x-{name}", client_order_id=None, side=side, quantity=quantity, price=price,
        is_maker=False, **{**settings, **changes},
    )  # type: ignore[arg-type]  # a side  # fmt: skip


class FakeExchange:
    """Streams what is put into ``streams``; answers calls with what waits in ``answers``, oldest first.

    The last answer to a kind of call stays; an exception is raised, and a callable is called with the arguments.
    """

    name = "fake"
    clock = None

    def __init__(self) -> None:
        self.streams: dict[str, asyncio.Queue[Any]] = defaultdict(asyncio.Queue)
        self.answers: dict[str, deque[Any]] = defaultdict(deque)
        self.calls: list[tuple[Any, ...]] = []
        # The same for a test on another thread, which waits for them.
        self.heard: dict[str, queue.SimpleQueue[tuple[Any, ...]]] = {
            call: queue.SimpleQueue()
            for call in ("trades", "candles", "place", "cancel", "order", "own_trades", "balances", "positions")
        }
        self.is_closed = False
        self.answer("trades", ())
        self.answer("candles", ())
        self.answer("place", lambda ticket: Accepted(state_of(ticket.client_order_id, quantity=ticket.quantity)))
        self.answer("cancel", lambda name: Accepted(state_of(name, "cancelled", filled=0.0)))
        self.answer("order", None)
        self.answer("own_trades", ())
        self.answer("balances", {"USDT": Balance(10_000.0, 0.0), "BTC": Balance(10.0, 0.0)})
        self.answer("positions", ())

    def answer(self, call: str, *answers: Any) -> None:
        self.answers[call] = deque(answers)

    def asked(self, call: str) -> list[Any]:
        """Return the arguments of the calls of one kind."""
        return [arguments for name, *arguments in self.calls if name == call]

    async def trades(self, symbol: str, **where: Any) -> Any:
        return await self._answer("trades", symbol, where.get("since_ns"), where.get("after_id"))

    async def candles(self, symbol: str, _timeframe: Any, since_ns: int, _limit: int = 500) -> Any:
        return await self._answer("candles", symbol, since_ns)

    async def place_order(self, ticket: OrderTicket) -> Any:
        return await self._answer("place", ticket)

    async def cancel_order(self, _symbol: str, name: str) -> Any:
        return await self._answer("cancel", name)

    async def order(self, _symbol: str, name: str) -> Any:
        return await self._answer("order", name)

    def request_closes_ns(self, sent_ns: int) -> int | None:
        return sent_ns + 6 * SECOND

    async def own_trades(self, symbol: str, *, since_ns: int) -> Any:
        return await self._answer("own_trades", symbol, since_ns)

    async def measure_clock(self) -> None:
        self.calls.append(("measure_clock",))

    async def refresh_markets(self) -> None:
        self.calls.append(("refresh_markets",))

    async def balances(self) -> Any:
        return await self._answer("balances")

    async def positions(self, symbols: Any) -> Any:
        return await self._answer("positions", symbols)

    def watch_trades(self, symbol: str) -> AsyncGenerator[Any, None]:
        return self._stream(f"trades {symbol}")

    def watch_candles(self, symbol: str, _timeframe: Any) -> AsyncGenerator[Any, None]:
        return self._stream(f"candles {symbol}")

    def watch_own(self, _symbols: Any, *, poll_s: float) -> AsyncGenerator[Any, None]:
        assert poll_s > 0.0
        return self._stream("own")

    async def close(self) -> None:
        self.is_closed = True

    async def _answer(self, call: str, *arguments: Any) -> Any:
        self.calls.append((call, *arguments))
        self.heard[call].put(arguments)
        answers = self.answers[call]
        found = answers.popleft() if len(answers) > 1 else answers[0]
        if callable(found):
            found = found(*arguments)
        if isinstance(found, asyncio.Event):
            # The call hangs until the test lets it go on to the next answer.
            await found.wait()
            return await self._answer(call, *arguments)
        if isinstance(found, BaseException):
            raise found
        return found

    async def _stream(self, name: str) -> AsyncGenerator[Any, None]:
        while True:
            event = await self.streams[name].get()
            if isinstance(event, BaseException):
                raise event
            yield event


class SteppedLine:
    """Stands in for `ExchangeLine` without a thread: what was begun goes on in `settle`."""

    def __init__(self, client: FakeExchange, timing: ManualTiming | None = None) -> None:
        self.client = client
        self.timing = ManualTiming() if timing is None else timing
        self._loop = asyncio.new_event_loop()
        self._tasks: list[asyncio.Task[None]] = []
        self.is_broken = False

    def run(self, make: Callable[[Any], Any], on_error: Callable[[str], None]) -> None:
        async def guarded() -> None:
            try:
                await make(self.client)
            except Exception as error:  # noqa: BLE001  as the real line does
                self.is_broken = True
                on_error(f"{type(error).__name__}: {error}")

        self._tasks.append(self._loop.create_task(guarded()))

    def ask(self, make: Callable[[Any], Any], *, timeout_s: float = 60.0) -> Any:
        assert timeout_s > 0.0
        return self._loop.run_until_complete(make(self.client))

    def now_ns(self) -> int:
        return self.timing.now_ns()

    def settle(self) -> None:
        """Let everything go on until it waits."""

        async def turns() -> None:
            for _ in range(TURNS):
                turn = self._loop.create_future()
                self._loop.call_soon(turn.set_result, None)
                await turn

        self._loop.run_until_complete(turns())

    def put(self, stream: str, *events: Any) -> None:
        """Stream events and let them be taken."""
        for event in events:
            self.client.streams[stream].put_nowait(event)
        while not self.client.streams[stream].empty() and not self.is_broken:
            self.settle()
        self.settle()

    def pass_time(self, duration_s: float) -> None:
        self.timing.advance(duration_s)
        self.settle()

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
