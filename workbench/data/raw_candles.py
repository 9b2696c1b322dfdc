"""A candle table as it is: what of each row can be read, and what cannot; nothing is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.data.columns import find_columns, number_advice, numbers_of
from workbench.data.time_column import readable_times, unit_of_numbers
from workbench.model.bars_checks import FIELDS
from workbench.model.times import NS_PER_UNIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from workbench.model.bars import Bars

__all__ = ["RawCandles", "raw_of_bars", "raw_of_table"]

_HALF: Final = 0.5


class RawCandles(NamedTuple):
    """Rows of a candle table in their own order.

    Attributes
    ----------
    time_ns : ndarray of int64, shape (n,)
        Open labels in nanoseconds UTC; 0 where the time cannot be read.
    units : ndarray of str, shape (n,)
        Unit in which each time was read; empty for times that are no numbers or cannot be read.
    values : ndarray of float64, shape (5, n)
        Open, high, low, close, volume; nan where there is no number.
    unread : dict of int to str
        What of a row cannot be read, and why.
    """

    time_ns: NDArray[np.int64]
    units: NDArray[np.str_]
    values: NDArray[np.float64]
    unread: dict[int, str]


def raw_of_bars(bars: Bars) -> RawCandles:
    """Return the rows of the only symbol of `bars`."""
    bars = bars.one(bars.symbols[0])
    return RawCandles(bars.time_ns, np.full(len(bars), ""), bars.values[:, 0], {})


def raw_of_table(
    table: pd.DataFrame,
    *,
    base: str,
    columns: Mapping[str, str] | None = None,
    time_unit: str | None = None,
    time_zone: str | None = None,
) -> RawCandles:
    """Return the rows of a table, with each row's own unit of time.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per bar.
    base : str
        The traded coin.
    columns : mapping, optional
        Names of columns that are not found by themselves.
    time_unit : {"s", "ms", "us", "ns"}, optional
        Unit of all times; without it each row's, by the size of its number.
    time_zone : str, optional
        Zone of times that name none.

    Raises
    ------
    DataError, ConfigError
        Columns or zones are missing, as for `read_columns`: then no row can be read.
    """
    found = find_columns(table, base=base, columns=columns)
    unread: dict[int, str] = {}
    values = np.empty((len(FIELDS), len(table)))
    for index, name in enumerate(FIELDS):
        values[index] = numbers_of(found[name])
        for row in np.flatnonzero(np.isnan(values[index]) & found[name].notna().to_numpy()):
            word = str(found[name].iloc[row])
            unread.setdefault(int(row), f"{name} is no number, was {word!r}{number_advice(word)}")
    column = found["time"]
    numbers = numbers_of(column)
    # A stray number among dates makes no column of numbers, nor a stray word among numbers one of dates.
    if column.dtype.kind not in "iuf" and np.isfinite(numbers).mean() < _HALF:
        time_ns, units = _clear_times(column, unread, time_zone), np.full(len(table), "")
    else:
        time_ns, units = _number_times(numbers, time_unit)
        for row in np.flatnonzero(units == ""):
            unread[int(row)] = f"time is in no unit of the years 2009 to 2099, was {column.iloc[row]!r}"
    return RawCandles(time_ns, units, values, unread)


def _number_times(numbers: NDArray[np.float64], time_unit: str | None) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Return numbers as times, each in the stated unit or its own, and the units."""
    units = unit_of_numbers(numbers)
    if time_unit is not None:
        units = np.where(units == time_unit, units, "")
    time_ns = np.zeros(len(numbers), dtype=np.int64)
    for unit, ns in NS_PER_UNIT.items():
        rows = units == unit
        whole = np.floor(numbers[rows])
        # Whole part and fraction apart: as a float64 of nanoseconds a time of today is off by up to 128.
        time_ns[rows] = whole.astype(np.int64) * ns + np.rint((numbers[rows] - whole) * ns).astype(np.int64)
    return time_ns, units


def _clear_times(column: pd.Series, unread: dict[int, str], time_zone: str | None) -> NDArray[np.int64]:
    """Return times that are no numbers, 0 where one cannot be read."""
    aware = readable_times(column, time_zone)
    missing = aware.isna().to_numpy()
    for row in np.flatnonzero(missing):
        unread[int(row)] = f"time cannot be read, was {column.iloc[row]!r}"
    # A missing time becomes the smallest number there is.
    stamps = aware.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[ns]").view(np.int64)
    return np.where(missing, 0, stamps)
