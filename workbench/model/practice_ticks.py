"""The ticks of the practice market, day by day."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.model.practice_path import MARKET, SECONDS_PER_DAY, factor_day, log_price, spell_nodes
from workbench.model.synthetic_assets import asset_of, lot_decimals, parse_market_symbol, power_of_ten, price_decimals
from workbench.model.synthetic_noise import NoiseStream, portable_exp, smooth_noise
from workbench.model.synthetic_volatility import MINUTES_PER_DAY, Spell

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PracticeTicks", "day_ticks"]

_NS_PER_SECOND: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000
_SECONDS_PER_MINUTE: Final = 60

# A second has a tick with this probability at usual volatility, more in a storm.
_USUAL_RATE: Final = 0.28
_RATE_RANGE: Final = (0.1, 0.5)
# Sizes of ticks are spread like a lognormal with this deviation: many small ones and few of a hundred times the size.
# On top of it come spells of large and small ones that have nothing to do with volatility.
_SIZE_DEVIATION: Final = 1.3
_SIZE_SPELL: Final = Spell(4, 0.5)
# A perpetual trades within a few hundredths of a percent of spot, now above and now below, and turns over five times as
# much.
_PREMIUM: Final = Spell(240, 0.0003)
_PERPETUAL_TURNOVER: Final = 5.0


class PracticeTicks(NamedTuple):
    """The ticks of one UTC day, as read-only arrays of one length, oldest first.

    Attributes
    ----------
    time_ns : ndarray of int64
        Strictly increasing, nanoseconds UTC, whole milliseconds; at least one tick in every minute.
    price : ndarray of float64
        Positive multiples of the instrument's tick.
    volume : ndarray of float64
        Positive, in coins of the base. Whole multiples of the power of two below one that has the lot's number of
        decimals (1/32 for a lot of 0.00001), so that sums are exact in any order: a bar built tick by tick is the bar
        of the history, to the last bit.
    """

    time_ns: NDArray[np.int64]
    price: NDArray[np.float64]
    volume: NDArray[np.float64]


@lru_cache(maxsize=16)
def day_ticks(seed: int, symbol: str, day: int) -> PracticeTicks:
    """Return the ticks of the day that is `day` days after 1970-01-01, which must be a day of the market."""
    stream = NoiseStream(seed, f"{symbol} ticks", day)
    # In a storm ticks come more often and are larger.
    storm = factor_day(seed, MARKET, day).volatility
    seconds = _tick_seconds(stream, storm)
    milliseconds = np.floor(stream.short_uniforms(len(seconds)) * 1000.0).astype(np.int64)
    time_ns = (day * SECONDS_PER_DAY + seconds) * _NS_PER_SECOND + milliseconds * _NS_PER_MS
    usual_sizes = (storm * _size_spells(seed, symbol, day))[seconds // _SECONDS_PER_MINUTE]
    ticks = PracticeTicks(time_ns, _tick_prices(seed, symbol, day, seconds), _tick_volumes(stream, symbol, usual_sizes))
    for array in ticks:
        array.setflags(write=False)
    return ticks


def _tick_seconds(stream: NoiseStream, storm: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the seconds of the day that have a tick."""
    rate = np.clip(_USUAL_RATE * np.sqrt(storm), *_RATE_RANGE)
    draws = stream.short_uniforms(SECONDS_PER_DAY).reshape(MINUTES_PER_DAY, _SECONDS_PER_MINUTE)
    has_tick = draws < rate[:, np.newaxis]
    # Practice bars have no gaps: every minute trades at least once.
    has_tick[np.arange(MINUTES_PER_DAY), np.argmin(draws, axis=1)] = True
    return np.flatnonzero(has_tick)


def _tick_prices(seed: int, symbol: str, day: int, seconds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the price of the tick in each of these seconds, rounded to the instrument's tick."""
    parts = parse_market_symbol(symbol)
    exponents = np.zeros(len(seconds))
    base, quote = log_price(seed, parts.base, day), log_price(seed, parts.quote, day)
    if base is not None:
        exponents += base[seconds]
    if quote is not None:
        exponents -= quote[seconds]
    price = portable_exp(exponents) * (asset_of(parts.base).usd_price / asset_of(parts.quote).usd_price)
    if parts.is_perpetual:
        nodes = spell_nodes(seed, f"{symbol} premium", day, (_PREMIUM,))[_PREMIUM]
        minutes = seconds.astype(np.float64) / _SECONDS_PER_MINUTE
        price *= 1.0 + _PREMIUM.deviation * smooth_noise(nodes, minutes / _PREMIUM.minutes)
    # A whole number divided by a power of ten is the double nearest to the decimal price, as a price read from text
    # would be.
    scale = power_of_ten(price_decimals(symbol))
    return np.maximum(np.rint(price * scale), 1.0) / scale


def _size_spells(seed: int, symbol: str, day: int) -> NDArray[np.float64]:
    """Return how large ticks are in each minute of a day against usual ones of the same volatility."""
    nodes = spell_nodes(seed, f"{symbol} sizes", day, (_SIZE_SPELL,))[_SIZE_SPELL]
    minutes = np.arange(MINUTES_PER_DAY, dtype=np.float64)
    return portable_exp(_SIZE_SPELL.deviation * smooth_noise(nodes, minutes / _SIZE_SPELL.minutes))


def _tick_volumes(stream: NoiseStream, symbol: str, usual_sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the volume of each tick: lognormal around sizes given in usual turnovers of the coin."""
    parts = parse_market_symbol(symbol)
    asset = asset_of(parts.base)
    turnover = asset.tick_turnover * (_PERPETUAL_TURNOVER if parts.is_perpetual else 1.0)
    coins = portable_exp(_SIZE_DEVIATION * stream.steps(len(usual_sizes))) * usual_sizes * (turnover / asset.usd_price)
    units = 2.0 ** lot_decimals(symbol)
    return np.maximum(np.rint(coins * units), 1.0) / units
