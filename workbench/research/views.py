"""What cards and surfaces ask of results, so that they can be read and tested apart from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from workbench.core.book import EngineConfig
    from workbench.model import Bars
    from workbench.research.grid import Grid
    from workbench.research.statistics import Floats
    from workbench.research.stats import Stats


class ResultView(Protocol):
    """A backtest's result as its card sees it."""

    @property
    def title(self) -> str:
        """The strategy as the call that makes it."""

    @property
    def bars(self) -> Bars:
        """The bars of the run."""

    @property
    def config(self) -> EngineConfig:
        """Cash, risk, costs and path."""

    @property
    def stats(self) -> Stats:
        """All measures."""

    @property
    def equity(self) -> pd.Series[float]:
        """Equity at each bar's close."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know."""


class RowView(Protocol):
    """One combination of a sweep."""

    @property
    def index(self) -> int:
        """Its row in the table."""

    @property
    def stats(self) -> Stats:
        """Its measures."""


class SweepView(Protocol):
    """A sweep's result as its card and surface see it."""

    @property
    def name(self) -> str:
        """Name of the strategy."""

    @property
    def bars(self) -> Bars:
        """The bars of all runs."""

    @property
    def grid(self) -> Grid:
        """The combinations."""

    @property
    def figures(self) -> Floats:
        """The measures of each combination."""

    @property
    def rank_by(self) -> str:
        """The measure that ranks."""

    @property
    def table(self) -> pd.DataFrame:
        """One row a combination."""

    @property
    def has_best(self) -> bool:
        """Whether any plateau is defined."""

    def best(self) -> RowView:
        """Return the best plateau's combination."""

    def top(self, n: int) -> pd.DataFrame:
        """Return the best rows of the table."""
