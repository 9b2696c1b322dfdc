"""Adding candles to a series: month by month, never over what is there unless asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.data.month_file import Month, decode_month, encode_month, read_summary
from workbench.data.spans import Span, clip, merge, months_between, subtract
from workbench.errors import DataError, StoreError
from workbench.model.times import utc_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.data.series import Series
    from workbench.data.store_files import StoreFiles
    from workbench.model.bars import Bars
    from workbench.model.instrument import Instrument

__all__ = ["SeriesWriter"]


class SeriesWriter:
    """The only writer of a series; made by `CandleStore.writer`, which holds its lock.

    Parameters
    ----------
    files : StoreFiles
        Files of the store.
    series : Series
        Whose candles are written.
    """

    __slots__ = ("_files", "_series")

    def __init__(self, files: StoreFiles, series: Series) -> None:
        self._files = files
        self._series = series

    def missing(self, wanted: Span) -> tuple[Span, ...]:
        """Return the parts of a `wanted` span that are not covered yet."""
        covered: list[Span] = []
        for month in months_between(wanted):
            path = self._path(month)
            file = self._files.open(path)
            if file is not None:
                with file:
                    covered += read_summary(file, self._series, self._files.name(path)).covered
        return subtract(wanted, merge(covered))

    def append(self, bars: Bars, *, covered: Span | None = None, replace: bool = False) -> None:
        """Add bars; parameters and errors are those of `CandleStore.append`.

        Parameters
        ----------
        bars : Bars
            Of this series' symbol and timeframe.
        covered : Span, optional
            The open labels for which these are all candles.
        replace : bool, default False
            Replace what is stored of this span.
        """
        if bars.symbols != (self._series.symbol,) or bars.timeframe != self._series.timeframe:
            raise DataError(f"bars must be of {self._series.symbol} {self._series.timeframe} alone, were {bars!r}")
        bars = bars.one(self._series.symbol)
        if covered is None:
            if not len(bars):
                raise DataError("bars must hold at least one bar, or covered must say which times have none")
            covered = Span(int(bars.time_ns[0]), int(bars.time_ns[-1]) + bars.timeframe.ns)
        self.append_arrays(bars.instruments[0], bars.time_ns, bars.values[:, 0], covered=covered, replace=replace)

    def append_arrays(
        self,
        instrument: Instrument,
        time_ns: NDArray[np.int64],
        values: NDArray[np.float64],
        *,
        covered: Span,
        replace: bool = False,
    ) -> None:
        """Add checked candles, of which there may be none, and remember the span that they cover.

        Parameters
        ----------
        instrument : Instrument
            Trading rules of the symbol.
        time_ns : ndarray of int64, shape (n,)
            Open labels, ascending.
        values : ndarray of float64, shape (5, n)
            Open, high, low, close, volume.
        covered : Span
            The open labels for which these are all candles.
        replace : bool, default False
            Replace what is stored of this span.

        Raises
        ------
        DataError, StoreError
            As for `CandleStore.append`.
        """
        frame = self._series.timeframe
        off = np.flatnonzero(frame.floor(time_ns) != time_ns)
        if len(off):
            first = utc_text(int(time_ns[off[0]]))
            raise DataError(f"{len(off)} bars do not open on the grid of {frame}, the first at {first}")
        if len(time_ns) and not (covered.start_ns <= time_ns[0] and time_ns[-1] < covered.end_ns):
            raise DataError(f"bars must open in the span that they cover ({covered}), were {utc_text(int(time_ns[0]))} "
                            f"to {utc_text(int(time_ns[-1]))}")  # fmt: skip
        months = months_between(covered)
        stored = {month: self._stored(month) for month in months}
        if not replace:
            self._refuse_overlap(stored, covered)
        for month, whole in months.items():
            part = Span(max(covered.start_ns, whole.start_ns), min(covered.end_ns, whole.end_ns))
            first, last = np.searchsorted(time_ns, part)
            self._write(month, stored[month], instrument, part, time_ns[first:last], values[:, first:last])

    def _write(
        self,
        month: str,
        before: Month | None,
        instrument: Instrument,
        part: Span,
        time_ns: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> None:
        """Write a month anew with one span of it replaced."""
        covered: tuple[Span, ...] = (part,)
        if before is not None:
            first, last = np.searchsorted(before.time_ns, part)
            time_ns = np.concatenate((before.time_ns[:first], time_ns, before.time_ns[last:]))
            values = np.concatenate((before.values[:, :first], values, before.values[:, last:]), axis=1)
            covered = merge((*before.summary.covered, part))
        content = encode_month(self._series, instrument, covered, time_ns, values)
        self._files.publish(self._path(month), content)

    def _stored(self, month: str) -> Month | None:
        path = self._path(month)
        file = self._files.open(path)
        if file is None:
            return None
        with file:
            return decode_month(file, self._series, self._files.name(path))

    def _refuse_overlap(self, stored: dict[str, Month | None], covered: Span) -> None:
        for month in stored.values():
            shared = () if month is None else clip(month.summary.covered, covered)
            if shared:
                raise StoreError(
                    f"candles of {self._series} from {shared[0]} are stored already; pass replace=True to replace them"
                )

    def _path(self, month: str) -> str:
        return f"{self._series.folder}/{month}.parquet"
