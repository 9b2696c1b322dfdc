"""The journal: how long a durable commit takes, writing and reading a million rows, opening, bytes a row."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from machine import print_machine

from workbench.live.journal import Journal, JournalReader
from workbench.model import EVENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROWS = 1_000_000
COMMITS = 2_000
REPEATS = 5


def events(count: int) -> NDArray[np.void]:
    """Return rows that differ in every number."""
    chance = np.random.default_rng(7)
    table = np.zeros(count, dtype=EVENT)
    table["time_ns"] = np.arange(count)
    for column in "abcde":
        table[column] = chance.random(count)
    return table


def milliseconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - started)


def report(what: str, times: list[float]) -> None:
    """Print the percentiles of some times."""
    middle, late, last = np.percentile(times, (50, 99, 100))
    print(f"{what}: p50 {middle:.2f} ms, p99 {late:.2f} ms, slowest {last:.1f} ms")


def plain_writes(folder: Path) -> list[float]:
    """Return how long the disk itself takes for 12 KB: what no commit can be faster than."""
    with (folder / "plain").open("wb", buffering=0) as file:

        def write() -> None:
            file.write(bytes(12_288))
            os.fdatasync(file.fileno())

        return [milliseconds(write) for _ in range(COMMITS)]


def commits(journal: Journal, rows: NDArray[np.void]) -> tuple[list[float], list[float]]:
    """Return how long commits of two rows take, without and with the intent of an order."""
    bare, ordered = [], []
    body = {"symbol": "BTC/USDT", "side": "buy", "quantity": 0.125, "kind": "market", "price": None, "is_exit": False}
    for number in range(COMMITS):
        journal.append(rows[2 * number : 2 * number + 2])
        bare.append(milliseconds(journal.commit))
        journal.append(rows[2 * number : 2 * number + 2])
        journal.note("intent", number, {**body, "client_order_id": f"wb{number:030d}", "number": number})
        ordered.append(milliseconds(journal.commit))
    return bare, ordered


def main() -> None:
    """Fill a journal in a temporary folder and measure."""
    print_machine()
    rows = events(ROWS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report("12 KB and fdatasync, without a journal", plain_writes(folder))
        with Journal.create(folder / "journal.db", session_id="bench", header={}) as journal:
            bare, ordered = commits(journal, rows)
            report("commit of 2 rows", bare)
            report("commit of 2 rows and an intent", ordered)
        path = folder / "rows.db"
        with Journal.create(path, session_id="bench", header={}) as journal:
            parts = np.array_split(rows, 100)
            taken = sum(milliseconds(lambda part=part: (journal.append(part), journal.commit())) for part in parts)
            print(f"writing in commits of {len(parts[0]):,} rows: {ROWS / taken * 1e3:,.0f} rows/s")
        print(f"{path.stat().st_size / ROWS:.1f} bytes a row")
        reader = JournalReader(path)
        report(f"read {ROWS:,} rows, proven by the chain", [milliseconds(reader.read) for _ in range(REPEATS)])
        report("open and check all of it", [milliseconds(lambda: Journal.open(path).close()) for _ in range(REPEATS)])


if __name__ == "__main__":
    main()
