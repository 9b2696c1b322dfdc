"""The log of a run: fills, closed trades, denials, breaker trips and requests in the order in which they happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.compiled import inlined_kernel, record_kernel
from workbench.core.records import DENIAL_ROW

if TYPE_CHECKING:
    from workbench.core.records import Book, Record

# Most rows that one timestamp can add per symbol.
ROOM_PER_SYMBOL = 24
# Rows of the log between two visits of a driver; each is about 150 bytes. A log has room for one more timestamp.
LOG_ROWS = 1 << 14


@inlined_kernel
def has_room(book: Book) -> bool:
    """Return whether the log can take what one more timestamp may add, or records nothing anyway."""
    rows = book.log.shape[0]
    return rows == 1 or book.output["log_rows"] + ROOM_PER_SYMBOL * book.symbols.shape[0] < rows


@inlined_kernel
def is_recorded(book: Book) -> bool:
    """Return whether the log keeps anything: a sweep's does not, and is spared the work of filling in rows."""
    return book.log.shape[0] > 1


@inlined_kernel
def log_row(book: Book, kind: int, s: int, side: int, time_ns: int) -> Record:
    """Return the next row of the log to fill in."""
    row = book.output["log_rows"]
    if row < book.log.shape[0] - 1:
        book.output["log_rows"] = row + 1
    else:
        row = book.log.shape[0] - 1
    # Rows are zero before they are taken (`take_log`), so that fields which a kind does not use are equal everywhere.
    record = book.log[row]
    record["kind"] = kind
    record["symbol"] = s
    record["side"] = side
    record["time_ns"] = time_ns
    return record


@record_kernel
def deny(book: Book, rule: int, s: int, side: int, time_ns: int, verdict: tuple[float, float, float]) -> None:
    """Log a denial; `verdict` is (quantity, limit, value)."""
    book.account["denial_count"] += 1
    record = log_row(book, DENIAL_ROW, s, side, time_ns)
    record["code"] = rule
    record["quantity"] = verdict[0]
    record["entry"] = verdict[1]
    record["value"] = verdict[2]
