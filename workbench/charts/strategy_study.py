"""What a session's strategy looks at and would have done: its price levels, and its backtest, carried on bar by bar.

Imports the compiled core, which takes a second: only `workbench.charts.live_study` does so, on its own thread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.charts.live_source import HeldSide
from workbench.core import Engine
from workbench.core.graph import Program
from workbench.core.price_levels import price_levels
from workbench.model import BAR, EVENT, Bars

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.charts.live_source import Mark
    from workbench.core import DecisionPlan, EngineConfig
    from workbench.model import Fill

    Floats = NDArray[np.float64]

__all__ = ["StrategyStudy", "StudyRows"]

_NS_PER_MS: Final = 1_000_000
_FIRST: Final = 0
_ONE_SYMBOL: Final = "the symbols share one account, and this chart has the bars of {} alone"
# Nobody asks this engine what was; each answer is taken as it comes.
_KEPT_ROWS: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class StudyRows:
    """What some bars came to.

    Attributes
    ----------
    levels : ndarray of float64, shape (n, 1 + k)
        Time (ms UTC) and the value of each level, nan where it has none.
    equity : ndarray of float64, shape (m, 2)
        Time (ms UTC) and equity of the backtest after the bar.
    marks : tuple of Mark
        Fills of the backtest.
    """

    levels: Floats
    equity: Floats
    marks: tuple[Mark, ...]


class StrategyStudy:
    """Carries a strategy's price levels and its bar-only backtest forward, one closed bar at a time.

    Parameters
    ----------
    make_plan : callable
        Returns the lowered strategy, anew each time.
    config : EngineConfig
        The session's. The backtest fills at once, also where the session's orders go to an exchange, and it knows no
        commands. Of several symbols a chart has the bars of one only: there is no backtest then, see `lack`.
    symbol : str, optional
        Whose bars they are; the first symbol's by default.

    Attributes
    ----------
    names : tuple of str
        The levels.
    lack : str
        Why there is no backtest; empty where there is one.
    """

    def __init__(self, make_plan: Callable[[], DecisionPlan], config: EngineConfig, symbol: str | None = None) -> None:
        self._make_plan = make_plan
        self._config = replace(config, is_external=False)
        levels = price_levels(make_plan())
        self.names = tuple(name for name, _ in levels)
        self._stream = Program([node for _, node in levels]).stream()
        self.lack = "" if len(config.symbols) == 1 else _ONE_SYMBOL.format(symbol or config.symbols[0])
        self._engine: Engine | None = None
        self._held = HeldSide()

    def warm_up(self, rows: Floats, cash: float | None = None) -> StudyRows:
        """Take the bars before the backtest, and begin it with `cash`, by default the session's.

        Parameters
        ----------
        rows : ndarray of float64, shape (n, 6)
            Time (ms UTC), open, high, low, close, volume; closed, in order.
        cash : float, optional
            Start capital in quote currency, > 0.
        """
        config = self._config if cash is None else replace(self._config, cash=cash)
        if not self.lack:
            # What a strategy raises it raises in the session too, where it is told.
            quiet: dict[str, Any] = {"on_strategy_error": lambda *_: None, "kept_rows": _KEPT_ROWS}
            self._engine = Engine(self._make_plan(), config, **quiet)
            if len(rows):
                self._engine.warm_up(_bars(rows, config))
        return StudyRows(self._levels(rows), np.empty((0, 2)), ())

    def advance(self, rows: Floats) -> StudyRows:
        """Take the next closed bars."""
        levels = self._levels(rows)
        if self._engine is None:
            return StudyRows(levels, np.empty((0, 2)), ())
        events = np.zeros(len(rows), EVENT)
        events["kind"], events["symbol"] = BAR, _FIRST
        events["time_ns"] = _times_ns(rows)
        for name, column in zip("abcde", rows[:, 1:].T, strict=True):
            events[name] = column
        points, marks = [], []
        for row in range(len(events)):
            result = self._engine.process(events[row : row + 1])
            points.append((rows[row, 0], result.snapshot.equity))
            marks += [self._mark(fill) for fill in result.fills]
        return StudyRows(levels, np.array(points, dtype=np.float64).reshape(-1, 2), tuple(marks))

    def _levels(self, rows: Floats) -> Floats:
        table = np.full((len(rows), 1 + len(self.names)), math.nan)
        table[:, 0] = rows[:, 0]
        for row, bar in enumerate(rows[:, 1:].tolist()):
            table[row, 1:] = self._stream.step(*bar)
        return table

    def _mark(self, fill: Fill) -> Mark:
        side = 1 if fill.side == "buy" else -1
        text = f"backtest: {fill.side} {fill.quantity:.8g} @ {fill.price:,.8g}, {fill.reason.replace('_', ' ')}"
        return (fill.time_ns, fill.price, side, text, self._held.after(side, fill.quantity))


def _bars(rows: Floats, config: EngineConfig) -> Bars:
    open_, high, low, close, volume = rows[:, 1:].T
    symbol, instrument = config.symbols[0], config.instruments[0]
    return Bars.from_arrays(
        symbol, config.timeframe, _times_ns(rows), open_, high, low, close, volume, instruments=instrument
    )


def _times_ns(rows: Floats) -> NDArray[np.int64]:
    return np.rint(rows[:, 0]).astype(np.int64) * _NS_PER_MS
