"""A line of a few dozen points, small enough for a table's cell, as inline SVG in the colours of a panel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["small_line"]

_WIDTH: Final = 100.0
_HEIGHT: Final = 24.0
_LEAST: Final = 2


def small_line(values: Sequence[float], *, width_px: int = 92, height_px: int = 22) -> str:
    """Return the line, in the colour of a gain when it ends at or above its start, else of a loss.

    There is nothing of less than two points.

    Examples
    --------
    >>> small_line([1.0]), "wb-up" in small_line([1.0, 2.0]), "wb-down" in small_line([2.0, 1.0])
    ('', True, True)
    """
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < _LEAST:
        return ""
    low, high = min(finite), max(finite)
    scale = (_HEIGHT - 2.0) / (high - low) if high > low else 0.0
    step = _WIDTH / (len(finite) - 1)
    points = " ".join(
        f"{place * step:.0f},{_HEIGHT - 1.0 - (one - low) * scale:.1f}" for place, one in enumerate(finite)
    )
    tone = "up" if finite[-1] >= finite[0] else "down"
    return (
        f'<svg class="wb-{tone}" width="{width_px}" height="{height_px}" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" '
        f'preserveAspectRatio="none" aria-hidden="true"><polyline points="{points}" fill="none" stroke="currentColor" '
        f'stroke-width="1.5" vector-effect="non-scaling-stroke"/></svg>'
    )
