"""How long a fresh notebook kernel waits: the import, and the import with a first backtest, machine code on disk."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from machine import print_machine

import workbench

REPEATS = 11
ROWS = 100_000
IMPORT = "import workbench"
# The bars come from numpy, so that it is the core whose start is measured and not the making of a market.
BACKTEST = f"""
import time
started = time.perf_counter()
import numpy as np
import workbench as wb
random = np.random.default_rng(1)
close = 30_000 * np.exp(np.cumsum(random.normal(0, 5e-4, {ROWS})))
opened = np.concatenate(([30_000.0], close[:-1]))
high, low = np.maximum(opened, close) * 1.0002, np.minimum(opened, close) * 0.9998
times = (1_600_000_000 + 60 * np.arange({ROWS})) * 1_000_000_000
bars = wb.Bars.from_arrays("BTC/USDT", "1m", times, opened, high, low, close, np.ones({ROWS}))
result = wb.backtest(wb.strategy.sma_cross(fast=20, slow=50), bars, cash=10_000)
assert len(result.equity) == {ROWS}
"""
STAGES = f"""
import time
marks = [time.perf_counter()]
import numpy as np
import workbench as wb
marks.append(time.perf_counter())
backtest, strategy = wb.backtest, wb.strategy
marks.append(time.perf_counter())
{BACKTEST}
marks.append(time.perf_counter())
result = wb.backtest(wb.strategy.sma_cross(fast=20, slow=50), bars, cash=10_000)
marks.append(time.perf_counter())
print(*(later - earlier for earlier, later in zip(marks, marks[1:])))
"""


# The package is found in these processes as it is found here.
PACKAGES = os.pathsep.join(filter(None, (str(Path(workbench.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
ENVIRONMENT = os.environ | {"PYTHONPATH": PACKAGES}


def seconds(code: str) -> float:
    """Return how long a fresh interpreter takes to run some code and end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT)
    return time.perf_counter() - started


def main() -> None:
    """Print the figures."""
    print_machine()
    for code in ("pass", IMPORT, BACKTEST):
        seconds(code)
    bare, imported = [], []
    for _ in range(REPEATS):
        bare.append(seconds("pass"))
        imported.append(seconds(IMPORT))
    above = statistics.median(b - a for a, b in zip(bare, imported, strict=True))
    print(
        f"import workbench: {above * 1e3:.0f} ms above bare Python's {statistics.median(bare) * 1e3:.0f} "
        f"(best against best {(min(imported) - min(bare)) * 1e3:.0f} ms)"
    )
    whole = [seconds(BACKTEST) for _ in range(REPEATS)]
    print(
        f"fresh process, import and first backtest of {ROWS:,} bars: {statistics.median(whole):.2f} s "
        f"(best {min(whole):.2f})"
    )
    command = [sys.executable, "-c", STAGES]
    answer = subprocess.run(command, check=True, env=ENVIRONMENT, capture_output=True, text=True)
    names = ("numpy and workbench", "the rooms behind backtest", "bars and first backtest", "second backtest")
    parts = ", ".join(f"{name} {float(part):.2f} s" for name, part in zip(names, answer.stdout.split(), strict=True))
    print(f"of it: {parts}")


if __name__ == "__main__":
    main()
