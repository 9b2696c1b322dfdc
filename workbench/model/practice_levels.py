"""The daily skeleton of the practice market: each factor's level at every UTC midnight, and the jumps of each day.

The skeleton of a factor, 45 years of it, is made at once in a few milliseconds. With it any single day can be filled in
by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.model.synthetic_noise import NoiseStream, portable_exp
from workbench.model.synthetic_volatility import (
    MINUTES_PER_DAY,
    SLOW_SPELLS,
    Spell,
    spell_log_volatility,
    weekly_season,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FIRST_DAY", "LAST_DAY", "LIVE_DAY", "Factor", "FactorLevels", "factor_levels"]

# Days since 1970-01-01: 2017-01-01, 2025-07-01, 2061-11-09.
FIRST_DAY: Final = 17_167
LIVE_DAY: Final = 20_270
_DAYS: Final = 2**14
LAST_DAY: Final = FIRST_DAY + _DAYS - 2
_SECONDS_PER_DAY: Final = 86_400

# Two jumps on a usual day, their sizes with a tail exponent of 4: between the thin tails of a normal and the 3 often
# measured for returns.
_JUMP_CANDIDATES: Final = 4
_JUMP_PROBABILITY: Final = 0.5
_SMALLEST_JUMP: Final = 0.1
# A factor comes back to its trend with a half-life of 217 days, so that no seed has Bitcoin at a dollar or at a
# billion.
_PULL_PER_DAY: Final = 0.0032
# Natural logarithm of the market against its level of 2025-07-01, by day: 1 000 dollars a Bitcoin in 2017, 29 000 in
# 2021, slow growth later.
_TREND: Final = ((FIRST_DAY, -4.654), (18_628, -1.287), (LIVE_DAY, 0.0), (FIRST_DAY + _DAYS, 1.5))


@dataclass(frozen=True, slots=True)
class Factor:
    """One source of price moves: the market as a whole or what a coin does by itself.

    Attributes
    ----------
    name : str
        Names its random numbers.
    daily_deviation : float
        Deviation of its moves over a day, as a fraction.
    has_trend : bool
        Whether it grows as the market has.
    """

    name: str
    daily_deviation: float
    has_trend: bool = False


@dataclass(frozen=True, slots=True)
class FactorLevels:
    """Daily skeleton of one factor; row 0 of each array is 2017-01-01.

    Attributes
    ----------
    levels : ndarray of float64, shape (n_days,)
        Natural logarithm at each midnight, 0 at the live start.
    jump_sizes : ndarray of float64, shape (n_days, 4)
        Jumps of each day as differences of the logarithm; 0 where there is none.
    jump_seconds : ndarray of int64, shape (n_days, 4)
        Second of the day at which each comes.
    slow_nodes : dict
        Nodes of the spells of a day and longer, by spell.
    """

    levels: NDArray[np.float64]
    jump_sizes: NDArray[np.float64]
    jump_seconds: NDArray[np.int64]
    slow_nodes: dict[Spell, NDArray[np.float64]]


@lru_cache(maxsize=32)
def factor_levels(seed: int, factor: Factor) -> FactorLevels:
    """Return the daily skeleton of a factor."""
    stream = NoiseStream(seed, f"{factor.name} levels")
    slow_nodes = {spell: stream.normals(_DAYS * MINUTES_PER_DAY // spell.minutes + 2) for spell in SLOW_SPELLS}
    middles = (np.arange(_DAYS, dtype=np.float64) + 0.5) * MINUTES_PER_DAY
    deviations = portable_exp(spell_log_volatility(middles, SLOW_SPELLS, slow_nodes.__getitem__))
    deviations *= _weekday_deviations() * factor.daily_deviation

    shape = (_DAYS, _JUMP_CANDIDATES)
    count = _DAYS * _JUMP_CANDIDATES
    has_jump = (stream.uniforms(count) < _JUMP_PROBABILITY).reshape(shape)
    signs = np.where(stream.uniforms(count) < 0.5, -1.0, 1.0)  # noqa: PLR2004 - up and down alike
    sizes = _SMALLEST_JUMP * signs / np.sqrt(np.sqrt(stream.uniforms(count)))
    jump_sizes = np.where(has_jump, sizes.reshape(shape) * deviations[:, np.newaxis], 0.0)
    jump_seconds = (stream.uniforms(count) * _SECONDS_PER_DAY).astype(np.int64).reshape(shape)

    moves = stream.normals(_DAYS) * deviations
    for column in range(_JUMP_CANDIDATES):
        moves += jump_sizes[:, column]
    levels = _pulled_walk(moves)
    if factor.has_trend:
        levels += _trend()
    levels -= levels[LIVE_DAY - FIRST_DAY]
    return FactorLevels(levels, jump_sizes, jump_seconds, slow_nodes)


def _weekday_deviations() -> NDArray[np.float64]:
    """Return the root mean square of the season on each day of the skeleton."""
    season = weekly_season()
    squares = np.cumsum((season * season).reshape(7, MINUTES_PER_DAY), axis=1)[:, -1]
    # Day 0 of the epoch was a Thursday, which is weekday 3.
    return np.sqrt(squares / MINUTES_PER_DAY)[(np.arange(_DAYS) + FIRST_DAY + 3) % 7]


def _pulled_walk(moves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of moves of a walk that is pulled back to zero, starting there."""
    levels = [0.0]
    level = 0.0
    for move in moves[:-1].tolist():
        level = level * (1.0 - _PULL_PER_DAY) + move
        levels.append(level)
    return np.array(levels)


def _trend() -> NDArray[np.float64]:
    """Return the market's trend at each midnight, straight between the known days."""
    # Not numpy.interp: its C code may fuse multiply and add on one processor and not on another.
    days = np.arange(_DAYS, dtype=np.float64) + FIRST_DAY
    trend = np.zeros(_DAYS)
    for (start, first), (end, last) in pairwise(_TREND):
        inside = (days >= start) & (days < end)
        trend[inside] = first + (days[inside] - start) * ((last - first) / (end - start))
    return trend
