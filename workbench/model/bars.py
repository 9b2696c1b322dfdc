"""Columns of bars for one or many symbols on one time axis."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError
from workbench.model.bar_table import BarTable
from workbench.model.bars_checks import FIELDS, real_numbers
from workbench.model.bars_frame import bars_to_frame, columns_of_frame
from workbench.model.bars_join import joined_columns
from workbench.model.instrument import Instrument
from workbench.model.market import Bar
from workbench.model.timeframe import Timeframe
from workbench.model.times import parse_time_ns, utc_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Bars"]


@final
class Bars(BarTable):
    """Bars of one or many symbols on one time axis: immutable, checked, in columns.

    Make them with :meth:`from_arrays`, :meth:`from_frame` or :meth:`join`. Where a symbol has no bar at a time of the
    axis, its five numbers are ``nan`` and ``valid`` is false. Slicing by position (``bars[100:200]``) or by time
    (:meth:`between`) makes views and copies nothing. Bars with the same content hash are equal.

    Parameters
    ----------
    symbols : tuple of str
        The symbols, each once.
    timeframe : Timeframe
        Length of the bars.
    instruments : tuple of Instrument
        One per symbol, in the same order.
    time_ns : ndarray of int64, shape (n,)
        Open labels, nanoseconds UTC, strictly ascending and at least one timeframe apart. They need not lie on the
        timeframe's grid, and gaps are allowed.
    values : ndarray of float64, shape (5, n_symbols, n)
        Open, high, low, close, volume. C-contiguous, except in a slice of more than a row, where each row is.

    Attributes
    ----------
    valid : ndarray of bool, shape (n_symbols, n)
        Where a symbol has a bar.

    Raises
    ------
    BarError
        A price is not finite or not positive, high is below low, open or close lie outside, a volume is negative, a row
        is ``nan`` in part, or bars overlap. The message has the first bad row, its time, the reason, and how many rows
        are bad.
    OutOfOrderError
        Times are unsorted or duplicate.
    DataError
        Times are in another unit, or shapes or symbols do not fit together.

    Examples
    --------
    >>> start, hour = 1_735_689_600_000_000_000, 3_600_000_000_000
    >>> bars = Bars.from_arrays("BTC/USDT", "1h", [start, start + hour],
    ...     open=[10.0, 11.0], high=[12.0, 12.0], low=[9.0, 10.0], close=[11.0, 10.5], volume=[5.0, 0.0])
    >>> bars
    Bars('BTC/USDT', '1h', 2 bars, 2025-01-01T00:00Z .. 2025-01-01T01:00Z)
    >>> bars.close
    array([11. , 10.5])
    >>> bars.between("2025-01-01T01:00Z").bar(0).open
    11.0
    """

    __slots__ = ()

    @classmethod
    def from_arrays(  # noqa: PLR0913 -- one argument per column is what a caller has in hand
        cls,
        symbols: str | Sequence[str],
        timeframe: str | Timeframe,
        time_ns: ArrayLike,
        open: ArrayLike,  # noqa: A002 -- the field's own word
        high: ArrayLike,
        low: ArrayLike,
        close: ArrayLike,
        volume: ArrayLike,
        instruments: Instrument | Sequence[Instrument] | None = None,
    ) -> Self:
        """Return bars made from columns; the arrays are copied.

        Parameters
        ----------
        symbols : str or sequence of str
            One symbol, or several.
        timeframe : str or Timeframe
            Length of the bars.
        time_ns : array of int, shape (n,)
            Open labels, nanoseconds UTC, strictly ascending.
        open, high, low, close, volume : array of float, shape (n,) or (n_symbols, n)
            One row per symbol. All five ``nan`` means that the symbol has no bar there.
        instruments : Instrument or sequence of Instrument, optional
            One per symbol; without them each symbol becomes a plain instrument without steps.

        Raises
        ------
        BarError, OutOfOrderError, DataError
            As for the class.
        """
        names = tuple(symbols) if isinstance(symbols, Sequence) and not isinstance(symbols, str) else (symbols,)
        times = _integer_times(time_ns)
        values = np.empty((len(FIELDS), len(names), times.size))
        for index, column in enumerate((open, high, low, close, volume)):
            values[index] = _column(FIELDS[index], column, len(names), times.size)
        return cls._owning(names, Timeframe.of(timeframe), _instruments_of(names, instruments), times, values)

    @classmethod
    def from_frame(
        cls,
        frame: Any,  # noqa: ANN401 -- any library's frame: pandas is not imported here
        *,
        symbol: str,
        timeframe: str | Timeframe,
        columns: Mapping[str, str] | None = None,
        instrument: Instrument | None = None,
        time_unit: str | None = None,
    ) -> Self:
        """Return one symbol's bars from any data frame; its data are copied.

        Parameters
        ----------
        frame : data frame
            Columns ``open high low close volume`` in any letter case, and times either in an aware index or in a column
            named ``time``, ``timestamp``, ``date``, ``datetime``, ``open_time`` or the like.
        symbol : str
            The symbol.
        timeframe : str or Timeframe
            Length of the bars.
        columns : mapping, optional
            The frame's own names where they are others: ``{"time": "unix", "volume": "Volume BTC"}``.
        instrument : Instrument, optional
            The exchange's rules; without it a plain instrument without steps.
        time_unit : {"s", "ms", "us", "ns"}, optional
            Unit of integer times, for which it is required. A unit that does not fit the numbers is refused.

        Raises
        ------
        DataError
            A column is missing or holds no numbers, times are naive or missing, or their unit is wrong.
        BarError, OutOfOrderError
            As for the class.
        """
        times, values = columns_of_frame(frame, columns or {}, time_unit)
        opens, highs, lows, closes, volumes = values
        return cls.from_arrays(symbol, timeframe, times, opens, highs, lows, closes, volumes, instrument)

    @classmethod
    def join(cls, parts: "Iterable[Bars]") -> Self:
        """Return the bars of several symbols on one time axis: the union of theirs, a missing bar where one has none.

        Parameters
        ----------
        parts : iterable of Bars
            Of one timeframe, with no symbol twice.

        Raises
        ------
        DataError
            There are none, timeframes differ, or a symbol comes twice.
        BarError
            The symbols' labels do not share a grid, so that bars of the joint axis would overlap.
        """
        return cls._owning(*joined_columns(tuple(parts)))

    def to_frame(self) -> "pd.DataFrame":
        """Return a copy as a pandas frame with an aware index named ``time``.

        Returns
        -------
        pandas.DataFrame
            Columns ``open high low close volume``; for several symbols two levels, the symbol above.
        """
        return bars_to_frame(self)

    def one(self, symbol: str) -> "Bars":
        """Return one symbol's bars without its missing rows.

        Raises
        ------
        DataError
            There is no such symbol; the message names those there are.
        """
        index = self.symbol_index(symbol)
        which = slice(index, index + 1)
        valid = self.valid[index]
        if valid.all():
            return self if self.n_symbols == 1 else self._view(which, slice(None))
        values = np.ascontiguousarray(self.values[:, which, valid])
        arrays = (self.time_ns[valid], values, np.ones(values.shape[1:], dtype=np.bool_))
        return self._trusted(self.symbols[which], self.instruments[which], self.timeframe, arrays)

    def between(
        self, start: int | str | dt.datetime | None = None, end: int | str | dt.datetime | None = None
    ) -> "Bars":
        """Return the bars with ``start <= open label < end`` as views.

        Parameters
        ----------
        start, end : int, str or datetime, optional
            Nanoseconds, an aware ``datetime``, or ISO text: a date (midnight UTC) or a time with a zone; ``None`` = no
            limit.

        Raises
        ------
        DataError
            A time is naive or no time at all, or start is after end.
        """
        start_ns = None if start is None else parse_time_ns(start, "start")
        end_ns = None if end is None else parse_time_ns(end, "end")
        if start_ns is not None and end_ns is not None and start_ns > end_ns:
            raise DataError(f"start must not be after end, was {utc_text(start_ns)} with end {utc_text(end_ns)}")
        first = 0 if start_ns is None else int(np.searchsorted(self.time_ns, start_ns))
        last = len(self) if end_ns is None else int(np.searchsorted(self.time_ns, end_ns))
        return self[first:last]

    def bar(self, i: int, symbol: str | None = None) -> Bar:
        """Return one bar by position; negative positions count from the end.

        Parameters
        ----------
        i : int
            Position on the time axis.
        symbol : str, optional
            Needed only when there are several.

        Raises
        ------
        DataError
            There is no such position or symbol, or the bar is missing there.
        """
        if not -len(self) <= i < len(self):
            raise DataError(f"bar position must be in [{-len(self)}, {len(self)}), was {i}")
        index = self._only_symbol(f"bar({i})") if symbol is None else self.symbol_index(symbol)
        time_ns = int(self.time_ns[i])
        if not self.valid[index, i]:
            raise DataError(f"{self.symbols[index]} has no bar at position {i} ({utc_text(time_ns)})")
        opened, high, low, close, volume = map(float, self.values[:, index, i])
        return Bar(self.symbols[index], time_ns, opened, high, low, close, volume)

    def __getitem__(self, rows: slice) -> "Bars":
        # A plain int, the likely mistake, has no step.
        if getattr(rows, "step", 0) not in (None, 1):
            raise DataError(f"bars take slices of step 1, as in bars[10:20]; one bar is bars.bar(10); was {rows!r}")
        return self._view(slice(None), rows)

    def _view(self, which: slice, rows: slice) -> "Bars":
        """Return some symbols and rows without copying."""
        arrays = (self.time_ns[rows], self.values[:, which, rows], self.valid[which, rows])
        return self._trusted(self.symbols[which], self.instruments[which], self.timeframe, arrays)


def _column(name: str, column: ArrayLike, n_symbols: int, n_rows: int) -> NDArray[np.float64]:
    """Return one field as numbers, after checking that it has a number for every symbol and time."""
    try:
        numbers = real_numbers(column)
    except (TypeError, ValueError, OverflowError) as cause:
        raise DataError(f"{name} must hold numbers: {cause}") from cause
    shapes = {(n_symbols, n_rows)} | ({(n_rows,)} if n_symbols == 1 else set())
    if numbers.shape not in shapes:
        raise DataError(f"{name} must have the shape {min(shapes, key=len)} of symbols and times, was {numbers.shape}")
    return numbers


def _integer_times(time_ns: ArrayLike) -> NDArray[np.int64]:
    times = np.asarray(time_ns)
    if times.ndim != 1:
        raise DataError(f"time_ns must have one dimension, had {times.ndim}")
    if times.size and times.dtype.kind not in "iu":
        hint = "; datetime64 has no time zone, so say which it is in first" if times.dtype.kind == "M" else ""
        raise DataError(f"time_ns must hold integers (nanoseconds UTC), was {times.dtype}{hint}")
    return times.astype(np.int64)  # always a copy


def _instruments_of(
    symbols: tuple[str, ...], instruments: Instrument | Sequence[Instrument] | None
) -> tuple[Instrument, ...]:
    if instruments is None:
        return tuple(Instrument.of(symbol) for symbol in symbols)
    return (instruments,) if isinstance(instruments, Instrument) else tuple(instruments)
