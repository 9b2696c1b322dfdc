"""A synthetic market: bars of any symbol and timeframe, as many as wanted, from a seed.

It has the habits of Bitcoin's: size of moves clustered over minutes to months, fat tails, jumps, the season of the day
and of the week, and direction that nobody can foresee. Each seed is another market. (The `practice` market is the other
one: one world with a calendar, ticks and coins that move together.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.model.bars import Bars
from workbench.model.synthetic_assets import practice_instrument
from workbench.model.synthetic_path import Recipe, bar_prices, bar_volatility, bar_volumes, bars_kept
from workbench.model.timeframe import Timeframe

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

__all__ = ["SyntheticRows", "synthetic_bars", "synthetic_rows"]

_START: Final = "2024-01-01"


class SyntheticRows(NamedTuple):
    """Rows of a candle file as arrays of one length, with the flaws that were asked for.

    Attributes
    ----------
    time_ns : ndarray of int64
        Open of each bar in nanoseconds UTC; repeated where a row is a duplicate, with a hole where one is missing.
    open, high, low, close, volume : ndarray of float64
        Positive; prices are multiples of the instrument's tick.
    """

    time_ns: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]


def synthetic_bars(
    symbol: str = "BTC/USDT",
    timeframe: str | Timeframe = "1m",
    n_bars: int = 10_000,
    *,
    seed: int = 0,
    start: int | str | datetime = _START,
    daily_volatility: float = 0.025,
    gaps: int = 0,
) -> Bars:
    """Make the bars of a synthetic market that behaves like Bitcoin.

    Parameters
    ----------
    symbol : str, default "BTC/USDT"
        Any ``BASE/QUOTE``, or ``BASE/QUOTE:QUOTE`` for a perpetual; sets the scale of prices and volumes, and is part
        of the seed.
    timeframe : str or Timeframe, default "1m"
        Length of a bar; part of the seed as well: two timeframes are two markets, not one seen twice.
    n_bars : int, default 10 000
        Bars before gaps are cut out.
    seed : int, default 0
        The market's number. The same arguments give the same bytes, on every machine.
    start : int, str or datetime, default "2024-01-01"
        Open of the first bar: nanoseconds UTC, ISO text or an aware datetime; moved back to the timeframe's grid.
    daily_volatility : float, default 0.025
        Usual deviation of daily returns over many years, as a fraction in (0, 1].
    gaps : int, default 0
        How many times 1 to 30 bars in a row are missing. The price has moved on meanwhile.

    Returns
    -------
    Bars
        With the instrument of `practice_instrument`; each bar opens at the close of the one before.

    Raises
    ------
    ConfigError
        A number out of range, a symbol of another form, or an unknown timeframe.
    DataError
        `start` is naive or no time.

    Examples
    --------
    >>> bars = synthetic_bars("ETH/USDT", "1h", 500, seed=7, gaps=3)
    >>> bars.symbols, len(bars) < 500
    (('ETH/USDT',), True)
    """
    recipe = Recipe(
        symbol=symbol,
        timeframe=Timeframe.of(timeframe),
        n_bars=n_bars,
        seed=seed,
        start=start,
        daily_volatility=daily_volatility,
        gaps=gaps,
    )
    rows = _rows(recipe)
    values = np.stack(rows[1:])[:, np.newaxis]
    return Bars((symbol,), recipe.timeframe, (practice_instrument(symbol),), rows.time_ns, values)


def synthetic_rows(  # noqa: PLR0913 - the facade of a recipe, all but three by keyword
    symbol: str = "BTC/USDT",
    timeframe: str | Timeframe = "1m",
    n_bars: int = 10_000,
    *,
    seed: int = 0,
    start: int | str | datetime = _START,
    daily_volatility: float = 0.025,
    gaps: int = 0,
    duplicates: int = 0,
) -> SyntheticRows:
    """Make the rows of a candle file with flaws: the bars of `synthetic_bars`, some of them twice.

    `Bars` refuses duplicates, hence plain arrays, to test what reads such files.

    Parameters
    ----------
    symbol, timeframe, n_bars, seed, start, daily_volatility, gaps
        As for `synthetic_bars`; the same values give the same bars.
    duplicates : int, default 0
        How many rows stand there a second time, directly after the first.

    Returns
    -------
    SyntheticRows
        Arrays, oldest row first.

    Raises
    ------
    ConfigError
        As for `synthetic_bars`; or more duplicates than bars.

    Examples
    --------
    >>> len(synthetic_rows(n_bars=100, duplicates=5).time_ns)
    105
    """
    recipe = Recipe(
        symbol=symbol,
        timeframe=Timeframe.of(timeframe),
        n_bars=n_bars,
        seed=seed,
        start=start,
        daily_volatility=daily_volatility,
        gaps=gaps,
        duplicates=duplicates,
    )
    rows = _rows(recipe)
    count = min(duplicates, len(rows.time_ns))
    twice = np.argsort(recipe.noise("duplicates").uniforms(len(rows.time_ns)), kind="stable")[:count]
    order = np.sort(np.concatenate([np.arange(len(rows.time_ns)), twice]), kind="stable")
    return SyntheticRows(*(array[order] for array in rows))


def _rows(recipe: Recipe) -> SyntheticRows:
    """Return the rows of a recipe with their gaps, without duplicates."""
    times = recipe.time_ns
    volatility = bar_volatility(recipe, times)
    prices = bar_prices(recipe, volatility)
    volumes = bar_volumes(recipe, volatility)
    kept = bars_kept(recipe)
    opens, highs, lows, closes = prices[:, kept]
    return SyntheticRows(times[kept], opens, highs, lows, closes, volumes[kept])
