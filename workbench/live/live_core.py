"""The one door from this room to the core: how a session's engine is opened, and how its record is run again."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from workbench.core import DecisionPlan, Engine, EngineConfig, run_events
from workbench.model import BAR, BAR_CLOSED, COMMAND, EVENT, TICK, Instrument, Timeframe
from workbench.strategy import buy_and_hold, plan_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core import Ledger, LedgerTail
    from workbench.model import AccountState, Bars, StepResult

__all__ = ["Core", "CoreFactory", "StrategyErrorHandler", "compile_core", "open_core", "replay_core", "step_core"]

# More than any chart shows; a session's memory must not grow with its bars.
_KEPT_ROWS: Final = 8_192
_SOME_TIME_NS: Final = 1_735_689_600_000_000_000

StrategyErrorHandler = Callable[[Exception, int, int], None]
"""Called with the exception of a strategy, the symbol's position and the bar's open time in ns UTC."""


class Core(Protocol):
    """The part of the core's engine that a session uses; one thread processes, any thread takes snapshots."""

    def warm_up(self, bars: Bars) -> None:
        """Feed history to the indicators."""

    def process(self, events: NDArray[np.void]) -> StepResult:
        """Run rows of `EVENT` and return what happened."""

    def snapshot(self) -> AccountState:
        """Return the account at this moment."""

    @property
    def tail(self) -> LedgerTail:
        """The newest part of what happened so far, and the hash of all, as a copy."""

    @property
    def hash(self) -> str:
        """The hash of everything that happened so far."""


CoreFactory = Callable[[DecisionPlan, EngineConfig, StrategyErrorHandler], Core]


def open_core(plan: DecisionPlan, config: EngineConfig, on_strategy_error: StrategyErrorHandler) -> Core:
    """Return an engine of the core that reports a strategy's exceptions and holds on those bars."""
    return Engine(plan, config, on_strategy_error=on_strategy_error, kept_rows=_KEPT_ROWS)


@cache
def compile_core() -> None:
    """Compile what a session's steps run, or load it from the cache: once in a process, before its clock starts.

    Otherwise the first price would wait for it, at 1,000 times real time for many bars.
    """
    config = EngineConfig(instruments=(Instrument("MADE/UP"),), timeframe=Timeframe("1m"), cash=100.0)
    minute_ns = config.timeframe.ns
    bar = (1.0, 1.0, 1.0, 1.0, 1.0, 0)
    rows = [
        (TICK, 0, _SOME_TIME_NS, *bar),
        (BAR_CLOSED, 0, _SOME_TIME_NS, *bar),
        (TICK, 0, _SOME_TIME_NS + minute_ns, *bar),
        (COMMAND, -1, _SOME_TIME_NS + minute_ns, 0.0, 0.0, 0.0, 0.0, 0.0, 0),
        (BAR, 0, _SOME_TIME_NS + 2 * minute_ns, *bar),
    ]
    Engine(plan_of(buy_and_hold()), config).process(np.array(rows, dtype=EVENT))


def replay_core(plan: DecisionPlan, events: NDArray[np.void], config: EngineConfig, history: Bars | None) -> Ledger:
    """Run recorded events through the core's batch driver; a strategy that raises holds on that bar, as it did live."""
    return run_events(plan, events, config, warmup=history, on_strategy_error=_hold)


def step_core(plan: DecisionPlan, events: NDArray[np.void], config: EngineConfig, history: Bars | None) -> Ledger:
    """Run recorded events through a session's own engine, bar by bar, and keep everything."""
    engine = Engine(plan, config, on_strategy_error=_hold)
    if history is not None:
        engine.warm_up(history)
    engine.process(events)
    return engine.ledger


def _hold(_error: Exception, _symbol: int, _time_ns: int) -> None:
    """Do nothing: the session recorded the error when it happened."""
