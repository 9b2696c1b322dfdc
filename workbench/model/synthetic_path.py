"""How the bars of a synthetic market are made: volatility first, then the path, its jumps, the volumes and the gaps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import ConfigError
from workbench.model.field_checks import FieldChecks, Interval
from workbench.model.synthetic_assets import (
    asset_of,
    lot_decimals,
    parse_market_symbol,
    power_of_ten,
    price_decimals,
)
from workbench.model.synthetic_noise import NoiseStream, portable_exp
from workbench.model.synthetic_volatility import (
    INTRADAY_SPELLS,
    MINUTES_PER_DAY,
    SLOW_SPELLS,
    Spell,
    season_at,
    spell_log_volatility,
)
from workbench.model.times import parse_time_ns

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from workbench.model.timeframe import Timeframe

__all__ = ["Recipe", "bar_prices", "bar_volatility", "bar_volumes", "bars_kept"]

_NS_PER_MINUTE: Final = 60_000_000_000
# Steps inside a bar, of which high and low are the ends.
_STEPS_PER_BAR: Final = 12
_BARS_PER_BLOCK: Final = 2**15
# Two jumps a day, of at least a tenth of a usual day's move and with a tail exponent of 4.
_JUMPS_PER_DAY: Final = 2.0
_SMALLEST_JUMP: Final = 0.1
_VOLUME_DEVIATION: Final = 0.9
_TICKS_PER_MINUTE: Final = 17.0
_LONGEST_GAP: Final = 30
_MOST_BARS: Final = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a synthetic market is made of; checks itself and names every bad field.

    Attributes
    ----------
    symbol, timeframe, n_bars, seed, start, daily_volatility, gaps, duplicates
        As for `synthetic_rows`.
    """

    symbol: str
    timeframe: Timeframe
    n_bars: int
    seed: int
    start: int | str | datetime
    daily_volatility: float
    gaps: int
    duplicates: int = 0

    def __post_init__(self) -> None:
        """Check every field."""
        parse_market_symbol(self.symbol)
        checks = FieldChecks()
        n_bars = self.n_bars if _is_whole(self.n_bars, 1, _MOST_BARS) else 1
        # A bar of each stretch between two holes stays, and so do the first and the last.
        for name, low, high in (
            ("n_bars", 1, _MOST_BARS),
            ("gaps", 0, max(0, n_bars - 2) // 2),
            ("duplicates", 0, n_bars),
        ):
            value = getattr(self, name)
            demand = f"be a whole number in [{low}, {high}]"
            checks.require(name, value, demand, is_met=_is_whole(value, low, high))
        checks.in_interval("daily_volatility", self.daily_volatility, Interval(0.0, 1.0, includes_high=True))
        checks.raise_if_any(ConfigError)

    @property
    def time_ns(self) -> NDArray[np.int64]:
        """Open of every bar, gaps not yet made."""
        start_ns = self.timeframe.floor(parse_time_ns(self.start, "start"))
        return start_ns + np.arange(self.n_bars, dtype=np.int64) * self.timeframe.ns

    def noise(self, purpose: str, block: int = 0) -> NoiseStream:
        """Random numbers for one purpose."""
        return NoiseStream(self.seed, f"synthetic {self.symbol} {self.timeframe.ns} {purpose}", block)


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(low <= value <= high)


def bar_volatility(recipe: Recipe, times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the size of moves in the middle of each bar against a usual one."""
    bar_minutes = recipe.timeframe.ns / _NS_PER_MINUTE
    minutes = (np.arange(recipe.n_bars, dtype=np.float64) + 0.5) * bar_minutes
    # Spells shorter than a bar average out within it.
    spells = tuple(spell for spell in INTRADAY_SPELLS + SLOW_SPELLS if spell.minutes >= bar_minutes)

    def nodes_of(spell: Spell) -> NDArray[np.float64]:
        return recipe.noise(f"spells of {spell.minutes} minutes").normals(int(minutes[-1] // spell.minutes) + 2)

    volatility = portable_exp(spell_log_volatility(minutes, spells, nodes_of))
    if bar_minutes < MINUTES_PER_DAY:
        volatility *= season_at((times + recipe.timeframe.ns // 2) // _NS_PER_MINUTE)
    return volatility


def bar_prices(recipe: Recipe, volatility: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return open, high, low and close of every bar as the rows of one array, rounded to the tick."""
    parts = parse_market_symbol(recipe.symbol)
    scale = power_of_ten(price_decimals(recipe.symbol))
    ticks = asset_of(parts.base).usd_price / asset_of(parts.quote).usd_price * scale
    prices = np.empty((4, recipe.n_bars))
    level = 0.0
    for block, first in enumerate(range(0, recipe.n_bars, _BARS_PER_BLOCK)):
        last = min(first + _BARS_PER_BLOCK, recipe.n_bars)
        path = np.cumsum(_moves(recipe, block, volatility[first:last]).ravel()) + level
        opens = np.concatenate([[level], path[_STEPS_PER_BAR - 1 : -1 : _STEPS_PER_BAR]])
        level = float(path[-1])
        steps = path.reshape(last - first, _STEPS_PER_BAR)
        logs = np.stack([opens, steps.max(axis=1), steps.min(axis=1), steps[:, -1]])
        prices[:, first:last] = np.maximum(np.rint(portable_exp(logs) * ticks), 1.0) / scale
    # The path's ends do not hold the open itself.
    prices[1] = np.maximum(prices[1], prices[0])
    prices[2] = np.minimum(prices[2], prices[0])
    return prices


def _moves(recipe: Recipe, block: int, volatility: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the steps inside each bar of a block as differences of the logarithm, shape (bars, steps)."""
    days = recipe.timeframe.ns / (_NS_PER_MINUTE * MINUTES_PER_DAY)
    count = len(volatility)
    moves = recipe.noise("steps", block).steps(count * _STEPS_PER_BAR).reshape(count, _STEPS_PER_BAR)
    moves *= (volatility * (recipe.daily_volatility * math.sqrt(days / _STEPS_PER_BAR)))[:, np.newaxis]

    # Four numbers for every bar, jump or not, so that a longer market begins with the bars of a shorter one.
    happens, direction, size, place = recipe.noise("jumps", block).uniforms(4 * count).reshape(count, 4).T
    jumping = np.flatnonzero(happens < min(_JUMPS_PER_DAY * days, 0.5))
    signs = np.where(direction[jumping] < 0.5, -1.0, 1.0)  # noqa: PLR2004 - up and down alike
    sizes = _SMALLEST_JUMP * recipe.daily_volatility * signs / np.sqrt(np.sqrt(size[jumping]))
    moves[jumping, (place[jumping] * _STEPS_PER_BAR).astype(np.int64)] += sizes
    return moves


def bar_volumes(recipe: Recipe, volatility: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the volume of each bar, in whole lots: larger in a storm, otherwise lognormal."""
    asset = asset_of(parse_market_symbol(recipe.symbol).base)
    usual = asset.tick_turnover / asset.usd_price * _TICKS_PER_MINUTE * (recipe.timeframe.ns / _NS_PER_MINUTE)
    coins = (
        portable_exp(_VOLUME_DEVIATION * recipe.noise("volume").steps(recipe.n_bars))
        * volatility
        * np.sqrt(volatility)
        * usual
    )
    lots = power_of_ten(lot_decimals(recipe.symbol))
    return np.maximum(np.rint(coins * lots), 1.0) / lots


def bars_kept(recipe: Recipe) -> NDArray[np.bool_]:
    """Return which bars are there: one hole in each of as many equal stretches, never at an end of the data."""
    kept = np.ones(recipe.n_bars, dtype=np.bool_)
    if recipe.gaps == 0:
        return kept
    stretch = (recipe.n_bars - 2) // recipe.gaps
    stream = recipe.noise("gaps")
    # A bar of each stretch stays, so that two holes never become one.
    lengths = 1 + (stream.uniforms(recipe.gaps) * min(_LONGEST_GAP, stretch - 1)).astype(np.int64)
    starts = (stream.uniforms(recipe.gaps) * (stretch - lengths)).astype(np.int64)
    for number, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        first = 1 + number * stretch + start
        kept[first : first + length] = False
    return kept
