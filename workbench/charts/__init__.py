"""Figures of results, and the live chart: the only room that knows plotly and anywidget.

Names are loaded when first used: a live chart needs neither `plotly.graph_objects` nor pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.charts.data_quality import QualityView, quality_figure
    from workbench.charts.figures import BacktestView, backtest_figure
    from workbench.charts.heatmap import heatmap_figure, line_figure
    from workbench.charts.live import ChartOptions, LiveChart
    from workbench.charts.session_figure import session_figure
    from workbench.charts.surface import Surface
    from workbench.charts.theme import Palette
    from workbench.charts.waterfall import waterfall_figure

__all__ = [
    "BacktestView",
    "ChartOptions",
    "LiveChart",
    "Palette",
    "QualityView",
    "Surface",
    "backtest_figure",
    "heatmap_figure",
    "line_figure",
    "quality_figure",
    "session_figure",
    "waterfall_figure",
]

_HOMES = {
    "BacktestView": "figures",
    "ChartOptions": "live",
    "LiveChart": "live",
    "Palette": "theme",
    "QualityView": "data_quality",
    "Surface": "surface",
    "backtest_figure": "figures",
    "heatmap_figure": "heatmap",
    "line_figure": "heatmap",
    "quality_figure": "data_quality",
    "session_figure": "session_figure",
    "waterfall_figure": "waterfall",
}


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, for completion."""
    return __all__
