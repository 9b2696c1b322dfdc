"""The HTML card of a backtest: readable on light and dark pages, without scripts or outside files."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.research.formatting import format_money, format_percent
from workbench.research.measures import MEASURES
from workbench.research.sparkline import sparkline

if TYPE_CHECKING:
    from workbench.research.statistics import Floats
    from workbench.research.views import ResultView

# Colours come from the page: text by inheritance, everything else as grey with an alpha. Repeated classes outweigh
# JupyterLab's own rules for tables.
STYLE: Final = """
.wb-card{max-width:880px;margin:4px 0 10px;padding:14px 16px 12px;border:1px solid rgba(128,128,128,.28);
 border-radius:10px;
 font:13px/1.4 Inter,'Segoe UI',system-ui,-apple-system,Roboto,'Helvetica Neue','DejaVu Sans',sans-serif;
 font-variant-numeric:tabular-nums;color:var(--jp-content-font-color1,inherit);background:rgba(128,128,128,.05)}
.wb-card *{box-sizing:border-box}
.wb-card header{display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline;justify-content:space-between;
 margin-bottom:10px}
.wb-card h4{margin:0;font-size:14px;font-weight:600;color:inherit;overflow-wrap:anywhere}
.wb-card small{font-size:12px;opacity:.68}
.wb-figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(124px,1fr));gap:8px}
.wb-figures>div{padding:7px 10px 8px;border-radius:7px;background:rgba(128,128,128,.09)}
.wb-figures span{display:block;font-size:11px;opacity:.68;white-space:nowrap}
.wb-figures b{display:block;font-size:17px;font-weight:600;line-height:1.35;white-space:nowrap}
.wb-figures i{display:block;font-style:normal;font-size:11px;opacity:.68;white-space:nowrap}
.wb-up{color:#16a085}.wb-down{color:#ef4a50}
.wb-spark{margin:10px 0 2px}.wb-spark svg{display:block;width:100%;height:64px;overflow:visible}
.wb-notes{margin:10px 0 0}
.wb-notes div{margin:4px 0 0;padding:5px 10px;border-left:3px solid #c77a12;border-radius:0 6px 6px 0;
 background:rgba(224,138,30,.12);font-size:12px}
.wb-card.wb-card.wb-card tr{background:none}
.wb-card details{margin-top:9px}.wb-card summary{cursor:pointer;font-size:12px;opacity:.75}
.wb-card.wb-card.wb-card table{margin:6px 0 0;border-collapse:collapse;font-size:12px;background:none;
 color:inherit}
.wb-card.wb-card.wb-card details td{padding:2px 18px 2px 0;border:0;text-align:left;background:none;
 color:inherit}
.wb-card.wb-card.wb-card details td:nth-child(2){text-align:right;white-space:nowrap;font-weight:600}
.wb-card details td:nth-child(3){opacity:.68}
""".replace("\n", "")


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
    return (
        f"<div class='wb-card'><style>{STYLE}</style>"
        f"<header><h4>{escape(result.title)}</h4><small>{escape(span_text(result))}</small></header>"
        f"<div class='wb-figures'>{''.join(figure_tile(*tile) for tile in tiles)}</div>"
        f"<div class='wb-spark'>{sparkline(equity, base=result.config.cash, label=f'Equity in {_quote(result)}')}</div>"
        f"{notes_list(result.warnings)}{_measure_table(result)}</div>"
    )


def figure_tile(label: str, value: str, note: str, sign: float) -> str:
    """Return one headline figure as HTML, green for a positive ``sign``, red for a negative one."""
    colour = " class='wb-up'" if sign > 0.0 else " class='wb-down'" if sign < 0.0 else ""
    return f"<div><span>{escape(label)}</span><b{colour}>{escape(value)}</b><i>{escape(note)}</i></div>"


def notes_list(notes: tuple[str, ...]) -> str:
    """Return warnings as HTML, or nothing when there are none."""
    # No list: JupyterLab gives lists a margin and bullets of its own.
    items = "".join(f"<div>{escape(note)}</div>" for note in notes)
    return f"<div class='wb-notes'>{items}</div>" if items else ""


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
