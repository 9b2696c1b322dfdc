"""Candle files: CSV, Parquet, Feather, and JSON as ccxt writes it."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Final

from workbench.data.arrow_tables import read_feather, read_parquet
from workbench.data.csv_tables import read_csv
from workbench.data.file_format import FileFormat
from workbench.data.regular_file import open_regular, size_text
from workbench.errors import DataError, MissingDataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

__all__ = ["FILE_SUFFIXES", "USUAL_FORMAT", "read_table"]

_CCXT_COLUMNS: Final = ("timestamp", "open", "high", "low", "close", "volume")
# The parsed text takes several times its size.
_MAX_JSON_BYTES: Final = 268_435_456
_MOST_DIGITS: Final = 18
USUAL_FORMAT: Final = FileFormat()


def read_table(path: Path, form: FileFormat = USUAL_FORMAT) -> pd.DataFrame:
    """Read a table of candles or rates as it is.

    Parameters
    ----------
    path : Path
        The file; the suffix tells its format (`FILE_SUFFIXES`). JSON is a list of ``[time, open, high, low, close,
        volume]`` as from ccxt's ``fetch_ohlcv``, or a list of objects with such keys.
    form : FileFormat, optional
        How it is written, and how large it may be.

    Returns
    -------
    pandas.DataFrame
        At least one row, in the file's order, indexed from 0. Columns of a Parquet or Feather file that are neither
        numbers, times nor text are left out; ``attrs["left_out"]`` maps their names to their types.

    Raises
    ------
    MissingDataError
        There is no such file, or it has no rows.
    DataError
        It is no regular file, too large, packed, of an unknown suffix, or its content is not of this format.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None and path.is_file():
        raise DataError(f"{path.name}: the suffix must be one of {', '.join(FILE_SUFFIXES)}, was {path.suffix!r}")
    with open_regular(path, form.max_size_bytes) as file:
        if reader is None:
            raise DataError(f"{path.name}: the suffix must be one of {', '.join(FILE_SUFFIXES)}, was {path.suffix!r}")
        try:
            table = reader(file, form)
        # pyarrow's errors and json's are ValueErrors, pandas' parser errors too; OSError is what pyarrow says of a
        # damaged Parquet file; nested brackets without end are a RecursionError.
        except (ValueError, OSError, RecursionError, MemoryError) as error:
            raise DataError(f"{path.name} cannot be read as {path.suffix.lower()[1:]}: {error}") from error
    if table.empty:
        raise MissingDataError(f"{path.name} has no rows")
    return table


def _read_json(file: IO[bytes], form: FileFormat) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - half a second that only reading a table may cost

    limit = min(form.max_size_bytes, _MAX_JSON_BYTES)
    text = file.read(limit + 1)
    if len(text) > limit:
        raise ValueError(f"JSON is read up to {size_text(limit)}; write it as CSV or Parquet")
    content = json.loads(text.decode("utf-8-sig"), parse_int=_whole_number)
    if not isinstance(content, list):
        raise ValueError(f"must be a list of bars, was {type(content).__name__}")  # noqa: TRY004 - the content is wrong, not a caller's type; read_table words it
    if content and isinstance(content[0], dict):
        other = next((row for row, bar in enumerate(content) if not isinstance(bar, dict)), None)
        if other is not None:
            raise ValueError(f"row {other} must be an object as row 0 is, was {content[other]!r:.80}")
        return pd.DataFrame.from_records(content)
    wrong = next(
        (row for row, bar in enumerate(content) if not isinstance(bar, list) or len(bar) != len(_CCXT_COLUMNS)), None
    )
    if wrong is not None:
        raise ValueError(f"row {wrong} must be [{', '.join(_CCXT_COLUMNS)}], was {content[wrong]!r:.80}")
    return pd.DataFrame(content, columns=list(_CCXT_COLUMNS))


def _whole_number(text: str) -> float:
    """Return a whole number; one that fits no column of integers becomes a float, which may be infinite."""
    return int(text) if len(text) <= _MOST_DIGITS else float(text)


_READERS: Final[dict[str, Callable[[IO[bytes], FileFormat], pd.DataFrame]]] = {
    ".csv": read_csv,
    ".parquet": read_parquet,
    ".feather": read_feather,
    ".json": _read_json,
}
#: Suffixes of the files that can be read.
FILE_SUFFIXES: Final = tuple(_READERS)
