"""From a ledger to its `Stats`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.research.benchmark import buy_and_hold
from workbench.research.drawdowns import calmar_ratio, longest_drawdown_s, worst_drawdown
from workbench.research.measures import MEASURES
from workbench.research.statistics import (
    DAY_NS,
    Floats,
    Integers,
    compound_annual_growth,
    daily_returns,
    day_close_rows,
    risk_figures,
)
from workbench.research.stats import Stats
from workbench.research.trade_statistics import (
    expectancy,
    payoff_ratio,
    profit_factor,
    system_quality_number,
    turnover,
    win_rate,
)
from workbench.research.undefined import undefined_reasons

if TYPE_CHECKING:
    from workbench.core.ledger import Ledger
    from workbench.model import Bars

CURVE_MEASURES: Final = ("final_equity", "total_return", "cagr", "volatility", "sharpe", "sortino", "calmar")


@dataclass(frozen=True, slots=True)
class Span:
    """The time of an equity curve, worked out once for all curves over the same bars.

    Parameters
    ----------
    start_time_ns, end_time_ns : int
        Open of the first bar and close of the last.
    close_time_ns : ndarray of int64, shape (n,)
        Close of each bar.
    day_rows : ndarray of int64, shape (n_days,)
        Row of each UTC day's last close.
    """

    start_time_ns: int
    end_time_ns: int
    close_time_ns: Integers
    day_rows: Integers

    @classmethod
    def of(cls, time_ns: Integers, timeframe_ns: int) -> Span:
        """Return the span of bars with these open labels."""
        close = time_ns + timeframe_ns
        return cls(int(time_ns[0]), int(close[-1]), close, day_close_rows(close))

    @property
    def days(self) -> float:
        """Length in days."""
        return (self.end_time_ns - self.start_time_ns) / DAY_NS


def curve_figures(equity: Floats, span: Span, *, cash: float, worst_drawdown: float) -> tuple[float, ...]:
    """Return the `CURVE_MEASURES` of an equity curve, in their order.

    Parameters
    ----------
    equity : ndarray of float64, shape (n,)
        Equity at each bar's close.
    span : Span
        Of the same bars.
    cash : float
        Starting cash, above 0.
    worst_drawdown : float
        Maximum drawdown as a fraction.

    Returns
    -------
    tuple of float
        Undefined ones are ``nan``.
    """
    final = float(equity[-1])
    growth = compound_annual_growth(final / cash - 1.0, days=span.days)
    returns = daily_returns(equity, span.day_rows, start=cash)
    return (final, final / cash - 1.0, growth, *risk_figures(returns), calmar_ratio(growth, worst_drawdown))


def evaluate(ledger: Ledger, bars: Bars, *, cash: float) -> Stats:
    """Return all measures of a run.

    Parameters
    ----------
    ledger : Ledger
        What the run did.
    bars : Bars
        What it ran on.
    cash : float
        Starting cash, above 0.

    Returns
    -------
    Stats
        Every measure of `workbench.research.measures.MEASURES`, with a reason for each undefined one.
    """
    equity = np.ascontiguousarray(ledger.equity)
    span = Span.of(bars.time_ns, bars.timeframe.ns)
    drawdown = worst_drawdown(equity, start=cash)
    values = dict(zip(CURVE_MEASURES, curve_figures(equity, span, cash=cash, worst_drawdown=drawdown), strict=True))
    values["max_drawdown"] = drawdown
    values["max_drawdown_duration_s"] = longest_drawdown_s(
        equity, span.close_time_ns, start=cash, start_time_ns=span.start_time_ns
    )
    values["buy_and_hold_return"] = float(buy_and_hold(bars, cash=cash)[-1]) / cash - 1.0
    values |= _activity(ledger, bars, equity) | _trade_figures(ledger)
    reasons = undefined_reasons(
        values, daily_returns(equity, span.day_rows, start=cash), pnl=ledger.trades["pnl"], days=span.days
    )
    ordered = {name: values[name] for name in MEASURES}
    return Stats(ordered, reasons, currency=bars.instruments[0].quote)


def _activity(ledger: Ledger, bars: Bars, equity: Floats) -> dict[str, float]:
    fills, account = ledger.fills, ledger.book.account
    return {
        "exposure": int(account["open_bars"]) / int(np.count_nonzero(bars.valid)),
        "turnover": turnover(fills["quantity"], fills["price"], equity),
        "fees": float(account["fees"]),
        "funding": float(account["funding"]),
    }


def _trade_figures(ledger: Ledger) -> dict[str, float]:
    trades = ledger.trades
    pnl, returns = np.ascontiguousarray(trades["pnl"]), trades["return_"]
    has_trades = bool(pnl.size)
    held_ns = trades["exit_time_ns"] - trades["entry_time_ns"]
    return {
        "trade_count": int(pnl.size),
        "win_rate": win_rate(pnl),
        "profit_factor": profit_factor(pnl),
        "expectancy": expectancy(pnl),
        "average_trade": float(returns.mean()) if has_trades else math.nan,
        "best_trade": float(returns.max()) if has_trades else math.nan,
        "worst_trade": float(returns.min()) if has_trades else math.nan,
        "payoff_ratio": payoff_ratio(pnl),
        "average_holding_s": float(held_ns.mean()) / 1e9 if has_trades else math.nan,
        "sqn": system_quality_number(pnl),
    }
