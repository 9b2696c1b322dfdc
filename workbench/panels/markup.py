"""Pieces of HTML of the panel. Everything that comes from outside is escaped here and nowhere else.

Symbols, strategy names, reasons and error texts come from files, exchanges and other people's notebooks: every public
function takes plain text and returns markup in which that text can only be text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workbench.charts.live_palette import FONT_FAMILY, LIVE_COLORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Cell", "Tile", "Tone", "heading", "log", "note", "status_line", "style_sheet", "table", "tiles"]

Tone = Literal["", "up", "down", "warning", "muted"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with a meaning: a profit, a loss, something to look at."""

    text: str
    tone: Tone = ""

    def as_html(self, tag: str, css_class: str = "") -> str:
        """Return the text as an HTML element."""
        classes = " ".join(filter(None, (css_class, f"wb-{self.tone}" if self.tone else "")))
        attribute = f' class="{classes}"' if classes else ""
        return f"<{tag}{attribute}>{escape(self.text)}</{tag}>"


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the panel: what it is, its value, and a note below."""

    label: str
    value: Cell
    note: str = ""


@cache
def style_sheet() -> str:
    """Return the panel's style sheet as a style element, colours of both themes included."""
    css = (Path(__file__).parent / "panel.css").read_text(encoding="utf-8")
    dark = 'body[data-jp-theme-light="false"] .wb-panel, body.vscode-dark .wb-panel'
    light_colors, dark_colors = _properties(LIVE_COLORS["light"]), _properties(LIVE_COLORS["dark"])
    return f"<style>.wb-panel {{{light_colors}}} {dark} {{{dark_colors}}}\n{css}</style>"


def _properties(palette: Mapping[str, str]) -> str:
    colors = "".join(f"--wb-{name.replace('_', '-')}:{color};" for name, color in palette.items())
    return f"{colors}--wb-font:{FONT_FAMILY};"


def heading(title: str, subtitle: str, badges: Sequence[Cell], aside: str) -> str:
    """Return the first line: what is traded by what, badges, and the session's name at the right.

    Examples
    --------
    >>> "<img" in heading("<img src=x>", "", [], "")
    False
    """
    pills = "".join(badge.as_html("span", "wb-pill") for badge in badges)
    return (
        f'<div class="wb-heading"><strong>{escape(title)}</strong><span class="wb-subtitle">{escape(subtitle)}</span>'
        f'{pills}<span class="wb-aside">{escape(aside)}</span></div>'
    )


def status_line(parts: Sequence[Cell]) -> str:
    """Return short facts in one line, separated by dots."""
    return f'<div class="wb-status">{"".join(part.as_html("span") for part in parts if part.text)}</div>'


def tiles(items: Sequence[Tile]) -> str:
    """Return figures as a row of boxes of fixed height, which wraps when it is narrow."""
    boxes = (
        f'<div class="wb-tile"><span class="wb-label">{escape(tile.label)}</span>{tile.value.as_html("b")}'
        f'<span class="wb-note">{escape(tile.note)}</span></div>'
        for tile in items
    )
    return f'<div class="wb-tiles">{"".join(boxes)}</div>'


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[Cell]], *, height: int, empty: str) -> str:
    """Return a table of `height` rows: shorter ones are filled up, so that nothing below moves."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(f"<tr>{''.join(cell.as_html('td') for cell in row)}</tr>" for row in rows[:height])
    if not rows:
        body = f'<tr><td colspan="{len(header)}" class="wb-muted">{escape(empty)}</td></tr>'
    blank = f'<tr><td colspan="{len(header)}">&nbsp;</td></tr>'
    body += blank * (height - max(1, min(len(rows), height)))
    return (
        f'<div class="wb-section"><span class="wb-label">{escape(title)}</span>'
        f'<table class="wb-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def log(title: str, lines: Sequence[tuple[str, Cell]], empty: str) -> str:
    """Return dated lines, newest first, in a box that scrolls."""
    items = "".join(f"<li><time>{escape(when)}</time>{what.as_html('span')}</li>" for when, what in lines)
    body = items or f'<li class="wb-muted">{escape(empty)}</li>'
    return f'<div class="wb-section"><span class="wb-label">{escape(title)}</span><ul class="wb-log">{body}</ul></div>'


def note(text: str, tone: Tone = "muted", title: str = "") -> str:
    """Return one small line that keeps its height when it is empty, with an optional tool tip."""
    attribute = f' title="{escape(title)}"' if title else ""
    return f'<div class="wb-hint wb-{tone}"{attribute}>{escape(text)}&nbsp;</div>'
