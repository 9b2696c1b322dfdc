"""The practice market second by second: the path that joins two midnights."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.model.practice_levels import FIRST_DAY, Factor, factor_levels
from workbench.model.synthetic_assets import asset_of
from workbench.model.synthetic_noise import NoiseStream, portable_exp
from workbench.model.synthetic_volatility import (
    INTRADAY_SPELLS,
    MINUTES_PER_DAY,
    SLOW_SPELLS,
    Spell,
    season_at,
    spell_log_volatility,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MARKET", "FactorDay", "factor_day", "log_price"]

SECONDS_PER_DAY: Final = 86_400
_SECONDS_PER_MINUTE: Final = 60
MARKET: Final = Factor("market", 0.026, has_trend=True)


class FactorDay(NamedTuple):
    """One day of one factor.

    Attributes
    ----------
    path : ndarray of float64, shape (86400,)
        Natural logarithm at the end of each second, read-only.
    volatility : ndarray of float64, shape (1440,)
        Size of moves in each minute against a usual one, read-only.
    """

    path: NDArray[np.float64]
    volatility: NDArray[np.float64]


@lru_cache(maxsize=16)
def factor_day(seed: int, factor: Factor, day: int) -> FactorDay:
    """Return the path of a factor over a day.

    The steps are free; what they miss of the next midnight's level is then spread over the day in proportion to the
    variance gone by. For normal steps that is exactly the law of a walk known to end there (a Brownian bridge in the
    time of the variance).
    """
    skeleton = factor_levels(seed, factor)
    row = day - FIRST_DAY
    volatility = _day_volatility(seed, factor, day)
    per_second = volatility * (factor.daily_deviation / math.sqrt(SECONDS_PER_DAY))

    steps = (
        NoiseStream(seed, f"{factor.name} steps", day)
        .steps(SECONDS_PER_DAY)
        .reshape(MINUTES_PER_DAY, _SECONDS_PER_MINUTE)
    )
    steps *= per_second[:, np.newaxis]
    path = np.cumsum(steps.ravel())

    jumps = [
        (int(second), float(size))
        for second, size in zip(skeleton.jump_seconds[row], skeleton.jump_sizes[row], strict=True)
        if size
    ]
    without_jumps = float(skeleton.levels[row + 1] - skeleton.levels[row])
    for _, size in jumps:
        without_jumps -= size
    path += _spread_by_variance(volatility, without_jumps - float(path[-1]))
    for second, size in jumps:
        path[second:] += size
    path += skeleton.levels[row]
    path.setflags(write=False)
    volatility.setflags(write=False)
    return FactorDay(path, volatility)


def log_price(seed: int, name: str, day: int) -> NDArray[np.float64] | None:
    """Return the logarithm of a coin's dollar price against the table's, at the end of each second of a day.

    A coin that never moves has ``None``.
    """
    asset = asset_of(name)
    path = None
    if asset.market_beta:
        path = asset.market_beta * factor_day(seed, MARKET, day).path
    if asset.own_deviation:
        own = factor_day(seed, Factor(name, asset.own_deviation), day).path
        path = own if path is None else path + own
    return path


def spell_nodes(seed: int, name: str, day: int, spells: tuple[Spell, ...]) -> dict[Spell, NDArray[np.float64]]:
    """Return the nodes of a day's spells, each with the first of the next day behind it, where the two days meet."""
    counts = [MINUTES_PER_DAY // spell.minutes for spell in spells]
    ends = np.cumsum(counts)
    today = NoiseStream(seed, name, day).normals(int(ends[-1]))
    tomorrow = NoiseStream(seed, name, day + 1).normals(int(ends[-1]))
    return {
        spell: np.append(today[end - count : end], tomorrow[end - count])
        for spell, count, end in zip(spells, counts, ends.tolist(), strict=True)
    }


def _day_volatility(seed: int, factor: Factor, day: int) -> NDArray[np.float64]:
    """Return the size of moves in each minute of a day against a usual one."""
    minutes = np.arange(MINUTES_PER_DAY, dtype=np.float64)
    slow = spell_log_volatility(
        minutes + float(day - FIRST_DAY) * MINUTES_PER_DAY,
        SLOW_SPELLS,
        factor_levels(seed, factor).slow_nodes.__getitem__,
    )
    nodes = spell_nodes(seed, f"{factor.name} spells", day, INTRADAY_SPELLS)
    quick = spell_log_volatility(minutes, INTRADAY_SPELLS, nodes.__getitem__)
    return portable_exp(slow + quick) * season_at(np.arange(MINUTES_PER_DAY) + day * MINUTES_PER_DAY)


def _spread_by_variance(volatility: NDArray[np.float64], amount: float) -> NDArray[np.float64]:
    """Return the part of an amount that is due by the end of each second, in proportion to the variance gone by."""
    gone = np.cumsum(volatility * volatility)
    shares = np.empty((MINUTES_PER_DAY, _SECONDS_PER_MINUTE))
    in_minute = np.arange(1, _SECONDS_PER_MINUTE + 1, dtype=np.float64) / _SECONDS_PER_MINUTE
    np.multiply((volatility * volatility)[:, np.newaxis], in_minute, out=shares)
    shares[1:] += gone[:-1, np.newaxis]
    shares *= amount / float(gone[-1])
    # The last second takes the whole, so that the day ends on the next midnight's level.
    shares[-1, -1] = amount
    return shares.ravel()
