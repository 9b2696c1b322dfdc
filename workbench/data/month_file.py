"""One month of candles as a Parquet file that says of itself what it holds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.data.spans import Span, is_disjoint
from workbench.errors import ConfigError, StoreError
from workbench.model.bars_checks import FIELDS
from workbench.model.instrument import Instrument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.data.series import Series

__all__ = ["Month", "MonthSummary", "decode_month", "encode_month", "read_summary"]

_VERSION: Final = 1
_KEY: Final = b"workbench"
_SEAL: Final = b"workbench_sha256"  # pages have checksums, what the file says of itself would have none
_COLUMNS: Final = ("time_ns", *FIELDS)
_ROWS_PER_GROUP: Final = 65_536  # more than a month of minutes; months of seconds are read in parts


@dataclass(frozen=True, slots=True)
class MonthSummary:
    """What the end of a month's file tells without reading its candles.

    Attributes
    ----------
    covered : tuple of Span
        For which open labels the exchange's candles are all here; where a covered time has no candle, it has none.
    instrument : Instrument
        Trading rules of the symbol when the file was written.
    candles : int
        How many there are.
    content_hash : str
        The sha256, in hex, of times and values.
    """

    covered: tuple[Span, ...]
    instrument: Instrument
    candles: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Month:
    """The candles of a month.

    Attributes
    ----------
    summary : MonthSummary
        What the file says of itself.
    time_ns : ndarray of int64, shape (n,)
        Open labels, strictly ascending.
    values : ndarray of float64, shape (5, n)
        Open, high, low, close, volume.
    """

    summary: MonthSummary
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]


def encode_month(
    series: Series,
    instrument: Instrument,
    covered: tuple[Span, ...],
    time_ns: NDArray[np.int64],
    values: NDArray[np.float64],
) -> bytes:
    """Return a month's file.

    Parameters
    ----------
    series : Series
        Whose candles they are.
    instrument : Instrument
        Trading rules of the symbol.
    covered : tuple of Span
        Sorted and disjoint.
    time_ns : ndarray of int64, shape (n,)
        Open labels, strictly ascending, each inside a covered span.
    values : ndarray of float64, shape (5, n)
        Open, high, low, close, volume.

    Raises
    ------
    StoreError
        Spans overlap, or a candle is unsorted or outside of them: the file would lie.
    """
    import pyarrow as pa  # noqa: PLC0415 - a fifth of a second that only the store may cost
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    _check(f"the file of {series}", covered, time_ns)
    about = {
        "version": _VERSION,
        "series": [series.exchange, series.symbol, series.timeframe.ns],
        "instrument": asdict(instrument),
        "covered": covered,
        "content_hash": _hash(time_ns, values),
    }
    table = pa.table([pa.array(column) for column in (time_ns, *values)], names=list(_COLUMNS))
    text = json.dumps(about).encode()
    table = table.replace_schema_metadata({_KEY: text, _SEAL: hashlib.sha256(text).hexdigest()})
    sink = pa.BufferOutputStream()
    # Measured on a month of BTC/USDT minutes: plain doubles under zstd take 18 bytes a candle, dictionaries (the
    # default) 34, and split byte streams 27.
    encoding = dict.fromkeys(FIELDS, "PLAIN") | {"time_ns": "DELTA_BINARY_PACKED"}
    pq.write_table(
        table,
        sink,
        row_group_size=_ROWS_PER_GROUP,
        compression="zstd",
        use_dictionary=False,
        column_encoding=encoding,
        write_page_checksum=True,
    )
    return bytes(sink.getvalue())


def read_summary(source: Any, series: Series, name: str) -> MonthSummary:  # noqa: ANN401 - pyarrow has no types
    """Return what the end of a month's file says.

    Parameters
    ----------
    source : pyarrow file
        The open file.
    series : Series
        Whose candles it must hold.
    name : str
        What errors call it.

    Raises
    ------
    StoreError
        The file is damaged, of another version, or of another series.
    """
    return _summary(_opened(source, name), series, name)


def decode_month(source: Any, series: Series, name: str, *, within: Span | None = None) -> Month:  # noqa: ANN401 - as above
    """Return the candles of a month's file, or those that open within a span.

    Parameters
    ----------
    source : pyarrow file
        The open file.
    series : Series
        Whose candles it must hold.
    name : str
        What errors call it.
    within : Span, optional
        Without it the whole month, whose content hash is then checked.

    Raises
    ------
    StoreError
        The file is damaged (each page has a checksum), of another version or series, or its candles are unsorted or
        outside of what it covers.
    """
    import pyarrow as pa  # noqa: PLC0415 - a fifth of a second that only the store may cost

    file = _opened(source, name)
    summary = _summary(file, series, name)
    try:
        table = file.read_row_groups(_groups(file, within), columns=list(_COLUMNS), use_threads=False)
        time_ns = table.column(0).to_numpy()
        values = np.array([table.column(row).to_numpy() for row in range(1, len(_COLUMNS))], dtype=np.float64)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(name, error) from error
    _check(name, summary.covered, time_ns)
    if within is None:
        if _hash(time_ns, values) != summary.content_hash:
            raise _damaged(name, "its content does not have the hash that it names")
        return Month(summary, time_ns, values)
    first, last = np.searchsorted(time_ns, within)
    return Month(summary, time_ns[first:last], values[:, first:last])


def _opened(source: Any, name: str) -> Any:  # noqa: ANN401 - pyarrow has no types
    import pyarrow as pa  # noqa: PLC0415 - a fifth of a second that only the store may cost
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    try:
        return pq.ParquetFile(source, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(name, error) from error


def _summary(file: Any, series: Series, name: str) -> MonthSummary:  # noqa: ANN401 - pyarrow has no types
    try:
        metadata = file.schema_arrow.metadata or {}
        if hashlib.sha256(metadata[_KEY]).hexdigest().encode() != metadata[_SEAL]:
            raise _damaged(name, "what it says of itself was changed")
        about = json.loads(metadata[_KEY])
        version, owner = about["version"], tuple(about["series"])
        if version != _VERSION:
            raise StoreError(f"{name} has version {version}, this package reads {_VERSION}")
        covered = tuple(Span(int(start), int(end)) for start, end in about["covered"])
        instrument = Instrument(**about["instrument"])
        summary = MonthSummary(covered, instrument, file.metadata.num_rows, str(about["content_hash"]))
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise _damaged(name, f"it does not say what it holds ({error})") from error
    # Where upper and lower case name the same folder, two symbols could meet in one.
    if owner != (series.exchange, series.symbol, series.timeframe.ns):
        raise StoreError(f"{name} holds candles of {owner[0]} {owner[1]}, not of {series}")
    return summary


def _groups(file: Any, within: Span | None) -> list[int]:  # noqa: ANN401 - pyarrow has no types
    """Return the row groups that may hold candles of a span."""
    groups = range(file.num_row_groups)
    if within is None or len(groups) == 1:
        return list(groups)
    stats = [file.metadata.row_group(group).column(0).statistics for group in groups]
    return [
        group
        for group in groups
        if stats[group] is None or (stats[group].min < within.end_ns and stats[group].max >= within.start_ns)
    ]


def _check(name: str, covered: tuple[Span, ...], time_ns: NDArray[np.int64]) -> None:
    """Raise unless spans are disjoint, candles ascend, and each lies in a span."""
    if not is_disjoint(covered):
        raise StoreError(f"{name} covers spans that overlap: {', '.join(map(str, covered))}")
    if (time_ns[1:] <= time_ns[:-1]).any():
        raise StoreError(f"{name} has candles out of order")
    inside = sum(int(np.diff(np.searchsorted(time_ns, span))[0]) for span in covered)
    if inside != len(time_ns):
        raise StoreError(f"{name} has {len(time_ns) - inside} candles outside of what it covers")


def _hash(time_ns: NDArray[np.int64], values: NDArray[np.float64]) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(time_ns, dtype="<i8").data)
    digest.update(np.ascontiguousarray(values, dtype="<f8").data)
    return digest.hexdigest()


def _damaged(name: str, reason: object) -> StoreError:
    return StoreError(f"{name} is damaged: {reason}; delete it and download its month again")
