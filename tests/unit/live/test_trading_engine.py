from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.unit.live.fake_core import FakeCore
from tests.unit.live.markets import BTC, ETH, MIDNIGHT, MINUTE, SECOND, bars_of, engine_config, walk
from workbench.core import run_backtest
from workbench.errors import ConfigError, DataError, JournalError, SessionClosedError, SessionError
from workbench.live import EngineCallbacks, LiveTradingEngine
from workbench.live.feeds import bar_replay, tick_replay
from workbench.live.spool import EventSpool
from workbench.model import BAR, BAR_CLOSED, COMMAND, EVENT, TICK, Bar, Command, RiskConfig
from workbench.strategy import Signals, buy_and_hold, plan_of, sma_cross

if TYPE_CHECKING:
    from workbench.live.records import ErrorRecord
    from workbench.model import Fill

PLAN = plan_of(buy_and_hold())


def engine(core: FakeCore | None = None, *symbols: str, **options: Any) -> LiveTradingEngine:
    if core is not None:
        options["open_core"] = core.open
    options.setdefault("since_ns", MIDNIGHT)
    return LiveTradingEngine(PLAN, engine_config(*symbols), **options)


def recorded(live: LiveTradingEngine) -> list[tuple[int, int]]:
    """Return kind and minute after midnight of everything that was recorded."""
    return [(row["kind"], (row["time_ns"] - MIDNIGHT) // MINUTE) for row in live._record.read()]  # noqa: SLF001  the record


def bar(minute: int, price: float = 100.0, *, symbol: str = BTC, is_partial: bool = False) -> Bar:
    return Bar(symbol, MIDNIGHT + minute * MINUTE, price, price, price, price, 1.0, is_partial)


def test_the_first_tick_of_an_interval_closes_the_bar_before_and_is_then_the_next_price() -> None:
    live = engine(FakeCore())
    for after_s, price in ((0, 100.0), (30, 101.0), (60, 102.0)):
        live.on_tick(BTC, MIDNIGHT + after_s * SECOND, price, 1.0)
    assert recorded(live) == [(TICK, 0), (TICK, 0), (BAR_CLOSED, 0), (TICK, 1)]


def test_a_closed_bar_is_recorded_with_its_open_label_and_prices() -> None:
    core = FakeCore()
    live = engine(core)
    for after_s, price in ((0, 100.0), (20, 105.0), (40, 95.0), (50, 98.0), (60, 1.0)):
        live.on_tick(BTC, MIDNIGHT + after_s * SECOND, price, 2.0)
    (closed,) = [row for row in core.events if row[0] == BAR_CLOSED]
    assert closed == (BAR_CLOSED, 0, MIDNIGHT, 100.0, 105.0, 95.0, 98.0, 8.0, 0)  # volume 4 * 2


def test_a_late_or_bad_price_reaches_neither_the_record_nor_the_core() -> None:
    core = FakeCore()
    live = engine(core)
    live.on_tick(BTC, MIDNIGHT + SECOND, 100.0, 1.0)
    assert live.on_tick(BTC, MIDNIGHT, 100.0, 1.0) is None
    assert live.on_tick(BTC, MIDNIGHT + 2 * SECOND, math.nan, 1.0) is None
    assert len(core.events) == 1
    assert (live.counts["late_ticks"], live.counts["bad_price_ticks"], live.counts["ticks"]) == (1, 1, 1)


def test_a_partial_first_bar_is_shown_and_never_decided_on() -> None:
    core = FakeCore()
    shown: list[Bar] = []
    live = engine(core, since_ns=MIDNIGHT + 1, callbacks=EngineCallbacks(new_bar=shown.append))
    for minute in (0, 1, 2):
        live.on_tick(BTC, MIDNIGHT + minute * MINUTE + 5, 100.0, 1.0)
    assert [one.is_partial for one in shown] == [True, False]
    assert recorded(live) == [(TICK, 0), (TICK, 1), (BAR_CLOSED, 1), (TICK, 2)]


def test_a_partial_first_bar_in_a_batch_is_shown_and_never_decided_on() -> None:
    live = engine(FakeCore(), since_ns=MIDNIGHT + 1)
    steps = list(live.run(tick_replay(MIDNIGHT + 5 + MINUTE * np.arange(3), [1.0, 2.0, 3.0], [1.0] * 3).poll(2**62)))
    assert [[bar.is_partial for bar in step.closed] for step in steps] == [[True], [False], []]
    assert recorded(live) == [(TICK, 0), (TICK, 1), (BAR_CLOSED, 1), (TICK, 2)]


def test_a_batch_of_ticks_leaves_the_same_record_as_the_ticks_one_by_one() -> None:
    random = np.random.default_rng(5)
    after = np.cumsum(random.integers(0, 40 * SECOND, 200))
    prices = 100 + random.normal(0, 1, 200)
    one_by_one, batched = engine(FakeCore()), engine(FakeCore())
    for at, price in zip(after.tolist(), prices.tolist(), strict=True):
        one_by_one.on_tick(BTC, MIDNIGHT + at, price, 1.0)
    steps = list(batched.run(tick_replay(MIDNIGHT + after, prices, np.ones(200)).poll(2**62)))
    assert np.array_equal(one_by_one._record.read(), batched._record.read())  # noqa: SLF001  the record
    assert sum(len(step.closed) for step in steps) == batched.counts["bars"]
    assert all(len(step.closed) <= 1 for step in steps)


def test_a_whole_bar_is_one_event_and_a_group_of_symbols_counts_down() -> None:
    core = FakeCore()
    live = engine(core, BTC, ETH)
    live.run_once([bar(0, symbol=ETH), bar(0)])
    live.run_once(bar(1))
    assert [(row[0], row[1], row[-1]) for row in core.events] == [(BAR, 0, 1), (BAR, 1, 0), (BAR, 0, 0)]


def test_a_bar_that_is_not_newer_is_dropped_and_counted() -> None:
    core = FakeCore()
    live = engine(core)
    assert live.run_once(bar(5)) is not None
    assert live.run_once(bar(5)) is None
    assert live.run_once(bar(4)) is None
    assert (live.counts["late_bars"], len(core.events)) == (2, 1)


def test_a_bar_that_begins_before_the_last_has_ended_is_dropped_and_counted() -> None:
    core = FakeCore()
    live = engine(core)
    first = bar(0)
    live.run_once(first)
    assert live.run_once(replace(first, time_ns=first.time_ns + MINUTE - 1)) is None
    assert live.run_once(replace(first, time_ns=first.time_ns + MINUTE)) is not None
    assert (live.counts["late_bars"], len(core.events)) == (1, 2)


def test_a_partial_bar_is_not_run() -> None:
    core = FakeCore()
    assert engine(core).run_once(bar(0, is_partial=True)) is None
    assert core.events == []


def test_a_bad_bar_in_a_batch_is_dropped_and_its_group_numbered_anew() -> None:
    core = FakeCore()
    live = engine(core, BTC, ETH)
    rows = np.array(
        [
            (BAR, 0, MIDNIGHT, 50.0, 51.0, 49.0, 50.0, 1.0, 1),
            (BAR, 1, MIDNIGHT, 100.0, 90.0, 95.0, 100.0, 1.0, 0),  # high below low
        ],
        dtype=EVENT,
    )
    assert len(list(live.run(rows))) == 1
    assert [(row[1], row[-1]) for row in core.events] == [(0, 0)]
    assert live.counts["bad_bars"] == 1


def test_rows_of_an_unknown_symbol_are_dropped_and_counted() -> None:
    live = engine(FakeCore())
    ticks = tick_replay([MIDNIGHT, MIDNIGHT, MIDNIGHT], [1.0, 2.0, 3.0], [1.0] * 3, symbol_index=[-1, 0, 7]).poll(2**62)
    assert len(list(live.run(ticks))) == 1
    assert live.counts["unknown_symbol"] == 2


def test_a_session_has_one_source() -> None:
    live = engine(FakeCore())
    live.run_once(bar(0))
    with pytest.raises(DataError, match="was fed bars before and cannot take prices"):
        live.on_tick(BTC, MIDNIGHT + MINUTE, 1.0)


def test_unknown_symbols_and_bars_of_two_times_are_the_callers_errors() -> None:
    live = engine(FakeCore(), BTC, ETH)
    with pytest.raises(DataError, match="SOL/USDT"):
        live.on_tick("SOL/USDT", MIDNIGHT, 1.0)
    with pytest.raises(DataError, match="SOL/USDT"):
        live.run_once(bar(0, symbol="SOL/USDT"))
    with pytest.raises(DataError, match="of one time"):
        live.run_once([bar(0), bar(1, symbol=ETH)])


def test_a_command_is_recorded_at_the_time_of_the_last_event() -> None:
    core = FakeCore()
    live = engine(core)
    live.run_once(bar(0))
    step = live.command(Command("pause"))
    assert step.result.snapshot.is_paused
    assert recorded(live)[-1] == (COMMAND, 1)  # the bar of minute 0 closed at minute 1


def test_callbacks_hear_bars_and_orders_and_their_exceptions_stop_nothing() -> None:
    bars: list[Bar] = []
    fills: list[Fill] = []
    errors: list[ErrorRecord] = []

    def broken(one: Fill) -> None:
        fills.append(one)
        raise KeyError("my notes")

    callbacks = EngineCallbacks(new_bar=bars.append, order_executed=broken, error=errors.append)
    live = engine(callbacks=callbacks)
    for one in range(3):
        live.run_once(bar(one))
    assert [one.time_ns for one in bars] == [MIDNIGHT, MIDNIGHT + MINUTE, MIDNIGHT + 2 * MINUTE]
    assert len(fills) == 1
    assert [one.message for one in errors] == ["callback: KeyError: 'my notes'"]
    assert "broken" in errors[0].traceback
    assert live.counts["callback_errors"] == 1


def test_an_error_callback_that_fails_itself_is_only_counted() -> None:
    def broken(_: object) -> None:
        raise RuntimeError("worse")

    live = engine(callbacks=EngineCallbacks(new_bar=broken, error=broken))
    assert live.run_once(bar(0)) is not None
    assert live.counts["callback_errors"] == 2  # the bar's callback, and the error's


def test_a_strategy_that_raises_skips_its_bar_and_the_error_has_a_traceback() -> None:
    core = FakeCore(fail_on=lambda number: number == 1)
    live = engine(core)
    for one in range(3):
        live.run_once(bar(one))
    (error,) = live.guard.errors.newest()
    assert error.message == "strategy on BTC/USDT: ZeroDivisionError: decision 1"
    assert error.time_ns == MIDNIGHT + MINUTE
    assert "ZeroDivisionError" in error.traceback
    assert core.commands == []


def test_five_failing_bars_in_a_row_pause_entries_once() -> None:
    core = FakeCore(fail_on=lambda number: number >= 2)
    live = engine(core)
    for one in range(20):
        live.run_once(bar(one))
        assert (live.guard.failing_reason is not None) is (one >= 6)  # bars 2, 3, 4, 5, 6
    assert core.commands == ["pause"]
    assert live.snapshot().is_paused


def test_failing_bars_that_are_not_in_a_row_do_not_pause() -> None:
    core = FakeCore(fail_on=lambda number: number % 5 != 0)  # four in a row, again and again
    live = engine(core)
    for one in range(30):
        live.run_once(bar(one))
    assert core.commands == []
    assert live.counts["strategy_errors"] == 24  # 30 * 4/5


def test_resume_after_a_failing_strategy_counts_from_the_beginning() -> None:
    core = FakeCore(fail_on=lambda number: number != 5)
    live = engine(core)
    for one in range(5):
        live.run_once(bar(one))
    live.resume()
    assert live.guard.failing_reason is None
    for one in range(5, 10):
        live.run_once(bar(one))
    assert core.commands == ["pause", "resume"]  # bars 6 to 9 are four
    live.run_once(bar(10))
    assert core.commands == ["pause", "resume", "pause"]


def test_a_closed_engine_refuses_everything_and_forgets_its_record() -> None:
    live = engine(FakeCore())
    live.run_once(bar(0))
    live.close()
    with pytest.raises(SessionClosedError, match="has ended"):
        live.run_once(bar(1))
    with pytest.raises(SessionClosedError, match="has ended"):
        live.command(Command("pause"))
    with pytest.raises(SessionClosedError, match="cleaned up"):
        live.cut()


def test_an_event_that_cannot_be_recorded_is_not_traded_on(monkeypatch: pytest.MonkeyPatch) -> None:
    core = FakeCore()
    live = engine(core)
    live.run_once(bar(0))

    def full_disk(_self: object, _rows: object) -> None:
        raise JournalError("No space left on device")

    monkeypatch.setattr(EventSpool, "append", full_disk)
    with pytest.raises(JournalError):
        live.run_once(bar(1))
    assert len(core.events) == 1


def test_warm_up_comes_once_and_first() -> None:
    live = engine()
    live.warm_up(walk(10))
    with pytest.raises(SessionError, match="once and before the first price"):
        live.warm_up(walk(10))
    other = engine()
    other.run_once(bar(0))
    with pytest.raises(SessionError, match="once and before the first price"):
        other.warm_up(walk(10))


def test_warm_up_bars_are_those_of_the_session() -> None:
    with pytest.raises(DataError, match="5m"):
        engine().warm_up(bars_of([1.0, 2.0], timeframe="5m"))


def test_arrays_cannot_run_live() -> None:
    plan = plan_of(Signals(enter_long=np.zeros(3, dtype=bool), exit_long=np.zeros(3, dtype=bool)))
    with pytest.raises(ConfigError, match="cannot run live"):
        LiveTradingEngine(plan, engine_config())


def test_a_strategy_that_was_not_lowered_is_refused() -> None:
    with pytest.raises(ConfigError, match="plan must be a lowered strategy, as in plan_of"):
        LiveTradingEngine(buy_and_hold(), engine_config())  # type: ignore[arg-type]  # the fault under test


def test_a_limit_of_errors_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_strategy_errors must be >= 1, was 0"):
        engine(max_strategy_errors=0)


def test_bars_one_by_one_give_the_fills_and_the_equity_of_the_backtest() -> None:
    bars = walk(400)
    plan = plan_of(sma_cross(fast=5, slow=20))
    config = engine_config(risk=RiskConfig(stop_loss=0.01, take_profit=0.02))
    live = LiveTradingEngine(plan, config)
    results = [live.run_once(bars.bar(row)) for row in range(len(bars))]
    ledger = run_backtest(plan, bars, config)
    fills = [fill for result in results if result is not None for fill in result.fills]
    assert len(fills) > 10
    assert [(fill.time_ns, fill.price, fill.quantity) for fill in fills] == [
        (row["time_ns"], row["price"], abs(row["quantity"])) for row in ledger.fills
    ]
    assert [result.snapshot.equity for result in results if result is not None] == ledger.equity.tolist()


def test_a_feed_of_bars_gives_what_the_bars_one_by_one_give() -> None:
    bars = walk(300)
    plan = plan_of(sma_cross(fast=5, slow=20))
    one_by_one, fed = LiveTradingEngine(plan, engine_config()), LiveTradingEngine(plan, engine_config())
    for row in range(len(bars)):
        one_by_one.run_once(bars.bar(row))
    feed = bar_replay(bars)
    while not feed.is_ended:
        for _ in fed.run(feed.poll(2**62)):
            pass
    assert one_by_one.cut().tail.hash == fed.cut().tail.hash
