"""Strategies that raise while the market goes on: the bar is skipped, stops hold (F34)."""

import numpy as np
import pytest

import workbench as wb
from workbench.core import Engine, EngineConfig
from workbench.model import BAR_CLOSED, EVENT, TICK, Costs, Instrument, RiskConfig, Timeframe
from workbench.strategy import plan_of

START = 1_735_689_600_000_000_000
MINUTE = 60_000_000_000


def fragile(close):
    if close[-1] == 95.0:
        raise ZeroDivisionError("no such price")
    return close


@wb.strategy
def always_in(m):
    return wb.Rules(enter_long=m.feature(fragile, lookback=1, inputs=[m.close]) > 0.0)


def play(engine, closes):
    results = []
    for row, close in enumerate(closes):
        tick = (TICK, 0, START + row * MINUTE, close, 1.0, 0.0, 0.0, 0.0, 0)
        bar = (BAR_CLOSED, 0, START + row * MINUTE, close, close, close, close, 1.0, 0)
        results.append(engine.process(np.array([tick, bar], dtype=EVENT)))
    return results


def engine_of(seen):
    config = EngineConfig(
        instruments=(Instrument("BTC/USDT"),),
        timeframe=Timeframe("1m"),
        cash=1_000.0,
        risk=RiskConfig(stop_loss=0.1),
        costs=Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.0),
    )
    callback = None if seen is None else lambda error, symbol, time_ns: seen.append((type(error), symbol, time_ns))
    return Engine(plan_of(always_in()), config, on_strategy_error=callback)


def test_rules_that_raise_are_told_and_the_stop_still_works():
    seen = []
    # In at 100 on the second bar; the feature raises at 95; the stop at 100 * 0.9 is jumped over at 85.
    results = play(engine_of(seen), [100.0, 100.0, 95.0, 85.0])
    assert seen == [(ZeroDivisionError, 0, START + 2 * MINUTE)]
    trade = results[3].closed_trades[0]
    assert (trade.exit_reason, trade.exit_price) == ("stop_loss", 85.0)


def test_without_a_listener_the_error_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        play(engine_of(None), [100.0, 100.0, 95.0])
