"""Pieces of HTML of the panel. Everything that comes from outside is escaped here and nowhere else.

Symbols, strategy names, reasons and error texts come from files, exchanges and other people's notebooks: every public
function takes plain text and returns markup in which that text can only be text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from workbench.charts.live_palette import FONT_FAMILY, LIVE_COLORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Cell",
    "Column",
    "Light",
    "LightState",
    "Table",
    "Tile",
    "Tone",
    "heading",
    "lights",
    "note",
    "reason",
    "status_line",
    "style_sheet",
    "table",
    "tiles",
]

Tone = Literal["", "up", "down", "warning", "muted", "real"]
LightState = Literal["off", "armed", "tripped", "unknown"]

# What a colour says is said by a shape as well, for those who cannot tell the colours apart.
_SIGNS: Final[Mapping[LightState, str]] = {"armed": "●", "off": "○", "tripped": "■", "unknown": "?"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with a meaning, such as a profit or a loss, and with `more` to read where a pointer rests on it."""

    text: str
    tone: Tone = ""
    more: str = ""

    def as_html(self, tag: str, css_class: str = "") -> str:
        """Return the text as an HTML element."""
        classes = " ".join(filter(None, (css_class, f"wb-{self.tone}" if self.tone else "")))
        attributes = f' class="{classes}"' if classes else ""
        attributes += f' title="{escape(self.more)}"' if self.more else ""
        return f"<{tag}{attributes}>{escape(self.text)}</{tag}>"


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the panel: what it is, its value, and a note below."""

    label: str
    value: Cell
    note: str = ""


@dataclass(frozen=True, slots=True)
class Light:
    """One breaker: its name, its state, and how near it is."""

    name: str
    state: LightState
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """Head of a column: its name with the unit, and whether it holds words, which stand at the left."""

    name: str
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under heads; `empty` is said where there are none."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: str


# JupyterLab, Notebook and Voila say their theme on the body, VS Code by a class; else the system's own theme counts.
_SAYS_DARK: Final = (
    'body[data-jp-theme-light="false"] .wb-panel, body.vscode-dark .wb-panel, '
    "body.vscode-high-contrast:not(.vscode-high-contrast-light) .wb-panel"
)
_SAYS_NOTHING: Final = "body:not([data-jp-theme-light], .vscode-light, .vscode-dark, .vscode-high-contrast) .wb-panel"


@cache
def style_sheet() -> str:
    """Return the panel's style sheet as a style element, colours of both themes included."""
    css = (Path(__file__).parent / "panel.css").read_text(encoding="utf-8")
    light_colors, dark_colors = _properties(LIVE_COLORS["light"]), _properties(LIVE_COLORS["dark"])
    dark = f"{_SAYS_DARK} {{{dark_colors}}} @media (prefers-color-scheme: dark) {{{_SAYS_NOTHING} {{{dark_colors}}}}}"
    return f"<style>.wb-panel {{{light_colors}}} {dark}\n{css}</style>"


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
        f'<div class="wb-heading-room"><div class="wb-heading"><strong>{escape(title)}</strong>'
        f'<span class="wb-subtitle">{escape(subtitle)}</span>'
        f'{pills}<span class="wb-aside">{escape(aside)}</span></div></div>'
    )


def status_line(parts: Sequence[Cell]) -> str:
    """Return short facts in one line, separated by dots."""
    return f'<div class="wb-status">{"".join(part.as_html("span") for part in parts if part.text)}</div>'


def reason(text: str, tone: Tone = "", trouble: str = "") -> str:
    """Return why a session is in its state, and beside it what went wrong; two lines, more can be scrolled."""
    tone_class = f" wb-{tone}" if tone else ""
    told = f" · ▲ {trouble}" if trouble else ""
    more = f'<span class="wb-warning">{escape(told)}</span>' if told else ""
    return f'<div class="wb-reason{tone_class}" title="{escape(text + told)}">{escape(text)}{more}&nbsp;</div>'


def lights(items: Sequence[Light]) -> str:
    """Return the breakers in one line, each with a sign of its state, its name and how near it is."""
    parts = (
        f'<span class="wb-light wb-light-{item.state}" title="Breaker"><i>{_SIGNS[item.state]}</i>{escape(item.name)} '
        f"<b>{escape(item.text)}</b></span>"
        for item in items
    )
    return f'<div class="wb-lights">{"".join(parts)}</div>'


def tiles(items: Sequence[Tile]) -> str:
    """Return figures as a row of boxes of fixed height, which wraps when it is narrow."""
    boxes = (
        f'<div class="wb-tile"><span class="wb-label">{escape(tile.label)}</span>{tile.value.as_html("b")}'
        f'<span class="wb-note" title="{escape(tile.note)}">{escape(tile.note)}</span></div>'
        for tile in items
    )
    kind = f"wb-tiles wb-tiles-{len(items)}"
    return f'<div class="wb-tiles-room"><div class="{kind}">{"".join(boxes)}</div></div>'


def table(content: Table) -> str:
    """Return a table in a box of fixed height that scrolls, so that nothing below moves."""
    sides = [' class="wb-text"' if column.is_text else "" for column in content.columns]
    head = "".join(f"<th{side}>{escape(column.name)}</th>" for side, column in zip(sides, content.columns, strict=True))
    body = "".join(f"<tr>{_cells(row, content.columns)}</tr>" for row in content.rows)
    if not content.rows:
        body = f'<tr><td colspan="{len(content.columns)}" class="wb-text wb-muted">{escape(content.empty)}</td></tr>'
    return (
        f'<div class="wb-scroll"><table class="wb-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cells(row: Sequence[Cell], columns: Sequence[Column]) -> str:
    pairs = zip(row, columns, strict=True)
    return "".join(cell.as_html("td", "wb-text" if column.is_text else "") for cell, column in pairs)


def note(text: str, tone: Tone = "muted", title: str = "") -> str:
    """Return one small line that keeps its height when it is empty, with an optional tool tip.

    A complaint (``"down"``) is read out where somebody listens to the page instead of looking at it.
    """
    attributes = f' title="{escape(title)}"' if title else ""
    attributes += ' role="alert"' if text and tone == "down" else ""
    return f'<div class="wb-hint wb-{tone}"{attributes}>{escape(text)}&nbsp;</div>'
