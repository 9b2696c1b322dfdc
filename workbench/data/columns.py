"""Which column of a table is which, and what its times and numbers mean; nothing is repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.data.time_column import read_times
from workbench.errors import BarError, ConfigError, DataError
from workbench.model.bars_checks import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["CandleColumns", "read_columns"]

_NAMES: Final = {
    "time": ("time_ns", "open_time", "open time", "opentime", "timestamp", "unix", "time", "datetime", "date"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
}


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
    table: pd.DataFrame, *, base: str, columns: Mapping[str, str] | None = None, time_unit: str | None = None
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
    unknown = sorted(set(columns or {}) - set(_NAMES))
    if unknown:
        raise ConfigError(f"columns may name {', '.join(_NAMES)}, was {', '.join(map(repr, unknown))}")
    found = {name: _find(table, name, base, (columns or {}).get(name)) for name in _NAMES}
    numbers = [_numbers(found[name], name) for name in FIELDS]
    return CandleColumns(read_times(found["time"], time_unit), np.stack(numbers))


def _find(table: pd.DataFrame, name: str, base: str, wanted: str | None) -> pd.Series:
    """Return the column that holds `name`."""
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
    import pandas as pd  # noqa: PLC0415 - half a second that only reading a table may cost

    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    unread = np.flatnonzero(np.isnan(values) & column.notna().to_numpy())
    if len(unread):
        row = int(unread[0])
        raise BarError(f"row {row}: {name} must be a number, was {column.iloc[row]!r}")
    return values
