"""A session whose orders an exchange fills: requests, reports, fills, and how it ends."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.manual_timing import ManualTiming
from tests.unit.live.fake_exchange import FakeExchange, batch, candle, gap, own_trade, state_of, trade
from tests.unit.live.markets import BTC, JOIN_S, MIDNIGHT, MINUTE, SECOND, let_pass, session_config
from workbench.errors import AuthError, ConfigError, ExchangeUnavailableError
from workbench.exchange import Accepted, Refused
from workbench.live import EngineCallbacks, LiveSession, ManualClock, Market
from workbench.live.exchange_feed import ExchangeFeed
from workbench.live.exchange_line import ExchangeLine
from workbench.live.order_line import OrderLine
from workbench.live.session_config import stale_limit_ns
from workbench.model import Instrument, RiskConfig, Timeframe
from workbench.strategy import Strategy, buy_and_hold, enter_long, hold

if TYPE_CHECKING:
    from workbench.model import Fill

# A price that came before what it should act on makes nothing happen: then another one is sent.
LOOK_S = 0.1
NO_ANSWER = ExchangeUnavailableError("no answer", exchange="fake", retryable=True)


class EnterBelow(Strategy):
    """Waits to buy at 90, whatever happens."""

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
        if position.is_flat:
            return enter_long(limit=90.0)
        return hold()


class FakeSource:
    """A scripted exchange as the source of a session."""

    name = "fake"
    has_account = True

    def __init__(self, exchange: FakeExchange, clock: ManualClock) -> None:
        self.exchange = exchange
        self.clock = clock
        self.line: Any = None

    def instruments(self, symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
        return tuple(Instrument.of(symbol) for symbol in symbols)

    def usual_warmup(self, needed: int) -> int:
        return 0 * needed

    def open(self, symbols: tuple[str, ...], timeframe: Timeframe, _warmup: int) -> Market:
        line = self.line = ExchangeLine(lambda: self.exchange, timing=ManualTiming(MIDNIGHT))  # type: ignore[arg-type,return-value]  # a part of one
        feed = ExchangeFeed(line, symbols, timeframe, since_ns=MIDNIGHT, is_bar_only=False)
        return Market(
            None,
            feed,
            MIDNIGHT,
            self.clock,
            1.0,
            lambda session_id: OrderLine(line, self.instruments(symbols), session_id),
        )


class Floor:
    """A running session with what it does as queues."""

    def __init__(self, **changes: Any) -> None:
        self.exchange = FakeExchange()
        self.exchange.answer("trades", (trade(1, 100.0),))
        self.clock = ManualClock(MIDNIGHT + 61 * SECOND)
        self.source = FakeSource(self.exchange, self.clock)
        self.fills: queue.SimpleQueue[Fill] = queue.SimpleQueue()
        self.bars: queue.SimpleQueue[Any] = queue.SimpleQueue()
        config = session_config(source=self.source, execution="exchange", speed=1.0, **changes)
        callbacks = EngineCallbacks(new_bar=self.bars.put, order_executed=self.fills.put)
        self.session = LiveSession(config, clock=self.clock, callbacks=callbacks)

    def put(self, stream: str, *events: Any) -> None:
        """Stream events from the exchange's own thread."""

        async def put(client: FakeExchange) -> None:
            for event in events:
                client.streams[stream].put_nowait(event)

        self.source.line.ask(put)

    def trade(self, number: int, price: float = 100.0) -> None:
        self.put(f"trades {BTC}", batch(trade(number, price)))

    def release(self, event: asyncio.Event) -> None:
        async def release(_client: FakeExchange) -> None:
            event.set()

        self.source.line.ask(release)

    def asked(self, call: str) -> Any:
        """Return the first argument of the next call of a kind."""
        return self.exchange.heard[call].get(timeout=JOIN_S)[0]

    def asked_at_a_price(self, call: str, seconds: Iterator[int], price: float) -> Any:
        """Return the first argument of the next call of a kind, which some price of the next seconds makes happen."""
        for second in seconds:
            self.clock.advance(SECOND)
            self.trade(second, price)
            with suppress(queue.Empty):
                return self.exchange.heard[call].get(timeout=LOOK_S)[0]
        raise AssertionError(self.texts())

    def pass_line_time(self, duration_s: float) -> None:
        """Let time pass for the orders that wait on the exchange's own thread."""

        async def advance(_client: FakeExchange) -> None:
            self.source.line.timing.advance(duration_s)

        self.source.line.ask(advance)

    def begin(self) -> None:
        """Start, and close the first bar by the first price of the second."""
        self.session.start()
        self.trade(1)
        self.trade(61)

    def texts(self) -> list[str]:
        return [event.text for event in self.session.events()]


@pytest.fixture
def open_floor() -> Iterator[Any]:
    floors: list[Floor] = []

    def begin(**changes: Any) -> Floor:
        floors.append(Floor(**changes))
        return floors[-1]

    yield begin
    for floor in floors:
        floor.session.kill()
        floor.session.close()


def test_a_request_is_sent_and_what_the_exchange_reports_is_the_fill(open_floor: Any) -> None:
    floor = open_floor(strategy=buy_and_hold())
    floor.begin()
    ticket = floor.asked("place")
    assert (ticket.side, ticket.kind, ticket.is_exit) == ("buy", "market", False)
    assert floor.session.snapshot().fill_count == 0
    floor.put("own", own_trade(ticket.client_order_id, ticket.quantity, 100.5, fee=1.25))
    fill = floor.fills.get(timeout=JOIN_S)
    assert (fill.quantity, fill.price, fill.fee) == (ticket.quantity, 100.5, 1.25)
    assert floor.session.stop() == "STOPPED"
    assert floor.session.reason.startswith("stopped by the user; still held: ")
    assert floor.session.parity().is_identical
    assert floor.exchange.is_closed


def test_a_stop_waits_for_the_answer_and_books_its_fill(open_floor: Any) -> None:
    floor = open_floor(strategy=buy_and_hold())
    answered = asyncio.Event()
    floor.exchange.answer(
        "place", answered, lambda ticket: Accepted(state_of(ticket.client_order_id, quantity=ticket.quantity))
    )
    floor.begin()
    ticket = floor.asked("place")
    floor.session.ask_to_stop()
    assert floor.clock.join_waiter(JOIN_S)
    assert floor.session.state != "STOPPED"
    floor.release(answered)
    floor.put("own", own_trade(ticket.client_order_id, ticket.quantity))
    assert floor.session.wait(JOIN_S)
    assert floor.session.snapshot().fill_count == 1
    assert "still held" in floor.session.reason


def test_a_stop_waits_no_longer_than_fifteen_seconds_and_says_what_is_unknown(open_floor: Any) -> None:
    floor = open_floor(strategy=buy_and_hold())
    floor.exchange.answer("place", asyncio.Event())
    floor.begin()
    floor.asked("place")
    floor.session.ask_to_stop()
    for _ in range(14):
        let_pass(floor.clock, SECOND)
    assert floor.session.state != "STOPPED"
    floor.clock.advance(SECOND)
    assert floor.session.wait(JOIN_S)
    assert "orders that are still unknown at the end: 1; look at the exchange" in floor.texts()


def test_a_stop_cancels_a_resting_entry_before_the_line_is_closed(open_floor: Any) -> None:
    floor = open_floor(strategy=EnterBelow())
    floor.exchange.answer("place", lambda ticket: Accepted(state_of(ticket.client_order_id, "accepted", filled=0.0)))
    cancelled = asyncio.Event()
    floor.exchange.answer("cancel", cancelled, lambda name: Accepted(state_of(name, "cancelled", filled=0.0)))
    floor.begin()
    ticket = floor.asked("place")
    assert (ticket.kind, ticket.price, ticket.time_in_force) == ("limit", 90.0, "gtc")
    floor.session.ask_to_stop()
    assert floor.asked("cancel") == ticket.client_order_id
    assert floor.session.state != "STOPPED"
    floor.release(cancelled)
    assert floor.session.wait(JOIN_S)
    assert not any("unknown" in text for text in floor.texts())


def test_a_stop_tries_once_more_to_cancel_what_could_not_be_cancelled_before(open_floor: Any) -> None:
    floor = open_floor(strategy=EnterBelow())
    floor.exchange.answer("place", lambda ticket: Accepted(state_of(ticket.client_order_id, "accepted", filled=0.0)))
    floor.exchange.answer("cancel", NO_ANSWER)
    floor.begin()
    name = floor.asked("place").client_order_id
    floor.exchange.answer("order", state_of(name, "accepted", filled=0.0))
    floor.session.pause()
    for wait_s in (1.0, 2.0, 5.0, 10.0, 30.0):
        assert floor.asked("cancel") == name
        floor.pass_line_time(wait_s)
    assert floor.asked("cancel") == name
    floor.exchange.answer("cancel", Accepted(state_of(name, "cancelled", filled=0.0)))
    assert floor.session.stop() == "STOPPED"
    assert floor.asked("cancel") == name


def test_a_stream_that_dies_for_good_cancels_what_waits_and_fails_the_session(open_floor: Any) -> None:
    floor = open_floor(strategy=EnterBelow())
    floor.exchange.answer("place", lambda ticket: Accepted(state_of(ticket.client_order_id, "accepted", filled=0.0)))
    floor.begin()
    ticket = floor.asked("place")
    floor.put(f"trades {BTC}", AuthError("the key is not accepted", exchange="fake", retryable=False))
    assert floor.asked("cancel") == ticket.client_order_id
    assert floor.session.wait(JOIN_S)
    assert floor.session.state == "FAILED"
    assert floor.session.reason == "the prices broke for good: AuthError: the key is not accepted"
    assert "the stream ended for good: AuthError: the key is not accepted" in floor.texts()


def test_a_key_that_is_not_accepted_any_more_lets_nothing_new_be_opened(open_floor: Any) -> None:
    floor = open_floor(strategy=EnterBelow())
    floor.begin()
    floor.asked("place")
    floor.put("own", AuthError("the key is not accepted", exchange="fake", retryable=False))
    assert floor.session.wait_for("EXITS_ONLY", timeout_s=JOIN_S)
    assert floor.session.reason == (
        "own orders and fills are not told: the key is not accepted; once that is mended, resume() allows entries again"
    )
    assert floor.session.snapshot().is_paused


def test_a_bar_with_a_hole_is_mended_and_then_decided_on(open_floor: Any) -> None:
    floor = open_floor(strategy=buy_and_hold())
    floor.exchange.answer("candles", (candle(0, 102.0),))
    floor.session.start()
    floor.put(f"trades {BTC}", batch(trade(1)), gap(missing=None, recovered=0), batch(trade(61)))
    shown = [floor.bars.get(timeout=JOIN_S) for _ in range(2)]
    assert [(bar.close, bar.is_partial) for bar in shown] == [(100.0, True), (102.0, False)]
    floor.asked("place")
    assert "bars made of the exchange's own candles from 2025-01-01T00:00Z on: 1" in floor.texts()
    chart = floor.session.chart_state().bars
    assert [row[4] for row in chart.tolist()] == [102.0, 100.0]  # the mended bar, and the forming one


def test_a_hole_that_the_exchange_cannot_mend_is_told_and_decided_on_by_nobody(open_floor: Any) -> None:
    floor = open_floor(strategy=buy_and_hold())
    floor.session.start()
    floor.put(f"trades {BTC}", batch(trade(1)), gap(missing=None, recovered=0), batch(trade(61)))
    floor.bars.get(timeout=JOIN_S)
    floor.clock.join_waiter(JOIN_S)
    assert "the exchange has no candle of the bar of 2025-01-01T00:00Z, so it is left out" in floor.texts()
    assert floor.exchange.asked("place") == []


def test_a_hole_that_cannot_be_mended_at_once_is_mended_whole_with_the_next_bar(open_floor: Any) -> None:
    floor = open_floor(strategy=buy_and_hold())
    floor.exchange.answer("candles", NO_ANSWER, (candle(0, 102.0), candle(1, 103.0)))
    floor.session.start()
    floor.put(f"trades {BTC}", batch(trade(1)), gap(missing=None, recovered=0), batch(trade(61)), batch(trade(62)))
    floor.clock.advance(MINUTE)
    floor.trade(121)
    shown = [floor.bars.get(timeout=JOIN_S) for _ in range(4)]
    assert [(bar.close, bar.is_partial) for bar in shown] == [
        (100.0, True),
        (100.0, True),
        (102.0, False),
        (103.0, False),
    ]
    assert [since_ns for _, since_ns in floor.exchange.asked("candles")] == [MIDNIGHT, MIDNIGHT]


def test_a_hole_that_can_never_be_mended_is_left_out_at_last(open_floor: Any) -> None:
    floor = open_floor(strategy=buy_and_hold())
    floor.exchange.answer("candles", NO_ANSWER)
    floor.session.start()
    floor.put(f"trades {BTC}", batch(trade(1)), gap(missing=None, recovered=0))
    floor.clock.advance(6 * MINUTE)
    floor.put(f"trades {BTC}", *(batch(trade(60 * minute + second)) for minute in range(1, 7) for second in (1, 2)))
    # Asked for at the close of minutes 0 to 4; after that the session goes on without them.
    shown = [floor.bars.get(timeout=JOIN_S) for _ in range(6)]
    assert [bar.is_partial for bar in shown] == [True] * 5 + [False]
    assert any("the bars from 2025-01-01T00:00Z on are left out" in text for text in floor.texts())


def test_nothing_enters_on_a_bar_that_closed_too_long_ago(open_floor: Any) -> None:
    floor = open_floor(strategy=buy_and_hold())
    floor.clock.advance(10 * MINUTE)
    floor.begin()
    floor.bars.get(timeout=JOIN_S)
    floor.trade(62)
    assert floor.session.wait_for("STALE", timeout_s=JOIN_S)
    assert any("nothing enters on it" in text for text in floor.texts())
    assert floor.exchange.asked("place") == []
    assert not floor.session.snapshot().is_paused


@pytest.mark.parametrize(
    ("speed", "stale_after_s", "limit_s"),
    [
        (1.0, None, 90),  # a minute and a half
        (60.0, None, 90),
        (600.0, None, 600),  # a real second of the market
        (600.0, 30.0, 30),  # what the user says
    ],
)
def test_a_market_that_is_played_fast_leaves_a_second_of_real_silence(
    speed: float, stale_after_s: float | None, limit_s: int
) -> None:
    assert stale_limit_ns(session_config(stale_after_s=stale_after_s), speed) == limit_s * SECOND


def test_a_resting_entry_is_cancelled_when_prices_stop(open_floor: Any) -> None:
    floor = open_floor(strategy=EnterBelow())
    floor.exchange.answer("place", lambda ticket: Accepted(state_of(ticket.client_order_id, "accepted", filled=0.0)))
    floor.begin()
    ticket = floor.asked("place")
    let_pass(floor.clock, 2 * MINUTE)
    assert floor.asked("cancel") == ticket.client_order_id
    assert floor.session.wait_for("STALE", timeout_s=JOIN_S)


def test_orders_need_an_exchange_with_an_account() -> None:
    with pytest.raises(ConfigError, match="source must have an account at an exchange when execution is 'exchange'"):
        session_config(execution="exchange")
    with pytest.raises(ConfigError, match="execution must be one of"):
        session_config(execution="real")


def test_an_exit_that_is_always_refused_halts_the_session_until_a_person_has_looked(open_floor: Any) -> None:
    floor = open_floor(strategy=buy_and_hold(), risk=RiskConfig(stop_loss=0.02))
    floor.begin()
    entry = floor.asked("place")
    floor.put("own", own_trade(entry.client_order_id, entry.quantity))
    floor.fills.get(timeout=JOIN_S)
    floor.exchange.answer("place", Refused("under maintenance", "-1"))
    seconds = iter(range(62, 1_000))
    for wait_s in (1.0, 2.0, 5.0, 10.0, 30.0, 3_600.0):
        ticket = floor.asked_at_a_price("place", seconds, 90.0)
        assert (ticket.side, ticket.is_exit) == ("sell", True)
        floor.pass_line_time(wait_s)
    assert floor.session.wait_for("HALTED", timeout_s=JOIN_S)
    assert floor.session.reason.startswith(f"{BTC} UNPROTECTED: the exchange refuses the exit; look there, then resume")
    assert any("its exit was refused 6 times" in text for text in floor.texts())
    floor.trade(next(seconds), 90.0)
    assert floor.exchange.heard["place"].empty()
    floor.exchange.answer("place", lambda one: Accepted(state_of(one.client_order_id, quantity=one.quantity)))
    floor.session.resume()
    ticket = floor.asked_at_a_price("place", seconds, 90.0)
    floor.put("own", own_trade(ticket.client_order_id, ticket.quantity, 90.0, side="sell"))
    assert floor.fills.get(timeout=JOIN_S).side == "sell"
    assert floor.session.wait_for("ACTIVE", timeout_s=JOIN_S)
    assert floor.session.stop() == "STOPPED"
    assert floor.session.parity().is_identical
