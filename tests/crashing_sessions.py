"""Sessions that die at a point of their work and go on: the real journal, order line and core, an exchange by hand.

A point is a name and a number, such as ``("after send", 2)``: the third time that an order has reached the exchange. A
session that dies there writes and sends nothing more; what it did not commit is gone, what it sent is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.manual_timing import ManualTiming
from tests.unit.live.fake_exchange import FakeExchange
from tests.unit.live.markets import MIDNIGHT, MINUTE, SECOND, bars_of, session_config
from workbench.errors import JournalError, SessionClosedError
from workbench.exchange import Accepted, OrderState, OwnTrade
from workbench.live import LiveSession, ManualClock, Market
from workbench.live.exchange_line import ExchangeLine
from workbench.live.feeds import bar_replay
from workbench.live.host import SessionHost
from workbench.live.journal import Journal, JournalReader
from workbench.live.order_line import OrderLine
from workbench.model import Bars, Instrument, RiskConfig, Timeframe
from workbench.strategy import Strategy, enter_long, exit_position, hold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from workbench.exchange import OrderTicket

Point = tuple[str, int]

JOIN_S = 90.0
_LOOK_S = 0.003
# An order that its sender's death leaves on its way arrives so much later, within the window of a request.
_LATE_S = 3.0


class DyingJournal(Journal):
    """A journal of a process that may die before or after a commit, and then writes nothing more."""

    world: World

    def note(self, kind: str, time_ns: int, body: Mapping[str, Any]) -> int:
        return 0 if self.world.is_dead else super().note(kind, time_ns, body)

    def append(self, rows: NDArray[np.void]) -> None:
        if not self.world.is_dead:
            super().append(rows)

    def commit(self) -> None:
        if self.uncommitted and not self.world.is_dead:
            self.world.pass_point("before commit")
        if self.world.is_dead:
            raise SessionClosedError("the process died")
        if self.world.is_full:
            raise JournalError("the disk is full")
        has_work = bool(self.uncommitted)
        super().commit()
        if has_work:
            self.world.pass_point("after commit")
        if self.world.is_dead:
            raise SessionClosedError("the process died")


class Connection(FakeExchange):
    """What one process of a session has of the exchange."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    async def place_order(self, ticket: OrderTicket) -> Any:
        await self._reach("before send", ticket)
        self.world.check_is_recorded(ticket)
        state = self.world.exchange.take(ticket)
        await self._reach("after send")
        self.tell()
        return Accepted(state)

    async def cancel_order(self, _symbol: str, name: str) -> Any:
        await self._reach("before cancel")
        state = self.world.exchange.cancel(name)
        await self._reach("after cancel")
        return Accepted(state)

    async def order(self, _symbol: str, name: str) -> Any:
        await self._reach("before question")
        self.tell()
        return self.world.exchange.state(name)

    async def own_trades(self, _symbol: str, *, since_ns: int) -> Any:
        self.world.exchange.land()
        return tuple(one for one in self.world.exchange.trades if one.time_ns >= since_ns)

    def tell(self) -> None:
        """Stream the trades and ends that were not streamed yet."""
        if not self.world.is_dead:
            for event in self.world.exchange.news():
                self.streams["own"].put_nowait(event)

    async def _reach(self, name: str, ticket: OrderTicket | None = None) -> None:
        self.world.exchange.land()
        if not self.world.is_dead:
            self.world.pass_point(name)
            if ticket is not None and self.world.is_dead and self.world.is_late:
                self.world.exchange.take_later(ticket)
        if self.world.is_dead:
            await asyncio.Event().wait()


class Exchange:
    """Executes market orders at the price of now, limits when the price comes to them; outlives every session."""

    def __init__(self) -> None:
        self.timing = ManualTiming(MIDNIGHT)
        self.price = math.nan
        self.time_ns = MIDNIGHT
        self.orders: dict[str, OrderState] = {}
        self.trades: list[OwnTrade] = []
        self._streamed = 0
        self._late: list[tuple[int, OrderTicket]] = []

    def move(self, time_ns: int, price: float) -> None:
        """Let the price go to another one, once for each time."""
        if time_ns <= self.time_ns:
            return
        self.timing.advance((time_ns - self.time_ns) / SECOND)
        self.land()
        self.time_ns, self.price = time_ns, price
        for name, order in list(self.orders.items()):
            if order.status == "accepted" and order.price is not None and price <= order.price:
                self._fill(name, order, order.price)

    def take(self, ticket: OrderTicket) -> OrderState:
        assert ticket.client_order_id not in self.orders, "an order came twice"
        order = OrderState(
            symbol=ticket.symbol, order_id=f"x-{len(self.orders)}", client_order_id=ticket.client_order_id,
            side=ticket.side, kind=ticket.kind, quantity=ticket.quantity, filled=0.0, average_price=None,
            price=ticket.price, status="accepted", time_ns=self.time_ns, update_ns=self.time_ns,
        )  # fmt: skip
        self.orders[ticket.client_order_id] = order
        if ticket.kind == "market":
            return self._fill(ticket.client_order_id, order, self.price)
        return order

    def take_later(self, ticket: OrderTicket) -> None:
        self._late.append((self.timing.now_ns() + round(_LATE_S * SECOND), ticket))

    def land(self) -> None:
        """Let orders arrive that were on their way."""
        due = [ticket for at_ns, ticket in self._late if at_ns <= self.timing.now_ns()]
        self._late = [one for one in self._late if one[0] > self.timing.now_ns()]
        for ticket in due:
            self.take(ticket)

    def cancel(self, name: str) -> OrderState:
        order = self.orders[name]
        if order.status == "accepted":
            self.orders[name] = order = _changed(order, status="cancelled")
        return order

    def state(self, name: str) -> OrderState | None:
        return self.orders.get(name)

    def news(self) -> list[OwnTrade]:
        fresh, self._streamed = self.trades[self._streamed :], len(self.trades)
        return fresh

    @property
    def held(self) -> float:
        return sum(one.quantity if one.side == "buy" else -one.quantity for one in self.trades)

    def _fill(self, name: str, order: OrderState, price: float) -> OrderState:
        """Execute an order in two parts."""
        first = order.quantity / 4
        for quantity in (first, order.quantity - first):
            self.trades.append(
                OwnTrade(
                    symbol=order.symbol, trade_id=f"t{len(self.trades)}", order_id=order.order_id, side=order.side,
                    client_order_id=None, quantity=quantity, price=price, fee=0.0, fee_currency="USDT",
                    is_maker=order.kind == "limit", time_ns=self.time_ns,
                )
            )  # fmt: skip
        self.orders[name] = done = _changed(order, status="filled", filled=order.quantity, average_price=price)
        return done


def _changed(order: OrderState, **changes: Any) -> OrderState:
    names = OrderState.__dataclass_fields__
    return OrderState(**{**{name: getattr(order, name) for name in names}, **changes})


class GatedFeed:
    """Bars one by one: the next comes when all that the exchange did is booked, so that each run is the same."""

    def __init__(self, world: World, bars: Bars, line: ExchangeLine) -> None:
        self._world = world
        self._bars = bar_replay(bars)
        self._bars._batch_rows = 1  # noqa: SLF001  one at a time
        self._line = line
        self.start_ns = self._bars.start_ns
        self.is_bar_only = True
        self.orders: OrderLine | None = None

    @property
    def is_ended(self) -> bool:
        return not self._is_waiting() and self._bars.is_ended

    @property
    def failure(self) -> str | None:
        return None

    def next_due_ns(self) -> int | None:
        return None

    def poll(self, _now_ns: int) -> NDArray[np.void]:
        exchange, due_ns = self._world.exchange, self._bars.next_due_ns()
        if self.orders is not None and self.orders.recovering:
            self._world.broke("a price was taken before it was known what became of the orders of the last process")
        if due_ns is None or self._is_waiting():
            return self._bars.poll(0)
        exchange.move(due_ns, self._world.price_at(due_ns))
        if self._is_waiting():
            # A resting order has just been filled.
            self._line.run(self._tell, self._world.broke)
            return self._bars.poll(0)
        # Each bar is committed: a second is long enough for what changes nothing but prices.
        self._world.clock.advance(SECOND)
        self._world.see_bar(due_ns)
        return self._bars.poll(due_ns)

    def listen(self, wake: threading.Event) -> None:
        self._world.wake = wake

    def notices(self) -> tuple[Any, ...]:
        return ()

    def closed_bars(self, _symbol: str, _start_ns: int, _end_ns: int) -> tuple[Any, ...]:
        return ()

    def close(self) -> None:
        self._line.close()

    def _is_waiting(self) -> bool:
        line, world = self.orders, self._world
        assert line is not None
        return bool(line.outstanding or line.has_news) or world.booked != len(world.exchange.trades)

    async def _tell(self, client: Any) -> None:
        client.tell()


class MarketTime:
    """The exchange's time as a session's clock."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def now_ns(self) -> int:
        return self._exchange.time_ns

    def monotonic_ns(self) -> int:
        return self._exchange.time_ns

    def wait(self, wake: threading.Event, _timeout_s: float) -> None:
        wake.wait(JOIN_S)

    def wait_until(self, wake: threading.Event, _time_ns: int) -> None:
        wake.wait(JOIN_S)


class WorldSource:
    """The exchange as the source of a session."""

    name = "crashing"
    has_account = True
    has_own_clock = True

    def __init__(self, world: World) -> None:
        self._world = world

    def instruments(self, symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
        return tuple(Instrument.of(symbol) for symbol in symbols)

    def usual_warmup(self, needed: int) -> int:
        return 0 * needed

    def open(
        self, symbols: tuple[str, ...], _timeframe: Timeframe, _warmup: int, *, since_ns: int | None = None
    ) -> Market:
        world = self._world
        line = ExchangeLine(lambda: Connection(world), timing=world.exchange.timing)  # type: ignore[arg-type,return-value]  # a part of one
        begin = 0 if since_ns is None else int(np.searchsorted(world.bars.time_ns, since_ns))
        feed = GatedFeed(world, world.bars[begin:], line)
        world.line = line

        def open_orders(session_id: str) -> OrderLine:
            feed.orders = OrderLine(line, self.instruments(symbols), session_id)
            return feed.orders

        return Market(None, feed, feed.start_ns, MarketTime(world.exchange), 1.0, open_orders)


class World:
    """A market, an exchange and the folder of a session, in which the session lives and dies.

    Parameters
    ----------
    folder : Path
        Where the journal is.
    bars : Bars
        What comes.
    dies_at : iterable of Point
        Where a process of the session dies.
    full_at_bars : range, default none
        Numbers of the bars at which the disk takes nothing.
    is_late : bool, default False
        Whether an order whose sender dies before it is sent was on its way, and arrives in three seconds.
    """

    def __init__(
        self,
        folder: Path,
        bars: Bars,
        *,
        dies_at: Iterable[Point] = (),
        full_at_bars: range = range(0),
        is_late: bool = False,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.bars = bars
        self.is_late = is_late
        self.exchange = Exchange()
        self.clock = ManualClock(MIDNIGHT)
        self.is_dead = False
        self.passed: Counter[str] = Counter()
        self.lives = 0
        self.is_full = False
        self._full_at_bars = full_at_bars
        self.line: ExchangeLine | None = None
        self.session: LiveSession | None = None
        self.wake = threading.Event()
        self._dies_at = set(dies_at)
        self.faults: list[str] = []
        self._settings = settings
        self._lock = threading.Lock()
        closes = dict(zip((bars.time_ns + MINUTE).tolist(), bars.values[3, 0].tolist(), strict=True))
        self.price_at = closes.__getitem__

    @property
    def points(self) -> list[Point]:
        """Where a process of the session could have died so far."""
        return [(name, number) for name, count in self.passed.items() for number in range(count)]

    @property
    def booked(self) -> int:
        return 0 if self.session is None else self.session._engine.snapshot().fill_count  # noqa: SLF001  of this moment

    @property
    def journal(self) -> JournalReader:
        return JournalReader(self.folder / "journal.db")

    def pass_point(self, name: str) -> None:
        """Die here, or not."""
        with self._lock:
            point = (name, self.passed[name])
            self.passed[name] += 1
            self.is_dead = self.is_dead or point in self._dies_at
        if self.is_dead:
            self.wake.set()

    def see_bar(self, close_ns: int) -> None:
        """Let the disk be full, or not, from this bar on."""
        number = int(np.searchsorted(self.bars.time_ns, close_ns - MINUTE))
        self.is_full = number in self._full_at_bars

    def check_is_recorded(self, ticket: OrderTicket) -> None:
        """Assert that what comes to the exchange is in the journal for good."""
        names = [note.body["client_order_id"] for note in self.journal.notes("intent")]
        if ticket.client_order_id not in names:
            self.broke(f"{ticket.client_order_id} was sent before it was recorded")

    def broke(self, reason: str) -> None:
        self.faults.append(reason)

    def run(self) -> LiveSession:
        """Let the session live as often as it takes, and return it at its end."""
        while not self._live():
            self.lives += 1
        assert self.faults == []
        assert self.session is not None
        return self.session

    def _live(self) -> bool:
        """Run one process of the session; return whether it came to its end."""
        self.is_dead, self.line = False, None
        path = self.folder / "journal.db"
        journal = (
            DyingJournal.open(path)
            if path.exists()
            else DyingJournal.create(path, session_id="one", header={"mode": "paper"})
        )
        journal.world = self
        config = session_config(self.bars, source=WorldSource(self), execution="exchange", speed=1.0, **self._settings)
        if self.session is not None:
            self.session.close()
        host = SessionHost(session_id="one", record=journal)
        self.session = session = LiveSession(config, clock=self.clock, host=host)
        session.start()
        for _ in range(round(JOIN_S / _LOOK_S)):
            if session.wait(_LOOK_S):
                break
            if self.is_dead:
                session.kill()
            elif session.state == "RECOVERING" and self.line is not None:
                # A session that ends right now has closed its line.
                with contextlib.suppress(RuntimeError):
                    self.line.run(self._pass_a_second, self.broke)
        assert session.is_finished, session.events()
        if self.is_dead:
            journal.close()
        return not self.is_dead

    async def _pass_a_second(self, _client: Any) -> None:
        self.exchange.timing.advance(1.0)

    def check(self) -> None:
        """Assert what every crash leaves true."""
        session, exchange = self.session, self.exchange
        assert session is not None
        assert session.reason.startswith("the feed ended"), (session.reason, session.events())
        # Every order at the exchange has an intent, and each intent that was executed was executed once.
        intents = [note.body for note in self.journal.notes("intent") if note.body["kind"] != "cancel"]
        assert {*exchange.orders} <= {body["client_order_id"] for body in intents}
        told = [(fill.quantity, fill.price) for fill in session.fills()]
        assert told == [(one.quantity, one.price) for one in exchange.trades]
        held = sum(one.quantity for one in session.snapshot().positions)
        assert math.isclose(held, exchange.held, abs_tol=1e-9)
        assert not any(order.is_open for order in exchange.orders.values())
        report = session.parity()
        assert report.is_identical, report

    def close(self) -> None:
        if self.session is not None:
            self.session.kill()
            self.session.close()


# A purchase that a trailing stop sells, an entry that rests until the price comes, a sale, entries that rest in vain.
CLOSES = [101.0, 102.0, 104.0, 100.0, 94.0, 93.0, 92.0, 93.0, 94.0, 111.0, 94.0, 94.0, 94.0, 95.0]
BARS = bars_of(CLOSES)
RISK = RiskConfig(trailing_stop=0.03)


class BuysInTwoWays(Strategy):
    """Buys at once above 100, waits a little lower below 95; sells above 110."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:
        if position.is_flat:
            if now.close == 94.0:
                return enter_long(limit=92.5)
            return enter_long() if now.close == 101.0 else hold()
        return exit_position() if now.close > 110.0 else hold()


@contextmanager
def two_ways_world(folder: Path, *dies_at: Point, is_late: bool = False) -> Iterator[World]:
    folder.mkdir(exist_ok=True)
    one = World(folder, BARS, dies_at=dies_at, is_late=is_late, strategy=BuysInTwoWays(), risk=RISK)
    try:
        yield one
    finally:
        one.close()
