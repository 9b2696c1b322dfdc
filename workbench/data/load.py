"""Bars from anywhere by one function: the practice market, a synthetic one, a file, or an exchange."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.data.columns import read_columns
from workbench.data.files import FILE_SUFFIXES, USUAL_FORMAT, read_table
from workbench.data.instants import parse_instant
from workbench.data.made_up import MADE_UP_SOURCES, made_up_bars
from workbench.data.series import Series
from workbench.data.stored import explain_stored, open_store, read_stored
from workbench.errors import ConfigError, DataError, ExchangeError, MissingDataError
from workbench.exchange.history import exchange_names, fetch_ohlcv_history
from workbench.model.bars import Bars
from workbench.model.instrument import Instrument
from workbench.model.timeframe import Timeframe
from workbench.model.times import NS_PER_SECOND, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from os import PathLike

    from numpy.typing import NDArray

    from workbench.data.file_format import FileFormat
    from workbench.data.store import CandleStore
    from workbench.exchange.history import CandleClient

__all__ = ["load_bars"]

_MADE_UP: Final = "a made-up market"
_FILE: Final = "a file"
_EXCHANGE: Final = "an exchange"


@dataclass(frozen=True, slots=True)
class _FileReading:
    """How to read a file, where the caller says so."""

    time_unit: str | None
    columns: Mapping[str, str] | None
    instrument: Instrument | None
    form: FileFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What to load of any source."""

    symbols: tuple[str, ...]
    timeframe: Timeframe
    start_ns: int | None
    end_ns: int | None


def load_bars(  # noqa: PLR0913 - the facade over every source, all but three by keyword
    source: str | PathLike[str],
    symbol: str | Sequence[str] | None = None,
    timeframe: str | Timeframe | None = None,
    *,
    start: str | date | None = None,
    end: str | date | None = None,
    seed: int | None = None,
    time_unit: str | None = None,
    columns: Mapping[str, str] | None = None,
    instrument: Instrument | None = None,
    file_format: FileFormat | None = None,
    client: CandleClient | None = None,
    store: CandleStore | None = None,
) -> Bars:
    """Load the bars of a symbol from the practice market, a synthetic market, a file or an exchange.

    Parameters
    ----------
    source : str or path
        ``"practice"``, the made-up world with a calendar that the practice exchange plays; ``"synthetic"``, a market
        made from the seed alone; the path of a ``.csv``, ``.parquet``, ``.feather`` or ``.json`` file of candles; or
        the name of an exchange that ccxt knows, such as ``"binance"``. What `download` has stored of it is read from
        there, also in a longer timeframe; anything else is asked for over the internet and not stored.
    symbol : str or sequence of str
        ``"BTC/USDT"``, or several for one axis of time (not for a file, which holds one symbol).
    timeframe : str or Timeframe
        Length of a bar, such as ``"1h"``. A file's rows must be that far apart.
    start, end : str, date or datetime, optional
        Only bars that lie wholly in ``[start, end)``. A date is midnight UTC; a time of day needs a zone
        (``"2025-01-01T12:00Z"``). Without them a file is taken whole, and of an exchange what is stored: from the first
        candle, and to the last of the same unbroken time, which may be days ago (`download` goes on from there). One of
        which `start` is not stored is asked until now. A made-up market ends at the start of the live practice market,
        2025-07-01 (a later `start` gets 90 days), and starts 90 days before its end.
    seed : int, optional
        Which made-up market; without it the practice market that everybody has (8), or the synthetic one of seed 0.
    time_unit : {"s", "ms", "us", "ns"}, optional
        For a file: unit of times that are numbers, if they do not tell by themselves.
    columns : mapping, optional
        For a file: its name of any of ``time``, ``open``, ``high``, ``low``, ``close``, ``volume`` that is not found by
        itself.
    instrument : Instrument, optional
        For a file: trading rules of the symbol; without it, none.
    file_format : FileFormat, optional
        For a file: separator, decimal sign, time zone and the like, where they are not the usual ones.
    client : CandleClient, optional
        For an exchange: a ccxt object to ask, instead of the store and a fresh one.
    store : CandleStore, optional
        For an exchange: where downloaded candles are looked for; without it the store that `download` fills.

    Returns
    -------
    Bars
        Checked, oldest first. Nothing is repaired: a file with an impossible, repeated or unsorted row is refused. Bars
        that are made of stored shorter ones are checked to be whole; a warning tells those that have fewer parts.

    Raises
    ------
    ConfigError
        An unknown source, symbol or timeframe, or an argument that this source cannot use.
    DataError
        The data are not what they should be; the message names file, row and reason (`BarError`, `OutOfOrderError`), or
        nothing is there (`MissingDataError`).
    ExchangeError
        The exchange could not be asked.

    Examples
    --------
    >>> bars = load_bars("practice", "BTC/USDT", "1h", start="2025-06-01", end="2025-06-08")
    >>> len(bars)
    168
    """
    kind = _kind(source, store, has_client=client is not None)
    _refuse_foreign(
        kind,
        {
            "seed": (seed, _MADE_UP),
            "time_unit": (time_unit, _FILE),
            "columns": (columns, _FILE),
            "instrument": (instrument, _FILE),
            "file_format": (file_format, _FILE),
            "client": (client, _EXCHANGE),
            "store": (store, _EXCHANGE),
        },
    )
    wanted = _wanted(symbol, timeframe, start, end)
    if kind == _FILE:
        return _from_file(
            Path(source), wanted, _FileReading(time_unit, columns, instrument, file_format or USUAL_FORMAT)
        )
    series = [Series(str(source), name, wanted.timeframe) for name in wanted.symbols]
    if kind == _EXCHANGE:
        known = open_store(str(source), store)
        return _joined([_from_exchange(one, wanted, client, known) for one in series])
    return _joined([made_up_bars(one, wanted.start_ns, wanted.end_ns, seed) for one in series])


def _kind(source: str | PathLike[str], store: CandleStore | None, *, has_client: bool) -> str:
    """Return which kind of source this is."""
    if source in MADE_UP_SOURCES:
        return _MADE_UP
    path = Path(source)
    if not isinstance(source, str) or path.suffix.lower() in FILE_SUFFIXES or len(path.parts) > 1:
        return _FILE
    # Before a look at the folder: a file without a suffix cannot be read, so a name that is known means the exchange.
    if has_client or open_store(source, store) is not None:
        return _EXCHANGE
    if path.exists():
        return _FILE
    exchanges = exchange_names()
    if source in exchanges:
        return _EXCHANGE
    near = difflib.get_close_matches(source, (*MADE_UP_SOURCES, *exchanges), n=2)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise ConfigError(
        f'unknown source {source!r}: it may be "practice", "synthetic", the path of a file '
        f'({", ".join(FILE_SUFFIXES)}) or the name of a ccxt exchange such as "binance"{hint}'
    )


def _refuse_foreign(kind: str, arguments: Mapping[str, tuple[object, str]]) -> None:
    """Refuse arguments that were given and that this kind of source would ignore."""
    foreign = [
        f"{name} is for {owner}" for name, (value, owner) in arguments.items() if value is not None and owner != kind
    ]
    if foreign:
        raise ConfigError(f"{', '.join(foreign)}; this source is {kind}")


def _wanted(
    symbol: str | Sequence[str] | None,
    timeframe: str | Timeframe | None,
    start: str | date | None,
    end: str | date | None,
) -> _Wanted:
    """Return what to load, checked."""
    missing = [
        f"{name} is missing: pass one such as {example!r}"
        for name, value, example in (("symbol", symbol, "BTC/USDT"), ("timeframe", timeframe, "1h"))
        if not value
    ]
    if symbol is None or timeframe is None or missing:
        raise ConfigError("; ".join(missing))
    start_ns = None if start is None else parse_instant(start, name="start")
    end_ns = None if end is None else parse_instant(end, name="end")
    if start_ns is not None and end_ns is not None and start_ns >= end_ns:
        raise ConfigError(f"start must be before end, was {start} with the end {end}")
    symbols = (symbol,) if isinstance(symbol, str) else tuple(symbol)
    return _Wanted(symbols=symbols, timeframe=Timeframe.of(timeframe), start_ns=start_ns, end_ns=end_ns)


def _joined(bars: list[Bars]) -> Bars:
    return bars[0] if len(bars) == 1 else Bars.join(bars)


def _from_exchange(wanted: Series, span: _Wanted, client: CandleClient | None, store: CandleStore | None) -> Bars:
    """Return bars from the store if it covers them, else from the exchange."""
    if client is None and store is not None:
        bars = read_stored(store, wanted, span.start_ns, span.end_ns)
        if bars is not None:
            return bars
    hint = "" if client is not None or store is None else f"; {explain_stored(store, wanted)}"
    if span.start_ns is None:
        raise ConfigError(f'start is missing: an exchange must be told from when on, as in start="2025-01-01"{hint}')
    try:
        return fetch_ohlcv_history(
            wanted.exchange, wanted.symbol, wanted.timeframe, span.start_ns, span.end_ns, client=client
        )
    except ExchangeError as error:
        if hint:
            error.add_note(f"This time is not all in the store{hint}.")
        raise


def _from_file(path: Path, wanted: _Wanted, reading: _FileReading) -> Bars:
    """Return bars read from a file."""
    if len(wanted.symbols) != 1:
        raise ConfigError(
            f"a file holds one symbol, {len(wanted.symbols)} were asked for: load each file and use Bars.join"
        )
    symbol, frame = wanted.symbols[0], wanted.timeframe
    table = read_table(path, reading.form)
    try:
        candles = read_columns(
            table,
            base=symbol.partition("/")[0],
            columns=reading.columns,
            time_unit=reading.time_unit,
            time_zone=reading.form.time_zone,
        )
        _check_spacing(candles.time_ns, frame)
        rules = Instrument.of(symbol) if reading.instrument is None else reading.instrument
        bars = Bars((symbol,), frame, (rules,), candles.time_ns, candles.values[:, np.newaxis])
    except DataError as error:
        # The row is known where the row is read, the file's name only here.
        raise type(error)(f"{path.name}: {error}; quality_report(...) shows all that is wrong") from error
    return _inside(bars, wanted, path.name)


def _check_spacing(time_ns: NDArray[np.int64], frame: Timeframe) -> None:
    """Refuse rows that are usually further apart than the timeframe; that none are closer is a rule of `Bars`."""
    if len(time_ns) < 2:  # noqa: PLR2004 - one row has no neighbour
        return
    usual_s = float(np.median(np.diff(time_ns))) / NS_PER_SECOND
    if usual_s > frame.seconds:
        raise DataError(f"rows are usually {usual_s:g} s apart, further than the timeframe {frame} ({frame.seconds} s)")


def _inside(bars: Bars, wanted: _Wanted, name: str) -> Bars:
    """Return the bars that lie wholly between start and end."""
    times = bars.time_ns
    first = 0 if wanted.start_ns is None else int(np.searchsorted(times, wanted.start_ns))
    last = (
        len(times)
        if wanted.end_ns is None
        else int(np.searchsorted(times, wanted.end_ns - wanted.timeframe.ns, side="right"))
    )
    if first >= last:
        raise MissingDataError(
            f"{name} has no bar between start and end: "
            f"it goes from {utc_text(int(times[0]))} to {utc_text(int(times[-1]))}"
        )
    return bars[first:last]
