"""Sessions that a test adds, changes and takes away, behind what a dashboard asks."""

from collections.abc import Sequence
from typing import Any

from tests.unit.panels.fake_session import FakeSession
from workbench.errors import SessionError, SessionNotFoundError
from workbench.panels.overview import Held, Overview

WALK = tuple(10_000.0 + 3.0 * step - 40.0 * (step % 7 == 3) for step in range(49))


def overview(name: str, **changes: Any) -> Overview:
    """Return a session that trades and has made 25 of 10,000 USDT today."""
    settings: dict[str, Any] = {
        "key": name,
        "name": name,
        "state": "ACTIVE",
        "reason": "trading",
        "strategy": "sma_cross",
        "timeframe": "1m",
        "quote": "USDT",
        "symbols": ("BTC/USDT",),
        "told_age_s": 0.4,
        "data_age_s": 0.9,
        "equity": 10_025.0,
        "day_pnl": 25.0,
        "drawdown": 0.0125,
        "curve": WALK,
    }
    return Overview(**{**settings, **changes})


def many() -> list[Overview]:
    """Return sessions of every sort."""
    gone = "position unmanaged: it was running, and its process 4711 is gone; `workbench resume eth-night` goes on"
    short = (Held("ETH/USDT", -1.5, 3_000.0),)
    return [
        overview("btc-day"),
        overview("eth-night", state="CRASHED", reason=gone, symbols=("ETH/USDT",), held=short, told_age_s=700.0),
        overview("grid-1", state="EXITS_ONLY", reason="paused by the user", day_pnl=-31.5, curve=WALK[::-1]),
        overview(
            "pairs", symbols=("BTC/USDT", "ETH/USDT", "SOL/USDT"), strategy="a_pair_of_long_names", told_age_s=9.2
        ),
        overview(
            "real-btc-1", is_real=True, held=(Held("BTC/USDT", 0.0423, 61_000.0),), day_pnl=112.04, strategy="breakout"
        ),
        overview("rsi-3", state="HALTED", reason="max_drawdown tripped: 20.1 % of 20 %", drawdown=0.201),
        overview("rsi-4", state="STALE", reason="no price for 95 s", data_age_s=95.0),
        overview("sma-1", state="STOPPED", reason="stopped by the user", is_finished=True, told_age_s=None),
        overview(
            "sma-2", state="STARTING", reason="process 4712 is getting ready", equity=None, day_pnl=None, curve=()
        ),
    ]


class FakeSessions:
    """Sessions behind the interface of `AllSessions`."""

    def __init__(self, overviews: Sequence[Overview]) -> None:
        self.found = list(overviews)
        self.fault: Exception | None = None
        self.stops: list[tuple[tuple[str, ...], bool]] = []
        self.handles: dict[str, FakeSession] = {}

    def overviews(self) -> tuple[Overview, ...]:
        if self.fault is not None:
            raise self.fault
        return tuple(self.found)

    def handle(self, key: str) -> FakeSession:
        if key not in {one.key for one in self.found}:
            raise SessionNotFoundError(f"session {key!r} is not there any more")
        return self.handles.setdefault(key, FakeSession(bars=20, name=key))

    def stop(self, keys: Sequence[str], *, flatten: bool) -> None:
        self.stops.append((tuple(keys), flatten))
        if "stubborn" in keys:
            raise SessionError("stubborn does not end")
        self.found = [one for one in self.found if one.key not in keys]
