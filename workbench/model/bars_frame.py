"""Bars from and to data frames, without importing the library that made the frame."""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.model.bar_table import BarTable
from workbench.model.bars_checks import FIELDS, real_numbers
from workbench.model.times import (
    EARLIEST_TIME_NS,
    LATEST_TIME_NS,
    NS_PER_SECOND,
    NS_PER_UNIT,
    likely_time_unit,
    parse_time_ns,
    time_problem,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Column", "Frame", "bars_to_frame", "columns_of_frame"]

Frame: TypeAlias = Any
"""A data frame of any library: it has ``columns``, ``frame[name]`` and, maybe, an ``index``."""

Column: TypeAlias = Any
"""A column or index of any library: it has a ``dtype`` and ``to_numpy()``."""

_TIME_NAMES: Final = ("time", "timestamp", "datetime", "date", "open_time", "opentime", "open time", "time_ns", "unix")

# From here on float64 skips whole numbers, so that a time may have lost its last digits.
_EXACT_FLOATS: Final = 2.0**53


def columns_of_frame(
    frame: Frame, columns: Mapping[str, str], time_unit: str | None
) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
    """Return a frame's times in nanoseconds UTC and its five columns of numbers.

    Parameters
    ----------
    frame : data frame
        Anything with ``columns``, ``frame[name]`` and, maybe, ``index``.
    columns : mapping
        The frame's own names for ``time open high low close volume`` where they are others.
    time_unit : {"s", "ms", "us", "ns"} or None
        Unit of integer times.

    Raises
    ------
    DataError
        A column is missing or holds no numbers, times are naive or missing, or their unit is wrong.
    """
    if time_unit is not None and time_unit not in NS_PER_UNIT:
        raise DataError(f"time_unit must be one of {', '.join(map(repr, NS_PER_UNIT))}, was {time_unit!r}")
    unknown = sorted(set(columns) - {"time", *FIELDS})
    if unknown:
        raise DataError(f"columns may name time, {', '.join(FIELDS)}, was {', '.join(unknown)}")
    if not hasattr(frame, "columns"):
        raise DataError(
            f"frame must be a data frame with columns, was {type(frame).__name__}; from_arrays takes arrays"
        )
    values = [_numbers(frame[_label(frame, columns, field)], field) for field in FIELDS]
    return _times(_time_source(frame, columns), time_unit), values


def bars_to_frame(bars: BarTable) -> "pd.DataFrame":
    """Return bars as a pandas frame with an aware index; several symbols become a level above the fields."""
    import pandas as pd  # noqa: PLC0415 -- this room loads without pandas; only who wants a frame waits for it

    index = pd.DatetimeIndex(bars.time_ns.view("M8[ns]"), name="time").tz_localize("UTC")
    if bars.n_symbols == 1:
        return pd.DataFrame({field: bars.values[row, 0] for row, field in enumerate(FIELDS)}, index=index)
    labels = pd.MultiIndex.from_product([bars.symbols, FIELDS], names=["symbol", "field"])
    table = bars.values.transpose(2, 1, 0).copy().reshape(len(bars), len(labels))
    return pd.DataFrame(table, index=index, columns=labels)


def _label(frame: Frame, columns: Mapping[str, str], field: str) -> str:
    """Return the frame's own label of a field: the very one that was asked for, else one that differs in case only."""
    labels = list(frame.columns)
    wanted = columns.get(field, field)
    if wanted in labels:
        return wanted
    for label in labels:
        if str(label).strip().lower() == wanted.strip().lower():
            return label  # type: ignore[no-any-return]  # whatever type the frame's labels have, it takes them back
    raise DataError(f"no column {wanted!r}; there are: {_listed(labels)}. Name it with columns={{{field!r}: ...}}")


def _numbers(column: Column, field: str) -> NDArray[np.float64]:
    try:
        numbers = column.to_numpy()
        if numbers.dtype.kind == "O" and hasattr(column, "isna"):
            numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)  # pandas' own NA is no float
        return real_numbers(numbers)
    except (TypeError, ValueError, OverflowError) as cause:
        raise DataError(f"column of {field} must hold numbers: {cause}") from cause


def _time_source(frame: Frame, columns: Mapping[str, str]) -> Column:
    """Return where the times are: as asked for, else an index of times, else the first column with a usual name."""
    index = getattr(frame, "index", None)
    if "time" in columns:
        is_index = index is not None and getattr(index, "name", None) == columns["time"]
        return index if is_index else frame[_label(frame, columns, "time")]
    if index is not None and _holds_times(index):
        return index
    labels = {str(label).strip().lower(): label for label in reversed(list(frame.columns))}
    for name in _TIME_NAMES:
        if name in labels:
            return frame[labels[name]]
    listed = _listed(frame.columns)
    raise DataError(f"no times: neither the index nor a column ({listed}) is one. Name it with columns={{'time': ...}}")


def _holds_times(index: Column) -> bool:
    dtype = str(getattr(index, "dtype", ""))
    name = str(getattr(index, "name", "")).strip().lower()
    return "datetime" in dtype or "timestamp" in dtype or name in _TIME_NAMES


def _times(source: Column, time_unit: str | None) -> NDArray[np.int64]:
    """Return times in nanoseconds UTC from aware datetimes or integers."""
    if _zone(source.dtype) is not None:
        return _from_aware(source)
    array = source.to_numpy()
    if array.dtype.kind == "M":
        raise DataError("times must have a time zone, were naive; add one first, as in frame.tz_localize('UTC')")
    if array.dtype.kind in "iuf":
        return _from_integers(_whole_numbers(array), time_unit)
    if array.dtype.kind == "O" and all(isinstance(item, dt.datetime) for item in array):
        return np.array([parse_time_ns(item, f"row {row}: time") for row, item in enumerate(array)], dtype=np.int64)
    advice = "convert them first, as in pandas.to_datetime(column, utc=True)"
    raise DataError(f"times must be aware datetimes or integers, were {source.dtype}; {advice}")


def _zone(dtype: object) -> object:
    """Return the time zone of a column's type, whichever library it is of, or ``None``."""
    own = getattr(dtype, "pyarrow_dtype", dtype)
    return getattr(own, "tz", None) or getattr(own, "time_zone", None)


def _from_aware(source: Column) -> NDArray[np.int64]:
    """Return aware times in nanoseconds UTC after checking that each is there and can be held in nanoseconds."""
    seconds = _stamps(source, "s")
    missing = np.isnat(seconds)
    if missing.any():
        raise DataError(f"row {int(missing.argmax())}: time is missing ({int(missing.sum())} in all)")
    # A frame's coarser unit reaches further than nanoseconds do, and numpy wraps around there without a word.
    since_epoch = seconds.view(np.int64)
    bad = (since_epoch < EARLIEST_TIME_NS // NS_PER_SECOND) | (since_epoch >= LATEST_TIME_NS // NS_PER_SECOND)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"row {row}: time {seconds[row]}Z is not in 2009..2099 ({int(bad.sum())} in all)")
    return _stamps(source, "ns").view(np.int64)


def _stamps(source: Column, unit: str) -> NDArray[np.datetime64]:
    """Return aware times as numpy's stamps in UTC and in the given unit."""
    try:
        # Unless asked for a type pandas makes an object per row; asked for one it converts to UTC, whatever its unit.
        stamps = source.to_numpy(dtype=f"datetime64[{unit}]")
    except TypeError:
        stamps = source.to_numpy()  # polars has no such argument, and always hands out UTC
    return np.asarray(stamps, dtype=f"datetime64[{unit}]")


def _whole_numbers(times: NDArray[Any]) -> NDArray[np.int64]:
    """Return numbers as integers; a reader of text files makes floats of whole numbers as soon as one is missing."""
    if times.dtype.kind == "f":
        bad = ~((np.abs(times) < _EXACT_FLOATS) & (times == np.floor(times)))
        if bad.any():
            row = int(bad.argmax())
            what = "time is missing" if np.isnan(times[row]) else f"time {times[row]} is no whole number below 2**53"
            raise DataError(f"row {row}: {what} ({int(bad.sum())} in all)")
    return times.astype(np.int64)


def _from_integers(times: NDArray[np.int64], time_unit: str | None) -> NDArray[np.int64]:
    """Return integer times in nanoseconds after checking that they fit the unit they are said to have."""
    if not times.size:
        return times
    if time_unit is None:
        likely = likely_time_unit(int(times[0]))
        hint = f"; these look like time_unit={likely!r}" if likely else ""
        raise DataError(f"integer times need time_unit ('s', 'ms', 'us' or 'ns'){hint}")
    ns_per_unit = NS_PER_UNIT[time_unit]
    bad = (times < EARLIEST_TIME_NS // ns_per_unit) | (times >= LATEST_TIME_NS // ns_per_unit)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"row {row}: {time_problem(int(times[row]), time_unit)} ({int(bad.sum())} in all)")
    return times * ns_per_unit


def _listed(labels: Column) -> str:
    return ", ".join(str(label) for label in labels)
