"""Data of a session that is late, bad or missing, of several symbols and of other sources."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.live.fake_core import FakeCore
from tests.unit.live.markets import (
    BTC,
    ETH,
    JOIN_S,
    MIDNIGHT,
    MINUTE,
    SECOND,
    TickSource,
    bars_of,
    let_pass,
    run_to_end,
    session_config,
    slow_config,
    walk,
)
from workbench.live import BarsSource, EngineCallbacks, LiveSession, ManualClock, PracticeSource
from workbench.live.records import ErrorRecord, SessionEvent
from workbench.model import Bars, RiskConfig
from workbench.strategy import sma_cross

if TYPE_CHECKING:
    from workbench.live.records import StepUpdate


# ---- data that is late, bad or missing ----


def test_a_gap_in_the_data_is_stale_until_a_price_comes(clock: ManualClock, start: Any) -> None:
    ticks = ((0, 100.0), (30 * SECOND, 100.0), (300 * SECOND, 100.0), (310 * SECOND, 100.0))
    session = start(slow_config(source=TickSource(ticks)))
    let_pass(clock, 30 * SECOND)
    let_pass(clock, 90 * SECOND - 1)
    assert session.state == "ACTIVE"
    assert session.metrics()["data_age_s"] == pytest.approx(90.0)
    let_pass(clock, 1)
    assert session.state == "STALE"
    assert (
        session.reason
        == "no data since 2025-01-01T00:00:30Z, the limit is 90 s; nothing enters, no stop of its own can act"
    )
    let_pass(clock, 180 * SECOND)  # 30 + 90 + 180 = 300
    assert session.state == "ACTIVE"


def test_a_session_that_is_behind_is_not_stale() -> None:
    # At speed inf the clock stands at the last bar that was waited for, so old bars are never late.
    session = run_to_end(session_config(walk(100)))
    assert not any("STALE" in event.text for event in session.events())


def test_a_batch_that_waited_is_run_before_anything_is_called_stale(clock: ManualClock, start: Any) -> None:
    session = start(slow_config(bars_of([100.0] * 30)))
    let_pass(clock, 10 * MINUTE)  # ten bars at once
    assert session.metrics()["counts"]["bars"] == 10
    assert not any("STALE" in event.text for event in session.events())


def test_bad_and_late_ticks_are_counted_and_the_session_goes_on() -> None:
    ticks = (
        (0, 100.0), (30 * SECOND, math.nan), (31 * SECOND, -5.0), (20 * SECOND, 101.0), (10 * SECOND, 102.0),
        (MINUTE, 103.0), (2 * MINUTE, 104.0),
    )  # fmt: skip
    session = run_to_end(session_config(source=TickSource(ticks)))
    counts = session.metrics()["counts"]
    assert (counts["bad_price_ticks"], counts["late_ticks"], counts["ticks"], counts["bars"]) == (2, 1, 4, 2)
    assert session.state == "STOPPED"


def test_a_source_that_knows_all_prices_since_the_open_has_no_partial_first_bar() -> None:
    core = FakeCore()
    source = TickSource(((5 * SECOND, 100.0), (MINUTE, 101.0)))
    run_to_end(session_config(source=source), open_core=core.open)
    assert core.decisions == 1  # on the bar of minute 0, although its first price came after 5 s


def test_a_tick_from_the_future_is_dropped(clock: ManualClock, start: Any) -> None:
    class Early(TickSource):
        def feed(self) -> Any:
            feed = super().feed()
            poll = feed.poll
            feed.poll = lambda _now_ns: poll(2**62)  # type: ignore[method-assign]  # hands out what is not due yet
            return feed

    session = start(slow_config(source=Early(((0, 1.0), (2 * MINUTE, 2.0), (SECOND, 3.0)))))
    assert session.wait(JOIN_S)
    counts = session.metrics()["counts"]
    assert (counts["future_ticks"], counts["ticks"]) == (1, 2)
    assert clock.monotonic_ns() == 0


def test_a_slow_step_is_counted_and_told_once(clock: ManualClock) -> None:
    def slow(_: object) -> None:
        clock.advance(20 * SECOND)  # a third of a bar

    session = LiveSession(
        slow_config(bars_of([100.0] * 3)), clock=clock, callbacks=EngineCallbacks(new_bar=slow)
    ).start()
    let_pass(clock, MINUTE)  # and the callback lets 20 s pass
    let_pass(clock, MINUTE - 20 * SECOND)
    clock.advance(MINUTE - 20 * SECOND)
    assert session.wait(JOIN_S)
    assert session.metrics()["counts"]["slow_steps"] == 3
    (warning,) = [event for event in session.events() if event.kind == "warning"]
    assert warning.text == "a step took 20 s of the 60 s that a bar lasts at speed 1"


# ---- several symbols, other sources ----


def test_several_symbols_share_one_account() -> None:
    bars = Bars.join([walk(100), walk(100, seed=2, symbol=ETH)])
    session = run_to_end(session_config(bars, strategy=sma_cross(fast=3, slow=10)))
    assert {fill.symbol for fill in session.fills()} == {BTC, ETH}
    account = session.snapshot()
    held = sum(position.quantity * position.mark_price for position in account.positions)
    assert account.cash + held == pytest.approx(account.equity)


def test_bars_as_ticks_close_all_bars_but_the_last() -> None:
    bars = walk(50)
    session = run_to_end(session_config(bars, source=BarsSource(bars, as_ticks=True)))
    counts = session.metrics()["counts"]
    assert (counts["ticks"], counts["bars"]) == (200, 49)  # 50 * 4
    assert len(session.chart_state().bars) == 50  # the last one is forming


def test_the_practice_market_runs_from_its_live_start(clock: ManualClock, start: Any) -> None:
    config = session_config(source=PracticeSource(), symbols=(BTC,), timeframe="1m", speed=1.0, warmup_bars=30)
    session = start(config)
    let_pass(clock, 5 * MINUTE)
    assert session.metrics()["counts"]["bars"] in (4, 5)  # the fifth closes with the first tick after it
    assert len(session.chart_state().bars) == 30 + 5


def test_updates_reach_the_subscriber_in_order_and_agree_with_the_snapshot() -> None:
    session = LiveSession(session_config(walk(60)))
    updates: list[StepUpdate] = []
    session.subscribe(updates.append)
    session.start()
    assert session.wait(JOIN_S)
    assert [update.sequence for update in updates] == list(range(1, 61))
    state = session.chart_state()
    assert state.sequence == 60
    assert [update.bar_rows[-1].tolist() for update in updates] == state.bars.tolist()
    assert [update.equity_rows[-1].tolist() for update in updates] == state.equity.tolist()
    assert updates[-1].snapshot == session.snapshot()


def test_stops_work_and_show_as_lines(clock: ManualClock, start: Any) -> None:
    session = start(slow_config(bars_of([100.0, 100.0, 100.0, 97.0]), risk=RiskConfig(stop_loss=0.02)))
    let_pass(clock, 2 * MINUTE)
    assert dict(session.chart_state().lines) == {"entry": 100.0, "stop": pytest.approx(98.0)}
    let_pass(clock, MINUTE)
    clock.advance(MINUTE)
    assert session.wait(JOIN_S)
    assert session.trades()[0].exit_reason == "stop_loss"
    assert dict(session.chart_state().lines) == {}


def test_what_people_read_says_when_it_happened_to_the_second() -> None:
    at_ns = MIDNIGHT + 1_234_567_890
    assert str(SessionEvent(at_ns, "state", "ACTIVE: trading")) == "2025-01-01T00:00:01Z ACTIVE: trading"
    assert str(ErrorRecord(at_ns, "strategy", "strategy: it broke", "")) == "2025-01-01T00:00:01Z strategy: it broke"
