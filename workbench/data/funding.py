"""Funding rates from a file, as a backtest takes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.data.files import USUAL_FORMAT, read_table
from workbench.data.time_column import read_times
from workbench.errors import BarError, ConfigError, DataError, OutOfOrderError
from workbench.model.instrument import Instrument
from workbench.model.timeframe import Timeframe
from workbench.model.times import NS_PER_SECOND, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    import pandas as pd
    from numpy.typing import NDArray

    from workbench.data.file_format import FileFormat

__all__ = ["FundingRates", "read_funding"]

_NAMES: Final = {
    "time": (
        *("time_ns", "calc_time", "funding_time", "fundingtime", "funding time", "timestamp", "unix"),
        *("time", "datetime", "date"),
    ),
    "rate": ("rate", "funding_rate", "fundingrate", "funding rate", "last_funding_rate"),
}
_HIGHEST: Final = 0.1  # exchanges cap a payment far below a tenth of the position; percent would be above


class FundingRates(dict[str, "tuple[NDArray[np.int64], NDArray[np.float64]]"]):
    """Funding rates by symbol: what ``backtest(..., funding=...)`` takes; join several with ``|``.

    Each value is a pair of arrays: times in nanoseconds UTC, ascending, and the rate that longs pay to shorts at each,
    as a fraction of the position (0.0001 is one hundredth of a percent).
    """

    def to_frame(self) -> pd.DataFrame:
        """Return one row per payment: symbol and rate, indexed by aware UTC time."""
        import pandas as pd  # noqa: PLC0415 - half a second that only a table may cost

        parts = [
            pd.DataFrame(
                {"symbol": symbol, "rate": rates},
                index=pd.DatetimeIndex(times.astype("datetime64[ns]"), name="time").tz_localize("UTC"),
            )
            for symbol, (times, rates) in self.items()
        ]
        return pd.concat(parts).sort_index(kind="stable")

    def __repr__(self) -> str:
        return "\n".join(_line(symbol, times, rates) for symbol, (times, rates) in self.items()) or "no funding rates"

    def __or__(self, other: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]) -> FundingRates:  # type: ignore[override]  # any mapping of rates will do
        return FundingRates({**self, **other})


def read_funding(
    source: str | PathLike[str],
    symbol: str,
    *,
    time_unit: str | None = None,
    columns: Mapping[str, str] | None = None,
    file_format: FileFormat | None = None,
    round_to: str | Timeframe | None = None,
) -> FundingRates:
    """Read the funding rates of a perpetual from a file.

    Parameters
    ----------
    source : str or path
        A ``.csv``, ``.parquet``, ``.feather`` or ``.json`` file with a column of times and one of rates as fractions.
    symbol : str
        The perpetual, ``"BTC/USDT:USDT"``.
    time_unit : {"s", "ms", "us", "ns"}, optional
        Unit of times that are numbers, if they do not tell by themselves.
    columns : mapping, optional
        The file's names of ``time`` and ``rate``, if they are not found by themselves.
    file_format : FileFormat, optional
        Separator, time zone and the like, where they are not the usual ones.
    round_to : str or Timeframe, optional
        Move times that are less than a second after a multiple of this to it. Exchanges note the millisecond in which
        they paid, and a payment noted just after a bar has opened is otherwise due only when that bar closes.

    Returns
    -------
    FundingRates
        What ``backtest(..., funding=...)`` takes.

    Raises
    ------
    ConfigError
        The symbol is no perpetual, or an argument is none of these.
    BarError
        A row's time or rate cannot be read, or the rate is not in (-0.1, 0.1); names the row.
    OutOfOrderError
        Times are not ascending; names the row.
    DataError
        A column is missing, times have no zone, or the file is refused as by `load_bars`.
    """
    form = file_format or USUAL_FORMAT
    if Instrument.of(symbol).is_spot:
        raise ConfigError(f"symbol must be a perpetual such as 'BTC/USDT:USDT', was {symbol!r}: spot pays no funding")
    unknown = sorted(set(columns or {}) - set(_NAMES))
    if unknown:
        raise ConfigError(f"columns may name {', '.join(_NAMES)}, was {', '.join(map(repr, unknown))}")
    path = Path(source)
    table = read_table(path, form)
    try:
        times = read_times(_column(table, "time", columns), time_unit, form.time_zone)
        rates = _rates(_column(table, "rate", columns))
        if round_to is not None:
            below = times - Timeframe.of(round_to).floor(times)
            times = np.where(below < NS_PER_SECOND, times - below, times)
        _check_order(times)
    except DataError as error:
        raise type(error)(f"{path.name}: {error}") from error
    return FundingRates({symbol: (times, rates)})


def _column(table: pd.DataFrame, name: str, columns: Mapping[str, str] | None) -> pd.Series:
    by_name = {str(column).strip().lower(): column for column in reversed(table.columns)}
    wanted = (columns or {}).get(name)
    for alias in _NAMES[name] if wanted is None else (wanted.lower(),):
        if alias in by_name:
            return table[by_name[alias]]
    listed = ", ".join(map(str, table.columns)) or "none"
    raise DataError(f'there is no column for {name}; the columns are {listed}: pass columns={{"{name}": "..."}}')


def _rates(column: pd.Series) -> NDArray[np.float64]:
    import pandas as pd  # noqa: PLC0415 - half a second that only reading a table may cost

    rates = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    # Written so that nan fails.
    wrong = np.flatnonzero(~(np.abs(rates) < _HIGHEST))
    if len(wrong):
        row = int(wrong[0])
        raise BarError(
            f"row {row}: rate must be a fraction in (-{_HIGHEST}, {_HIGHEST}), was {str(column.iloc[row])!r} "
            f"({len(wrong):,} in all)"
        )
    return rates


def _check_order(times: NDArray[np.int64]) -> None:
    wrong = np.flatnonzero(np.diff(times) <= 0) + 1
    if len(wrong):
        row = int(wrong[0])
        what = "the same time as" if times[row] == times[row - 1] else "earlier than"
        raise OutOfOrderError(
            f"row {row} ({utc_text(int(times[row]))}) is {what} the row before ({len(wrong):,} in all)"
        )


def _line(symbol: str, times: NDArray[np.int64], rates: NDArray[np.float64]) -> str:
    if not len(times):
        return f"{symbol}: no funding rates"
    text = f"{symbol}: {len(times):,} funding rates, {utc_text(int(times[0]))} to {utc_text(int(times[-1]))}"
    steps = np.diff(times)
    if len(steps):
        usual_h = float(np.median(steps)) / 3_600 / NS_PER_SECOND
        longer = int((steps > 1.5 * np.median(steps)).sum())
        text += f", usually every {usual_h:.3g} h" + (f" ({longer:,} gaps)" if longer else "")
    return f"{text}, mean {100.0 * float(rates.mean()):.4f} %"
