"""The core against the same loop in C: one symbol, 1M bars of a minute, every risk feature on, rule codes given.

Both run in turn, so that a noisy neighbour disturbs both; the figure is the median of the ratios of neighbouring runs.
They must leave the same bytes: equity of every bar, account and position. Without a C compiler only the core is timed.
"""

from __future__ import annotations

import ctypes
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from machine import print_machine

from workbench.core import EngineConfig
from workbench.core.batch import run_bars
from workbench.core.book import open_book, state_bytes
from workbench.core.driver import frozen
from workbench.core.memory import memory_of
from workbench.core.quiet import NO_TRACE
from workbench.model import Costs, Instrument, RiskConfig, Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import NDArray

    from workbench.core.records import Book

    Loop: TypeAlias = Callable[["Market", Book, NDArray[np.float64]], None]

ROWS = 1_000_000
PAIRS = 15
FAST, SLOW = 20, 50
FLAGS = ("-O3", "-ffp-contract=off", "-shared", "-fPIC")
FEATURES = RiskConfig(
    stop_loss=0.02,
    take_profit=0.04,
    trailing_stop=0.03,
    max_holding_s=3 * 86_400,
    max_loss_per_trade=0.5,
    max_drawdown=0.999,
    daily_loss_limit=0.9,
)


@dataclass(frozen=True, slots=True)
class Market:
    """What both loops read."""

    times: NDArray[np.int64]
    values: NDArray[np.float64]
    codes: NDArray[np.uint8]
    levels: NDArray[np.float64]


def _average(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    total = np.cumsum(np.concatenate(([0.0], values)))
    average = np.full(values.size, np.nan)
    average[length - 1 :] = (total[length:] - total[:-length]) / length
    return average


def random_market(rows: int) -> Market:
    """Return a random walk of one symbol with the rule codes of a moving average cross."""
    random = np.random.default_rng(1)
    close = 30_000 * np.exp(np.cumsum(random.normal(0, 5e-4, rows)))
    opened = np.concatenate(([30_000.0], close[:-1]))
    high = np.maximum(opened, close) * (1 + np.abs(random.normal(0, 2e-4, rows)))
    low = np.minimum(opened, close) * (1 - np.abs(random.normal(0, 2e-4, rows)))
    times = (1_600_000_000 + 60 * np.arange(rows, dtype=np.int64)) * 1_000_000_000
    is_up = _average(close, FAST) > _average(close, SLOW)
    was_up = np.concatenate((is_up[:1], is_up[:-1]))
    codes = np.where(is_up & ~was_up, 1, np.where(~is_up & was_up, 2, 0)).astype(np.uint8)
    levels = np.full((1, 8, 1), np.nan)
    levels[0, 7] = 0.0
    values = np.stack((opened, high, low, close, np.ones(rows)))[:, None]
    return Market(frozen(times), frozen(values), codes[None], frozen(levels))


def configuration() -> EngineConfig:
    """Return the account: costs low enough and cash high enough for ten thousand trades."""
    return EngineConfig(
        instruments=(Instrument("BTC/USDT", lot=1e-5, tick=0.01),),
        timeframe=Timeframe("1m"),
        cash=10_000_000.0,
        risk=FEATURES,
        costs=Costs(taker_fee=0.0001, maker_fee=0.0001, slippage=0.00005),
    )


def compiled_twin(folder: Path, *more: str) -> Loop | None:
    """Return the loop in C, or None without a compiler that can make it."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / f"core_twin{len(more)}.so"
    source = Path(__file__).with_name("core_twin.c")
    made = subprocess.run([compiler, *FLAGS, *more, source, "-o", library, "-lm"], check=False)
    if made.returncode:
        return None
    run = ctypes.CDLL(str(library)).run_bars
    run.restype = None
    pointer, integer = ctypes.c_void_p, ctypes.c_int64
    run.argtypes = [*[pointer] * 8, integer, pointer, integer]

    def twin(market: Market, book: Book, equity: NDArray[np.float64]) -> None:
        records = (book.account.base, book.config.base, book.symbols, book.log, market.times, market.values)
        addresses = [array.ctypes.data for array in (*records, market.codes, market.levels)]
        run(*addresses, market.levels.shape[2], equity.ctypes.data, equity.size)

    return twin


def core(market: Market, book: Book, equity: NDArray[np.float64]) -> None:
    """Run the compiled core."""
    funding = np.zeros((2, 1, 0))
    rows = equity.size
    run_bars(
        memory_of(book), market.times, market.values, funding, market.codes, market.levels, NO_TRACE, equity, 0, rows
    )


def timed(
    loop: Loop, market: Market, config: EngineConfig, *, is_exact: bool
) -> tuple[float, Book, NDArray[np.float64]]:
    """Run a loop on a fresh account; return the seconds and what it left."""
    book = open_book(config, is_exact=is_exact)
    equity = np.zeros(market.times.size)
    started = time.perf_counter()
    loop(market, book, equity)
    return time.perf_counter() - started, book, equity


def compare(label: str, twin: Loop, market: Market, *, is_exact: bool) -> None:
    """Time both loops in turn and print what came of it."""
    config = configuration()
    ours, theirs, same = [], [], True
    for pair in range(PAIRS):
        for turn in (0, 1):
            # Whoever is second finds a warm cache: they take turns.
            if (pair + turn) % 2 == 0:
                seconds, book, equity = timed(core, market, config, is_exact=is_exact)
                ours.append(seconds)
            else:
                seconds, other, curve = timed(twin, market, config, is_exact=is_exact)
                theirs.append(seconds)
        same = same and state_bytes(book) == state_bytes(other) and equity.tobytes() == curve.tobytes()
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    nanoseconds = [statistics.median(seconds) / market.times.size * 1e9 for seconds in (ours, theirs)]
    print(
        f"{label}: core {nanoseconds[0]:.2f} ns a bar, C {nanoseconds[1]:.2f}; "
        f"ratio {ratio:.3f} (best against best {min(ours) / min(theirs):.3f}); "
        f"{int(book.account['fill_count']):,} and {int(other.account['fill_count']):,} fills; "
        f"bitwise equal: {'yes' if same else 'no'}"
    )


def main() -> None:
    """Print the figures."""
    print_machine()
    market = random_market(ROWS)
    timed(core, market, configuration(), is_exact=False)
    with tempfile.TemporaryDirectory() as folder:
        twin = compiled_twin(Path(folder))
        if twin is None:
            seconds = [timed(core, market, configuration(), is_exact=False)[0] for _ in range(PAIRS)]
            print(f"core {statistics.median(seconds) / ROWS * 1e9:.2f} ns a bar; no C compiler here to compare with")
            return
        compare("all features, cc -O3", twin, market, is_exact=False)
        native = compiled_twin(Path(folder), "-march=native") if platform.machine() == "x86_64" else None
        if native is not None:
            compare("all features, cc -O3 -march=native", native, market, is_exact=False)
        compare("every bar the long way, cc -O3", twin, market, is_exact=True)


if __name__ == "__main__":
    main()
