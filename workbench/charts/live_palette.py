"""The colours of the live chart and of the panels, for the browser: the theme's palettes and what a live page adds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from workbench.charts.theme import DARK, FONT, LIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.charts.theme import Palette

__all__ = ["FONT_FAMILY", "LIVE_COLORS"]

FONT_FAMILY: Final = FONT


def _live(palette: Palette, *, border: str, trailing: str, shade: str) -> dict[str, str]:
    return {
        **asdict(palette),
        "border": border,
        "entry": palette.reference,
        "trailing": trailing,
        "warning": palette.stop,
        "drawdown": palette.down,
        # Two hexadecimal digits of opacity after the colour.
        "drawdown_fill": palette.down + shade,
    }


LIVE_COLORS: Final[Mapping[str, Mapping[str, str]]] = {
    "light": _live(LIGHT, border="#dfe3e8", trailing="#8a6d00", shade="33"),
    "dark": _live(DARK, border="#2a303a", trailing="#d8bc55", shade="52"),
}
"""Colours by theme (``"light"``, ``"dark"``) and name, as CSS colour strings."""
