"""A session and the backtest driver do the same with the same events, to the byte; a replay that differs says where."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.live.markets import BTC, ETH, MINUTE, bars_of, engine_config, run_to_end, session_config, walk
from workbench.core import Engine, run_backtest
from workbench.live import BarsSource, LiveSession, LiveTradingEngine, PracticeSource
from workbench.live.feeds import bar_replay, olhc_tick_replay
from workbench.live.parity import compare_runs
from workbench.live.trading_engine import EngineCut
from workbench.model import BAR, Bars, Command, Costs, RiskConfig, utc_text
from workbench.strategy import Rules, Strategy, enter_long, exit_position, hold, plan_of, sma_cross, strategy

RISK = RiskConfig(stop_loss=0.01, take_profit=0.02, trailing_stop=0.015, max_drawdown=0.5, daily_loss_limit=0.2)
COSTS = Costs()


class Breakout(Strategy):
    lookback: int = 10

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"top": m.high.max(self.lookback).shift(1), "atr": m.atr(5)}

    def on_bar(self, now: Any, position: Any) -> Any:
        if position.is_flat and now.close > now.top:
            return enter_long(stop_loss=2 * now.atr / now.close)
        return hold()


class DividesByZero(Strategy):
    """Fails on each bar that closes where the one before did."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"before": m.close.shift(1)}

    def on_bar(self, now: Any, position: Any) -> Any:
        if 1.0 / (now.close - now.before) > 0.0:
            return enter_long() if position.is_flat else hold()
        return exit_position()


@strategy
def cross_with_levels(m: Any, fast: int = 5, slow: int = 20) -> Rules:
    one, other = m.close.sma(fast), m.close.ema(slow)
    return Rules(
        enter_long=one.crosses_above(other),
        exit_long=one.crosses_below(other),
        stop_loss=2 * m.atr(14) / m.close,
    )


def inverse_of_the_last_move(close: Any) -> Any:
    moves = np.diff(close, prepend=np.nan)
    if (moves == 0.0).any():
        raise ZeroDivisionError("the price stood still")
    return 1.0 / moves


def moves_without_a_first(close: Any) -> Any:
    moves = np.diff(close, prepend=np.nan)
    return moves[1:] if (moves == 0.0).any() else moves


@strategy
def uses_inverse(m: Any, length: int = 2) -> Rules:
    steep = m.feature(inverse_of_the_last_move, lookback=length)
    return Rules(enter_long=steep > 0.0, exit_long=steep < 0.0)


@strategy
def uses_moves(m: Any, length: int = 2) -> Rules:
    move = m.feature(moves_without_a_first, lookback=length)
    return Rules(enter_long=move > 0.0, exit_long=move < 0.0)


@pytest.mark.parametrize("configured", [sma_cross(fast=5, slow=20), cross_with_levels(), Breakout()], ids=str)
@pytest.mark.parametrize("as_ticks", [False, True])
@pytest.mark.parametrize("warmup_bars", [0, 100])
def test_a_replayed_session_is_identical(configured: Any, as_ticks: bool, warmup_bars: int) -> None:
    bars = walk(800)
    source = BarsSource(bars, as_ticks=as_ticks)
    config = session_config(bars, strategy=configured, source=source, warmup_bars=warmup_bars, risk=RISK, costs=COSTS)
    session = run_to_end(config)
    report = session.parity()
    assert report.is_identical, report
    assert report.first_difference is None
    assert report.bars == 800 - warmup_bars - as_ticks
    assert report.fills == session.snapshot().fill_count > 4


def test_several_symbols_are_identical() -> None:
    bars = Bars.join([walk(300), walk(300, seed=2, symbol=ETH)[5:]])
    for as_ticks in (False, True):
        source = BarsSource(bars, as_ticks=as_ticks)
        report = run_to_end(session_config(bars, strategy=Breakout(), source=source, risk=RISK)).parity()
        assert report.is_identical, report


def test_a_session_on_the_practice_market_with_commands_is_identical() -> None:
    market = PracticeSource().open((BTC,), session_config().timeframe, 100)
    live = LiveTradingEngine(plan_of(sma_cross(fast=3, slow=10)), engine_config(risk=RISK, costs=COSTS))
    live.warm_up(market.history)
    orders = {1: "pause", 3: "resume", 5: "flatten", 6: "resume", 9: "clear_breaker", 11: "stop"}
    for number in range(12):
        for _ in live.run(market.feed.poll(2**62)):
            pass
        if number in orders:
            live.command(Command(orders[number]))
    report = compare_runs(plan_of(sma_cross(fast=3, slow=10)), live.config, live.cut())
    assert report.is_identical, report
    assert report.fills > 4


def test_a_strategy_that_raises_holds_on_the_same_bars_in_both() -> None:
    closes = [100.0, 101.0, 101.0, 102.0, 101.0, 101.0, 103.0, 104.0, 104.0, 103.0]
    session = run_to_end(session_config(bars_of(closes), strategy=DividesByZero()))
    assert session.metrics()["counts"]["strategy_errors"] == 3  # 101 101, 101 101, 104 104
    assert session.parity().is_identical


@pytest.mark.parametrize("warmup_bars", [0, 4])
@pytest.mark.parametrize("configured", [uses_inverse(), uses_moves()], ids=str)
def test_rules_whose_feature_fails_hold_on_the_same_bars_in_both(configured: Any, warmup_bars: int) -> None:
    closes = [100.0, 101.0, 102.0, 99.0, 100.0, 101.0, 101.0, 102.0, 99.0, 98.0, 101.0, 102.0]
    config = session_config(bars_of(closes), strategy=configured, warmup_bars=warmup_bars)
    session = run_to_end(config)
    # 101 101 stands after the warm-up either way
    assert session.metrics()["counts"]["strategy_errors"] == 1
    assert session.snapshot().fill_count > 0
    report = session.parity()
    assert report.is_identical, report


def test_entries_that_a_failing_strategy_halted_are_halted_in_the_replay_too() -> None:
    closes = [100.0, 101.0, *[101.0] * 6, 102.0, 103.0, 104.0]
    session = run_to_end(session_config(bars_of(closes), strategy=DividesByZero()))
    assert session.snapshot().is_paused
    assert session.parity().is_identical


def test_a_session_of_whole_bars_is_the_backtest_of_these_bars() -> None:
    bars = walk(500)
    config = session_config(bars, strategy=cross_with_levels(), risk=RISK, costs=COSTS)
    session = run_to_end(config)
    backtest = run_backtest(config.plan(), bars, config.engine_config())
    assert session.parity().live_hash == backtest.hash


def test_parity_of_a_running_session_covers_what_has_been() -> None:
    reports = []
    bars = walk(60)
    config = session_config(bars, strategy=sma_cross(fast=3, slow=10))
    session = LiveSession(config)
    session.subscribe(lambda update: reports.append(session.parity()) if update.sequence == 30 else None)
    session.start()
    assert session.wait(90)
    assert (reports[0].is_identical, reports[0].bars) == (True, 30)
    assert session.parity().bars == 60


def test_a_report_reads_well() -> None:
    report = run_to_end(session_config(walk(100))).parity()
    assert repr(report) == f"identical: 100 bars, 1 fills, sha256 {report.live_hash[:12]}"


# ---- mutations: each must be found, and named by its bar ----


def cut_of(bars: Bars, *, as_ticks: bool = False) -> tuple[Any, Any, EngineCut]:
    plan = plan_of(sma_cross(fast=3, slow=10))
    live = LiveTradingEngine(plan, engine_config(risk=RISK, costs=COSTS))
    feed = olhc_tick_replay(bars) if as_ticks else bar_replay(bars)
    while not feed.is_ended:
        for _ in live.run(feed.poll(2**62)):
            pass
    return plan, live.config, live.cut()


def mutated(cut: EngineCut, row: int, **changes: float) -> EngineCut:
    events = cut.events.copy()
    for field, value in changes.items():
        events[field][row] = value
    return cut._replace(events=events)


def test_the_unchanged_record_is_identical() -> None:
    plan, config, cut = cut_of(walk(200))
    assert compare_runs(plan, config, cut).is_identical


def test_a_corrupted_price_is_found_and_the_bar_named() -> None:
    bars = walk(200)
    plan, config, cut = cut_of(bars)
    in_position = int(np.flatnonzero(cut.tail.newest.trace["gross"] > 0.0)[3])
    close = float(cut.events["d"][in_position])
    low = float(cut.events["c"][in_position])
    broken = mutated(cut, in_position, d=math.nextafter(close, low) if close > low else math.nextafter(close, 1e9))
    report = compare_runs(plan, config, broken)
    assert not report.is_identical
    minute = in_position
    assert f"bar 2025-01-01T{minute // 60:02d}:{minute % 60:02d}Z: bar {in_position}: equity was" in repr(report)
    assert repr(report).startswith("NOT identical: ")
    assert " live and " in str(report.first_difference)


def test_a_missing_event_is_found() -> None:
    plan, config, cut = cut_of(walk(200))
    report = compare_runs(plan, config, cut._replace(events=np.delete(cut.events, 150)))
    assert not report.is_identical
    assert "2025-01-01T02:30Z" in str(report.first_difference)  # bar 150 of 1 minute


def test_an_event_too_many_is_found() -> None:
    plan, config, cut = cut_of(walk(200))
    extra = cut.events[-1:].copy()
    extra["time_ns"] += MINUTE
    report = compare_runs(plan, config, cut._replace(events=np.concatenate([cut.events, extra])))
    assert report.first_difference == (
        "bar 2025-01-01T03:20Z: bar 200 is in the replay only (200 live, 201 in the replay)"
    )


def test_a_forgotten_warm_up_is_found() -> None:
    bars = walk(300)
    session = run_to_end(session_config(bars, strategy=sma_cross(fast=3, slow=10), warmup_bars=100))
    assert session.parity().is_identical
    cut = session._engine.cut()  # noqa: SLF001  the record, to be damaged
    assert not compare_runs(
        session.config.plan(), session.config.engine_config(), cut._replace(history=None)
    ).is_identical


def test_another_configuration_is_found() -> None:
    plan, config, cut = cut_of(walk(200))
    other = engine_config(risk=RISK, costs=Costs(taker_fee=0.002))
    assert compare_runs(plan, config, cut).is_identical
    assert not compare_runs(plan, other, cut).is_identical


def test_another_strategy_is_found() -> None:
    _, config, cut = cut_of(walk(200))
    report = compare_runs(plan_of(sma_cross(fast=4, slow=10)), config, cut)
    assert not report.is_identical
    assert "decision was" in str(report.first_difference)


@settings(max_examples=15)
@given(st.integers(0, 199), st.sampled_from(["a", "b", "c", "d"]))
def test_any_corrupted_bar_while_in_a_position_that_changes_the_account_is_found(row: int, field: str) -> None:
    plan, config, cut = cut_of(walk(200))
    broken = mutated(cut, row, **{field: float(cut.events[field][row]) * 1.5})
    report = compare_runs(plan, config, broken)
    assert cut.events["kind"][row] == BAR
    if report.is_identical:
        # Only a bar that nobody held through, and that moved no average across the other, may change nothing.
        assert cut.tail.newest.trace["gross"][row] == 0.0
    else:
        assert report.first_difference is not None
        assert report.live_hash != report.replay_hash


# ---- a session that has forgotten its older rows names the bar all the same ----


def long_cut(*, kept: int) -> tuple[Any, EngineCut]:
    """Return the cut of a session over 2,000 bars that keeps `kept` rows of them."""

    def open_core(plan: Any, config: Any, on_error: Any) -> Engine:
        return Engine(plan, config, on_strategy_error=on_error, kept_rows=kept)

    live = LiveTradingEngine(plan_of(sma_cross(fast=3, slow=10)), engine_config(), open_core=open_core)
    feed = bar_replay(walk(2_000))
    while not feed.is_ended:
        for _ in live.run(feed.poll(2**62)):
            pass
    return live.config, live.cut()


def test_another_strategy_parts_at_the_same_bar_whatever_the_session_kept() -> None:
    other = plan_of(sma_cross(fast=4, slow=10))
    reports = []
    for kept in (64, 8_192):
        config, cut = long_cut(kept=kept)
        reports.append(compare_runs(other, config, cut, own_plan=lambda: plan_of(sma_cross(fast=3, slow=10))))
    assert not reports[0].is_identical
    assert reports[0] == reports[1]
    assert "decision" in str(reports[0].first_difference)


def test_what_the_session_cannot_do_again_is_named_to_a_few_bars() -> None:
    config, cut = long_cut(kept=64)
    broken = mutated(cut, 700, b=float(cut.events["b"][700]) * 2.0, d=float(cut.events["b"][700]) * 2.0)
    report = compare_runs(
        plan_of(sma_cross(fast=3, slow=10)), config, broken, own_plan=lambda: plan_of(sma_cross(fast=3, slow=10))
    )
    # Row 700 lies in the third 256 rows, which begin with row 512, 8 h 32 min after the first bar.
    first = int(cut.events["time_ns"][512])
    assert report.first_difference == (
        f"one of the 256 bars from {utc_text(first)} on, of which the session has the hash only"
    )


def test_a_difference_among_the_newest_rows_is_named_by_its_bar() -> None:
    config, cut = long_cut(kept=64)
    broken = mutated(cut, 1_990, b=float(cut.events["b"][1_990]) * 2.0, d=float(cut.events["b"][1_990]) * 2.0)
    report = compare_runs(plan_of(sma_cross(fast=3, slow=10)), config, broken)
    # The strategy is flat until then, so the new price is first seen in what it decides three bars later.
    time = utc_text(int(cut.events["time_ns"][1_993]))
    assert report.first_difference == f"bar {time}: bar 1993: decision was 0 live and 2 in the replay"
