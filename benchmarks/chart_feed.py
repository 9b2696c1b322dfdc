"""A session made of numbers, for the benchmark of the live chart: history of any length, ticks at any rate."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from workbench.live import ChartState, LiveSessionConfig
from workbench.strategy import sma_cross

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE_MS = 60_000.0
START_MS = 1_760_000_400_000.0
CASH = 10_000.0
BAR_S = 20.0
# The traded volume of a bar says when its newest tick was, in ms since the feed began: the page shows it, so whoever
# looks at the page knows how old what it shows is. Bars of the past have one that no new bar outgrows.
PAST_VOLUME = 2_000_000.0


class ChartFeed:
    """The part of a session's handle that a live chart uses, with a position that is always open.

    Parameters
    ----------
    history : int
        Closed bars at the beginning.
    """

    def __init__(self, history: int) -> None:
        random = np.random.default_rng(7)
        close = 30_000.0 * np.exp(np.cumsum(random.normal(0.0, 4e-4, history + 100_000)))
        self._close = close
        self.bars = np.empty((history + 5_000, 6))
        self.equity = np.empty((history + 5_000, 3))
        before, after = close[: history + 1][:-1], close[1 : history + 1]
        self.bars[:history, 0] = START_MS + MINUTE_MS * np.arange(history)
        self.bars[:history, 1:5] = np.column_stack(
            [before, np.maximum(before, after) + 3, np.minimum(before, after) - 3, after]
        )
        self.bars[:history, 5] = PAST_VOLUME
        self.equity[:history, 0] = self.bars[:history, 0]
        self.equity[:history, 1] = CASH * after / after[0]
        self.equity[:history, 2] = self.equity[:history, 1] / np.maximum.accumulate(self.equity[:history, 1]) - 1
        self.count = history
        self.state = "ACTIVE"
        self.sequence = 0
        self.ticks = 0
        self.began_s = time.time()
        strategy = sma_cross(fast=10, slow=30)
        self.config = LiveSessionConfig(name="feed", strategy=strategy, symbols=("BTC/USDT",), timeframe="1m")
        self._callbacks: list[Callable[[object], None]] = []
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._bar_ticks = 0
        self._now = (CASH, 0.0)

    def chart_state(self) -> ChartState:
        """Return everything, as a session does."""
        with self._lock:
            return ChartState(
                sequence=self.sequence,
                symbol="BTC/USDT",
                timeframe_ns=60_000_000_000,
                bars=self.bars[: self.count + 1].copy() if self._bar_ticks else self.bars[: self.count].copy(),
                equity=self.equity[: self.count].copy(),
                marks=(),
                lines=self._lines(),
                now=self._now,
            )

    def subscribe(self, callback: Callable[[object], None]) -> Callable[[], None]:
        """Call back at every tick."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def run(self, rate: float) -> None:
        """Tick `rate` times a second until the next `run` or `end`."""
        self.end()
        self._ended = ended = threading.Event()
        threading.Thread(target=self._loop, args=(rate, ended), daemon=True).start()

    def end(self) -> None:
        """Tick no more."""
        self._ended.set()

    def _loop(self, rate: float, ended: threading.Event) -> None:
        due = time.monotonic()
        while not ended.wait(max(0.0, due - time.monotonic())):
            due += 1.0 / rate
            self.tick(closes=self._bar_ticks >= BAR_S * rate)

    def tick(self, *, closes: bool) -> None:
        """Move the newest bar, and close it if told to."""
        with self._lock:
            price = float(self._close[self.count + self.ticks % 5_000])
            row = self.bars[self.count]
            if not self._bar_ticks:
                row[:] = (self.bars[self.count - 1, 0] + MINUTE_MS, *[self.bars[self.count - 1, 4]] * 4, 0.0)
            row[2], row[3], row[4] = max(row[2], price), min(row[3], price), price
            row[5] = round(1e3 * (time.time() - self.began_s))
            self._bar_ticks += 1
            self.ticks += 1
            self.sequence += 1
            worth = CASH * price / self._close[0]
            points = np.array([[row[0], worth, -0.01]]) if closes else np.empty((0, 3))
            account = SimpleNamespace(equity=worth, drawdown=0.01)
            self._now = (worth, -0.01)
            update = SimpleNamespace(
                sequence=self.sequence,
                bar_rows=row[None].copy(),
                equity_rows=points,
                marks=(),
                lines=self._lines(),
                snapshot=account,
            )
            if closes:
                self.equity[self.count] = points[0]
                self.count += 1
                self._bar_ticks = 0
        for callback in list(self._callbacks):
            callback(update)

    def _lines(self) -> dict[str, float]:
        price = float(self.bars[max(0, self.count - 1), 4])
        return {"entry": price, "stop": 0.99 * price, "take profit": 1.02 * price, "trailing": 0.995 * price}
