"""A backtest's result behind what a live chart asks of a session, so that the same chart shows both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.charts.decimation import join_candles
from workbench.charts.live_source import HeldSide
from workbench.live.records import ChartState

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.charts.live_source import ChartUpdate, Mark
    from workbench.research import BacktestResult

__all__ = ["ResultSource", "chart_state_of"]

# What a live chart takes of a session too.
MOST_BARS: Final = 5_000
MOST_MARKS: Final = 2_000
_NS_PER_MS: Final = 1_000_000
# Row of the volume among a bar's values; the prices stand before it.
_VOLUME: Final = 4


class ResultSource:
    """One result after the other for a chart.

    Parameters
    ----------
    result : BacktestResult
        The first.
    """

    def __init__(self, result: BacktestResult) -> None:
        self._sequence = 1
        self._state = chart_state_of(result, self._sequence)
        self._tell: Callable[[ChartUpdate], None] | None = None

    @property
    def state(self) -> str:
        """Never a finished one: another result may follow."""
        return "RESULT"

    def show(self, result: BacktestResult) -> None:
        """Show another result of the same bars."""
        # A number left out tells the chart to ask for everything anew.
        self._sequence += 2
        self._state = chart_state_of(result, self._sequence)
        if self._tell is not None:
            self._tell(_Renewed(self._sequence))  # type: ignore[arg-type]  # of an update behind a gap the number alone counts

    def chart_state(self) -> ChartState:
        """Return the result that is shown."""
        return self._state

    def subscribe(self, callback: Callable[[ChartUpdate], None]) -> Callable[[], object]:
        """Call `callback` when another result is shown, until the returned function is called."""
        self._tell = callback

        def end() -> None:
            self._tell = None

        return end


class _Renewed:
    """Says that everything is new."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence


def chart_state_of(result: BacktestResult, sequence: int = 1) -> ChartState:
    """Return a result's first symbol, equity and newest 2,000 fills; more than 5,000 bars are joined to longer ones."""
    bars = result.bars
    is_there = bars.valid[0]
    time_ns, values = bars.time_ns[is_there], bars.values[:, 0, is_there]
    candles = join_candles(time_ns, values[:_VOLUME], timeframe=bars.timeframe, max_candles=MOST_BARS)
    first = np.searchsorted(time_ns, candles.time_ns)
    last = np.append(first[1:], len(time_ns)) - 1
    time_ms = candles.time_ns / _NS_PER_MS
    volume = np.add.reduceat(values[_VOLUME], first)
    deepest = np.maximum.reduceat(result.drawdown.to_numpy()[is_there], first)
    return ChartState(
        sequence,
        bars.symbols[0],
        candles.period.ns,
        np.column_stack([time_ms, candles.open, candles.high, candles.low, candles.close, volume]),
        np.column_stack([time_ms, result.equity.to_numpy()[is_there][last], -deepest]),
        _marks(result),
        {},
    )


def _marks(result: BacktestResult) -> tuple[Mark, ...]:
    fills = result.fills
    fills = fills[fills["symbol"] == result.bars.symbols[0]]
    columns = (fills["time"].astype("int64"), fills["price"], fills["side"], fills["quantity"], fills["reason"])
    marks = []
    held = HeldSide()
    for time_ns, price, name, quantity, reason in zip(*columns, strict=True):
        side = 1 if name == "buy" else -1
        text = f"{name.upper()} {quantity:.6g} @ {price:,.6g}, {reason.replace('_', ' ')}"
        marks.append((int(time_ns), float(price), side, text, held.after(side, quantity)))
    return tuple(marks[-MOST_MARKS:])
