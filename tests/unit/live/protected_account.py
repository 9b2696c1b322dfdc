"""An account with one position and the levels that protect it."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.live.markets import BTC, MIDNIGHT
from workbench.core import Engine, EngineConfig
from workbench.model import AccountState, Instrument, PositionSnapshot, Timeframe
from workbench.strategy import buy_and_hold, plan_of

RULES = Instrument(BTC, tick=0.01, lot=0.001)
FLAT = Engine(
    plan_of(buy_and_hold()), EngineConfig(instruments=(RULES,), timeframe=Timeframe("1m"), cash=1_000.0)
).snapshot()


def position(quantity: float = 1.0, stop: float | None = 95.0, trailing: float | None = None) -> PositionSnapshot:
    """Return a position that was opened at 100."""
    return PositionSnapshot(
        symbol=BTC, quantity=quantity, side="long" if quantity > 0.0 else "short", entry_price=100.0,
        entry_time_ns=MIDNIGHT, mark_price=100.0, notional=100.0, unrealized_pnl=0.0, stop_level=stop,
        target_level=None, trailing_level=trailing, time_limit_ns=None,
    )  # fmt: skip


def account(quantity: float = 1.0, stop: float | None = 95.0, trailing: float | None = None) -> AccountState:
    """Return an account that holds this; nothing when the quantity is 0."""
    held = (position(quantity, stop, trailing),) if quantity else ()
    return replace(FLAT, positions=held, time_ns=MIDNIGHT)
