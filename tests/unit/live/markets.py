"""Small markets, strategies and sessions for the tests of this room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.core import EngineConfig
from workbench.live import BarsSource, LiveSession, LiveSessionConfig, ManualClock, Market
from workbench.live.feeds import ScheduledFeed, tick_replay
from workbench.model import Bars, Costs, Instrument, RiskConfig, Timeframe
from workbench.strategy import buy_and_hold

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
MIDNIGHT = 1_735_689_600 * SECOND  # 2025-01-01T00:00Z
BTC = "BTC/USDT"
ETH = "ETH/USDT"
FREE = Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.0)
JOIN_S = 90.0


def bars_of(closes: Sequence[float], *, symbol: str = BTC, timeframe: str = "1m", start_ns: int = MIDNIGHT) -> Bars:
    """Return bars that open at the close before and reach no further than open and close."""
    close = np.asarray(closes, dtype=float)
    open_ = np.concatenate([close[:1], close[:-1]])
    length_ns = Timeframe(timeframe).ns
    times = start_ns + length_ns * np.arange(close.size)
    high, low = np.maximum(open_, close), np.minimum(open_, close)
    return Bars.from_arrays(symbol, timeframe, times, open_, high, low, close, np.ones(close.size))


def walk(count: int, *, seed: int = 1, symbol: str = BTC) -> Bars:
    """Return bars of a seeded random walk around 100."""
    steps = np.random.default_rng(seed).normal(0.0, 0.002, count)
    return bars_of(100.0 * np.exp(np.cumsum(steps)), symbol=symbol)


def engine_config(*symbols: str, **changes: Any) -> EngineConfig:
    settings: dict[str, Any] = {"cash": 10_000.0, "costs": FREE, "timeframe": Timeframe("1m")}
    instruments = tuple(Instrument.of(symbol) for symbol in symbols or (BTC,))
    return EngineConfig(instruments=instruments, **{**settings, **changes})


def session_config(bars: Bars | None = None, **changes: Any) -> LiveSessionConfig:
    bars = walk(200) if bars is None else bars
    settings: dict[str, Any] = {
        "name": "test",
        "strategy": buy_and_hold(),
        "symbols": bars.symbols,
        "timeframe": bars.timeframe,
        "source": BarsSource(bars),
        "costs": FREE,
        "speed": math.inf,
    }
    return LiveSessionConfig(**{**settings, **changes})


def run_to_end(config: LiveSessionConfig, **options: Any) -> LiveSession:
    session = LiveSession(config, **options).start()
    assert session.wait(JOIN_S)
    return session


def let_pass(clock: ManualClock, duration_ns: int) -> None:
    """Move a clock on which exactly one session waits, and return when the session waits again."""
    assert clock.join_waiter(JOIN_S)
    clock.advance(duration_ns)
    assert clock.join_waiter(JOIN_S)


@dataclass(frozen=True)
class TickSource:
    """Replays given ticks (nanoseconds after midnight, price) of one symbol."""

    ticks: tuple[tuple[int, float], ...]
    risk: RiskConfig = field(default_factory=RiskConfig)
    name: str = "ticks"
    has_account: bool = False

    def instruments(self, symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
        return tuple(Instrument.of(symbol) for symbol in symbols)

    def usual_warmup(self, needed: int) -> int:
        return 0 * needed

    def feed(self) -> ScheduledFeed:
        after, prices = zip(*self.ticks, strict=True)
        return tick_replay(MIDNIGHT + np.array(after), prices, np.ones(len(prices)))

    def open(self, _symbols: tuple[str, ...], _timeframe: Timeframe, _warmup: int) -> Market:
        return Market(None, self.feed(), MIDNIGHT)


def slow_config(bars: Bars | None = None, **changes: Any) -> LiveSessionConfig:
    """Return a session in which a bar takes a minute of the clock."""
    return session_config(bars, **{"speed": 1.0, **changes})


def two_walks(count: int) -> Bars:
    """Return bars of two symbols, ETH/USDT of a walk of its own."""
    return Bars.join([walk(count), walk(count, seed=2, symbol=ETH)])
