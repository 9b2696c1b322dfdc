"""How wild a made-up market is at each moment: the season of the week, and calm and stormy spells of many lengths.

The logarithm of volatility is a sum of smooth noises of lengths from minutes to years. That gives what GARCH models
give, and with less: the size of moves is correlated over days while their direction is not, and the mix of calm and
storm makes the tails of the returns fat. And it has what a recursion has not: any moment can be computed by itself.

References
----------
Cont, R. (2001). Empirical properties of asset returns: stylized facts and statistical issues. Quantitative Finance 1,
223-236. Bacry, E., Delour, J., Muzy, J.-F. (2001). Multifractal random walk. Physical Review E 64, 026103.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.model.synthetic_noise import smooth_noise

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "INTRADAY_SPELLS",
    "MINUTES_PER_DAY",
    "SLOW_SPELLS",
    "Spell",
    "season_at",
    "spell_log_volatility",
    "weekly_season",
]

MINUTES_PER_DAY: Final = 1_440
_MINUTES_PER_WEEK: Final = 7 * MINUTES_PER_DAY
# 1970-01-01 was a Thursday, and the season's table starts on Monday.
_MINUTES_FROM_MONDAY_TO_EPOCH: Final = 3 * MINUTES_PER_DAY


class Spell(NamedTuple):
    """A length of calm or storm.

    Attributes
    ----------
    minutes : int
        How far its noise is correlated.
    deviation : float
        Deviation that it adds to the logarithm of volatility.
    """

    minutes: int
    deviation: float


# Chosen so that the autocorrelation of absolute 1-minute returns falls as that of BTC/USDT does: 0.30 after a minute,
# 0.22 after ten, 0.16 after an hour, 0.09 after four. The lengths divide a day, so that a day needs of its neighbour
# one number per length only.
INTRADAY_SPELLS: Final = (Spell(4, 0.24), Spell(15, 0.20), Spell(60, 0.21), Spell(240, 0.21))
# From a day to most of a year: quiet summers and wild months.
SLOW_SPELLS: Final = (
    Spell(MINUTES_PER_DAY, 0.22),
    Spell(4 * MINUTES_PER_DAY, 0.20),
    Spell(16 * MINUTES_PER_DAY, 0.20),
    Spell(64 * MINUTES_PER_DAY, 0.22),
    Spell(256 * MINUTES_PER_DAY, 0.25),
)

# Size of moves by UTC hour and by weekday (Monday first) against the mean: Asia's morning, a quiet European one, New
# York's opening, slow weekends.
_BY_HOUR: Final = (
    *(1.15, 1.10, 0.96, 0.84, 0.76, 0.73, 0.76, 0.82, 0.85, 0.82, 0.78, 0.78),
    *(0.97, 1.35, 1.55, 1.32, 1.25, 1.15, 1.10, 1.06, 1.02, 1.04, 1.03, 0.95),
)
_BY_WEEKDAY: Final = (1.06, 1.07, 1.07, 1.12, 1.14, 0.72, 0.80)


@lru_cache(maxsize=1)
def weekly_season() -> NDArray[np.float64]:
    """Return the usual size of moves at each minute of the week, from Monday 00:00 UTC, with a mean square of 1.

    Returns
    -------
    ndarray of float64, shape (10080,)
        Read-only factors of volatility; between the middles of two hours they change linearly.

    Examples
    --------
    >>> season = weekly_season()
    >>> bool(season[14 * 60 + 30] > 1.5 * season[5 * 60 + 30])
    True
    """
    minutes = np.arange(_MINUTES_PER_WEEK, dtype=np.float64)
    from_middle = minutes / 60.0 - 0.5
    left = np.floor(from_middle)
    part = from_middle - left
    hours = np.array(_BY_HOUR)
    hour = left.astype(np.int64)
    season: NDArray[np.float64] = (1.0 - part) * hours[hour % 24] + part * hours[(hour + 1) % 24]
    season *= np.repeat(np.array(_BY_WEEKDAY), MINUTES_PER_DAY)
    # cumsum adds from left to right on every machine; sum may not.
    season /= np.sqrt(np.cumsum(season * season)[-1] / _MINUTES_PER_WEEK)
    season.setflags(write=False)
    return season


def season_at(minutes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the usual size of moves at each time, given in whole minutes since 1970-01-01 00:00 UTC."""
    season: NDArray[np.float64] = weekly_season()[(minutes + _MINUTES_FROM_MONDAY_TO_EPOCH) % _MINUTES_PER_WEEK]
    return season


def spell_log_volatility(
    minutes: NDArray[np.float64],
    spells: tuple[Spell, ...],
    nodes_of: Callable[[Spell], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return the sum of the spells' noises, scaled so that the mean square of its exponential is 1.

    Parameters
    ----------
    minutes : ndarray of float64
        Times in minutes since the first node.
    spells : tuple of Spell
        Which lengths to add.
    nodes_of : callable
        Gives the independent normal nodes of a spell, one every ``spell.minutes``, at least one past the last time.

    Returns
    -------
    ndarray of float64
        Natural logarithm of volatility at each time.
    """
    total = np.zeros_like(minutes)
    for spell in spells:
        total += spell.deviation * smooth_noise(nodes_of(spell), minutes / spell.minutes)
        # E[exp(2 d N)] = exp(2 d**2)
        total -= spell.deviation * spell.deviation
    return total
