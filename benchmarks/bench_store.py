"""The candle store: append a day to five million candles of a minute, read a day and a month, bytes a candle."""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from machine import print_machine

import workbench as wb
from workbench.data.series import Series
from workbench.data.spans import Span
from workbench.data.store import CandleStore
from workbench.model import Bars, Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTES = 5_000_000
DAY = 1_440
DAYS_APPENDED = 15
REPEATS = 15
MINUTE_NS = 60_000_000_000
EXCHANGE, SYMBOL, TIMEFRAME = "bench", "BTC/USDT", "1m"


def history() -> Bars:
    """Return more than five million minutes: a year of the practice market again and again, on times of its own."""
    year = wb.load_bars("practice", SYMBOL, TIMEFRAME, start="2024-07-01", end="2025-07-01")
    rows = np.arange(MINUTES + DAYS_APPENDED * DAY)
    start = int(np.datetime64("2015-01-01", "ns").astype(np.int64))
    values = np.ascontiguousarray(year.values[:, :, rows % len(year)])
    return Bars(year.symbols, year.timeframe, year.instruments, start + rows * MINUTE_NS, values)


def milliseconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - started)


def report(what: str, times: list[float]) -> None:
    """Print the median and the slowest of some times."""
    print(f"{what}: median {statistics.median(times):.1f} ms, slowest {max(times):.1f} ms")


def main() -> None:
    """Fill a store in a temporary folder and measure."""
    print_machine()
    bars = history()
    with tempfile.TemporaryDirectory() as folder:
        store = CandleStore(folder)
        store.append(EXCHANGE, bars[:MINUTES])
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet"))
        print(f"{MINUTES:,} candles in {len(store.info(EXCHANGE, SYMBOL, TIMEFRAME).months)} months: "
              f"{size / MINUTES:.1f} bytes a candle")  # fmt: skip
        days = [bars[row : row + DAY] for row in range(MINUTES, len(bars), DAY)]
        report("append a day", [milliseconds(lambda day=day: store.append(EXCHANGE, day)) for day in days])
        for what, length in (("day", 1), ("month", 31)):
            starts = [datetime(2018, 3, 1 + number, tzinfo=UTC) for number in range(REPEATS)]
            report(
                f"read a {what}",
                [
                    milliseconds(
                        lambda start=start, length=length: store.read(
                            EXCHANGE, SYMBOL, TIMEFRAME, start=start, end=start + timedelta(days=length)
                        )
                    )
                    for start in starts
                ],
            )
        report(
            "load_bars of a day",
            [
                milliseconds(
                    lambda start=start: wb.load_bars(
                        EXCHANGE, SYMBOL, TIMEFRAME, start=start, end=start + timedelta(days=1), store=store
                    )
                )
                for start in starts
            ],
        )
        series = Series(EXCHANGE, SYMBOL, Timeframe(TIMEFRAME))
        everything = Span(int(bars.time_ns[0]), int(bars.time_ns[-1]) + MINUTE_NS)
        print(f"read all: {milliseconds(lambda: store.read_span(series, everything)):,.0f} ms; "
              f"info: {milliseconds(lambda: store.info(EXCHANGE, SYMBOL, TIMEFRAME)):,.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
