"""Compile the core once, so that the first backtest of a fresh machine starts at once. Run by `make setup`."""

import time

import numpy as np

import workbench as wb
from workbench.core import Engine, EngineConfig, run_backtest, run_events
from workbench.model import BAR, EVENT
from workbench.strategy import plan_of

ROWS = 300


def compile_core() -> None:
    """Run each entry of the core once on a little market; numba keeps the machine code on disk."""
    bars = wb.load_bars("synthetic", "BTC/USDT", "1m", start="2024-01-01", end="2024-01-02")[:ROWS]
    rules, asked = wb.strategy.sma_cross(fast=5, slow=20), wb.strategy.donchian_breakout(lookback=20)
    for strategy in (rules, asked):
        wb.backtest(strategy, bars, cash=10_000)
    wb.sweep(wb.strategy.sma_cross, bars, grid={"fast": [5, 10]}, progress=False)
    config = EngineConfig(instruments=bars.instruments, timeframe=bars.timeframe, cash=10_000.0)
    run_backtest(plan_of(asked), bars, config, interpreted=True)
    events = np.zeros(ROWS, EVENT)
    events["kind"] = BAR
    events["time_ns"] = bars.time_ns
    for column, values in zip("abcde", bars.values[:, 0], strict=True):
        events[column] = values
    for strategy in (rules, asked):
        Engine(plan_of(strategy), config).process(events)
        run_events(plan_of(strategy), events, config)
    portfolio = wb.PortfolioSimulator(config)
    now = int(bars.time_ns[0])
    portfolio.process_order(wb.OrderRequest("BTC/USDT", "buy", 0.001, "market", None, now), 100.0, now)
    portfolio.mark_to_market({"BTC/USDT": 101.0}, now)


if __name__ == "__main__":
    started = time.perf_counter()
    compile_core()
    print(f"compiled the core in {time.perf_counter() - started:.0f} s")
