"""What charts need of all symbols of a session: a history of each, and those who hear of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.charts.live_source import chosen_symbol
from workbench.live.chart_history import ChartHistory, Subscribers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from workbench.core import LedgerTail
    from workbench.live.records import ChartState, LiveStep, StepUpdate
    from workbench.model import Bar, Bars, StepResult, Timeframe

__all__ = ["SymbolCharts"]


class SymbolCharts:
    """The charts of a session, one for each symbol; the session's thread adds and tells, any thread reads.

    What a step costs grows little with the symbols: an update is made for those that somebody hears.

    Parameters
    ----------
    symbols : tuple of str
        What the session trades.
    timeframe : Timeframe
        Length of a bar.
    capacity : int
        Bars and equity points to keep of each symbol.
    on_error : callable
        Called with the exception of a subscriber.
    """

    def __init__(
        self, symbols: tuple[str, ...], timeframe: Timeframe, *, capacity: int, on_error: Callable[[Exception], None]
    ) -> None:
        self.symbols = symbols
        self._histories = {
            symbol: ChartHistory(symbol, timeframe, number=number, capacity=capacity)
            for number, symbol in enumerate(symbols)
        }
        self._subscribers = {symbol: Subscribers(on_error) for symbol in symbols}

    @property
    def dropped(self) -> dict[str, int]:
        """How many old rows of all symbols were dropped: ``bars``, ``equity``, ``marks``."""
        counts = [history.dropped for history in self._histories.values()]
        return {name: sum(count[name] for count in counts) for name in counts[0]}

    def state(self, symbol: str | None = None) -> ChartState:
        """Return what the chart of a symbol shows, by default of the first; ConfigError when there is none."""
        return self._histories[chosen_symbol(self.symbols, symbol)].state()

    def subscribe(self, callback: Callable[[StepUpdate], None], symbol: str | None = None) -> Callable[[], None]:
        """Call back with each update of a symbol's chart until the returned function is called; errors as `state`."""
        return self._subscribers[chosen_symbol(self.symbols, symbol)].add(callback)

    def add_history(self, bars: Bars) -> None:
        """Add bars from before the session."""
        for history in self._histories.values():
            history.add_history(bars)

    def restore(self, events: NDArray[np.void], tail: LedgerTail, result: StepResult, forming: Sequence[Bar]) -> None:
        """Show what earlier processes of the session saw and did; see `ChartHistory.restore`."""
        for history in self._histories.values():
            history.restore(events, tail, result, forming)

    def add(self, step: LiveStep) -> list[tuple[str, StepUpdate]]:
        """Take one step and return what is to be told of it."""
        updates = []
        for symbol, own in self._parts(step):
            if len(self._subscribers[symbol]):
                updates.append((symbol, self._histories[symbol].add(own)))
            else:
                self._histories[symbol].keep(own)
        return updates

    def tell(self, updates: Sequence[tuple[str, StepUpdate]]) -> None:
        """Tell what `add` has returned."""
        for symbol, update in updates:
            self._subscribers[symbol].tell(update)

    def _parts(self, step: LiveStep) -> list[tuple[str, LiveStep]]:
        """Return for each symbol the step with its own bars."""
        if len(self.symbols) == 1:
            return [(self.symbols[0], step)]
        closed: dict[str, list[Bar]] = {symbol: [] for symbol in self.symbols}
        for bar in step.closed:
            closed[bar.symbol].append(bar)
        forming = {bar.symbol: (bar,) for bar in step.forming}
        return [
            (symbol, replace(step, closed=tuple(closed[symbol]), forming=forming.get(symbol, ())))
            for symbol in self.symbols
        ]
