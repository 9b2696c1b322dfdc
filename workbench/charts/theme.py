"""Colours and layout shared by the static figures: light, dark, or readable on both."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import plotly.graph_objects as go

from workbench.errors import ConfigError

ThemeName: TypeAlias = Literal["auto", "light", "dark"]
# For annotations in rooms that know plotly only through this one.
Figure: TypeAlias = go.Figure

FONT: Final = "Inter, 'Segoe UI', system-ui, -apple-system, Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one theme, as CSS colour strings.

    Parameters
    ----------
    background, surface : str
        Page and card; transparent in the ``auto`` theme, which takes whatever page it stands on.
    text, muted, grid : str
        Labels, secondary labels and grid lines.
    up, down : str
        A rising and a falling candle; a gain and a loss.
    shade : str
        Filled area of a drawdown.
    equity, reference : str
        The strategy's equity and the line it is compared with.
    stop, target : str
        Protective levels.
    hover : str
        Background of the hover label; always opaque.
    outline : str
        Rim that parts a mark from the candle below it.
    neutral, mark : str
        Middle of a heat map's colours, and a ring around one of its cells.
    """

    background: str
    surface: str
    text: str
    muted: str
    grid: str
    up: str
    down: str
    shade: str
    equity: str
    reference: str
    stop: str
    target: str
    hover: str
    outline: str
    neutral: str
    mark: str


DARK: Final = Palette(
    background="#111418",
    surface="#171b21",
    text="#d7dbe0",
    muted="#8b929c",
    grid="rgba(255,255,255,0.08)",
    up="#26a69a",
    down="#ef5350",
    shade="rgba(239,83,80,0.25)",
    equity="#4f9cf9",
    reference="#8b929c",
    stop="#f0a030",
    target="#4f9cf9",
    hover="#20262e",
    outline="#111418",
    neutral="#262c34",
    mark="#ffffff",
)
LIGHT: Final = Palette(
    background="#ffffff",
    surface="#f6f7f9",
    text="#1c2128",
    muted="#6b7280",
    grid="rgba(0,0,0,0.08)",
    up="#089981",
    down="#f23645",
    shade="rgba(242,54,69,0.16)",
    equity="#2962ff",
    reference="#8a919e",
    stop="#d97706",
    target="#2962ff",
    hover="#ffffff",
    outline="#ffffff",
    neutral="#eef0f3",
    mark="#111418",
)
# A figure inside a notebook cannot see the page's theme, so `auto` is transparent and takes the hues of both
# palettes that keep a contrast of 3:1 against white and against #111418.
AUTO: Final = Palette(
    background="rgba(0,0,0,0)",
    surface="rgba(128,128,128,0.08)",
    text="#7a828c",
    muted="#7f8791",
    grid="rgba(128,128,128,0.18)",
    up="#16a085",
    down="#ef4a50",
    shade="rgba(239,74,80,0.2)",
    equity="#3b82f6",
    reference="#8b929c",
    stop="#c77a12",
    target="#3b82f6",
    hover="#20262e",
    outline="rgba(255,255,255,0.85)",
    neutral="#cdd2d9",
    mark="#111418",
)
PALETTES: Final = MappingProxyType({"auto": AUTO, "light": LIGHT, "dark": DARK})


def palette_of(theme: ThemeName) -> Palette:
    """Return the palette of a theme.

    Parameters
    ----------
    theme : {"auto", "light", "dark"}
        ``auto`` has a transparent background and reads on light and dark pages.

    Returns
    -------
    Palette
        The colours.

    Raises
    ------
    ConfigError
        The name is none of the three.

    Examples
    --------
    >>> palette_of("dark").background
    '#111418'
    """
    if theme not in PALETTES:
        raise ConfigError(f"theme must be one of {', '.join(PALETTES)}, was {theme!r}")
    return PALETTES[theme]


def template_of(palette: Palette) -> go.layout.Template:
    """Return the plotly template that gives a figure the look of ``palette``.

    Parameters
    ----------
    palette : Palette
        The colours to use.

    Returns
    -------
    plotly.graph_objects.layout.Template
        Fonts, backgrounds, grid lines, hover label and legend; no data.
    """
    axis = {
        "gridcolor": palette.grid,
        "linecolor": palette.grid,
        "zeroline": False,
        "tickfont": {"color": palette.muted, "size": 11},
        "title": {"font": {"color": palette.muted, "size": 11}},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": palette.text},
            "title": {
                "font": {"size": 16, "color": palette.text, "weight": 600},
                "x": 0,
                "xanchor": "left",
                "xref": "paper",
            },
            "paper_bgcolor": palette.background,
            "plot_bgcolor": palette.background,
            "xaxis": axis,
            "yaxis": axis,
            "colorway": [palette.equity, palette.up, palette.stop, palette.down, palette.reference],
            "hoverlabel": {
                "bgcolor": palette.hover,
                "bordercolor": palette.grid,
                "font": {"family": FONT, "size": 12, "color": _hover_text(palette)},
                "align": "left",
            },
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": palette.muted, "activecolor": palette.equity},
            "legend": {"font": {"color": palette.muted, "size": 11}, "bgcolor": "rgba(0,0,0,0)"},
        }
    )


def name_pane(figure: go.Figure, text: str, top: float, palette: Palette, *, is_inside: bool) -> None:
    """Write what a pane shows into its upper left corner.

    Parameters
    ----------
    figure : Figure
        Is changed.
    text : str
        What it shows, and in which unit.
    top : float
        Upper edge of the pane, as a fraction of the plot's height.
    palette : Palette
        Of the figure.
    is_inside : bool
        Below the edge; otherwise it stands above.
    """
    figure.add_annotation(
        text=text,
        x=0,
        y=top,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="top" if is_inside else "bottom",
        showarrow=False,
        font={"color": palette.muted, "size": 11},
    )


def _hover_text(palette: Palette) -> str:
    return LIGHT.text if palette.hover == LIGHT.hover else DARK.text
