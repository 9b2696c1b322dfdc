"""The engine of a replay: recorded rows through the core exactly as they were, nothing made anew of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.live.aggregator import BarAggregator
from workbench.live.inlet import Piece
from workbench.live.records import LiveStep
from workbench.live.trading_engine import LiveTradingEngine
from workbench.model import BAR, BAR_CLOSED, COMMAND, REPORT, TICK, Bar, StepResult

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray

    from workbench.core import DecisionPlan, EngineConfig
    from workbench.model import Command

__all__ = ["RecordedEngine"]


class RecordedEngine(LiveTradingEngine):
    """Runs the rows of a record one step up to each decision; its own commands do nothing, the recorded ones count.

    Parameters
    ----------
    plan, config
        As for `LiveTradingEngine`, of the recorded session.
    since_ns : int, optional
        As for `LiveTradingEngine`.
    **options
        All else that it takes.
    """

    def __init__(
        self,
        plan: DecisionPlan,
        config: EngineConfig,
        *,
        since_ns: int | None = None,
        **options: Any,  # noqa: ANN401  passed on
    ) -> None:
        super().__init__(plan, config, since_ns=since_ns, **options)
        # For the bars that are forming, which are shown and not recorded; nothing is decided on them.
        self._shown = tuple(BarAggregator(symbol, config.timeframe, since_ns=since_ns) for symbol in self.symbols)
        self._came = {"bars": 0, "ticks": 0}

    @property
    def forming(self) -> tuple[Bar, ...]:
        """Bars that are open now, one per symbol at most."""
        return tuple(bar for bar in (aggregator.forming for aggregator in self._shown) if bar is not None)

    @property
    def counts(self) -> dict[str, int]:
        """Bars and ticks that came; see `LiveTradingEngine.counts`."""
        return super().counts | self._came

    def run(self, events: NDArray[np.void]) -> Iterator[LiveStep]:
        """Run recorded `events` of all kinds, and yield what each step did."""
        for rows in np.split(events, _step_ends(events)):
            yield self._repeat(rows)

    def command(self, command: Command) -> LiveStep:  # noqa: ARG002  the interface is that of all engines
        """Do nothing, and return a step in which nothing happens: what was commanded is among the recorded rows."""
        return LiveStep(StepResult((), (), (), (), self.snapshot()), (), self.forming, self.time_ns)

    def _repeat(self, rows: NDArray[np.void]) -> LiveStep:
        closed = self._see(rows)
        bars, ticks = (rows["time_ns"][rows["kind"] == kind] for kind in (BAR, TICK))
        ends = [int(times.max()) + more for times, more in ((bars, self.config.timeframe.ns), (ticks, 0)) if len(times)]
        result = self._process(Piece(rows, closed, max(ends, default=0)))
        # The guard is told nothing: what the session did of its own when its strategy failed stands in its rows.
        return LiveStep(result, closed, self.forming, self.time_ns)

    def _see(self, rows: NDArray[np.void]) -> tuple[Bar, ...]:
        """Return the bars that closed, those included that were partial and so are not among the rows."""
        closed = []
        for kind, symbol, time_ns, *values, _ in rows.tolist():
            if kind in (BAR, BAR_CLOSED):
                self._came["bars"] += 1
                closed.append(Bar(self.symbols[symbol], time_ns, *values))
            elif kind == TICK:
                self._came["ticks"] += 1
                _, bar = self._shown[symbol].take_price(time_ns, *values[:2])
                if bar is not None and bar.is_partial:
                    closed.append(bar)
        return tuple(closed)


def _step_ends(events: NDArray[np.void]) -> NDArray[np.intp]:
    """Return where steps end within the rows: behind each decision, and behind a run of commands or reports."""
    kinds = events["kind"]
    decides = ((kinds == BAR) | (kinds == BAR_CLOSED)) & (events["remaining"] == 0)
    is_said = (kinds == COMMAND) | (kinds == REPORT)
    ends = decides[:-1] | (is_said[:-1] & (kinds[:-1] != kinds[1:]))
    return np.flatnonzero(ends) + 1
