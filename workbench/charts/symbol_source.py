"""One symbol out of several: what shows the chart of one symbol then needs to know of no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.charts.live_source import ChartSource, ChartState, ChartUpdate

__all__ = ["SymbolSource", "symbol_source", "symbols_of"]


class ManyCharts(Protocol):
    """A session or a result with a chart for each of its symbols."""

    @property
    def state(self) -> str:
        """State of the session."""

    @property
    def chart_symbols(self) -> tuple[str, ...]:
        """Of which symbols there are charts."""

    def chart_state(self, symbol: str | None = None) -> ChartState:
        """Return what the chart of a symbol shows; ConfigError when there is no such symbol."""

    def subscribe(self, callback: Callable[[ChartUpdate], None], symbol: str | None = None) -> Callable[[], object]:
        """Call `callback` for each update of a symbol's chart, until the returned function is called."""


class SymbolSource:
    """The chart of one symbol as the only one.

    Parameters
    ----------
    source : ManyCharts
        The session or result.
    symbol : str
        The symbol.
    """

    def __init__(self, source: ManyCharts, symbol: str) -> None:
        self._source = source
        self.symbol = symbol

    @property
    def state(self) -> str:
        """State of the session."""
        return self._source.state

    @property
    def config(self) -> Any:  # noqa: ANN401  a session's configuration; None where there is none
        """What the session runs."""
        return getattr(self._source, "config", None)

    def chart_state(self) -> ChartState:
        """Return what the chart shows."""
        return self._source.chart_state(self.symbol)

    def subscribe(self, callback: Callable[[ChartUpdate], None]) -> Callable[[], object]:
        """Call `callback` for each update, until the returned function is called."""
        return self._source.subscribe(callback, self.symbol)


def symbols_of(source: ChartSource) -> tuple[str, ...]:
    """Return of which symbols a source has charts; none where it does not say."""
    return tuple(getattr(source, "chart_symbols", ()))


def symbol_source(source: ChartSource, symbol: str | None) -> ChartSource:
    """Return the source of the chart of a `symbol`: where that is the only one, the source itself.

    Parameters
    ----------
    source : ChartSource
        A session or result. One with several symbols says so in ``chart_symbols``, and takes a symbol as another
        argument of `chart_state` and `subscribe`.
    symbol : str or None
        The symbol; None is the first. Whether there is such a chart its `chart_state` says.
    """
    symbols = symbols_of(source)
    if len(symbols) < 2 and symbol in (None, *symbols):  # noqa: PLR2004  one has no choice
        return source
    return SymbolSource(source, symbols[0] if symbol is None else symbol)  # type: ignore[arg-type]  # it has more than a chart asks of one symbol
