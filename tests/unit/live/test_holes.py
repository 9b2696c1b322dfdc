"""Prices are missing: which bars are not whole, and what happens when the exchange's own candles take their place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.live.fake_core import FakeCore
from tests.unit.live.markets import BTC, MIDNIGHT, MINUTE, SECOND, engine_config
from workbench.core.reports import DONE
from workbench.live import LiveTradingEngine
from workbench.live.aggregator import BarAggregator
from workbench.live.parity import compare_runs
from workbench.model import BAR_CLOSED, COMMAND, EVENT, REPORT, TICK, Bar, Command
from workbench.strategy import Rules, plan_of, strategy


@strategy
def in_above_out_below(m: Any, level: float = 100.0) -> Rules:
    return Rules(enter_long=m.close > level, exit_long=m.close < level)


def engine(core: FakeCore | None = None, **options: Any) -> LiveTradingEngine:
    opened = {} if core is None else {"open_core": core.open}
    plan = plan_of(in_above_out_below())
    return LiveTradingEngine(plan, engine_config(**options), since_ns=MIDNIGHT, **opened)


def bar(minute: int, price: float) -> Bar:
    return Bar(BTC, MIDNIGHT + minute * MINUTE, price, price, price, price, 1.0)


def ticks(*rows: tuple[float, float]) -> np.ndarray:
    """Return prices at (minutes after midnight, price)."""
    table = [(TICK, 0, MIDNIGHT + round(minute * MINUTE), price, 1.0, 0.0, 0.0, 0.0, 0) for minute, price in rows]
    return np.array(table, dtype=EVENT)


def partial_minutes(bars: BarAggregator, *minutes: float) -> list[tuple[int, bool]]:
    closed = [bars.add_price(MIDNIGHT + round(minute * MINUTE), 100.0, 1.0) for minute in minutes]
    return [((one.time_ns - MIDNIGHT) // MINUTE, one.is_partial) for one in closed if one is not None]


# ---- which bars a hole touches ----


def test_a_hole_within_a_bar_makes_that_bar_partial_and_no_other() -> None:
    bars = BarAggregator(BTC, "1m", since_ns=MIDNIGHT)
    partial_minutes(bars, 0.1)
    bars.mark_hole()
    assert partial_minutes(bars, 0.5, 1.0, 2.0) == [(0, True), (1, False)]


def test_a_hole_over_the_end_of_a_bar_makes_both_partial() -> None:
    bars = BarAggregator(BTC, "1m", since_ns=MIDNIGHT)
    partial_minutes(bars, 0.1)
    bars.mark_hole()
    assert partial_minutes(bars, 3.5, 4.0, 5.0) == [(0, True), (3, True), (4, False)]


def test_a_hole_before_the_first_price_makes_the_first_bar_partial() -> None:
    bars = BarAggregator(BTC, "1m", since_ns=MIDNIGHT)
    bars.mark_hole()
    assert partial_minutes(bars, 0.5, 1.0, 2.0) == [(0, True), (1, False)]


def test_a_price_that_is_dropped_does_not_end_a_hole() -> None:
    bars = BarAggregator(BTC, "1m", since_ns=MIDNIGHT)
    partial_minutes(bars, 0.5)
    bars.mark_hole()
    partial_minutes(bars, 0.1)  # late
    assert partial_minutes(bars, 1.5, 2.0) == [(0, True), (1, True)]


def test_prices_behind_a_hole_in_one_batch_make_a_step_for_each_bar_that_is_not_whole() -> None:
    core = FakeCore()
    live = engine(core)
    list(live.run(ticks((0.5, 100.0))))
    live.mark_hole(BTC)
    steps = live.run(ticks((1.5, 101.0), (2.0, 102.0), (2.5, 103.0), (3.0, 104.0)))
    first = next(steps)
    assert [one.time_ns for one in first.closed] == [MIDNIGHT]
    assert [one.time_ns for one in first.forming] == [MIDNIGHT + MINUTE]
    # Nothing behind the hole was run, so that what mends the bar comes in its place.
    assert [row[0] for row in core.events] == [TICK]
    second = next(steps)
    assert [(one.time_ns, one.is_partial) for one in second.closed] == [(MIDNIGHT + MINUTE, True)]
    third, fourth = steps
    assert [one.is_partial for one in third.closed] == [False]
    assert fourth.closed == ()
    assert [row[0] for row in core.events] == [TICK, TICK, TICK, TICK, BAR_CLOSED, TICK]


def test_a_bar_that_was_to_be_mended_when_the_session_died_is_lost_until_it_is_mended() -> None:
    died = engine()
    list(died.run(ticks((0.0, 100.0))))
    died.mark_hole(BTC)
    # The bars of minutes 0 and 1 are not whole, and it dies before the exchange's candles come in their place.
    list(died.run(ticks((1.5, 101.0), (2.0, 102.0))))
    went_on = LiveTradingEngine(plan_of(in_above_out_below()), engine_config(), since_ns=MIDNIGHT, record=died._record)  # noqa: SLF001  what is left of it
    went_on.restore()
    assert went_on.mark_lost_bars() == {BTC: MIDNIGHT}
    steps = list(went_on.run(ticks((2.5, 102.0), (3.0, 103.0))))
    assert [(one.time_ns, one.is_partial) for step in steps for one in step.closed] == [(MIDNIGHT + 2 * MINUTE, True)]
    assert went_on.mark_lost_bars() == {}
    assert not went_on.forming[0].is_partial


# ---- the exchange's candles in place of the bars ----


def test_one_bar_that_is_caught_up_is_decided_on_like_any_other() -> None:
    core = FakeCore()
    live = engine(core)
    step = live.catch_up([bar(0, 101.0)])
    assert [row[0] for row in core.events] == [BAR_CLOSED]
    assert step.closed == (bar(0, 101.0),)


def test_of_several_bars_the_entries_of_the_old_ones_are_dropped_and_the_newest_may_enter() -> None:
    core = FakeCore()
    live = engine(core)
    live.catch_up([bar(0, 101.0), bar(1, 102.0), bar(2, 103.0)])
    assert [row[0] for row in core.events] == [BAR_CLOSED, BAR_CLOSED, COMMAND, COMMAND, BAR_CLOSED]
    assert core.commands == ["pause", "resume"]


def behind_a_hole(live: LiveTradingEngine) -> None:
    """Bring two prices with a hole between, so that their bars are decided on only when they are caught up."""
    list(live.run(ticks((0.0, 100.0))))
    live.mark_hole(BTC)
    list(live.run(ticks((2.1, 100.0))))


@pytest.mark.parametrize(("newest", "fills"), [(100.0, 0), (101.0, 1)])
def test_nothing_enters_on_an_old_bar(newest: float, fills: int) -> None:
    live = engine()
    behind_a_hole(live)
    live.catch_up([bar(0, 101.0), bar(1, newest)])
    list(live.run(ticks((2.2, 100.0))))
    assert live.snapshot().fill_count == fills


def test_the_exit_of_an_old_bar_is_kept() -> None:
    live = engine()
    list(live.run(ticks((0.0, 101.0), (1.0, 101.0))))
    assert live.snapshot().fill_count == 1  # entered on bar 0
    live.catch_up([bar(1, 99.0), bar(2, 100.0)])
    list(live.run(ticks((3.0, 100.0))))
    assert live.snapshot().positions == ()


def test_a_paused_session_stays_paused() -> None:
    live = engine()
    behind_a_hole(live)
    live.command(Command("pause"))
    live.catch_up([bar(0, 101.0), bar(1, 101.0)])
    list(live.run(ticks((2.2, 101.0))))
    assert live.snapshot().is_paused
    assert live.snapshot().fill_count == 0


def test_dropping_entries_leaves_exits_and_the_next_decision_alone() -> None:
    live = engine()
    behind_a_hole(live)
    live.catch_up([bar(0, 101.0)])
    live.drop_entries()
    list(live.run(ticks((2.2, 100.0))))
    assert live.snapshot().fill_count == 0
    live.catch_up([bar(1, 101.0)])
    list(live.run(ticks((2.3, 100.0))))
    assert live.snapshot().fill_count == 1
    live.catch_up([bar(1, 99.0)])
    live.drop_entries()
    list(live.run(ticks((2.4, 100.0))))
    assert live.snapshot().positions == ()


def test_a_run_with_a_hole_replays_to_the_byte() -> None:
    live = engine()
    list(live.run(ticks((0.0, 101.0), (1.0, 101.0))))
    live.mark_hole(BTC)
    list(live.run(ticks((4.5, 99.0))))
    live.catch_up([bar(1, 101.0), bar(2, 99.0), bar(3, 101.0)])
    list(live.run(ticks((5.0, 99.0), (6.0, 101.0), (7.0, 99.0))))
    live.drop_entries()
    report = compare_runs(plan_of(in_above_out_below()), live.config, live.cut())
    assert report.is_identical, report
    assert report.fills >= 2


def test_a_report_of_an_order_does_not_make_the_prices_fresh() -> None:
    live = engine(is_external=True)
    list(live.run(ticks((0.0, 101.0), (1.0, 101.0))))
    row = (REPORT, 0, MIDNIGHT + 3_600 * SECOND, 1.0, 101.0, 0.0, 0.0, float(DONE), 0)
    step = live.report(np.array([row], dtype=EVENT))
    assert step.time_ns == MIDNIGHT + MINUTE
    assert [fill.time_ns for fill in step.result.fills] == [MIDNIGHT + 3_600 * SECOND]
