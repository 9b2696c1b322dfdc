"""The practice market: one made-up world of coins, the same for everybody, at any moment from 2017 to 2061.

It is a pure function of seed, symbol and absolute time. Any UTC day is computed by itself in a few milliseconds and
joins its neighbours without a seam; every timeframe is made of the same ticks; coins move together as far as real ones
do, and ``ETH/BTC`` is what ``ETH/USDT`` and ``BTC/USDT`` say. The practice exchange plays this market; its clock starts
at `PRACTICE_LIVE_START`, up to which the history reaches, and where every coin stands at a familiar price (a Bitcoin at
105 000 dollars).
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.errors import DataError, MissingDataError
from workbench.model.bars import Bars
from workbench.model.practice_levels import FIRST_DAY, LAST_DAY, LIVE_DAY
from workbench.model.practice_ticks import PracticeTicks, day_ticks
from workbench.model.synthetic_assets import parse_market_symbol, practice_instrument
from workbench.model.timeframe import Timeframe
from workbench.model.times import parse_time_ns, utc_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "PRACTICE_END",
    "PRACTICE_LIVE_START",
    "PRACTICE_SEED",
    "PRACTICE_START",
    "PracticeTicks",
    "practice_bars",
    "practice_instrument",
    "practice_ticks",
]

_NS_PER_DAY: Final = 86_400_000_000_000
_NS_PER_MINUTE: Final = 60_000_000_000
_EPOCH: Final = date(1970, 1, 1)

#: First instant of the practice market: 2017-01-01 00:00 UTC, in nanoseconds.
PRACTICE_START: Final = FIRST_DAY * _NS_PER_DAY
#: Instant at which the practice exchange's clock starts: 2025-07-01 00:00 UTC, in nanoseconds.
PRACTICE_LIVE_START: Final = LIVE_DAY * _NS_PER_DAY
#: End of the practice market: 2061-11-09 00:00 UTC, in nanoseconds.
PRACTICE_END: Final = (LAST_DAY + 1) * _NS_PER_DAY
#: The seed of the practice market unless another is named.
PRACTICE_SEED: Final = 8


class _Rows(NamedTuple):
    """Bars as columns, or ticks as bars of one price; `values` has the rows open, high, low, close and volume."""

    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]


def practice_ticks(symbol: str, day: date | int, *, seed: int = PRACTICE_SEED) -> PracticeTicks:
    """Return the ticks of one UTC day of the practice market.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE`` for spot, ``BASE/QUOTE:QUOTE`` for a linear perpetual; any coins.
    day : date or int
        The UTC day, as a date or as whole days since 1970-01-01 (``time_ns // 86_400_000_000_000``).
    seed : int, default `PRACTICE_SEED`
        Which world.

    Returns
    -------
    PracticeTicks
        9,000 to 43,000 ticks, one every 2 to 9 seconds on average: ``time_ns``, ``price`` and ``volume``, read-only.

    Raises
    ------
    ConfigError
        The symbol has another form.
    DataError
        The day is outside the market, or has a time of day.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> ticks = practice_ticks("BTC/USDT", date(2025, 7, 1))
    >>> bool(100_000 < ticks.price[0] < 110_000)
    True
    """
    parse_market_symbol(symbol)
    if isinstance(day, datetime):
        raise DataError(f"day must be a date without a time, such as datetime.date(2025, 7, 1), was {day!r}")
    number = (day - _EPOCH).days if isinstance(day, date) else int(day)
    if not FIRST_DAY <= number <= LAST_DAY:
        raise DataError(
            f"day must be in [{FIRST_DAY}, {LAST_DAY}], 2017-01-01 to 2061-11-08 on the practice market, was {day}"
        )
    return day_ticks(seed, symbol, number)


def practice_bars(
    symbol: str,
    timeframe: str | Timeframe,
    start: int | str | datetime,
    end: int | str | datetime,
    *,
    seed: int = PRACTICE_SEED,
) -> Bars:
    """Return the bars of the practice market that lie wholly in ``[start, end)``, made of exactly its ticks.

    Parameters
    ----------
    symbol : str
        As for `practice_ticks`.
    timeframe : str or Timeframe
        Length of a bar; bars are right-open and labelled by their open.
    start, end : int, str or datetime
        Nanoseconds UTC, ISO text, or aware datetimes. A bar that would still be open at `end` is left out.
    seed : int, default `PRACTICE_SEED`
        Which world.

    Returns
    -------
    Bars
        Without gaps from one minute upward; shorter ones are missing where nothing traded.

    Raises
    ------
    ConfigError
        The symbol has another form, or the timeframe is unknown.
    DataError
        A naive time, or one outside the market.
    MissingDataError
        No bar of this timeframe lies in the range.

    Examples
    --------
    >>> hours = practice_bars("BTC/USDT", "1h", PRACTICE_LIVE_START, PRACTICE_LIVE_START + 86_400_000_000_000)
    >>> len(hours)
    24
    """
    instrument = practice_instrument(symbol)
    frame = Timeframe.of(timeframe)
    start_ns, end_ns = parse_time_ns(start, "start"), parse_time_ns(end, "end")
    if not PRACTICE_START <= start_ns <= end_ns <= PRACTICE_END:
        raise DataError(
            "start and end must be in order and within the practice market, 2017-01-01 to 2061-11-09 UTC, "
            f"were {utc_text(start_ns)} and {utc_text(end_ns)}"
        )
    anchor = frame.floor(start_ns)
    first = anchor if anchor == start_ns else anchor + frame.ns
    count = (end_ns - first) // frame.ns
    if count <= 0:
        raise MissingDataError(f"no whole {frame.name} bar lies between {utc_text(start_ns)} and {utc_text(end_ns)}")
    rows = _rows_between(seed, symbol, frame.ns, first, first + count * frame.ns)
    return Bars((symbol,), frame, (instrument,), rows.time_ns, rows.values[:, np.newaxis])


def _rows_between(seed: int, symbol: str, length_ns: int, first: int, stop: int) -> _Rows:
    """Return the bars of a length with labels from `first` until before `stop`, which are whole bars apart."""
    pieces = []
    for day in range(first // _NS_PER_DAY, (stop - 1) // _NS_PER_DAY + 1):
        source = _minute_rows(seed, symbol, day) if length_ns % _NS_PER_MINUTE == 0 else _tick_rows(seed, symbol, day)
        pieces.append(_merged(source, length_ns, first))
    rows = _Rows(np.concatenate([piece.time_ns for piece in pieces]), np.hstack([piece.values for piece in pieces]))
    if _NS_PER_DAY % length_ns or first % length_ns:
        # Bars that cross midnight came in two parts or more.
        rows = _merged(rows, length_ns, first)
    begin, end = np.searchsorted(rows.time_ns, (first, stop))
    return _Rows(rows.time_ns[begin:end], rows.values[:, begin:end])


@lru_cache(maxsize=256)
def _minute_rows(seed: int, symbol: str, day: int) -> _Rows:
    """Return the 1 440 one-minute bars of a day: 70 KB, so that half a year is worth keeping for the next timeframe."""
    return _merged(_tick_rows(seed, symbol, day), _NS_PER_MINUTE, 0)


def _tick_rows(seed: int, symbol: str, day: int) -> _Rows:
    time_ns, price, volume = day_ticks(seed, symbol, day)
    return _Rows(time_ns, np.stack([price, price, price, price, volume]))


def _merged(rows: _Rows, length_ns: int, anchor: int) -> _Rows:
    """Merge rows, oldest first, into bars of a length that start whole lengths from `anchor`."""
    labels = rows.time_ns - (rows.time_ns - anchor) % length_ns
    starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))
    lasts = np.concatenate([starts[1:], [len(labels)]]) - 1
    opens, highs, lows, closes, volumes = rows.values
    values = [
        opens[starts],
        np.maximum.reduceat(highs, starts),
        np.minimum.reduceat(lows, starts),
        closes[lasts],
        # Exact in any order, because volumes are multiples of a power of two: see PracticeTicks.
        np.add.reduceat(volumes, starts),
    ]
    return _Rows(labels[starts], np.stack(values))
