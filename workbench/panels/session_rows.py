"""Sessions as the rows of a list: one cell of markup for each figure. Pure functions of overviews."""

from __future__ import annotations

import math
from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Final

from workbench.panels.formats import duration, money, percent, quantity, sign_tone, signed_money
from workbench.panels.markup import Cell
from workbench.panels.readout import state_badge
from workbench.panels.small_line import small_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.panels.markup import Tone
    from workbench.panels.overview import Overview

__all__ = ["COLUMNS", "cells", "headline", "session_table"]

COLUMNS: Final = ("Session", "State", "Position", "Day's P&L", "Drawdown", "Equity", "")
# A session says how it is once a second.
_SILENT_S: Final = 5.0
_TEXT_COLUMNS: Final = 2


def cells(one: Overview) -> tuple[str, ...]:
    """Return the markup of a session's cells, in the order of `COLUMNS`."""
    return (_name(one), _state(one), _position(one), _day(one), _drawdown(one), _equity(one), small_line(one.curve))


def headline(shown: Sequence[Overview]) -> list[Cell]:
    """Return how many sessions there are of each sort, and what those that run made today.

    Examples
    --------
    >>> headline([])[0].text
    'no sessions'
    """
    sorts = Counter("finished" if one.is_finished else "crashed" if one.needs_person else "running" for one in shown)
    total = f"{len(shown):,} session{'' if len(shown) == 1 else 's'}" if shown else "no sessions"
    parts = [Cell(total)]
    tones: tuple[tuple[str, str], ...] = (("running", "● "), ("crashed", "■ "), ("finished", "○ "))
    for sort, sign in tones:
        if sorts[sort]:
            parts.append(Cell(f"{sign}{sorts[sort]:,} {sort}", "down" if sort == "crashed" else "muted"))
    real = sum(one.is_real and not one.is_finished for one in shown)
    if real:
        parts.append(Cell(f"{real:,} with REAL MONEY", "down"))
    made: dict[tuple[bool, str], float] = {}
    for one in shown:
        if one.day_pnl is not None and not one.is_finished:
            key = (one.is_real, one.quote)
            made[key] = made.get(key, 0.0) + one.day_pnl
    for (is_real, quote), amount in sorted(made.items(), reverse=True):
        kind = "real" if is_real else "paper"
        parts.append(Cell(f"day {signed_money(amount)} {quote}".rstrip() + f" {kind}", sign_tone(amount)))
    return parts


def session_table(shown: Sequence[Overview], *, slotted: bool, opened: str = "") -> str:
    """Return sessions as a table.

    Parameters
    ----------
    shown : sequence of Overview
        The sessions.
    slotted : bool
        Whether the cells are left empty, for a pane that fills them one by one, and a click on a row is an act.
    opened : str, optional
        Key of the session whose panel stands below.
    """
    sides = [' class="wb-text"' if place < _TEXT_COLUMNS else "" for place in range(len(COLUMNS))]
    head = "".join(f"<th{side}>{escape(name)}</th>" for side, name in zip(sides, COLUMNS, strict=True))
    body = "".join(_row(one, sides, slotted=slotted, is_opened=one.key == opened) for one in shown)
    if not shown:
        empty = "No sessions yet: wb.control_panel() or wb.paper(...) starts one"
        body = f'<tr><td colspan="{len(COLUMNS)}" class="wb-text wb-muted">{empty}</td></tr>'
    return f'<table class="wb-table wb-sessions"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(one: Overview, sides: Sequence[str], *, slotted: bool, is_opened: bool) -> str:
    classes = [name for name, is_on in (("wb-row-real", one.is_real), ("wb-row-open", is_opened)) if is_on]
    attributes = f' class="{" ".join(classes)}"' if classes else ""
    if not slotted:
        return f"<tr{attributes}>{''.join(f'<td{s}>{c}</td>' for s, c in zip(sides, cells(one), strict=True))}</tr>"
    attributes += f' data-act="open" data-value="{escape(one.key)}"'
    inner = (f'<td{side} data-slot="{escape(one.key)}:{place}"></td>' for place, side in enumerate(sides))
    return f"<tr{attributes}>{''.join(inner)}</tr>"


def _two_lines(above: str, below: str) -> str:
    return f'<div class="wb-first">{above}</div><div class="wb-second">{below}</div>'


def _name(one: Overview) -> str:
    symbols = ", ".join(one.symbols[:2]) + (f" +{len(one.symbols) - 2}" if len(one.symbols) > 2 else "")  # noqa: PLR2004  two fit
    what = "  ·  ".join(filter(None, (f"{symbols} {one.timeframe}".strip(), one.strategy)))
    key = escape(one.key)
    button = (
        f'<button class="wb-link" data-act="open" data-value="{key}" data-key="open {key}" '
        f'title="Show or hide the panel of this session">{escape(one.name)}</button>'
    )
    mode = Cell("REAL MONEY", "real") if one.is_real else Cell("PAPER", "muted")
    return _two_lines(button, f"{mode.as_html('span', 'wb-mini')} {escape(what)}")


def _state(one: Overview) -> str:
    # A session that has ended looks after nothing any more.
    tone: Tone = "warning" if one.is_finished and one.held else ""
    reason = "" if one.state == "ACTIVE" else Cell(one.reason, tone, one.reason).as_html("span")
    return _two_lines(state_badge(one.state).as_html("b"), "  ·  ".join(filter(None, (_age(one), reason))))


def _age(one: Overview) -> str:
    """Return how old the data is; nothing of a session that has none to wait for."""
    if one.is_finished or one.told_age_s is None or one.needs_person:
        return ""
    if one.told_age_s > _SILENT_S:
        return Cell(f"▲ silent for {duration(math.floor(one.told_age_s))}", "warning").as_html("span")
    if one.data_age_s is None:
        return ""
    text = "< 2 s" if one.data_age_s < 2.0 else duration(math.floor(one.data_age_s))  # noqa: PLR2004  told once a second
    return Cell(f"data {text} old", "muted", one.reason).as_html("span")


def _position(one: Overview) -> str:
    if one.equity is None:
        return _two_lines("", "")
    if not one.held:
        return _two_lines("0", "flat")
    notional = math.fsum(abs(held.quantity) * held.mark_price for held in one.held)
    worth = f"{notional:,.0f} {escape(one.quote)}".rstrip()
    if len(one.held) > 1:
        return _two_lines(f"{len(one.held)} open", worth)
    held = one.held[0]
    side = "▲ long" if held.quantity > 0 else "▼ short"
    return _two_lines(quantity(float(f"{held.quantity:.6g}")), f"{side}, {worth}")


def _day(one: Overview) -> str:
    if one.day_pnl is None or one.equity is None:
        return _two_lines("n/a", "")
    start = one.equity - one.day_pnl
    share = percent(one.day_pnl / start if start > 0 else math.nan, signed=True)
    return _two_lines(Cell(signed_money(one.day_pnl), sign_tone(one.day_pnl)).as_html("b"), share)


def _drawdown(one: Overview) -> str:
    return _two_lines("n/a" if one.drawdown is None else percent(-one.drawdown), "")


def _equity(one: Overview) -> str:
    return _two_lines("n/a" if one.equity is None else f"<b>{money(one.equity)}</b>", escape(one.quote))
