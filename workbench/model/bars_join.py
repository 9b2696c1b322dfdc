"""Put the bars of several symbols on one time axis."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.model.bar_table import BarTable
from workbench.model.instrument import Instrument
from workbench.model.timeframe import Timeframe

__all__ = ["joined_columns"]


def joined_columns(
    parts: Sequence[BarTable],
) -> tuple[tuple[str, ...], Timeframe, tuple[Instrument, ...], NDArray[np.int64], NDArray[np.float64]]:
    """Return symbols, timeframe, instruments, times and values of an outer join.

    Parameters
    ----------
    parts : sequence of bars
        Of one timeframe, with no symbol twice.

    Returns
    -------
    tuple
        The times are the union; where a symbol has no bar its five values are ``nan``.

    Raises
    ------
    DataError
        There are no parts, timeframes differ, or a symbol comes twice.
    """
    if not parts:
        raise DataError("join needs at least one Bars, was given none")
    strange = [type(part).__name__ for part in parts if not isinstance(part, BarTable)]
    if strange:
        raise DataError(f"join takes Bars, was given {', '.join(strange)}")
    timeframe = parts[0].timeframe
    others = [str(part.timeframe) for part in parts if part.timeframe != timeframe]
    if others:
        raise DataError(f"joined bars must have one timeframe, was {timeframe} and {', '.join(others)}")
    symbols = tuple(symbol for part in parts for symbol in part.symbols)
    twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
    if twice:
        raise DataError(f"joined bars must have each symbol once; twice: {', '.join(twice)}")
    time_ns = np.unique(np.concatenate([part.time_ns for part in parts]))
    values = np.full((parts[0].values.shape[0], len(symbols), time_ns.size), np.nan)
    first = 0
    for part in parts:
        columns = np.searchsorted(time_ns, part.time_ns)
        values[:, first : first + len(part.symbols), columns] = part.values
        first += len(part.symbols)
    return symbols, timeframe, tuple(instrument for part in parts for instrument in part.instruments), time_ns, values
