"""Parquet and Feather files as tables: simple columns only, and measured before they are unpacked."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Final

from workbench.data.arrow_sizes import unpacked_size
from workbench.data.regular_file import size_text

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.file_format import FileFormat

__all__ = ["read_feather", "read_parquet"]

_MAX_TEXT: Final = 64  # letters of a time; text is for nothing else here
_FEATHER_HEAD: Final = b"ARROW1\0\0"


def read_parquet(file: IO[bytes], form: FileFormat) -> pd.DataFrame:
    """Read a Parquet file as it is.

    Parameters
    ----------
    file : binary file
        The file.
    form : FileFormat
        How large it may be.

    Returns
    -------
    pandas.DataFrame
        Its simple columns; see `read_table`.

    Raises
    ------
    ValueError
        It is no Parquet file, or would be too large.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - a fifth of a second that only reading a table may cost

    about = pq.ParquetFile(file)
    simple, left_out = _simple_columns(about.schema_arrow)
    groups = [about.metadata.row_group(index) for index in range(about.num_row_groups)]
    packed = [group.column(index) for group in groups for index in range(group.num_columns)]
    declared = sum(column.total_uncompressed_size for column in packed if column.path_in_schema in simple)
    # A repeated value costs nothing in the file, but eight bytes a row here.
    _check_size(max(declared, 8 * about.metadata.num_rows * len(simple)), form)
    texts = [name for name, kind in simple.items() if kind == "text"]
    file.seek(0)
    # Text stays a dictionary until its longest word is known: repeated, it would cost nothing in the file either.
    table = pq.ParquetFile(file, read_dictionary=texts).read(columns=list(simple), use_threads=False)
    return _to_pandas(table, left_out)


def read_feather(file: IO[bytes], form: FileFormat) -> pd.DataFrame:
    """Read a Feather file (Arrow's file format) as it is; parameters, result and errors are those of `read_parquet`.

    Parameters
    ----------
    file : binary file
        The file.
    form : FileFormat
        How large it may be.
    """
    from pyarrow import ipc  # noqa: PLC0415 - a fifth of a second that only reading a table may cost

    if file.read(len(_FEATHER_HEAD)) != _FEATHER_HEAD:
        raise ValueError("it does not begin as a Feather file of version 2 does")
    # Read as a stream both times: the list of batches at the file's end could name the same one again and again.
    _check_size(unpacked_size(ipc.MessageReader.open_stream(file), form.max_size_bytes), form)
    file.seek(len(_FEATHER_HEAD))
    with ipc.open_stream(file) as stream:
        simple, left_out = _simple_columns(stream.schema)
        table = stream.read_all()
    return _to_pandas(table.select(list(simple)), left_out)


def _simple_columns(schema: Any) -> tuple[dict[str, str], dict[str, str]]:  # noqa: ANN401 - pyarrow has no types
    """Return the columns of numbers, times and text with their kind, and the others with their type."""
    from pyarrow import types  # noqa: PLC0415 - a fifth of a second that only reading a table may cost

    simple, left_out = {}, {}
    for field in schema:
        if types.is_string(field.type) or types.is_large_string(field.type):
            simple[field.name] = "text"
        elif types.is_integer(field.type) or types.is_floating(field.type) or types.is_timestamp(field.type):
            simple[field.name] = "number"
        else:
            left_out[field.name] = str(field.type)
    if len(simple) + len(left_out) != len(schema):
        raise ValueError("two columns have the same name")
    return simple, left_out


def _check_size(size_bytes: int, form: FileFormat) -> None:
    if size_bytes > form.max_size_bytes:
        raise ValueError(
            f"it would have {size_text(size_bytes)} or more unpacked; the limit is {size_text(form.max_size_bytes)} "
            "(max_size_bytes in file_format=FileFormat(...))"
        )


def _to_pandas(table: Any, left_out: dict[str, str]) -> pd.DataFrame:  # noqa: ANN401 - pyarrow has no types
    import pyarrow as pa  # noqa: PLC0415 - a fifth of a second that only reading a table may cost
    import pyarrow.compute as pc  # noqa: PLC0415 - as above

    for index, field in enumerate(table.schema):
        if not (pa.types.is_dictionary(field.type) or pa.types.is_string(field.type)):
            continue
        words = table.column(index)
        parts = [chunk.dictionary for chunk in words.chunks] if pa.types.is_dictionary(field.type) else words.chunks
        longest = max((pc.max(pc.binary_length(part)).as_py() or 0 for part in parts), default=0)
        if longest > _MAX_TEXT:
            raise ValueError(f"column {field.name!r} has text of {longest:,} letters, the limit is {_MAX_TEXT}")
        table = table.set_column(index, field.name, words.cast(pa.string()))
    frame = table.to_pandas(ignore_metadata=True)
    frame.attrs["left_out"] = left_out
    return frame  # type: ignore[no-any-return]  # pyarrow has no types
