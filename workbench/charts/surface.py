"""What a figure of a sweep shows, without the library that draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A measure over one or two parameters.

    Parameters
    ----------
    title, subtitle : str
        Above the figure.
    x_name, y_name : str
        Names of the parameters; ``y_name`` is empty for a line over one parameter.
    x, y : sequence of object
        Their values in the order to draw; ``y`` has one value for a line.
    values : ndarray of float64, shape (len(y), len(x))
        The measure, ``nan`` where there is nothing.
    measure : str
        Label of the measure.
    unit : str
        ``fraction``, ``money``, ``count``, ``ratio`` or ``duration``.
    centre : float or None
        The value that is neither good nor bad, such as a Sharpe ratio of 0; None when there is none.
    is_better_high : bool
        Whether more is better.
    marked : tuple of int, optional
        Row and column to mark.
    """

    title: str
    subtitle: str
    x_name: str
    y_name: str
    x: Sequence[object]
    y: Sequence[object]
    values: NDArray[np.float64]
    measure: str
    unit: str
    centre: float | None
    is_better_high: bool
    marked: tuple[int, int] | None = None
