"""Quality reports of bars, files and stored series."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.data.files import USUAL_FORMAT, read_table
from workbench.data.quality import QualityReport, report_of
from workbench.data.raw_candles import raw_of_bars, raw_of_table
from workbench.data.series import Series
from workbench.data.stored import open_store
from workbench.errors import ConfigError, DataError
from workbench.model.bars import Bars
from workbench.model.instrument import Instrument
from workbench.model.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from workbench.data.file_format import FileFormat
    from workbench.data.store import CandleStore

__all__ = ["quality_report"]


def quality_report(
    source: Bars | str | PathLike[str],
    symbol: str | None = None,
    timeframe: str | Timeframe | None = None,
    *,
    time_unit: str | None = None,
    columns: Mapping[str, str] | None = None,
    file_format: FileFormat | None = None,
    store: CandleStore | None = None,
) -> QualityReport:
    """Look at candles and report what is wrong, missing or odd; nothing is changed and nothing of it is refused.

    Parameters
    ----------
    source : Bars, str or path
        Bars, the path of a file as for `load_bars`, or the name of an exchange whose candles were downloaded.
    symbol : str, optional
        The symbol; bars of one symbol know it.
    timeframe : str or Timeframe, optional
        Length of a bar; bars know it.
    time_unit, columns, file_format, store
        As for `load_bars`. Without `time_unit` each time is read in the only unit that makes it one of the years 2009
        to 2099, and a mixture of units is a finding.

    Returns
    -------
    QualityReport
        Gaps, duplicates, disorder, bad rows with row and reason, mixed units, odd times and prices; as a table
        (`to_frame`), a card in a notebook, and a figure (`plot`). `repair` makes bars of rows that need it.

    Raises
    ------
    ConfigError
        `symbol` or `timeframe` is missing, or nothing of this name is stored.
    DataError
        A file cannot be read at all: not regular, too large, of another format, without times or prices.

    Examples
    --------
    >>> from workbench.model.synthetic import synthetic_bars
    >>> quality_report(synthetic_bars("BTC/USDT", "1m", 1440, start="2025-01-01"))
    BTC/USDT 1m: 1,440 rows, 2025-01-01T00:00Z to 2025-01-01T23:59Z, clean
    """
    if isinstance(source, Bars):
        name = source.symbols[0] if symbol is None and source.n_symbols == 1 else symbol
        if name is None:
            raise ConfigError(f"symbol must be one of {', '.join(source.symbols)}, was None")
        bars = source.one(name)
        return report_of(raw_of_bars(bars), f"{name} {bars.timeframe}", bars.instruments[0], bars.timeframe)
    if symbol is None or timeframe is None:
        raise ConfigError("symbol and timeframe are needed, as in quality_report(path, 'BTC/USDT', '1h')")
    frame = Timeframe.of(timeframe)
    known = open_store(str(source), store)
    if known is not None:
        series = Series(str(source), symbol, frame)
        bars = known.read(series.exchange, symbol, frame)
        covered = known.coverage(series.exchange, symbol, frame)
        return report_of(raw_of_bars(bars), str(series), bars.instruments[0], frame, covered)
    path, form = Path(source), file_format or USUAL_FORMAT
    table = read_table(path, form)
    try:
        raw = raw_of_table(
            table,
            base=symbol.partition("/")[0],
            columns=columns,
            time_unit=time_unit,
            time_zone=form.time_zone,
        )
    except DataError as error:
        raise type(error)(f"{path.name}: {error}") from error
    return report_of(raw, path.name, Instrument.of(symbol), frame)
