"""A strategy whose ``on_bar`` numba cannot compile: bars a second of the same function in plain Python."""

from __future__ import annotations

import statistics
import time

from machine import print_machine
from strategies import PullBack

import workbench as wb
from workbench.core import EngineConfig, run_backtest
from workbench.strategy import plan_of

ROWS = 200_000
REPEATS = 7


def main() -> None:
    """Print bars a second, interpreted and compiled."""
    print_machine()
    bars = wb.load_bars("synthetic", "BTC/USDT", "1m", start="2024-01-01", end="2024-06-01")[:ROWS]
    config = EngineConfig(instruments=bars.instruments, timeframe=bars.timeframe, cash=10_000.0)
    plan = plan_of(PullBack())
    hashes = set()
    for label, interpreted in (("interpreted", True), ("compiled", False)):
        run_backtest(plan, bars[:2_000], config, interpreted=interpreted)
        seconds = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            ledger = run_backtest(plan, bars, config, interpreted=interpreted)
            seconds.append(time.perf_counter() - started)
        hashes.add(ledger.hash)
        print(
            f"on_bar {label}: {ROWS / statistics.median(seconds):,.0f} bars a second "
            f"(best {ROWS / min(seconds):,.0f}), {len(ledger.trades):,} trades"
        )
    print(f"the same bytes both ways: {'yes' if len(hashes) == 1 else 'no'}")


if __name__ == "__main__":
    main()
