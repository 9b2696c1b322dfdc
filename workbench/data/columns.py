"""Which column of a table is which, and what its times and numbers mean; nothing is repaired."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.data.time_column import read_times
from workbench.errors import BarError, ConfigError, DataError
from workbench.model.bars_checks import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["CandleColumns", "find_columns", "number_advice", "numbers_of", "read_columns"]

_NAMES: Final = {
    "time": (
        "time_ns",
        "open_time",
        "open time",
        "opentime",
        "timestamp",
        "unix",
        "time",
        "datetime",
        "date",
        "__index_level_0__",
    ),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
}

_GROUPED: Final = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_COMMA: Final = re.compile(r"-?\d+,\d*")


class CandleColumns(NamedTuple):
    """The columns of a candle table.

    Attributes
    ----------
    time_ns : ndarray of int64, shape (n,)
        Open of each bar in nanoseconds UTC.
    values : ndarray of float64, shape (5, n)
        Open, high, low, close and volume.
    """

    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]


def read_columns(
    table: pd.DataFrame,
    *,
    base: str,
    columns: Mapping[str, str] | None = None,
    time_unit: str | None = None,
    time_zone: str | None = None,
) -> CandleColumns:
    """Find the six columns of candles in a table and read their times and numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per bar.
    base : str
        The traded coin: a column "Volume BTC" is the volume of BTC/USDT, "Volume USDT" is not.
    columns : mapping, optional
        From ``time``, ``open``, ``high``, ``low``, ``close``, ``volume`` to the table's name, for those that are not
        found by themselves.
    time_unit : {"s", "ms", "us", "ns"}, optional
        Unit of times given as numbers; without it, the only unit that puts all of them between the years 2009 and 2100.
    time_zone : str, optional
        Zone of times that name none; without it they are refused.

    Returns
    -------
    CandleColumns
        Arrays in the table's order.

    Raises
    ------
    ConfigError
        A wrong key in `columns`, or a wrong `time_unit`.
    DataError
        A column is missing, or the times have no zone.
    BarError
        A row's time or number cannot be read; names the row.
    """
    found = find_columns(table, base=base, columns=columns)
    numbers = [_numbers(found[name], name) for name in FIELDS]
    return CandleColumns(read_times(found["time"], time_unit, time_zone), np.stack(numbers))


def find_columns(table: pd.DataFrame, *, base: str, columns: Mapping[str, str] | None = None) -> dict[str, pd.Series]:
    """Return the six columns of a candle table by what they hold; parameters and errors as for `read_columns`.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per bar.
    base : str
        The traded coin.
    columns : mapping, optional
        Names of those that are not found by themselves.
    """
    unknown = sorted(set(columns or {}) - set(_NAMES))
    if unknown:
        raise ConfigError(f"columns may name {', '.join(_NAMES)}, was {', '.join(map(repr, unknown))}")
    return {name: _find(table, name, base, (columns or {}).get(name)) for name in _NAMES}


def _find(table: pd.DataFrame, name: str, base: str, wanted: str | None) -> pd.Series:
    """Return the column that holds `name`."""
    left_out = {column.lower(): kind for column, kind in table.attrs.get("left_out", {}).items()}
    for column in (wanted,) if wanted is not None else _NAMES[name]:
        if column.lower() in left_out:
            raise DataError(
                f"column {column!r} holds {left_out[column.lower()]}, which is neither number, time nor text"
            )
    if wanted is not None:
        if wanted in table.columns:
            return table[wanted]
        raise DataError(f"there is no column {wanted!r} for {name}; the columns are {_listed(table)}")
    by_name = {str(column).strip().lower(): column for column in reversed(table.columns)}
    aliases = (*_NAMES[name], f"volume {base}".lower()) if name == "volume" else _NAMES[name]
    for alias in aliases:
        if alias in by_name:
            return table[by_name[alias]]
    if name == "time" and table.index.dtype.kind == "M":
        return table.index.to_series()
    raise DataError(
        f"there is no column for {name} (looked for {', '.join(aliases)}); the columns are {_listed(table)}: "
        f'pass columns={{"{name}": "..."}}'
    )


def _listed(table: pd.DataFrame) -> str:
    return ", ".join(str(column) for column in table.columns) or "none"


def _numbers(column: pd.Series, name: str) -> NDArray[np.float64]:
    """Return a column as floats; a cell that is no number names its row."""
    values = numbers_of(column)
    unread = np.flatnonzero(np.isnan(values) & column.notna().to_numpy())
    if len(unread):
        row = int(unread[0])
        word = str(column.iloc[row])
        raise BarError(f"row {row}: {name} must be a number, was {word!r}{number_advice(word)}")
    return values


def numbers_of(column: pd.Series) -> NDArray[np.float64]:
    """Return a `column` as floats, nan where a cell is no number; true and false are none."""
    import pandas as pd  # noqa: PLC0415 - half a second that only reading a table may cost

    if column.dtype == object:
        column = column.where(~column.map(lambda cell: isinstance(cell, bool)))
    elif pd.api.types.is_bool_dtype(column.dtype) or column.dtype.kind in "Mm":
        return np.full(len(column), np.nan)
    numbers: NDArray[np.float64] = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers


def number_advice(word: str) -> str:
    """Return what to pass so that a word with commas is read as a number, as the end of a message.

    Examples
    --------
    >>> number_advice("1,234.5")
    " (pass file_format=FileFormat(thousands=',') if that is what it means)"
    >>> number_advice("n/a")
    ''
    """
    if _GROUPED.fullmatch(word):
        return " (pass file_format=FileFormat(thousands=',') if that is what it means)"
    if _COMMA.fullmatch(word):
        return " (pass file_format=FileFormat(separator=';', decimal=',') if that is what it means)"
    return ""
