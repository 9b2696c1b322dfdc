"""Memory of a session's process over a million virtual bars: how much it grows for each 100,000."""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from machine import print_machine

from workbench.live import BarsSource, LiveSessionConfig
from workbench.live.journal.reader import JournalReader
from workbench.live.process.process_table import resident_bytes
from workbench.live.process.registry import SessionRegistry
from workbench.live.process.session_info import look_at
from workbench.live.process.supervisor_client import ask_supervisor
from workbench.model import Bars
from workbench.strategy import sma_cross

if TYPE_CHECKING:
    from workbench.live.process.folders import SessionFolder

BARS = 1_000_000
PIECE = 100_000
MINUTE_NS = 60 * 10**9
MIB = 2**20
LOOK_S = 0.05


def market(count: int) -> Bars:
    """Return bars of a seeded random walk around 100."""
    close = 100.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.0, 0.0005, count)))
    open_ = np.concatenate([close[:1], close[:-1]])
    times = 1_500_000_000 * 10**9 + MINUTE_NS * np.arange(count)
    high, low = np.maximum(open_, close), np.minimum(open_, close)
    return Bars.from_arrays("BTC/USDT", "1m", times, open_, high, low, close, np.ones(count))


def main(count: int) -> None:
    """Run one session and print its memory as it goes."""
    print_machine()
    with tempfile.TemporaryDirectory() as folder:
        registry = SessionRegistry(Path(folder) / "sessions")
        source = BarsSource(market(count))
        config = LiveSessionConfig(
            name="long",
            strategy=sma_cross(fast=200, slow=1_000),
            symbols=("BTC/USDT",),
            timeframe="1m",
            source=source,
            speed=float("inf"),
        )
        began_s = time.perf_counter()
        info, _ = registry.start(config)
        try:
            watch(info.folder, count, began_s)
        finally:
            registry.kill("long")
            ask_supervisor(registry.root, {"op": "end"}, starts=False)


def watch(folder: SessionFolder, count: int, began_s: float) -> None:
    """Print the memory over each piece of the bars, and what a piece costs once the first one is over.

    Now and then the whole ledger is copied for a check, so the least of a piece is what stays, and the most what it
    takes.
    """
    pause = threading.Event()
    pieces: list[list[int]] = []
    while True:
        info, rows = look_at(folder), len(JournalReader(folder.journal)) if folder.journal.exists() else 0
        if info.is_finished or info.process is None:
            break
        used, number = resident_bytes(info.process.pid), rows // PIECE
        if number > len(pieces) - 1:
            if pieces:
                report(pieces, began_s)
            pieces.append([])
        pieces[-1].append(used)
        if rows >= count:
            break
        pause.wait(LOOK_S)
    least = [min(piece) / MIB for piece in pieces if piece]
    if len(least) > 2:  # noqa: PLR2004 - the first one fills what has a bound
        growth = np.polyfit(np.arange(len(least) - 1), least[1:], 1)[0]
        print(f"growth: {growth:.2f} MiB for each {PIECE:,} bars (wanted: below 1)")


def report(pieces: list[list[int]], began_s: float) -> None:
    """Print what the last piece took."""
    least, most = min(pieces[-1]) / MIB, max(pieces[-1]) / MIB
    took_s = time.perf_counter() - began_s
    print(f"{len(pieces) * PIECE:>9,} bars: {least:6.1f} to {most:6.1f} MiB, after {took_s:.0f} s", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=BARS)
    main(parser.parse_args().bars)
