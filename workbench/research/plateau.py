"""Ranking that prefers a plateau to a peak: each combination is judged by its neighbours in the grid."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from workbench.research.statistics import Floats, Integers

BLOCK_CELLS: Final = 2_000_000
# Diagonal neighbours are 3**parameters - 1; with more parameters only the neighbours along each of them are asked.
MAX_DIAGONAL_PARAMETERS: Final = 4


def plateau_scores(scores: Floats, places: Sequence[Sequence[int]], values: Mapping[str, Sequence[object]]) -> Floats:
    """Return, for each combination, the median score of itself and its neighbours in the grid.

    Neighbours are one place away in numeric order, in one or several numeric parameters at once (in one only when more
    than four vary), and equal in all others. A neighbour that is outside the grid or was left out has no say. One that
    was tried and has an undefined score counts as the worst. Of an even number the lower middle one is taken, so that
    one peak cannot lift its only neighbour.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        More is better; ``nan`` for undefined.
    places : sequence of sequence of int, shape (n, n_parameters)
        Place of each combination's values in ``values``; no two combinations are alike.
    values : mapping of str to sequence
        The values of each parameter.

    Returns
    -------
    ndarray of float64, shape (n,)
        ``nan`` for a combination whose median is undefined, and for one without any neighbour in a grid of several:
        alone, it can only be a peak.

    Examples
    --------
    >>> scores = np.array([1.0, 1.2, 1.1, 0.0, 9.0, 0.0])
    >>> plateau_scores(scores, [[i] for i in range(6)], {"n": [1, 2, 3, 4, 5, 6]}).tolist()
    [1.0, 1.1, 1.1, 1.1, 0.0, 0.0]
    """
    place = np.array(places, dtype=np.int64).reshape(scores.size, len(values))
    columns = list(values.values())
    varying = [axis for axis, column in enumerate(columns) if len(column) > 1]
    numeric = [axis for axis in varying if _is_numeric(columns[axis])]
    for axis in numeric:
        # A grid given as (20, 10, 5) has the same neighbours as (5, 10, 20).
        order = np.argsort(np.array(columns[axis], dtype=np.float64))
        place[:, axis] = np.argsort(order)[place[:, axis]]
    strides = np.zeros(len(columns), dtype=np.int64)
    cells = 1
    for axis in varying:
        # Two places more than there are values, so that no neighbour wraps into the next row.
        strides[axis] = cells
        cells *= len(columns[axis]) + 2
    reach = np.array([sum(step) for step in _steps([int(strides[axis]) for axis in numeric])], dtype=np.int64)
    return _medians(np.where(np.isnan(scores), -np.inf, scores), (place + 1) @ strides, reach)


def _is_numeric(column: Sequence[object]) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in column)


def _steps(strides: list[int]) -> list[tuple[int, ...]]:
    if len(strides) <= MAX_DIAGONAL_PARAMETERS:
        return list(itertools.product(*((-stride, 0, stride) for stride in strides)))
    return [(0,), *((sign * stride,) for stride in strides for sign in (-1, 1))]


def _medians(scores: Floats, index: Integers, reach: Integers) -> Floats:
    order = np.argsort(index)
    known = index[order]
    medians = np.empty(index.size)
    block = max(1, BLOCK_CELLS // reach.size)
    for start in range(0, index.size, block):
        wanted = index[start : start + block, None] + reach
        found = np.minimum(np.searchsorted(known, wanted), known.size - 1)
        around = np.where(known[found] == wanted, scores[order[found]], np.nan)
        # Sorting puts nan, the absent ones, last.
        around.sort(axis=1)
        count = np.count_nonzero(~np.isnan(around), axis=1)
        middle = around[np.arange(count.size), (count - 1) // 2]
        is_alone = (count == 1) & (index.size > 1)
        medians[start : start + block] = np.where(np.isfinite(middle) & ~is_alone, middle, np.nan)
    return medians
