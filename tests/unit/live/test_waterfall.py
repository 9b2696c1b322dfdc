from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.practice_session import MIDNIGHT, SECOND, staged
from tests.unit.live.markets import BTC, ETH, session_config, walk
from workbench.core import EngineConfig, run_backtest
from workbench.errors import SessionError
from workbench.live import BarsSource, LiveSession, PracticeSource
from workbench.live.bar_only import bar_only_events
from workbench.live.trading_engine import LiveTradingEngine
from workbench.live.waterfall import explain_difference
from workbench.model import (
    BAR,
    BAR_CLOSED,
    EVENT,
    REPORT,
    TICK,
    Bars,
    Command,
    Costs,
    EquityWaterfall,
    Instrument,
    Timeframe,
)
from workbench.strategy import Strategy, enter_long, exit_position, hold, plan_of, sma_cross

MINUTE = Timeframe("1m")
COSTS = Costs(taker_fee=0.001, maker_fee=0.001, slippage=0.0)
DONE = 1.0


@pytest.fixture(autouse=True)
def own_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path))


class Scripted(Strategy):
    """Buy one unit after a close of 100, sell after one of 105; leave 10 % away from the entry."""

    def on_bar(self, now, position):
        if position.is_flat and now.close == 100.0:
            return enter_long(units=1.0, stop_loss=0.1, take_profit=0.1)
        if position.is_long and now.close == 105.0:
            return exit_position()
        return hold()


def tick(seconds: float, price: float) -> tuple[Any, ...]:
    return "tick", seconds, price


def report(
    seconds: float, number: int, signed: float, price: float, fee: float, flags: float = DONE
) -> tuple[Any, ...]:
    return "report", seconds, signed, price, fee, float(number), flags


def play(steps: Sequence[tuple[Any, ...]], *, is_external: bool = True) -> EquityWaterfall:
    """Run a session by hand and explain it."""
    config = EngineConfig(
        instruments=(Instrument(BTC),), timeframe=MINUTE, cash=1_000.0, costs=COSTS, is_external=is_external
    )
    engine = LiveTradingEngine(plan_of(Scripted()), config, since_ns=MIDNIGHT)
    for kind, *values in steps:
        if kind == "tick":
            engine.on_tick(BTC, MIDNIGHT + int(values[0] * SECOND), values[1], 1.0)
        elif kind == "report":
            row = (REPORT, 0, MIDNIGHT + int(values[0] * SECOND), *values[1:], 0)
            engine.report(np.array([row], dtype=EVENT))
        else:
            engine.command(Command(values[0]))
    waterfall = explain_difference(lambda: plan_of(Scripted()), config, engine.cut())
    assert math.fsum(part.amount for part in waterfall.parts) == waterfall.difference
    assert waterfall.part("rest") == pytest.approx(0.0, abs=1e-9)
    return waterfall


def amounts(waterfall: EquityWaterfall) -> dict[str, float]:
    """Return the parts that are more than rounding."""
    return {part.name: part.amount for part in waterfall.parts if abs(part.amount) > 1e-9}


BUY = [tick(0, 99.0), tick(30, 100.0), tick(60, 100.0)]  # the close of 100 is filled, or asked for, at second 60


def test_the_order_of_prices_inside_a_bar_is_a_part() -> None:
    # Within the second bar the target at 110 is passed first, at 112; the backtest takes the stop at 90 first.
    waterfall = play([*BUY, tick(70, 112.0), tick(80, 85.0), tick(90, 101.0)], is_external=False)
    # 1000 - 0.1 - 100 + 90 - 0.09, and 1000 - 0.1 - 100 + 112 - 0.112
    assert (waterfall.start, waterfall.end) == (pytest.approx(989.81), pytest.approx(1_011.788))
    assert amounts(waterfall) == pytest.approx({"intrabar path": 21.978})
    assert waterfall.currency == "USDT"


def test_a_command_is_a_part() -> None:
    waterfall = play(
        [*BUY, tick(61, 104.0), ("command", "flatten"), tick(62, 104.0), tick(63, 102.0)], is_external=False
    )
    # held: 1000 - 0.1 + 2; flattened: 1000 - 0.1 + 4 - 0.104
    assert amounts(waterfall) == pytest.approx({"commands": 1.896})


def test_latency_price_and_fees_are_told_apart() -> None:
    steps = [*BUY, tick(61, 101.0), report(61, 0, 1.0, 101.2, 0.2), tick(70, 103.0)]
    waterfall = play(steps)
    # 1000 - 100 - 0.1 + 103, and 1000 - 101.2 - 0.2 + 103
    assert (waterfall.start, waterfall.end) == (pytest.approx(1_002.9), pytest.approx(1_001.6))
    assert amounts(waterfall) == pytest.approx({"latency": -1.0, "price": -0.2, "fees": -0.1})
    assert (waterfall.matched_orders, waterfall.missed_orders, waterfall.extra_orders) == (1, 0, 0)


def test_an_order_in_parts_is_weighed_part_by_part() -> None:
    first, second = report(61, 0, 0.25, 101.0, 0.02, 0.0), report(64, 0, 0.75, 102.5, 0.08)
    waterfall = play([*BUY, tick(61, 101.0), first, tick(64, 102.0), second, tick(70, 103.0)])
    # latency: 0.25 * (101 - 100) + 0.75 * (102 - 100); price: 0.75 * 0.5; fees: 0.02 + 0.08 as assumed
    assert amounts(waterfall) == pytest.approx({"latency": -1.75, "price": -0.375})


def test_an_order_that_is_filled_in_part_is_a_matter_of_quantity() -> None:
    waterfall = play([*BUY, report(60, 0, 0.4, 100.0, 0.04), tick(70, 103.0)])
    # What is missing: 0.6 * (103 - 100 - 0.1)
    assert amounts(waterfall) == pytest.approx({"quantity": -1.74})


def test_a_larger_fill_is_a_matter_of_quantity_too() -> None:
    waterfall = play([*BUY, report(60, 0, 1.5, 101.0, 0.3), tick(70, 103.0)])
    # price of one unit: 100 - 101; fee of one unit: 0.1 - 0.3 / 1.5; the rest: 0.5 * (103 - 101 - 0.2)
    assert amounts(waterfall) == pytest.approx({"price": -1.0, "fees": -0.1, "quantity": 0.9})


def test_a_rejected_order_is_a_missed_fill() -> None:
    waterfall = play([*BUY, report(60, 0, 0.0, 0.0, 0.0), tick(70, 103.0)])
    assert amounts(waterfall) == pytest.approx({"missed fills": -2.9})  # -(103 - 100 - 0.1)
    assert (waterfall.matched_orders, waterfall.missed_orders, waterfall.extra_orders) == (0, 1, 0)


def test_a_fill_that_nobody_asked_for_is_extra() -> None:
    steps = [
        tick(0, 99.0),
        tick(30, 98.0),
        report(40, 7, 2.0, 98.5, 0.5),
        report(40, 7, 1.0, 98.0, 0.0),
        tick(50, 97.0),
    ]
    waterfall = play(steps)
    assert amounts(waterfall) == pytest.approx({"extra fills": -4.5})  # 2 * (97 - 98.5) - 0.5 + 1 * (97 - 98)
    assert (waterfall.matched_orders, waterfall.missed_orders, waterfall.extra_orders) == (0, 0, 2)


def test_an_exit_at_another_time_is_still_the_same_exit() -> None:
    # Bought at 101, the target is at 111.1: the session leaves at 112, after the simulation left at 110.5.
    steps = [*BUY, report(60, 0, 1.0, 101.0, 0.1), tick(70, 110.5), tick(75, 112.0), report(75, 1, -1.0, 111.5, 0.11)]
    waterfall = play([*steps, tick(80, 90.0)])
    # path: 110.5 - 0.1105 and not 90 - 0.09, as the backtest stops out; latency: 112 - 110.5; price: 100 - 101 at the
    # entry and 111.5 - 112 at the exit; fees: 0.1105 - 0.11
    expected = {"intrabar path": 20.4795, "latency": 1.5, "price": -1.5, "fees": 0.0005}
    assert amounts(waterfall) == pytest.approx(expected)
    assert (waterfall.matched_orders, waterfall.missed_orders, waterfall.extra_orders) == (2, 0, 0)


def test_an_entry_and_its_exit_that_were_missed_are_not_matched_with_later_ones() -> None:
    later = [tick(120, 105.0), tick(150, 100.0), tick(180, 100.0), report(180, 1, 1.0, 100.0, 0.1)]
    steps = [*BUY, report(60, 0, 0.0, 0.0, 0.0), tick(90, 105.0), *later, tick(190, 102.0)]
    waterfall = play(steps)
    # The simulation bought at 100, sold at 105 at second 120, and bought again at 100 like the session.
    assert amounts(waterfall) == pytest.approx({"missed fills": -4.795})  # -(5 - 0.1 - 0.105)
    assert (waterfall.matched_orders, waterfall.missed_orders, waterfall.extra_orders) == (1, 2, 0)


def test_a_session_without_events_has_nothing_to_explain() -> None:
    with pytest.raises(SessionError, match="nothing was recorded yet"):
        play([])


def test_the_bars_of_a_session_are_the_bars_of_a_backtest() -> None:
    bars = walk(60)
    config = EngineConfig(instruments=(bars.instruments[0],), timeframe=MINUTE, cash=1_000.0, costs=COSTS)
    strategy = sma_cross(fast=2, slow=4)
    engine = LiveTradingEngine(plan_of(strategy), config, since_ns=int(bars.time_ns[0]))
    for row in range(len(bars)):
        start, values = int(bars.time_ns[row]), bars.values[:, 0, row]
        for step, column in enumerate((0, 1, 2, 3)):
            engine.on_tick(BTC, start + step * 10 * SECOND, float(values[column]), 1.0)
    waterfall = explain_difference(lambda: plan_of(strategy), config, engine.cut())
    expected = run_backtest(plan_of(strategy), bars, config)
    assert len(expected.fills) > 4
    # The last bar is unfinished in the session, yet it ends at the same price.
    assert waterfall.start == pytest.approx(expected.equity[-1], abs=1e-9)
    assert waterfall.end == engine.snapshot().equity


def test_bars_of_one_time_are_one_group() -> None:
    def closed(symbol: int, minute: int) -> tuple[Any, ...]:
        return (BAR_CLOSED, symbol, minute * MINUTE.ns, 10.0, 12.0, 9.0, 11.0, 3.0, 0)

    def price(symbol: int, second: int, value: float) -> tuple[Any, ...]:
        return (TICK, symbol, second * SECOND, value, 2.0, 0.0, 0.0, 0.0, 0)

    rows = [closed(1, 0), price(1, 61, 5.0), closed(0, 0), price(0, 62, 7.0), price(0, 63, 9.0), closed(1, 1)]
    bars = bar_only_events(np.array([*rows, price(0, 64, 8.0), price(1, 185, 6.0)], dtype=EVENT), MINUTE)
    assert set(bars["kind"]) == {BAR}
    assert bars["symbol"].tolist() == [0, 1, 0, 1, 1]
    assert (bars["time_ns"] // MINUTE.ns).tolist() == [0, 0, 1, 1, 3]
    assert bars["remaining"].tolist() == [1, 0, 1, 0, 0]
    # The prices 7, 9, 8 after the first bar of symbol 0, of volume 2 each.
    assert [float(bars[2][name]) for name in "abcde"] == [7.0, 9.0, 7.0, 8.0, 6.0]


def run_session(**changes: Any) -> LiveSession:
    session = LiveSession(session_config(**changes))
    session.start()
    session.wait()
    return session


def test_a_replay_of_whole_bars_is_the_backtest() -> None:
    bars = Bars.join([walk(80), walk(80, seed=5, symbol=ETH)])
    session = run_session(
        source=BarsSource(bars), symbols=(BTC, ETH), speed=math.inf, strategy=sma_cross(fast=2, slow=5)
    )
    waterfall = session.waterfall()
    assert session.snapshot().fill_count > 4
    assert waterfall.start == waterfall.end == pytest.approx(session.snapshot().equity, abs=1e-9)
    assert amounts(waterfall) == {}
    session.close()


def test_a_replay_of_ticks_differs_by_its_path_only() -> None:
    session = run_session(source=BarsSource(walk(200), as_ticks=True), strategy=sma_cross(fast=2, slow=5, stop=0.001))
    waterfall = session.waterfall()
    assert set(amounts(waterfall)) <= {"intrabar path"}
    assert waterfall.end == pytest.approx(session.snapshot().equity, abs=1e-9)
    session.close()


def test_a_session_that_was_never_started_has_nothing_to_explain() -> None:
    session = LiveSession(session_config(source=PracticeSource()))
    with pytest.raises(SessionError, match="was never started: there is nothing to explain"):
        session.waterfall()


def test_a_session_on_the_practice_exchange_is_explained_to_the_last_cent() -> None:
    prices = [(0, 99.0), (50, 100.0), (61, 100.0), (70, 101.0), (110, 105.0), (121, 105.5), (130, 104.0), (180, 104.5)]
    with staged(prices, Scripted(), costs=Costs(slippage=0.001)) as stage:
        stage.play(65, ticks=3)
        stage.until(lambda: len(stage.session.fills()) == 1)
        stage.play(60, ticks=6)
        stage.until(lambda: len(stage.session.fills()) == 2)
        stage.play(54, ticks=7)
        waterfall, snapshot, fills = stage.session.waterfall(), stage.session.snapshot(), stage.session.fills()
    assert math.fsum(part.amount for part in waterfall.parts) == waterfall.difference
    assert waterfall.part("rest") == pytest.approx(0.0, abs=1e-9)
    assert waterfall.end == pytest.approx(snapshot.equity)
    assert (waterfall.matched_orders, waterfall.missed_orders, waterfall.extra_orders) == (2, 0, 0)
    # Simulated: bought at 100 and sold at 105.5, with 0.1 % against us each: 100.10, and 105.3945 in steps of 0.01.
    bought, sold = 100.1 - fills[0].price, fills[1].price - 105.39
    assert waterfall.part("latency") + waterfall.part("price") == pytest.approx(bought + sold)
    fees = 0.001 * (100.1 + 105.39) - fills[0].fee - fills[1].fee
    assert waterfall.part("fees") == pytest.approx(fees)


def test_an_order_that_is_still_on_its_way_counts_as_missed() -> None:
    waterfall = play(BUY)
    assert amounts(waterfall) == pytest.approx({"missed fills": 0.1})  # the fee that was not paid
