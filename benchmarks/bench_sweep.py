"""A sweep on one core: all pairs fast < slow of the windows 5 to 50 of a moving average cross with a stop of 2 %.

1,035 combinations over 50,000 bars of a minute, in a fresh process, so that its peak of memory is that of the sweep.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import threading
import time

from machine import print_machine

import workbench as wb
from workbench.core.driver import joint_codes
from workbench.model import Bars, Costs, RiskConfig
from workbench.research.backtest import engine_config
from workbench.research.grid import Grid
from workbench.research.sweep_run import SweepRun

ROWS = 50_000
WINDOWS = range(5, 51)
REPEATS = 5
STOP = 0.02
MIB = 1024 * 1024
# ru_maxrss is in bytes on macOS and in KiB elsewhere.
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def peak() -> int:
    """Return the peak memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT


def market() -> Bars:
    """Return the bars."""
    return wb.load_bars("synthetic", "BTC/USDT", "1m", start="2024-01-01", end="2024-02-10")[:ROWS]


def is_cross(chosen: object) -> bool:
    """Return whether the fast window is the shorter one."""
    return bool(chosen.fast < chosen.slow)  # type: ignore[attr-defined]  # the sweep hands over the parameters by name


def sweep(bars: Bars) -> wb.SweepResult:
    """Run the sweep on one thread."""
    grid = {"fast": WINDOWS, "slow": WINDOWS}
    return wb.sweep(wb.strategy.sma_cross(stop=STOP), bars, grid=grid, where=is_cross, threads=1, progress=False)


def measure() -> None:
    """Print the speed and the memory of the sweep."""
    bars = market()
    # The strategies and the kernels are loaded, nothing is swept yet: the import.
    wb.sweep(wb.strategy.sma_cross(stop=STOP), bars[:1_000], grid={"fast": [5]}, threads=1, progress=False)
    before = peak()
    seconds, processor = [], []
    for _ in range(REPEATS):
        started, used = time.perf_counter(), time.process_time()
        result = sweep(bars)
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    count = len(result)
    work = count * len(bars)
    print(
        f"{count:,} combinations x {len(bars):,} bars on one thread: {statistics.median(seconds):.2f} s, "
        f"{work / statistics.median(processor) / 1e6:.0f}M bar-combinations per CPU-second "
        f"(best {work / min(processor) / 1e6:.0f}M)"
    )
    print(f"peak memory above the import: {(peak() - before) / MIB:.0f} MiB")


def break_down() -> None:
    """Print what a combination spends where."""
    bars = market()
    base = wb.strategy.sma_cross(stop=STOP)
    config = engine_config(bars, cash=10_000.0, risk=RiskConfig(), costs=Costs(), path="adverse")
    grid = Grid.of({"fast": WINDOWS, "slow": WINDOWS}, defaults=base.parameters, where=is_cross)
    spent: dict[str, float] = dict.fromkeys(("lower", "codes", "whole"), 0.0)
    # As in `measure`: the first sweep of a process loads the kernels, which is no part of a combination.
    SweepRun(base, grid, bars, config).run_block(range(len(grid)), threading.Event())
    work = SweepRun(base, grid, bars, config)
    started = time.process_time()
    work.run_block(range(len(grid)), threading.Event())
    spent["whole"] = time.process_time() - started
    again = SweepRun(base, grid, bars, config)
    started = time.process_time()
    plans = [again._plan(row) for row in range(len(grid))]  # noqa: SLF001  its parts are timed one by one
    spent["lower"] = time.process_time() - started
    started = time.process_time()
    for plan in plans:
        joint_codes(plan, bars, again._cache)  # noqa: SLF001  as above
    spent["codes"] = time.process_time() - started
    each = {name: value / len(grid) * 1e6 for name, value in spent.items()}
    rest = each["whole"] - each["lower"] - each["codes"]
    print(
        f"a combination takes {each['whole']:.0f} us of CPU: making the plan {each['lower']:.0f}, its rule codes "
        f"{each['codes']:.0f}, the run through the core and the figures {rest:.0f}"
    )


def main() -> None:
    """Measure in processes of their own."""
    print_machine()
    for part in ("measure", "break_down"):
        subprocess.run([sys.executable, __file__, part], check=True)


if __name__ == "__main__":
    {"measure": measure, "break_down": break_down}[sys.argv[1]]() if sys.argv[1:] else main()
