"""CSV files as tables; what does not fit is refused with what looks likely."""

from __future__ import annotations

import csv
import io
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.file_format import FileFormat

__all__ = ["read_csv"]

_HEAD_BYTES: Final = 65_536
_OTHER_ENCODINGS: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_LIKELY_SEPARATORS: Final = (",", ";", "\t", "|")


def read_csv(file: IO[bytes], form: FileFormat) -> pd.DataFrame:
    """Read a CSV file as it is.

    Parameters
    ----------
    file : binary file
        UTF-8 text, with or without a byte order mark; lines may end in any way.
    form : FileFormat
        Separator, decimal sign and the like.

    Returns
    -------
    pandas.DataFrame
        In the file's order; blank lines are no rows.

    Raises
    ------
    ValueError
        It is no UTF-8 text, has another separator or no header, or a row has more fields than the header.
    """
    import pandas as pd  # noqa: PLC0415 - half a second that only reading a table may cost

    _look_at(file.read(_HEAD_BYTES), form)
    file.seek(0)
    table = pd.read_csv(
        file,
        sep=form.separator,
        decimal=form.decimal,
        thousands=form.thousands,
        skiprows=form.skip_rows,
        header="infer" if form.header is None else None,
        names=None if form.header is None else list(form.header),
        encoding="utf-8-sig",
        skipinitialspace=True,
        low_memory=False,
    )
    # pandas takes the first field of rows with one too many for an index and so moves every name by one.
    if not table.index.equals(pd.RangeIndex(len(table))):
        raise ValueError(f"rows have more fields than the header, which has {table.shape[1]}")
    return table


def _look_at(head: bytes, form: FileFormat) -> None:
    """Refuse what the parser would take for one column, or for text that it is not."""
    for mark, name in _OTHER_ENCODINGS.items():
        if head.startswith(mark):
            raise ValueError(f"it is {name} text: save it as UTF-8")
    if b"\0" in head:
        raise ValueError("it is no text: it has zero bytes")
    lines = [line for line in head.decode("utf-8-sig", errors="replace").splitlines()[form.skip_rows :] if line.strip()]
    if not lines:
        return
    if form.separator not in lines[0]:
        likely = [sign for sign in _LIKELY_SEPARATORS if lines[0].count(sign) > 1]
        if likely:
            raise ValueError(f"the header has no {form.separator!r} but {likely[0]!r}: pass "
                             f"file_format=FileFormat(separator={likely[0]!r})")  # fmt: skip
        if len(lines) > 1 and form.separator in lines[1]:
            raise ValueError(f"line {form.skip_rows + 1} is no header: pass file_format=FileFormat(skip_rows="
                             f"{form.skip_rows + 1})")  # fmt: skip
    if form.header is None:
        fields = next(csv.reader(io.StringIO(lines[0]), delimiter=form.separator), [])
        if len(fields) > 1 and all(_is_number(field) for field in fields):
            raise ValueError(f"there is no header, the first line is data ({lines[0]:.60}): pass "
                             'file_format=FileFormat(header=("time", "open", ...))')  # fmt: skip


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
