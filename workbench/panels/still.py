"""What a page without a kernel shows in a panel's place: a picture of it in plain HTML, taken when it was displayed."""

from __future__ import annotations

import logging
from typing import Any, Final

from workbench.panels.markup import style_sheet

__all__ = ["StillPicture", "close_tree", "with_picture"]

_log = logging.getLogger(__name__)

_WIDGET: Final = "application/vnd.jupyter.widget-view+json"


class StillPicture:
    """Adds a picture to what a widget displays; stands before the widget's class among the bases.

    A live front end shows the widget and never the picture. An exported or saved notebook without the widget's state
    (nbconvert, a code host) has nothing else to show.
    """

    def still(self) -> str:
        """Return the panel at this moment as HTML without scripts; everything in it is escaped."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:  # noqa: ANN401  ipywidgets has no types
        bundle = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]  # the widget's
        return with_picture(bundle, self)


def with_picture(bundle: Any, panel: StillPicture) -> Any:  # noqa: ANN401  as above
    """Return what a widget displays with the picture of its `panel` beside it; without one if it cannot be taken."""
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    if data is None or _WIDGET not in data:
        return bundle
    try:
        picture = panel.still()
    except Exception:  # noqa: BLE001  a picture is never worth the panel
        _log.exception("no picture of %r", panel)
        return bundle
    data["text/html"] = (
        f'<div class="wb-panel wb-still">{style_sheet()}{picture}'
        '<div class="wb-hint wb-muted">As it was when this page was made: run the cell for the live panel.</div></div>'
    )
    return bundle


def close_tree(widget: Any) -> None:  # noqa: ANN401  as above
    """Close a widget with all that it holds, the innermost first, so that nothing of it stays in the kernel."""
    for child in getattr(widget, "children", ()):
        close_tree(child)
    widget.close()
