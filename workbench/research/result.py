"""`BacktestResult`: everything a backtest says, as numbers, tables, a figure and a card."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.core.driver import run_backtest
from workbench.core.records import PATHS
from workbench.core.views import account_state
from workbench.research.benchmark import buy_and_hold
from workbench.research.card import result_card
from workbench.research.cautions import warnings_of
from workbench.research.drawdowns import drawdown_series
from workbench.research.evaluation import evaluate
from workbench.research.formatting import format_call, format_money, format_percent
from workbench.research.tables import (
    denials_table,
    fills_table,
    levels_table,
    positions_table,
    trades_table,
    utc_times,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.charts.theme import Figure, ThemeName
    from workbench.core.book import EngineConfig
    from workbench.core.ledger import Ledger
    from workbench.core.plan import DecisionPlan
    from workbench.model import AccountState, Bars
    from workbench.research.stats import Stats


@dataclass(frozen=True, slots=True)
class PathBand:
    """What the unknown order of prices inside the bars can change: final equity on each path that bars may take.

    No path is the worst for every strategy, so read `low` and `high` and not a name. ``adverse`` takes a stop before a
    target of the same bar; with a trailing stop it often is the better one, because an extreme for the position that
    comes first lifts the trail that the other extreme then hits. Each run takes all bars in one way: the true order
    changes from bar to bar and can end outside the band.

    Parameters
    ----------
    final_equity : mapping of str to float
        Final equity in quote currency by the name of the path.

    Examples
    --------
    >>> band = PathBand({"adverse": 1_010.0, "favourable": 990.0, "colour": 1_005.0})
    >>> band.low, band.high, band.width
    (990.0, 1010.0, 20.0)
    >>> band
    PathBand(990.00 favourable .. 1,010.00 adverse)
    """

    final_equity: Mapping[str, float]

    @property
    def low(self) -> float:
        """Lowest final equity of all paths, in quote currency."""
        return min(self.final_equity.values())

    @property
    def high(self) -> float:
        """Highest final equity of all paths, in quote currency."""
        return max(self.final_equity.values())

    @property
    def width(self) -> float:
        """Distance between the two in quote currency."""
        return self.high - self.low

    def __repr__(self) -> str:
        """Return the two ends, each with the first path that leads there."""
        low, high = (pick(self.final_equity, key=self.final_equity.__getitem__) for pick in (min, max))
        return f"PathBand({format_money(self.low)} {low} .. {format_money(self.high)} {high})"


@dataclass(frozen=True, eq=False, repr=False)
class BacktestResult:
    """The result of one backtest.

    Tables and figures are computed when first asked for and kept. Times are aware UTC; fractions are fractions.

    Parameters
    ----------
    strategy : object
        The configured strategy or signals that ran.
    plan : DecisionPlan
        What the core knew of it.
    bars : Bars
        The bars of the run.
    config : EngineConfig
        Cash, risk, costs and path.
    ledger : Ledger
        The core's records.
    funding : object, optional
        Funding rates of the run.
    """

    strategy: object
    plan: DecisionPlan
    bars: Bars
    config: EngineConfig
    ledger: Ledger
    funding: Any = None

    @property
    def title(self) -> str:
        """The strategy as the call that makes it: ``sma_cross(fast=10, slow=50)``."""
        return format_call(self.plan.name, dict(self.plan.parameters))

    @property
    def cash(self) -> float:
        """Starting cash in quote currency."""
        return self.config.cash

    @property
    def quote(self) -> str:
        """Quote currency."""
        return self.bars.instruments[0].quote

    @cached_property
    def stats(self) -> Stats:
        """All measures; see `Stats`."""
        return evaluate(self.ledger, self.bars, cash=self.cash)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """Closed trades in the order of their exits, after costs."""
        return trades_table(self.ledger.trades, self.bars.symbols)

    @cached_property
    def trade_levels(self) -> pd.DataFrame:
        """Protective levels as each trade ended, row by row of ``trades``: ``stop`` and ``target``, nan for none."""
        return levels_table(self.ledger.trades)

    @cached_property
    def fills(self) -> pd.DataFrame:
        """Executions in their order."""
        return fills_table(self.ledger.fills, self.bars.symbols)

    @cached_property
    def denials(self) -> pd.DataFrame:
        """Orders that the risk review denied, each with its rule, limit and value."""
        return denials_table(self.ledger.denials, self.bars.symbols)

    @cached_property
    def open_positions(self) -> pd.DataFrame:
        """Positions at the last close, marked there."""
        return positions_table(self.final_state.positions)

    @cached_property
    def final_state(self) -> AccountState:
        """The account after the last bar."""
        book = self.ledger.book
        return account_state(int(book.account["fill_count"]), self.bars.symbols, book.account, book.symbols)

    @cached_property
    def equity(self) -> pd.Series[float]:
        """Cash and open positions in quote currency at each bar's close."""
        return pd.Series(np.array(self.ledger.equity), index=self._closes, name="equity")

    @cached_property
    def drawdown(self) -> pd.Series[float]:
        """Fall below the highest equity so far, as a fraction of it: 0 at a high, 0.2 when a fifth is gone."""
        return pd.Series(drawdown_series(self.ledger.equity, start=self.cash), index=self._closes, name="drawdown")

    @cached_property
    def buy_and_hold(self) -> pd.Series[float]:
        """Worth of the same cash held in the same markets from their first open on, without costs."""
        return pd.Series(buy_and_hold(self.bars, cash=self.cash), index=self._closes, name="buy_and_hold")

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know: breakers that tripped, stops tighter than a bar, signals not proven causal."""
        return warnings_of(self.plan, self.bars, self.ledger)

    @property
    def summary(self) -> str:
        """One line: strategy, market, return, worst drawdown, Sharpe, trades."""
        stats = self.stats
        return (
            f"{self.title} on {', '.join(self.bars.symbols)} {self.bars.timeframe}: "
            f"{format_percent(stats['total_return'])} return, {format_percent(stats['max_drawdown'])} max drawdown, "
            f"Sharpe {stats.shown('sharpe')}, {stats.shown('trade_count')} trades"
        )

    def plot(self, *, symbol: str | None = None, theme: ThemeName = "auto") -> Figure:
        """Return the figure: candles with trades and protective levels, equity, drawdown.

        Parameters
        ----------
        symbol : str, optional
            Whose candles; the first symbol by default.
        theme : {"auto", "light", "dark"}, default "auto"
            ``auto`` reads on light and dark pages.

        Raises
        ------
        ConfigError
            An unknown theme or symbol.
        """
        from workbench.charts.figures import backtest_figure  # noqa: PLC0415  plotly only when a figure is wanted

        return backtest_figure(self, symbol=symbol, theme=theme)

    def path_band(self) -> PathBand:
        """Return final equity on every path of prices inside the bars; runs each of the other paths once."""
        final_equity = {}
        for path in PATHS:
            is_own = path == self.config.path
            ledger = self.ledger if is_own else self._run_on(path)
            final_equity[path] = float(ledger.equity[-1])
        return PathBand(MappingProxyType(final_equity))

    def _run_on(self, path: str) -> Ledger:
        return run_backtest(self.plan, self.bars, replace(self.config, path=path), funding=self.funding)

    def __repr__(self) -> str:
        """Return the summary, the measures and the warnings as text."""
        notes = "".join(f"\n! {warning}" for warning in self.warnings)
        market = f"{', '.join(self.bars.symbols)} {self.bars.timeframe}"
        head = f"{self.title} on {market}, {format_money(self.cash, self.quote)}"
        return f"{head}\n\n{self.stats!r}{notes and chr(10)}{notes}"

    def _repr_html_(self) -> str:
        return result_card(self)

    @cached_property
    def _closes(self) -> pd.DatetimeIndex:
        return utc_times(self.bars.time_ns + self.bars.timeframe.ns, name="time")
