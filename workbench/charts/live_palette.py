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

# Lines among the candles, whose colours are none of those that mean up, down, equity or protection.
_DARK_LEVELS: Final = ("#b794f4", "#f6a5c0", "#7dd3fc", "#d9a066", "#a3e635", "#94a3b8")
_LIGHT_LEVELS: Final = ("#7c3aed", "#db2777", "#0284c7", "#92400e", "#4d7c0f", "#475569")


def _live(palette: Palette, levels: tuple[str, ...], *, border: str, trailing: str, shade: str) -> dict[str, str]:
    return {
        **asdict(palette),
        **{f"level_{number}": color for number, color in enumerate(levels, 1)},
        "ghost": palette.reference,
        "border": border,
        "entry": palette.reference,
        "trailing": trailing,
        "warning": palette.stop,
        "drawdown": palette.down,
        # Two hexadecimal digits of opacity after the colour.
        "drawdown_fill": palette.down + shade,
    }


LIVE_COLORS: Final[Mapping[str, Mapping[str, str]]] = {
    "light": _live(LIGHT, _LIGHT_LEVELS, border="#dfe3e8", trailing="#8a6d00", shade="33"),
    "dark": _live(DARK, _DARK_LEVELS, border="#2a303a", trailing="#d8bc55", shade="52"),
}
"""Colours by theme (``"light"``, ``"dark"``) and name, as CSS colour strings."""
