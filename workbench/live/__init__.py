"""Sessions that trade as time goes by: aggregator, feeds, clock, engine, session, manager and the proof of parity.

A session in this process is a thread with a mailbox. Its inputs are recorded, so that `LiveSession.parity` can replay
them through the backtest driver and compare every byte.

The room itself can be called, so that ``wb.live(...)`` opens the door to real money although ``workbench.live`` is this
package; see `workbench.api_sessions.live`.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from workbench.live.aggregator import BarAggregator, TickCounts
from workbench.live.callbacks import EngineCallbacks
from workbench.live.clock import Clock, ManualClock, ReplayClock, SystemClock
from workbench.live.feeds import Feed, bar_replay, olhc_tick_replay, practice_feed, tick_replay
from workbench.live.manager import LiveSessionManager, default_manager
from workbench.live.parity import ParityReport
from workbench.live.records import ChartState, ErrorRecord, LiveStep, SessionEvent, StepUpdate
from workbench.live.session import LiveSession
from workbench.live.session_config import LiveSessionConfig
from workbench.live.sources import BarsSource, Market, MarketSource, PracticeSource
from workbench.live.states import SessionState
from workbench.live.trading_engine import LiveTradingEngine

__all__ = [
    "BarAggregator",
    "BarsSource",
    "ChartState",
    "Clock",
    "EngineCallbacks",
    "ErrorRecord",
    "Feed",
    "LiveSession",
    "LiveSessionConfig",
    "LiveSessionManager",
    "LiveStep",
    "LiveTradingEngine",
    "ManualClock",
    "Market",
    "MarketSource",
    "ParityReport",
    "PracticeSource",
    "ReplayClock",
    "SessionEvent",
    "SessionState",
    "StepUpdate",
    "SystemClock",
    "TickCounts",
    "bar_replay",
    "default_manager",
    "olhc_tick_replay",
    "practice_feed",
    "tick_replay",
]


class _Room(ModuleType):
    """The package, callable as the door to real money."""

    def __call__(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401  the door has types
        """Trade with real money; see `workbench.api_sessions.live`."""
        # By name, as the package's own lazy names are: rooms know none above them.
        return import_module("workbench.api_sessions").live(*arguments, **more)


sys.modules[__name__].__class__ = _Room
