"""The markets that the exchange can play: the practice market, bars of any origin, recorded ticks."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

import numpy as np

from workbench.errors import DataError
from workbench.model.bars import Bars
from workbench.model.practice import (
    PRACTICE_END,
    PRACTICE_LIVE_START,
    PRACTICE_SEED,
    PRACTICE_START,
    practice_bars,
    practice_instrument,
    practice_ticks,
)
from workbench.model.timeframe import Timeframe

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from workbench.model.instrument import Instrument

__all__ = [
    "NS_PER_DAY",
    "AnyMarket",
    "BarsSource",
    "MarketSource",
    "PracticeSource",
    "Prints",
    "Rows",
    "TickSource",
    "joined_prints",
    "joined_rows",
    "merged_rows",
    "rows_of_prints",
    "sources_of",
    "start_of",
]

NS_PER_DAY: Final = 86_400_000_000_000
_HOUR: Final = Timeframe("1h")
_PRINTS_PER_BAR: Final = 4


class Prints(NamedTuple):
    """Prints of a market, oldest first.

    Attributes
    ----------
    time_ns : ndarray of int64
        ns UTC, never falling.
    price, volume : ndarray of float64
        What was paid in the quote, and for how much of the base.
    """

    time_ns: NDArray[np.int64]
    price: NDArray[np.float64]
    volume: NDArray[np.float64]

    def part(self, first: int, last: int) -> Prints:
        """Return the prints at positions ``[first, last)``."""
        return Prints(self.time_ns[first:last], self.price[first:last], self.volume[first:last])


class Rows(NamedTuple):
    """Bars as columns: open labels in ns, and the rows open, high, low, close, volume."""

    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]


class MarketSource(Protocol):
    """One market, at any moment of its span."""

    @property
    def instrument(self) -> Instrument:
        """What is traded, with its steps."""

    @property
    def span_ns(self) -> tuple[int, int]:
        """First moment and end of the market, ns UTC."""

    def day(self, day: int) -> Prints:
        """Return the prints of the UTC day that is `day` days after 1970-01-01."""

    def rows(self, frame: Timeframe, start_ns: int, end_ns: int) -> Rows:
        """Return the bars that lie wholly between two labels of a frame.

        Parameters
        ----------
        frame : Timeframe
            Length of a bar.
        start_ns, end_ns : int
            Labels of the frame, ns UTC; the bar that is labelled with the end is left out.
        """


class PracticeSource:
    """The practice market, exactly as ``load_bars("practice", ...)`` computes it.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE`` or ``BASE/QUOTE:QUOTE``, any coins.
    seed : int, default `PRACTICE_SEED`
        Which world.
    """

    def __init__(self, symbol: str, *, seed: int = PRACTICE_SEED) -> None:
        self.instrument = practice_instrument(symbol)
        self.span_ns = (PRACTICE_START, PRACTICE_END)
        self._seed = seed

    def day(self, day: int) -> Prints:
        """Return the prints of a UTC day."""
        return Prints(*practice_ticks(self.instrument.symbol, day, seed=self._seed))

    def rows(self, frame: Timeframe, start_ns: int, end_ns: int) -> Rows:
        """Return the bars that lie wholly between two labels of a frame.

        Parameters
        ----------
        frame : Timeframe
            Length of a bar.
        start_ns, end_ns : int
            Labels of the frame, ns UTC; the bar that is labelled with the end is left out.
        """
        start_ns, end_ns = max(start_ns, PRACTICE_START), min(end_ns, PRACTICE_END)
        if end_ns - start_ns < frame.ns:
            return _NO_ROWS
        if frame.ns % _HOUR.ns == 0:
            days = range(start_ns // NS_PER_DAY, (end_ns - 1) // NS_PER_DAY + 1)
            hours = joined_rows([_hourly_rows(self.instrument.symbol, day, self._seed) for day in days])
            first, last = np.searchsorted(hours.time_ns, (start_ns, end_ns))
            return merged_rows(Rows(hours.time_ns[first:last], hours.values[:, first:last]), frame)
        bars = practice_bars(self.instrument.symbol, frame, start_ns, end_ns, seed=self._seed)
        return Rows(bars.time_ns, bars.values[:, 0])


class TickSource:
    """Recorded prints of one market.

    Parameters
    ----------
    instrument : Instrument
        What was traded.
    time_ns : array of int
        ns UTC, never falling, at least one.
    price, volume : array of float
        Finite; prices above 0, volumes at least 0.

    Raises
    ------
    DataError
        The columns do not fit together, are not in order of time, or hold a number that cannot be.
    """

    def __init__(self, instrument: Instrument, time_ns: ArrayLike, price: ArrayLike, volume: ArrayLike) -> None:
        times = np.array(time_ns, dtype=np.int64)
        prices, volumes = np.array(price, dtype=np.float64), np.array(volume, dtype=np.float64)
        if not times.size or not times.shape == prices.shape == volumes.shape:
            shapes = f"{times.shape}, {prices.shape} and {volumes.shape}"
            raise DataError(f"time_ns, price and volume must have one length of at least 1, were {shapes}")
        if (np.diff(times) < 0).any():
            raise DataError("time_ns of recorded ticks must never fall; sort them first")
        if not (np.isfinite(prices) & (prices > 0.0) & np.isfinite(volumes) & (volumes >= 0.0)).all():
            raise DataError("recorded ticks must have finite prices above 0 and finite volumes of at least 0")
        self.instrument = instrument
        self.span_ns = (int(times[0]), int(times[-1]) + 1)
        self._prints = Prints(times, prices, volumes)

    def day(self, day: int) -> Prints:
        """Return the prints of a UTC day."""
        return _between(self._prints, day * NS_PER_DAY, (day + 1) * NS_PER_DAY)

    def rows(self, frame: Timeframe, start_ns: int, end_ns: int) -> Rows:
        """Return the bars that lie wholly between two labels of a frame.

        Parameters
        ----------
        frame : Timeframe
            Length of a bar.
        start_ns, end_ns : int
            Labels of the frame, ns UTC; the bar that is labelled with the end is left out.
        """
        return rows_of_prints(_between(self._prints, start_ns, end_ns), frame)


class BarsSource:
    """Bars of one symbol, played as four prints each: open, low, high and close, whatever the bar was like.

    The open comes at the bar's open time, the close in its last millisecond, the extremes after one and two thirds. The
    volume is cut so that a bar made of the four prints is the bar they came from, to the last bit.

    Parameters
    ----------
    bars : Bars
        One symbol, at least one bar.

    Raises
    ------
    DataError
        There are several symbols or no bars.
    """

    def __init__(self, bars: Bars) -> None:
        if bars.n_symbols != 1 or not len(bars):
            raise DataError(f"a market is played from the bars of one symbol, at least one; was {bars!r}")
        self._bars = bars.one(bars.symbols[0])
        self.instrument = bars.instruments[0]
        self.span_ns = (int(self._bars.time_ns[0]), int(self._bars.time_ns[-1]) + bars.timeframe.ns)

    def day(self, day: int) -> Prints:
        """Return the prints of a UTC day."""
        frame_ns = self._bars.timeframe.ns
        start, end = day * NS_PER_DAY, (day + 1) * NS_PER_DAY
        first, last = np.searchsorted(self._bars.time_ns, (start - frame_ns + 1, end))
        times, values = self._bars.time_ns[first:last], self._bars.values[:, 0, first:last]
        steps = np.array([0, frame_ns // 3, 2 * frame_ns // 3, frame_ns - 1_000_000], dtype=np.int64)
        quarter = _exact_quarter(values[4])
        volume = np.stack([values[4] - 3 * quarter, quarter, quarter, quarter], axis=1).ravel()
        price = values[[0, 2, 1, 3]].T.ravel()
        return _between(Prints((times[:, np.newaxis] + steps).ravel(), price, volume), start, end)

    def rows(self, frame: Timeframe, start_ns: int, end_ns: int) -> Rows:
        """Return the bars that lie wholly between two labels of a frame, from the prints if it is a shorter one.

        Parameters
        ----------
        frame : Timeframe
            Length of a bar.
        start_ns, end_ns : int
            Labels of the frame, ns UTC; the bar that is labelled with the end is left out.
        """
        own = self._bars.timeframe
        if frame.ns < own.ns:
            days = range(start_ns // NS_PER_DAY, (end_ns - 1) // NS_PER_DAY + 1)
            pieces = [rows_of_prints(_between(self.day(day), start_ns, end_ns), frame) for day in days]
            return joined_rows(pieces)
        first, last = np.searchsorted(self._bars.time_ns, (start_ns, end_ns))
        rows = Rows(self._bars.time_ns[first:last], self._bars.values[:, 0, first:last])
        return rows if frame == own else merged_rows(rows, frame)


AnyMarket: TypeAlias = str | Bars | MarketSource
"""A symbol of the practice market, bars of one or several symbols, or a source of prints."""


def sources_of(market: AnyMarket) -> list[MarketSource]:
    """Return the markets that a symbol, bars or a source stand for."""
    if isinstance(market, str):
        return [PracticeSource(market)]
    if isinstance(market, Bars):
        return [BarsSource(market.one(symbol)) for symbol in market.symbols]
    return [market]


def start_of(sources: list[MarketSource]) -> int:
    """Return when time starts: at the practice market's live start, or where every other market has begun."""
    if any(isinstance(source, PracticeSource) for source in sources):
        return PRACTICE_LIVE_START
    return max(source.span_ns[0] for source in sources)


@lru_cache(maxsize=16_384)
def _hourly_rows(symbol: str, day: int, seed: int) -> Rows:
    """Return the 24 hours of a day of the practice market: 1 KB, so that years of them are worth keeping."""
    bars = practice_bars(symbol, _HOUR, day * NS_PER_DAY, (day + 1) * NS_PER_DAY, seed=seed)
    return Rows(bars.time_ns, bars.values[:, 0])


def rows_of_prints(prints: Prints, frame: Timeframe) -> Rows:
    """Return the bars of a frame that prints make."""
    price = prints.price
    return merged_rows(Rows(prints.time_ns, np.stack([price, price, price, price, prints.volume])), frame)


def merged_rows(rows: Rows, frame: Timeframe) -> Rows:
    """Merge bars into those of a longer frame."""
    if not len(rows.time_ns):
        return _NO_ROWS
    labels = frame.floor(rows.time_ns)
    starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))
    lasts = np.concatenate([starts[1:], [len(labels)]]) - 1
    opens, highs, lows, closes, volumes = rows.values
    values = [
        opens[starts],
        np.maximum.reduceat(highs, starts),
        np.minimum.reduceat(lows, starts),
        closes[lasts],
        np.add.reduceat(volumes, starts),
    ]
    return Rows(labels[starts], np.stack(values))


def joined_prints(pieces: list[Prints]) -> Prints:
    """Return several pieces of prints, at least one, as one."""
    columns = zip(*pieces, strict=True)
    time_ns, price, volume = (np.concatenate(column) for column in columns)
    return Prints(time_ns, price, volume)


def joined_rows(pieces: list[Rows]) -> Rows:
    """Return several pieces of bars as one."""
    if not pieces:
        return _NO_ROWS
    return Rows(np.concatenate([piece.time_ns for piece in pieces]), np.hstack([piece.values for piece in pieces]))


def _between(prints: Prints, start_ns: int, end_ns: int) -> Prints:
    first, last = np.searchsorted(prints.time_ns, (start_ns, end_ns))
    return prints.part(int(first), int(last))


def _exact_quarter(volume: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return about a quarter to an eighth of each volume, such that adding the parts up again loses no bit.

    It is a power of two: with the rest in the first print, each partial sum is a multiple of the last bit of the whole.
    """
    quarter = np.zeros_like(volume)
    some = volume > math.ldexp(1.0, -1000)
    quarter[some] = np.exp2(np.floor(np.log2(volume[some])) - 2.0)
    return quarter


_NO_ROWS: Final = Rows(np.empty(0, dtype=np.int64), np.empty((5, 0)))
