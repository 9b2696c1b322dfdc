"""`SweepResult`: every combination of a sweep as a table, a surface and a ranking by plateau."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from workbench.charts.card_markup import card
from workbench.errors import ConfigError, DataError
from workbench.research.formatting import format_call
from workbench.research.measures import MEASURES, SWEEP_MEASURES
from workbench.research.plateau import plateau_scores
from workbench.research.stats import Stats
from workbench.research.sweep_card import sweep_card
from workbench.research.top_rows import top_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.charts.theme import Figure, ThemeName
    from workbench.model import Bars
    from workbench.research.grid import Grid
    from workbench.research.result import BacktestResult
    from workbench.research.statistics import Floats


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One combination of a sweep.

    Parameters
    ----------
    index : int
        Its row in the sweep's ``table``.
    parameters : mapping of str to object
        All parameters of the strategy, the fixed ones too.
    strategy : object
        The strategy configured with them, ready for `workbench.backtest` or a session.
    stats : Stats
        The measures of the table's row.
    """

    index: int
    parameters: Mapping[str, object]
    strategy: Any
    stats: Stats
    _backtest: Callable[[Any], BacktestResult]

    def backtest(self) -> BacktestResult:
        """Run this combination again, on the same bars and terms, and return all of its trades."""
        return self._backtest(self.strategy)

    def __repr__(self) -> str:
        """Return the strategy as a call, and its measures."""
        return f"{format_call(self.strategy.name, dict(self.parameters))}\n\n{self.stats!r}"

    def _repr_html_(self) -> str:
        title = format_call(self.strategy.name, dict(self.parameters))
        return card(title, f"row {self.index:,} of the sweep", self.stats.as_table())


@dataclass(frozen=True, eq=False, repr=False)
class SweepResult:
    """The result of a sweep: every combination that was tried.

    Combinations are ranked by plateau: the median of the ranking measure over a combination and its neighbours in the
    grid, because a lone peak is more likely luck than skill.

    Parameters
    ----------
    strategy : object
        The configured strategy that the grid varied.
    bars : Bars
        The bars of all runs.
    grid : Grid
        The combinations.
    figures : ndarray of float64, shape (n, n_measures)
        The `SWEEP_MEASURES` of each combination.
    rank_by : str
        The measure that ranks.
    backtest : callable
        Runs a configured strategy on the same bars and terms.
    """

    panel_factory: ClassVar[Callable[..., Any] | None] = None

    strategy: Any
    bars: Bars
    grid: Grid
    figures: Floats
    rank_by: str
    backtest: Callable[[Any], BacktestResult]

    def __len__(self) -> int:
        """Return how many combinations were tried."""
        return len(self.grid)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a combination in grid order: its parameters, its measures, and ``plateau``, which ranks it.

        A parameter that is called like a measure has an underscore after its name.
        """
        columns = zip(*self.grid.combinations, strict=True)
        # A strategy may well have a parameter named volatility.
        names = [f"{name}_" if name in {*SWEEP_MEASURES, "plateau"} else name for name in self.grid.names]
        parameters = dict(zip(names, columns, strict=True))
        measures = {name: self.figures[:, column] for column, name in enumerate(SWEEP_MEASURES)}
        measures["trade_count"] = measures["trade_count"].astype(np.int64)
        return pd.DataFrame({**parameters, **measures, "plateau": self.plateau()})

    def plateau(self, metric: str | None = None) -> pd.Series[float]:
        """Return, for each combination, the median of a measure over itself and its neighbours in the grid.

        Parameters
        ----------
        metric : str, optional
            The measure; the ranking one by default.

        Returns
        -------
        pandas.Series
            Indexed like ``table``; nan where the median is undefined.

        Raises
        ------
        ConfigError
            There is no such measure.
        """
        name = self._metric(metric)
        sign = MEASURES[name].sign
        scores = plateau_scores(sign * self._column(name), self.grid.places, self.grid.values)
        return pd.Series(sign * scores, name="plateau")

    def top(self, n: int = 10) -> pd.DataFrame:
        """Return the best ``n`` rows of ``table`` by plateau; the index leads back by `row`.

        Parameters
        ----------
        n : int, default 10
            How many, at least 1.

        Raises
        ------
        ConfigError
            ``n`` is less than 1.
        """
        if n < 1:
            raise ConfigError(f"n must be at least 1, was {n}")
        return self.table.iloc[self._order[:n]]

    @property
    def has_best(self) -> bool:
        """Whether the ranking measure is defined on any plateau."""
        return bool(self.table["plateau"].notna().any())

    def best(self) -> SweepRow:
        """Return the combination on the best plateau, not the one with the best figure of its own.

        Raises
        ------
        DataError
            The ranking measure is undefined on every plateau.
        """
        if not self.has_best:
            raise DataError(
                f"no combination has a defined plateau of {self.rank_by}: too few trades or days; see .table"
            )
        return self.row(int(self._order[0]))

    def row(self, index: int) -> SweepRow:
        """Return one combination by its row in ``table``.

        Parameters
        ----------
        index : int
            The row, from 0.

        Raises
        ------
        ConfigError
            There is no such row.
        """
        if not 0 <= index < len(self):
            raise ConfigError(f"index must be in [0, {len(self)}), was {index}")
        strategy = self.strategy.with_parameters(
            **dict(zip(self.grid.names, self.grid.combinations[index], strict=True))
        )
        values = dict(zip(SWEEP_MEASURES, self.figures[index].tolist(), strict=True))
        values["trade_count"] = int(values["trade_count"])
        reasons = {name: "undefined here; backtest().stats says why" for name in values if math.isnan(values[name])}
        stats = Stats(values, reasons, currency=self.bars.instruments[0].quote)
        return SweepRow(index, MappingProxyType(dict(strategy.parameters)), strategy, stats, self.backtest)

    def heatmap(
        self, x: str | None = None, y: str | None = None, metric: str | None = None, *, theme: ThemeName = "auto"
    ) -> Figure:
        """Return the heat map of a measure over two parameters, or its line when only one varies.

        Where more parameters vary, a cell is the median over the others.

        Parameters
        ----------
        x, y : str, optional
            Parameters across and up; the first two that vary by default.
        metric : str, optional
            The measure; the ranking one by default.
        theme : {"auto", "light", "dark"}, default "auto"
            ``auto`` reads on light and dark pages.

        Raises
        ------
        ConfigError
            An unknown parameter, measure or theme, or the same parameter twice.
        """
        from workbench.charts.heatmap import heatmap_figure, line_figure  # noqa: PLC0415  plotly only when wanted
        from workbench.research.surface import surface_of  # noqa: PLC0415  as above

        surface = surface_of(self, x, y, self._metric(metric))
        return heatmap_figure(surface, theme=theme) if surface.y_name else line_figure(surface, theme=theme)

    def panel(self, **terms: Any) -> Any:  # noqa: ANN401  a widget, and what `workbench.paper` takes; this room knows neither
        """Return a panel: the heat map, the trades of the cell that is clicked, and a button that papers it.

        Parameters
        ----------
        **terms
            Arguments of `workbench.paper` for that button, such as ``exchange``. Default: the sweep's symbols,
            timeframe, cash, risk and costs.

        Raises
        ------
        ConfigError
            The facade is not loaded.
        """
        if SweepResult.panel_factory is None:
            raise ConfigError("panels come with the facade; import workbench.api to have them")
        return SweepResult.panel_factory(self, terms)

    @cached_property
    def _order(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Rows from the best plateau to the worst, undefined last; the own figure breaks ties."""
        sign = MEASURES[self.rank_by].sign
        own = np.nan_to_num(sign * self._column(self.rank_by), nan=-np.inf)
        plateau = np.nan_to_num(sign * self.table["plateau"].to_numpy(), nan=-np.inf)
        order: np.ndarray[tuple[int], np.dtype[np.int64]] = np.lexsort((-own, -plateau)).astype(np.int64)
        return order

    def _column(self, name: str) -> Floats:
        return self.figures[:, SWEEP_MEASURES.index(name)]

    def _metric(self, metric: str | None) -> str:
        return self.rank_by if metric is None else checked_metric(metric, "metric")

    def __repr__(self) -> str:
        """Return the size of the sweep and its best rows."""
        top = top_rows(self, 5, ("total_return", "max_drawdown", "trade_count"))
        return f"{self.title}, best plateaus of {MEASURES[self.rank_by].label}\n\n{top.as_text()}"

    @property
    def name(self) -> str:
        """Name of the strategy."""
        return str(self.strategy.name)

    @property
    def title(self) -> str:
        """What was swept: ``sma_cross: 1,035 combinations of fast, slow on BTC/USDT 1h``."""
        market = ", ".join(self.bars.symbols)
        return (
            f"{self.name}: {len(self):,} combinations of {', '.join(self.grid.names)} on {market} {self.bars.timeframe}"
        )

    def _repr_html_(self) -> str:
        return sweep_card(self)


def checked_metric(name: str, argument: str) -> str:
    """Return the name of a measure that a sweep has, or raise ConfigError naming those it has."""
    if name not in SWEEP_MEASURES:
        raise ConfigError(f"{argument} must be one of {', '.join(SWEEP_MEASURES)}, was {name!r}")
    return name
