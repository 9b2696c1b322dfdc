"""The frame of every result's HTML card: readable on light and dark pages, at 600 pixels, without scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["CARD_STYLE", "card", "card_table", "figure_tile", "figures", "notes_list"]

# Colours come from the page: text by inheritance, everything else as grey with an alpha. Repeated classes outweigh
# JupyterLab's own rules for tables.
CARD_STYLE: Final = """
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
.wb-figures b{display:block;font-size:17px;font-weight:600;line-height:1.35;overflow-wrap:anywhere}
.wb-figures i{display:block;font-style:normal;font-size:11px;opacity:.68}
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
.wb-card.wb-card.wb-card .wb-wide{overflow-x:auto;margin-top:10px}
.wb-card.wb-card.wb-card .wb-wide table{width:100%;margin:0;table-layout:auto}
.wb-card.wb-card.wb-card .wb-wide :is(td,th){padding:3px 14px 3px 0;text-align:left;vertical-align:top;border:0;
 border-bottom:1px solid rgba(128,128,128,.2);background:none;color:inherit;white-space:nowrap}
.wb-card.wb-card.wb-card .wb-wide th{opacity:.68;font-size:11px;font-weight:400}
.wb-card.wb-card.wb-card .wb-wide .wb-n{text-align:right}
.wb-card.wb-card.wb-card .wb-wide td:last-child:not(.wb-n){width:99%;white-space:normal;min-width:180px;
 overflow-wrap:anywhere}
""".replace("\n", "")


def card(title: str, aside: str, *parts: str) -> str:
    """Return a card: a heading, something small beside it, and `parts`, which are markup already."""
    return (
        f"<div class='wb-card'><style>{CARD_STYLE}</style>"
        f"<header><h4>{escape(title)}</h4><small>{escape(aside)}</small></header>{''.join(parts)}</div>"
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


def figures(tiles: Iterable[tuple[str, str, str, float]]) -> str:
    """Return headline figures side by side; see `figure_tile`."""
    return f"<div class='wb-figures'>{''.join(figure_tile(*tile) for tile in tiles)}</div>"


def card_table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: frozenset[int] = frozenset()) -> str:
    """Return a table of plain texts; the columns of `numbers` stand at the right. It scrolls where it is too wide."""
    sides = [" class='wb-n'" if place in numbers else "" for place in range(len(heads))]
    head = "".join(f"<th{side}>{escape(name)}</th>" for side, name in zip(sides, heads, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{side}>{escape(text)}</td>" for side, text in zip(sides, row, strict=True)) + "</tr>"
        for row in rows
    )
    top = f"<thead><tr>{head}</tr></thead>" if any(heads) else ""
    return f"<div class='wb-wide'><table>{top}<tbody>{body}</tbody></table></div>"
