"""A step of a live session: one event through the engine, with one symbol and a strategy of three indicators."""

from __future__ import annotations

import time

import numpy as np
from machine import print_machine
from strategies import PullBack

import workbench as wb
from workbench.core import Engine, EngineConfig
from workbench.model import BAR_CLOSED, EVENT, TICK, Costs, RiskConfig
from workbench.strategy import plan_of

ROWS = 5_000
HISTORY = 500
FEATURES = RiskConfig(
    stop_loss=0.02, take_profit=0.04, trailing_stop=0.03, max_holding_s=86_400, max_drawdown=0.9, daily_loss_limit=0.5
)


def main() -> None:
    """Print percentiles of the time that a tick and a closed bar take."""
    print_machine()
    bars = wb.load_bars("synthetic", "BTC/USDT", "1m", start="2024-01-01", end="2024-01-06")[: ROWS + HISTORY]
    config = EngineConfig(
        instruments=bars.instruments, timeframe=bars.timeframe, cash=10_000.0, risk=FEATURES, costs=Costs()
    )
    engine = Engine(plan_of(PullBack()), config)
    engine.warm_up(bars[:HISTORY])
    live = bars[HISTORY:]
    ticks, closes = np.zeros(ROWS, EVENT), np.zeros(ROWS, EVENT)
    ticks["kind"], ticks["time_ns"] = TICK, live.time_ns + live.timeframe.ns - 1
    ticks["a"], ticks["b"] = live.close, live.volume
    closes["kind"], closes["time_ns"] = BAR_CLOSED, live.time_ns
    for column, values in zip("abcde", live.values[:, 0], strict=True):
        closes[column] = values
    taken = np.zeros((2, ROWS))
    fills = 0
    for row in range(ROWS):
        for kind, events in enumerate((ticks, closes)):
            event = events[row : row + 1]
            started = time.perf_counter_ns()
            fills += len(engine.process(event).fills)
            taken[kind, row] = (time.perf_counter_ns() - started) / 1e3
    # The first steps load the machine code, which a session does before it starts.
    for label, steps in zip(("tick", "closed bar"), taken[:, 100:], strict=True):
        middle, late, last = np.percentile(steps, (50, 99, 100))
        print(f"{label}: p50 {middle:.0f} us, p99 {late:.0f} us, slowest {last:.0f} us")
    both = taken.sum(axis=0)[100:]
    middle, late = np.percentile(both, (50, 99))
    print(f"tick and closed bar together: p50 {middle:.0f} us, p99 {late:.0f} us; {fills:,} fills in {ROWS:,} bars")


if __name__ == "__main__":
    main()
