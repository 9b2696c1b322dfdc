"""A core that does only what a test tells it, where the real one would have to be brought into the same situation."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.core import DecisionPlan, EngineConfig
from workbench.live.live_core import StrategyErrorHandler
from workbench.model import BAR, BAR_CLOSED, COMMAND, COMMANDS, AccountState, Bars, BreakerTrip, StepResult

EMPTY = AccountState(
    sequence=0, time_ns=0, cash=1_000.0, equity=1_000.0, peak_equity=1_000.0, drawdown=0.0, day_start_equity=1_000.0,
    realized_pnl=0.0, unrealized_pnl=0.0, fees=0.0, funding=0.0, halted=(), is_paused=False, positions=(),
    fill_count=0, trade_count=0, denial_count=0,
)  # fmt: skip


class FakeCore:
    """Records what it is fed. ``fail_on`` raises in the "strategy", ``break_on`` in the core, ``hang_on`` waits.

    Parameters
    ----------
    fail_on, break_on, hang_on, trip_on : callable, optional
        Asked with the number of each decision, from 0.
    """

    def __init__(
        self,
        *,
        fail_on: Callable[[int], bool] = lambda _: False,
        break_on: Callable[[int], bool] = lambda _: False,
        hang_on: Callable[[int], bool] = lambda _: False,
        trip_on: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self.fail_on, self.break_on, self.hang_on, self.trip_on = fail_on, break_on, hang_on, trip_on
        self.events: list[tuple[Any, ...]] = []
        self.commands: list[str] = []
        self.decisions = 0
        self.hangs = threading.Event()
        self.may_go_on = threading.Event()
        self.history: Bars | None = None
        self._state = EMPTY
        self._on_error: StrategyErrorHandler | None = None

    def open(self, _plan: DecisionPlan, _config: EngineConfig, on_error: StrategyErrorHandler) -> FakeCore:
        """Stand in for `workbench.live.live_core.open_core`; one fake serves every opening."""
        self._on_error = on_error
        return self

    def warm_up(self, bars: Bars) -> None:
        self.history = bars

    def process(self, events: np.ndarray) -> StepResult:
        trips: tuple[BreakerTrip, ...] = ()
        for row in events.tolist():
            self.events.append(row)
            self._state = replace(self._state, sequence=self._state.sequence + 1, time_ns=row[2])
            if row[0] == COMMAND:
                self._command(COMMANDS[int(row[3])])
            elif row[0] in (BAR, BAR_CLOSED) and row[-1] == 0:
                trips += self._decide(row[1], row[2])
        return StepResult((), (), (), trips, self._state)

    def snapshot(self) -> AccountState:
        return self._state

    @property
    def tail(self) -> Any:
        raise NotImplementedError("a fake has no ledger")

    @property
    def hash(self) -> str:
        raise NotImplementedError("a fake has no ledger")

    def _command(self, name: str) -> None:
        self.commands.append(name)
        if name == "clear_breaker":
            self._state = replace(self._state, halted=())
        elif name != "kill":
            self._state = replace(self._state, is_paused=name != "resume")

    def _decide(self, symbol: int, time_ns: int) -> tuple[BreakerTrip, ...]:
        number, self.decisions = self.decisions, self.decisions + 1
        if self.hang_on(number):
            self.hangs.set()
            self.may_go_on.wait(60)
        if self.break_on(number):
            raise RuntimeError(f"the core broke on decision {number}")
        if self.fail_on(number) and self._on_error is not None:
            self._on_error(ZeroDivisionError(f"decision {number}"), symbol, time_ns)
        if self.trip_on(number):
            self._state = replace(self._state, halted=("max_drawdown",))
            return (BreakerTrip("max_drawdown", 0.2, 0.21, time_ns),)
        return ()
