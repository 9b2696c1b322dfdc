"""The one door from this room to the core: how a session's engine is opened, and how its record is run again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from workbench.core import DecisionPlan, Engine, EngineConfig, run_events

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.core import Ledger
    from workbench.model import AccountState, Bars, StepResult

__all__ = ["Core", "CoreFactory", "StrategyErrorHandler", "open_core", "replay_core"]

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
    def ledger(self) -> Ledger:
        """Everything that happened so far, as a copy."""


CoreFactory = Callable[[DecisionPlan, EngineConfig, StrategyErrorHandler], Core]


def open_core(plan: DecisionPlan, config: EngineConfig, on_strategy_error: StrategyErrorHandler) -> Core:
    """Return an engine of the core that reports a strategy's exceptions and holds on those bars."""
    return Engine(plan, config, on_strategy_error=on_strategy_error)


def replay_core(plan: DecisionPlan, events: NDArray[np.void], config: EngineConfig, history: Bars | None) -> Ledger:
    """Run recorded events through the core's batch driver; a strategy that raises holds on that bar, as it did live."""
    return run_events(plan, events, config, warmup=history, on_strategy_error=_hold)


def _hold(_error: Exception, _symbol: int, _time_ns: int) -> None:
    """Do nothing: the session recorded the error when it happened."""
