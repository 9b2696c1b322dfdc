"""A backtest's result behind what a live chart asks of a session, so that the same chart shows both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.charts.decimation import join_candles
from workbench.charts.live_source import HeldSide, chosen_symbol
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
        self._result = result
        self._states: dict[str, ChartState] = {}
        self._tell: Callable[[ChartUpdate], None] | None = None

    @property
    def state(self) -> str:
        """Never a finished one: another result may follow."""
        return "RESULT"

    @property
    def chart_symbols(self) -> tuple[str, ...]:
        """Of which symbols there are charts: of all."""
        return self._result.bars.symbols

    def show(self, result: BacktestResult) -> None:
        """Show another result of the same bars."""
        # A number left out tells the chart to ask for everything anew.
        self._sequence += 2
        self._result = result
        self._states = {}
        if self._tell is not None:
            self._tell(_Renewed(self._sequence))  # type: ignore[arg-type]  # of an update behind a gap the number alone counts

    def chart_state(self, symbol: str | None = None) -> ChartState:
        """Return the result that is shown: a symbol's candles and fills, by default the first's, and the equity."""
        states, symbol = self._states, chosen_symbol(self.chart_symbols, symbol)
        if symbol not in states:
            states[symbol] = chart_state_of(self._result, self._sequence, symbol)
        return states[symbol]

    def subscribe(self, callback: Callable[[ChartUpdate], None], symbol: str | None = None) -> Callable[[], object]:
        """Call `callback` when another result is shown, until the returned function is called."""
        chosen_symbol(self.chart_symbols, symbol)
        self._tell = callback

        def end() -> None:
            if self._tell is callback:
                self._tell = None

        return end


class _Renewed:
    """Says that everything is new."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence


def chart_state_of(result: BacktestResult, sequence: int = 1, symbol: str | None = None) -> ChartState:
    """Return a result's equity, and the candles and newest 2,000 fills of a symbol, by default of the first.

    More than 5,000 bars are joined to longer ones.
    """
    bars = result.bars
    symbol = chosen_symbol(bars.symbols, symbol)
    number = bars.symbols.index(symbol)
    is_there = bars.valid[number]
    time_ns, values = bars.time_ns[is_there], bars.values[:, number, is_there]
    candles = join_candles(time_ns, values[:_VOLUME], timeframe=bars.timeframe, max_candles=MOST_BARS)
    first = np.searchsorted(time_ns, candles.time_ns)
    last = np.append(first[1:], len(time_ns)) - 1
    time_ms = candles.time_ns / _NS_PER_MS
    volume = np.add.reduceat(values[_VOLUME], first)
    deepest = np.maximum.reduceat(result.drawdown.to_numpy()[is_there], first)
    return ChartState(
        sequence,
        symbol,
        candles.period.ns,
        np.column_stack([time_ms, candles.open, candles.high, candles.low, candles.close, volume]),
        np.column_stack([time_ms, result.equity.to_numpy()[is_there][last], -deepest]),
        _marks(result, symbol),
        {},
    )


def _marks(result: BacktestResult, symbol: str) -> tuple[Mark, ...]:
    fills = result.fills
    fills = fills[fills["symbol"] == symbol]
    columns = (fills["time"].astype("int64"), fills["price"], fills["side"], fills["quantity"], fills["reason"])
    marks = []
    held = HeldSide()
    for time_ns, price, name, quantity, reason in zip(*columns, strict=True):
        side = 1 if name == "buy" else -1
        text = f"{name.upper()} {quantity:.6g} @ {price:,.6g}, {reason.replace('_', ' ')}"
        marks.append((int(time_ns), float(price), side, text, held.after(side, quantity)))
    return tuple(marks[-MOST_MARKS:])
