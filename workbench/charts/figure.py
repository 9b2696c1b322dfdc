"""The class of this project's figures: Plotly's, with a picture beside it where it is displayed."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any, Final

import plotly.graph_objects as go

from workbench.charts.still_figure import still_figure

__all__ = ["Figure"]

_log = logging.getLogger(__name__)

_PLOTLY: Final = "application/vnd.plotly.v1+json"
_PICTURE: Final = "image/svg+xml"


class Figure(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A figure that stays visible where nothing can run: in an exported notebook, on a code host.

    A live front end draws the figure itself and never the picture.
    """

    def _repr_mimebundle_(self, *args: object, **terms: object) -> Any:  # noqa: ANN401  as above
        bundle = super()._repr_mimebundle_(*args, **terms)
        if _PLOTLY not in bundle or _PICTURE in bundle:
            return bundle
        try:
            return {**bundle, _PICTURE: still_figure(self)}
        except Exception:  # noqa: BLE001  a figure that users changed may hold anything; it is worth more than its picture
            _log.info("no picture of a figure", exc_info=True)
            return bundle

    def _ipython_display_(self) -> None:
        renderers = import_module("plotly.io").renderers
        bundle = self._repr_mimebundle_() if renderers.render_on_display and renderers.default else {}
        if _PLOTLY in bundle:
            import_module("IPython.display").display(bundle, raw=True)
        else:
            super()._ipython_display_()
