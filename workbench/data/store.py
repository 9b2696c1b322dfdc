"""The candle store: Parquet by month, one folder a series, read without locks."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.data.instants import parse_instant
from workbench.data.month_file import Month, decode_month, read_summary
from workbench.data.series import Series
from workbench.data.series_writer import SeriesWriter
from workbench.data.spans import Span, gaps_of, merge, month_of
from workbench.data.store_files import StoreFiles
from workbench.errors import MissingDataError, StoreError
from workbench.model.bars import Bars
from workbench.model.timeframe import Timeframe
from workbench.model.times import EARLIEST_TIME_NS, LATEST_TIME_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["CandleStore", "SeriesInfo", "default_store_folder"]

_SUFFIX: Final = ".parquet"


def default_store_folder() -> Path:
    """Return the folder of the store that is used when none is named; it is not made here.

    ``candles`` in ``WORKBENCH_DATA_DIR`` if set, else in ``workbench`` of ``XDG_DATA_HOME``, else in
    ``~/.local/share/workbench``.
    """
    if chosen := os.environ.get("WORKBENCH_DATA_DIR"):
        return Path(chosen) / "candles"
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "workbench" / "candles"


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """What the store holds of a series.

    Attributes
    ----------
    series : Series
        Its name.
    candles : int
        How many there are.
    covered : tuple of Span
        The times whose candles were asked for; where one of them has no candle, the exchange has none.
    months : tuple of str
        Months with a file.
    size_bytes : int
        Size of the files.
    content_hash : str
        The sha256, in hex, of the series' name and all candles.
    """

    series: Series
    candles: int
    covered: tuple[Span, ...]
    months: tuple[str, ...]
    size_bytes: int
    content_hash: str


class CandleStore:
    """Candles on a disk or in an object store: ``exchange/symbol/timeframe/YYYY-MM.parquet``.

    Each file tells which times it covers, so a hole that an exchange really has is known for one. Files are replaced as
    a whole: a reader takes no lock, and an interrupted write leaves the file before. A series has one writer at a time:
    on a disk among all processes, elsewhere within this process only.

    Parameters
    ----------
    root : str or path, optional
        Folder of the store; without it `default_store_folder`. It is made by the first write.
    filesystem : pyarrow.fs.FileSystem, optional
        Where `root` is; without it, this computer. Any filesystem of pyarrow does.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.model.synthetic import synthetic_bars
    >>> bars = synthetic_bars("BTC/USDT", "1m", 1440, start="2025-01-01")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = CandleStore(folder)
    ...     store.append("synthetic", bars)
    ...     hour = store.read("synthetic", "BTC/USDT", "1m", start="2025-01-01T12:00Z", end="2025-01-01T13:00Z")
    ...     whole = store.read("synthetic", "BTC/USDT", "1m")
    >>> len(hour), whole == bars
    (60, True)
    """

    __slots__ = ("_files",)

    def __init__(self, root: str | PathLike[str] | None = None, *, filesystem: Any = None) -> None:  # noqa: ANN401 - pyarrow has no types
        from pyarrow import fs  # noqa: PLC0415 - a fifth of a second that only the store may cost

        if filesystem is None:
            folder = default_store_folder() if root is None else Path(root)
            self._files = StoreFiles(str(folder.expanduser().absolute()), fs.LocalFileSystem())
        else:
            self._files = StoreFiles("" if root is None else os.fspath(root), filesystem)

    @property
    def root(self) -> str:
        """Folder of the store."""
        return self._files.root

    def __repr__(self) -> str:
        return f"CandleStore({self.root!r})"

    def series(self) -> tuple[Series, ...]:
        """Return the names of all series, sorted. Folders that are no series are passed over."""
        found = []
        for exchange in self._files.entries(""):
            for symbol in self._files.entries(exchange):
                for timeframe in self._files.entries(f"{exchange}/{symbol}"):
                    series = Series.of_folder(f"{exchange}/{symbol}/{timeframe}")
                    if series is not None and self._months(series):
                        found.append(series)
        return tuple(sorted(found))

    def has_exchange(self, exchange: str) -> bool:
        """Return whether there may be candles of an `exchange`, by a look at the folders alone."""
        return exchange in self._files.entries("")

    def timeframes(self, exchange: str, symbol: str) -> tuple[Timeframe, ...]:
        """Return the lengths of the candles of an `exchange` and a `symbol` that are stored, the shortest first."""
        folder = Series(exchange, symbol, Timeframe("1m")).folder.rpartition("/")[0]
        found = [Series.of_folder(f"{folder}/{name}") for name in self._files.entries(folder)]
        return tuple(sorted(series.timeframe for series in found if series is not None and self._months(series)))

    def info(self, exchange: str, symbol: str, timeframe: str | Timeframe) -> SeriesInfo:
        """Return what is stored of a series, read from the ends of its files.

        Parameters
        ----------
        exchange, symbol : str
            As for `append`.
        timeframe : str or Timeframe
            Length of a candle.

        Raises
        ------
        MissingDataError
            Nothing is stored of it; the message names what is.
        StoreError
            A file is damaged.
        """
        series = Series(exchange, symbol, Timeframe.of(timeframe))
        months = self._months(series)
        if not months:
            raise self._nothing(series)
        digest = hashlib.sha256(f"{series.exchange}\n{series.symbol}\n{series.timeframe.ns} ns\n".encode())
        candles, size = 0, 0
        covered: list[Span] = []
        for month in months:
            path = _path(series, month)
            with self._opened(path) as file:
                summary = read_summary(file, series, self._files.name(path))
            candles += summary.candles
            size += self._files.size_bytes(path)
            covered += summary.covered
            if summary.candles:
                digest.update(f"{month} {summary.content_hash}\n".encode())
        return SeriesInfo(series, candles, merge(covered), months, size, digest.hexdigest())

    def coverage(self, exchange: str, symbol: str, timeframe: str | Timeframe) -> tuple[Span, ...]:
        """Return the times of a series whose candles are here, as far as the exchange has them; none if none are.

        Parameters
        ----------
        exchange, symbol : str
            As for `append`.
        timeframe : str or Timeframe
            Length of a candle.
        """
        series = Series(exchange, symbol, Timeframe.of(timeframe))
        return self.info(exchange, symbol, timeframe).covered if self._months(series) else ()

    def read(
        self,
        exchange: str,
        symbol: str,
        timeframe: str | Timeframe,
        *,
        start: str | date | None = None,
        end: str | date | None = None,
    ) -> Bars:
        """Return the stored bars that lie wholly in ``[start, end)``.

        Parameters
        ----------
        exchange, symbol : str
            As for `append`.
        timeframe : str or Timeframe
            Length of a candle.
        start, end : str, date or datetime, optional
            As for `load_bars`; without them, from the first or to the last that is stored.

        Raises
        ------
        MissingDataError
            No bar of it is stored in this range. Whether the range is covered, `coverage` tells.
        StoreError
            A file is damaged, or its candles are out of order or outside of what it covers.
        """
        series = Series(exchange, symbol, Timeframe.of(timeframe))
        start_ns = EARLIEST_TIME_NS if start is None else parse_instant(start, name="start")
        end_ns = LATEST_TIME_NS if end is None else parse_instant(end, name="end")
        return self.read_span(series, Span(start_ns, end_ns - series.timeframe.ns + 1))

    def read_span(self, series: Series, opens: Span) -> Bars:
        """Return the bars of a series whose open labels lie in a span.

        Parameters
        ----------
        series : Series
            Which series.
        opens : Span
            Where bars may open.

        Raises
        ------
        MissingDataError, StoreError
            As for `read`.
        """
        months = self._months_within(series, opens)
        parts = [part for month in months if len((part := self._month(series, month, opens)).time_ns)]
        if not parts:
            if not self._months(series):
                raise self._nothing(series)
            spans = ", ".join(map(str, self.info(series.exchange, series.symbol, series.timeframe).covered))
            raise MissingDataError(f"no bar of {series} is stored in this range; the store covers {spans}")
        time_ns = np.concatenate([part.time_ns for part in parts])
        values = np.concatenate([part.values for part in parts], axis=1)
        instrument = parts[-1].summary.instrument
        return Bars((series.symbol,), series.timeframe, (instrument,), time_ns, values[:, np.newaxis])

    def opens(self, series: Series, within: Span) -> NDArray[np.int64]:
        """Return the open labels that are stored of a `series`, ascending, of those `within` a span; maybe none."""
        times = [self._month(series, month, within).time_ns for month in self._months_within(series, within)]
        return np.concatenate([np.empty(0, dtype=np.int64), *times])

    def missing(self, series: Series, wanted: Span) -> tuple[Span, ...]:
        """Return the parts of a `wanted` span of a `series` that are not covered yet."""
        return SeriesWriter(self._files, series).missing(wanted)

    def holes(self, exchange: str, symbol: str, timeframe: str | Timeframe) -> tuple[Span, ...]:
        """Return the times that were asked for and of which the exchange has no candle.

        Parameters
        ----------
        exchange, symbol : str
            As for `append`.
        timeframe : str or Timeframe
            Length of a candle.

        Raises
        ------
        MissingDataError, StoreError
            As for `info`.
        """
        info = self.info(exchange, symbol, timeframe)
        whole = Span(info.covered[0].start_ns, info.covered[-1].end_ns)
        return gaps_of(self.opens(info.series, whole), info.series.timeframe.ns, info.covered)

    def verify(self, exchange: str, symbol: str, timeframe: str | Timeframe) -> None:
        """Read every file of a series as a whole and compare its content with the hash that it names.

        Parameters
        ----------
        exchange, symbol : str
            As for `append`.
        timeframe : str or Timeframe
            Length of a candle.

        Raises
        ------
        MissingDataError
            Nothing is stored of it.
        StoreError
            A file is damaged.
        """
        info = self.info(exchange, symbol, timeframe)
        for month in info.months:
            self._month(info.series, month, None)

    def append(self, exchange: str, bars: Bars, *, covered: Span | None = None, replace: bool = False) -> None:
        """Add the bars of one symbol.

        Parameters
        ----------
        exchange : str
            Where they are from: an exchange's name, or one of your own such as ``"imported"``.
        bars : Bars
            Of one symbol, their open labels on the timeframe's grid.
        covered : Span, optional
            The open labels for which these are all candles that there are; without it, from the first bar's open to
            the last one's close.
        replace : bool, default False
            Replace what is stored of this span; otherwise an overlap is refused.

        Raises
        ------
        DataError
            There are several symbols, labels off the grid, or bars outside of `covered`.
        StoreError
            The span overlaps one that is stored, another writer is at work, or the disk refuses.
        """
        with self.writer(Series(exchange, bars.symbols[0], bars.timeframe)) as writer:
            writer.append(bars, covered=covered, replace=replace)

    @contextmanager
    def writer(self, series: Series) -> Iterator[SeriesWriter]:
        """Be the only writer of a `series` for as long as the block lasts; StoreError when another one is."""
        with self._files.writing(series.folder):
            yield SeriesWriter(self._files, series)

    def _month(self, series: Series, month: str, within: Span | None) -> Month:
        path = _path(series, month)
        with self._opened(path) as file:
            return decode_month(file, series, self._files.name(path), within=within)

    def _opened(self, path: str) -> Any:  # noqa: ANN401 - pyarrow has no types
        file = self._files.open(path)
        if file is None:
            raise StoreError(f"{self._files.name(path)} was deleted while it was read")
        return file

    def _months(self, series: Series) -> tuple[str, ...]:
        names = self._files.entries(series.folder)
        return tuple(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))

    def _months_within(self, series: Series, opens: Span) -> list[str]:
        stored = self._months(series)
        if opens.start_ns >= opens.end_ns or not stored:
            return []
        first, last = month_of(opens.start_ns), month_of(opens.end_ns - 1)
        return [month for month in stored if first <= month <= last]

    def _nothing(self, series: Series) -> MissingDataError:
        others = ", ".join(map(str, self.series()[:6])) or "nothing yet"
        return MissingDataError(f"the store {self.root} has no {series}; it has {others}")


def _path(series: Series, month: str) -> str:
    return f"{series.folder}/{month}{_SUFFIX}"
