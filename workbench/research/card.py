"""The HTML card of a backtest: readable on light and dark pages, without scripts or outside files."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from workbench.charts.card_markup import card, figures, notes_list
from workbench.research.formatting import format_money, format_percent
from workbench.research.measures import MEASURES
from workbench.research.sparkline import sparkline

if TYPE_CHECKING:
    from workbench.research.statistics import Floats
    from workbench.research.views import ResultView


def result_card(result: ResultView) -> str:
    """Return the card of a backtest as HTML.

    Headline figures, the equity curve as inline SVG with its start as a dashed line, warnings, and all measures with
    their meaning behind a fold.

    Parameters
    ----------
    result : ResultView
        The result.

    Returns
    -------
    str
        One ``div`` with its style.
    """
    stats = result.stats
    tiles = (
        (
            "Final equity",
            format_money(stats["final_equity"]),
            f"from {format_money(result.config.cash, _quote(result))}",
            0.0,
        ),
        _tile(result, "total_return", f"hold {_signed(stats['buy_and_hold_return'])}", coloured=True),
        _tile(result, "sharpe", f"Sortino {stats.shown('sortino')}"),
        _tile(result, "max_drawdown", f"longest {stats.shown('max_drawdown_duration_s')}"),
        _tile(result, "trade_count", f"win rate {stats.shown('win_rate')}"),
        _tile(result, "profit_factor", f"fees {format_money(stats['fees'])}"),
    )
    equity: Floats = np.asarray(result.equity, dtype=np.float64)
    spark = sparkline(equity, base=result.config.cash, label=f"Equity in {_quote(result)}")
    return card(
        result.title,
        span_text(result),
        figures(tiles),
        f"<div class='wb-spark'>{spark}</div>",
        notes_list(result.warnings),
        _measure_table(result),
    )


def span_text(result: ResultView) -> str:
    """Return market, time and costs of a run as one line."""
    bars, costs = result.bars, result.config.costs
    market = ", ".join(bars.symbols) if bars.n_symbols <= 3 else f"{bars.n_symbols} symbols"  # noqa: PLR2004  one line
    return (
        f"{market} {bars.timeframe}  ·  {bars.start:%Y-%m-%d} to {bars.end:%Y-%m-%d} UTC  ·  {len(bars):,} bars  ·  "
        f"fee {format_percent(costs.taker_fee)}, slippage {format_percent(costs.slippage)}, {result.config.path} path"
    )


def _tile(result: ResultView, name: str, note: str, *, coloured: bool = False) -> tuple[str, str, str, float]:
    value = result.stats[name]
    shown = _signed(value) if coloured else result.stats.shown(name)
    return MEASURES[name].label, shown, note, value if coloured else 0.0


def _quote(result: ResultView) -> str:
    return result.bars.instruments[0].quote


def _signed(fraction: float) -> str:
    return ("+" if fraction > 0.0 else "") + format_percent(fraction)


def _measure_table(result: ResultView) -> str:
    stats = result.stats
    rows = "".join(
        f"<tr><td>{escape(MEASURES[name].label)}</td><td>{escape(stats.shown(name))}</td>"
        f"<td>{escape(stats.reason(name) or MEASURES[name].meaning)}</td></tr>"
        for name in stats
    )
    return f"<details><summary>All measures</summary><table>{rows}</table></details>"
