"""An exchange that answers from a list, and fails when told to."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

START_MS = 1_735_689_600_000  # 2025-01-01 00:00 UTC
MINUTE_MS = 60_000
NS_PER_MS = 1_000_000
SPOT = {"spot": True, "taker": 0.001, "maker": 0.001, "precision": {"amount": 1e-5, "price": 0.01}, "limits": {}}


def minute(index: float) -> int:
    """Return the nanoseconds of a minute of the scripted market."""
    return int((START_MS + index * MINUTE_MS) * NS_PER_MS)


class ScriptedExchange:
    """Minutes of each symbol; the volume of minute i is 1 + i. `before` is called with each question's `since` (ms)."""

    precisionMode = 4  # noqa: N815 - ccxt's spelling

    def __init__(
        self,
        candles: int = 5_000,
        *,
        missing: range = range(0),
        now: float = 100_000,
        symbols: tuple[str, ...] = ("BTC/USDT",),
        before: Callable[[str, int], None] = lambda *_: None,
    ) -> None:
        self.timeframes = {"1m": "1m"}
        self.features = {"spot": {"fetchOHLCV": {"limit": 1_000}}}
        self.candles = candles
        self.missing = missing
        self.now = now
        self.symbols = symbols
        self.before = before
        self.asked: list[tuple[str, int]] = []
        self.at_once = 0
        self._guard = threading.Lock()

    def load_markets(self) -> Mapping[str, Mapping[str, Any]]:
        return dict.fromkeys(self.symbols, SPOT)

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[Any]]:
        assert timeframe == "1m"
        first = -(-(since - START_MS) // MINUTE_MS)
        with self._guard:
            self.asked.append((symbol, first))
        self.before(symbol, first)
        there = range(max(first, 0), min(first + limit, self.candles, int(self.now) + 1))
        return [
            [START_MS + index * MINUTE_MS, 10.0, 12.0, 9.0, 11.0, 1.0 + index]
            for index in there
            if index not in self.missing
        ]

    def milliseconds(self) -> int:
        return int(START_MS + self.now * MINUTE_MS)

    def questions(self, symbol: str = "BTC/USDT") -> list[int]:
        """Return the minutes from which a symbol's candles were asked, and forget them."""
        found = [first for name, first in self.asked if name == symbol]
        self.asked = [entry for entry in self.asked if entry[0] != symbol]
        return found
