"""Candle files: CSV, Parquet, Feather, and JSON as ccxt writes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from workbench.errors import DataError, MissingDataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

__all__ = ["FILE_SUFFIXES", "read_table"]

_CCXT_COLUMNS: Final = ("timestamp", "open", "high", "low", "close", "volume")


def read_table(path: Path) -> pd.DataFrame:
    """Read a candle file as it is, one row per bar.

    Parameters
    ----------
    path : Path
        The file; the suffix tells its format (`FILE_SUFFIXES`). JSON is a list of ``[time, open, high, low, close,
        volume]`` as from ccxt's ``fetch_ohlcv``, or a list of objects with such keys.

    Returns
    -------
    pandas.DataFrame
        At least one row, in the file's order, indexed from 0 (or by the index that a Parquet or Feather file brings).

    Raises
    ------
    MissingDataError
        There is no such file, or it has no rows.
    DataError
        The suffix is unknown, or the content is not of this format.
    """
    if not path.is_file():
        raise MissingDataError(f"there is no file {path}" if not path.exists() else f"{path} is not a file")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path.name}: the suffix must be one of {', '.join(FILE_SUFFIXES)}, was {path.suffix!r}")
    try:
        table = reader(path)
    # pyarrow's errors and json's are ValueErrors, pandas' parser errors too; OSError is what pyarrow says of a damaged
    # Parquet file.
    except (ValueError, OSError) as error:
        raise DataError(f"{path.name} cannot be read as {path.suffix.lower()[1:]}: {error}") from error
    if table.empty:
        raise MissingDataError(f"{path.name} has no rows")
    return table


def _read_csv(path: Path) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - half a second that only reading a table may cost

    return pd.read_csv(path, skipinitialspace=True, low_memory=False)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - half a second that only reading a table may cost

    return pd.read_parquet(path, engine="pyarrow")


def _read_feather(path: Path) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - half a second that only reading a table may cost

    return pd.read_feather(path)


def _read_json(path: Path) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - half a second that only reading a table may cost

    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, list):
        raise ValueError(f"must be a list of bars, was {type(content).__name__}")  # noqa: TRY004 - the content is wrong, not a caller's type; read_table words it
    if content and isinstance(content[0], dict):
        return pd.DataFrame.from_records(content)
    wrong = next(
        (row for row, bar in enumerate(content) if not isinstance(bar, list) or len(bar) != len(_CCXT_COLUMNS)), None
    )
    if wrong is not None:
        raise ValueError(f"row {wrong} must be [{', '.join(_CCXT_COLUMNS)}], was {content[wrong]!r:.80}")
    return pd.DataFrame(content, columns=list(_CCXT_COLUMNS))


_READERS: Final[dict[str, Callable[[Path], pd.DataFrame]]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".feather": _read_feather,
    ".json": _read_json,
}
#: Suffixes of the files that can be read.
FILE_SUFFIXES: Final = tuple(_READERS)
