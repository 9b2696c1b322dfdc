"""The times of a candle table: numbers in whichever unit, aware times, or text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import BarError, ConfigError, DataError
from workbench.model.times import EARLIEST_TIME_NS, LATEST_TIME_NS, NS_PER_UNIT

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["UNIT_WORDS", "read_times", "readable_times", "unit_of_numbers"]

UNIT_WORDS: Final = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_NO_UNIT: Final = ""
_MOST: Final = 0.5
_DATE: Final = r"\d{4}-\d{2}-\d{2}"
_ZONED: Final = r".*\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[Zz]|[+-]\d{2}(?::?\d{2})?)"
_NAIVE: Final = r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_ZONE_ADVICE: Final = (
    ', so it could mean anything: name a column of whole numbers, as in columns={"time": "unix"}, or say which zone it '
    'is, as in file_format=FileFormat(time_zone="UTC")'
)


def read_times(column: pd.Series, time_unit: str | None = None, time_zone: str | None = None) -> NDArray[np.int64]:
    """Return a column of times as nanoseconds UTC.

    Parameters
    ----------
    column : pandas.Series
        Whole or broken numbers since 1970, aware times, or ISO 8601 text with zones; text that is dates alone means UTC
        days.
    time_unit : {"s", "ms", "us", "ns"}, optional
        Unit of numbers; without it the one in which the first is of the years 2009 to 2099. All others must be in the
        same.
    time_zone : str, optional
        Zone of times that name none; without it they are refused. Dates alone mean UTC days in any case.

    Returns
    -------
    ndarray of int64
        In the column's order.

    Raises
    ------
    ConfigError
        `time_unit` is none of the four.
    DataError
        The times have no zone.
    BarError
        A row's time is missing, cannot be read, or looks like another unit; names the row.
    """
    import pandas as pd  # noqa: PLC0415 - half a second that only reading a table may cost

    if time_unit is not None and time_unit not in NS_PER_UNIT:
        raise ConfigError(f"time_unit must be one of {', '.join(NS_PER_UNIT)}, was {time_unit!r}")
    empty = np.flatnonzero(column.isna().to_numpy())
    if len(empty):
        raise BarError(f"row {int(empty[0])}: the time is missing")
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return _number_times(column.to_numpy(), time_unit)
    if column.dtype.kind not in "biufMm":
        # Numbers that were written as text, as in "1735689600000", are numbers.
        numbers = pd.to_numeric(column.astype(str).str.strip(), errors="coerce")
        if numbers.notna().all():
            return _number_times(numbers.to_numpy(), time_unit)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        aware = column
    elif column.dtype.kind == "M":
        if time_zone is None:
            raise DataError(f"times have no zone (row 0 is {column.iloc[0]}){_ZONE_ADVICE}")
        aware = _in_zone(column, time_zone)
    else:
        aware = _text_times(column, time_zone)
    stamps: NDArray[np.datetime64] = aware.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
    return stamps.view(np.int64)


def readable_times(column: pd.Series, time_zone: str | None = None) -> pd.Series:
    """Return times that are no numbers as aware times, not a time (``NaT``) where one cannot be read.

    Parameters
    ----------
    column : pandas.Series
        Times or text.
    time_zone : str, optional
        Zone of times that name none.

    Raises
    ------
    DataError
        No time has a zone.
    """
    import pandas as pd  # noqa: PLC0415 - half a second that only reading a table may cost

    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column
    if column.dtype.kind == "M":
        if time_zone is None:
            raise DataError(f"times have no zone (row 0 is {column.iloc[0]}){_ZONE_ADVICE}")
        return _nearly_in_zone(column, time_zone)
    text = column.astype(str).str.strip()
    if time_zone is not None and text.str.fullmatch(_NAIVE).any():
        naive = pd.to_datetime(text.where(text.str.fullmatch(_NAIVE)), format="ISO8601", errors="coerce")
        return _nearly_in_zone(naive, time_zone)
    is_clear = text.str.fullmatch(_DATE) | text.str.fullmatch(_ZONED)
    if not is_clear.any():
        raise DataError(f"row 0: time {text.iloc[0]!r} has no zone (or is not ISO 8601){_ZONE_ADVICE}")
    return pd.to_datetime(text.where(is_clear), format="ISO8601", utc=True, errors="coerce")


def _nearly_in_zone(naive: pd.Series, time_zone: str) -> pd.Series:
    """Return times as times of a zone; no time where its clock shows one twice or never."""
    aware: pd.Series = naive.dt.tz_localize(time_zone, ambiguous="NaT", nonexistent="NaT")
    return aware


def unit_of_numbers(numbers: NDArray[np.float64]) -> NDArray[np.str_]:
    """Return the only unit in which each number is a time of the years 2009 to 2099; empty where there is none.

    Parameters
    ----------
    numbers : ndarray of float64, shape (n,)
        Counts since 1970.

    Examples
    --------
    >>> unit_of_numbers(np.array([1.7e9, 1.7e12, 12.0])).tolist()
    ['s', 'ms', '']
    """
    units = np.full(len(numbers), _NO_UNIT, dtype="<U2")
    for unit, ns in NS_PER_UNIT.items():
        units[(numbers >= EARLIEST_TIME_NS // ns) & (numbers < LATEST_TIME_NS // ns)] = unit
    return units


def _in_zone(naive: pd.Series, time_zone: str) -> pd.Series:
    """Return times without a zone as times of that zone; one that its clock shows twice or never is refused."""
    try:
        aware: pd.Series = naive.dt.tz_localize(time_zone, ambiguous="raise", nonexistent="raise")
    except ValueError as error:
        first = str(error).splitlines()[0]
        raise DataError(f"times cannot be of {time_zone}, whose clock is changed twice a year: {first}") from error
    return aware


def _text_times(column: pd.Series, time_zone: str | None) -> pd.Series:
    """Return times written as text as aware times."""
    import pandas as pd  # noqa: PLC0415 - half a second that only reading a table may cost

    text = column.astype(str).str.strip()
    if time_zone is not None and text.str.fullmatch(_NAIVE).all():
        return _in_zone(pd.to_datetime(text, format="ISO8601"), time_zone)
    numbers = pd.to_numeric(text, errors="coerce").notna().to_numpy()
    if numbers.mean() > _MOST:
        row = int(np.flatnonzero(~numbers)[0])
        raise BarError(f"row {row}: time {text.iloc[row]!r} is no number, as the times of most rows are")
    is_clear = text.str.fullmatch(_DATE) | text.str.fullmatch(_ZONED)
    unclear = np.flatnonzero(~is_clear.to_numpy(dtype=np.bool_))
    if len(unclear):
        row = int(unclear[0])
        raise DataError(f"row {row}: time {text.iloc[row]!r} has no zone (or is not ISO 8601){_ZONE_ADVICE}")
    try:
        return pd.to_datetime(text, format="ISO8601", utc=True)
    except ValueError as error:
        raise BarError(f"times cannot be read: {str(error).splitlines()[0]}") from error


def _number_times(values: NDArray[np.generic], time_unit: str | None) -> NDArray[np.int64]:
    """Return times given as numbers in nanoseconds, after looking at the unit of every row."""
    numbers = values.astype(np.float64)
    units = unit_of_numbers(numbers)
    unit = str(units[0]) if time_unit is None else time_unit
    other = np.flatnonzero((units != unit) | (units == _NO_UNIT))
    if len(other):
        row = int(other[0])
        looks = UNIT_WORDS.get(str(units[row]), "no unit that gives a year from 2009 to 2099")
        should = (
            "" if unit == _NO_UNIT else f", where {UNIT_WORDS[unit]} {'are expected' if time_unit else 'came before'}"
        )
        raise BarError(f"row {row}: time {values[row]} looks like {looks}{should}")
    if values.dtype.kind in "iu":
        return values.astype(np.int64) * NS_PER_UNIT[unit]
    # Whole part and fraction apart: as a float64 of nanoseconds a time of today is off by up to 128.
    whole = np.floor(numbers)
    return whole.astype(np.int64) * NS_PER_UNIT[unit] + np.rint((numbers - whole) * NS_PER_UNIT[unit]).astype(np.int64)
