"""A small line as inline SVG."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from workbench.research.statistics import Floats

MAX_POINTS: Final = 240
WIDTH: Final = 600.0
HEIGHT: Final = 64.0
UP: Final = "#16a085"
DOWN: Final = "#ef4a50"


def sparkline(values: Floats, *, base: float, label: str) -> str:
    """Return a line as inline SVG that stretches to its container, with a dashed line at ``base``.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        The line, at least one value, none ``nan``; more than 240 are thinned to the lowest or highest of each stretch.
    base : float
        The level to compare with; the line is green when it ends at or above it, red below.
    label : str
        Title, shown on hover and read by screen readers.

    Returns
    -------
    str
        One ``svg`` element.

    Examples
    --------
    >>> sparkline(np.array([1.0, 2.0]), base=1.0, label="Equity").count("<path")
    2
    """
    thin = _thin(values)
    low, high = min(float(thin.min()), base), max(float(thin.max()), base)
    scale = (HEIGHT - 4.0) / (high - low) if high > low else 0.0
    x = np.linspace(0.0, WIDTH, thin.size) if thin.size > 1 else np.array([WIDTH])
    y = HEIGHT - 2.0 - (thin - low) * scale
    line = "M" + " L".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    zero = HEIGHT - 2.0 - (base - low) * scale
    colour = UP if float(values[-1]) >= base else DOWN
    return (
        f"<svg viewBox='0 0 {WIDTH:.0f} {HEIGHT:.0f}' preserveAspectRatio='none' role='img'>"
        f"<title>{escape(label)}</title>"
        f"<path d='{line} L{x[-1]:.1f},{zero:.1f} L{x[0]:.1f},{zero:.1f} Z' fill='{colour}' fill-opacity='.14'/>"
        f"<line x1='0' x2='{WIDTH:.0f}' y1='{zero:.1f}' y2='{zero:.1f}' stroke='currentColor' stroke-opacity='.4' "
        f"stroke-dasharray='3 4' vector-effect='non-scaling-stroke'/>"
        f"<path d='{line}' fill='none' stroke='{colour}' stroke-width='1.6' stroke-linejoin='round' "
        f"vector-effect='non-scaling-stroke'/></svg>"
    )


def _thin(values: Floats) -> Floats:
    if values.size <= MAX_POINTS:
        return values
    edges = np.linspace(0, values.size, MAX_POINTS // 2 + 1).astype(np.int64)
    low = np.minimum.reduceat(values, edges[:-1])
    high = np.maximum.reduceat(values, edges[:-1])
    # Lowest before highest in a rising stretch, after it in a falling one.
    rises = values[edges[1:] - 1] >= values[edges[:-1]]
    pairs = np.stack((np.where(rises, low, high), np.where(rises, high, low)), axis=1).ravel()
    pairs[-1] = values[-1]
    thin: Floats = pairs
    return thin
