"""What a run leaves behind: fills, closed trades, denials, breaker trips and a row per bar, as arrays."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.core.book import state_bytes
from workbench.core.records import DENIAL_ROW, FILL_ROW, LOG, REQUEST_ROW, TRACE, TRADE_ROW, TRIP_ROW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.records import Book

    Table = NDArray[np.void]

# Column of a table -> (type, field of the log).
_FILL: Final = {
    "sequence": ("i8", "sequence"),
    "symbol": ("i8", "symbol"),
    "time_ns": ("i8", "time_ns"),
    "side": ("i8", "side"),
    "quantity": ("f8", "quantity"),
    "price": ("f8", "price"),
    "fee": ("f8", "fee"),
    "reason": ("i8", "code"),
    "is_maker": ("i8", "flag"),
}
_TRADE: Final = {
    "symbol": ("i8", "symbol"),
    "side": ("i8", "side"),
    "quantity": ("f8", "quantity"),
    "entry_time_ns": ("i8", "start_ns"),
    "entry_price": ("f8", "entry"),
    "exit_time_ns": ("i8", "time_ns"),
    "exit_price": ("f8", "price"),
    "reason": ("i8", "code"),
    "pnl": ("f8", "value"),
    "return_": ("f8", "return_"),
    "fees": ("f8", "fee"),
    "funding": ("f8", "funding"),
    "bars_held": ("i8", "flag"),
    "mae": ("f8", "mae"),
    "mfe": ("f8", "mfe"),
    "stop_level": ("f8", "stop"),
    "target": ("f8", "target"),
}
_DENIAL: Final = {
    "rule": ("i8", "code"),
    "symbol": ("i8", "symbol"),
    "side": ("i8", "side"),
    "time_ns": ("i8", "time_ns"),
    "quantity": ("f8", "quantity"),
    "limit": ("f8", "entry"),
    "value": ("f8", "value"),
}
_TRIP: Final = {
    "rule": ("i8", "code"),
    "time_ns": ("i8", "time_ns"),
    "limit": ("f8", "entry"),
    "value": ("f8", "value"),
}
_REQUEST: Final = {
    "number": ("i8", "sequence"),
    "symbol": ("i8", "symbol"),
    "time_ns": ("i8", "time_ns"),
    "side": ("i8", "side"),
    "kind": ("i8", "flag"),
    "quantity": ("f8", "quantity"),
    "price": ("f8", "price"),
    "reason": ("i8", "code"),
    "is_exit": ("f8", "value"),
}


NO_LOG: Final[Table] = np.zeros(0, LOG)
MARK_ROWS: Final = 256
"""Rows of a trace between two marks of its hash."""


def _table(log: Table, kind: int, columns: dict[str, tuple[str, str]]) -> Table:
    rows = log[log["kind"] == kind]
    table = np.empty(len(rows), np.dtype([(name, code) for name, (code, _) in columns.items()]))
    for name, (_, source) in columns.items():
        table[name] = rows[source]
    table.setflags(write=False)
    return table


def take_log(book: Book) -> Table:
    """Return a copy of what the log has recorded, and empty it."""
    rows = int(book.output["log_rows"])
    if rows == 0:
        return NO_LOG
    taken: Table = book.log[:rows].copy()
    # A row keeps the fields that its kind does not use: equal runs must leave equal bytes, whatever stood there before.
    book.log[:rows] = np.zeros((), LOG)
    book.output["log_rows"] = 0
    return taken


@dataclass(frozen=True, eq=False)
class Ledger:
    """The result of a run of the core.

    Parameters
    ----------
    symbols : tuple of str
        Names for the ``symbol`` columns.
    log : ndarray of `LOG`
        Everything that happened, in order.
    trace : ndarray of `TRACE`
        The account after each bar: ``time_ns`` (open label), ``close_time_ns``, ``symbol``, ``equity``, ``cash``,
        ``gross`` (notional of all positions) and ``decision`` (rule code or action).
    state : bytes
        Account and positions at the end.
    book : Book
        The records themselves, for what is open at the end.
    """

    symbols: tuple[str, ...]
    log: Table
    trace: Table
    state: bytes
    book: Book = field(repr=False)

    @classmethod
    def of(cls, symbols: tuple[str, ...], logs: list[Table], trace: Table, book: Book) -> Ledger:
        """Return the ledger of a finished run from the pieces of its log.

        Parameters
        ----------
        symbols : tuple of str
            Names of the symbols.
        logs : list of ndarray of `LOG`
            Pieces of the log, oldest first.
        trace : ndarray of `TRACE`
            Buffer of the trace; the book says how much of it is taken.
        book : Book
            The records.
        """
        log = np.concatenate(logs) if logs else np.zeros(0, LOG)
        rows = int(book.output["trace_rows"])
        return cls(symbols, log, trace[:rows], state_bytes(book), book)

    @cached_property
    def fills(self) -> Table:
        """Executions: sequence, symbol, time_ns, side, quantity, price, fee, reason, is_maker."""
        return _table(self.log, FILL_ROW, _FILL)

    @cached_property
    def trades(self) -> Table:
        """Closed round trips; see `workbench.model.ClosedTrade` for the columns."""
        return _table(self.log, TRADE_ROW, _TRADE)

    @cached_property
    def denials(self) -> Table:
        """Entries that the risk review refused: rule, symbol, side, time_ns, quantity, limit, value."""
        return _table(self.log, DENIAL_ROW, _DENIAL)

    @cached_property
    def trips(self) -> Table:
        """Breakers that tripped: rule (an exit reason), time_ns, limit, value."""
        return _table(self.log, TRIP_ROW, _TRIP)

    @cached_property
    def requests(self) -> Table:
        """Orders for an external exchange: number, symbol, time_ns, side, kind, quantity, price, reason, is_exit."""
        return _table(self.log, REQUEST_ROW, _REQUEST)

    @property
    def equity(self) -> NDArray[np.float64]:
        """Equity after each row of the trace, in quote currency, shape (n_rows,)."""
        column: NDArray[np.float64] = self.trace["equity"]
        return column

    @cached_property
    def hash(self) -> str:
        """The sha256 over log, trace and state: equal if and only if two runs did the same, byte for byte."""
        log, trace = (hashlib.sha256(table_bytes(table)).digest() for table in (self.log, self.trace))
        return joint_hash(log, trace, self.state)


@dataclass(frozen=True, eq=False)
class LedgerTail:
    """The newest part of what a long run leaves behind, and the hash of all of it.

    Parameters
    ----------
    newest : Ledger
        The rows that are kept, and the state at the end; its own hash is that of a whole run only if none is missing.
    rows : int
        Rows of the whole trace: one for each bar.
    fills : int
        Fills of the whole run.
    hash : str
        As `Ledger.hash` of the whole run.
    marks : tuple of bytes
        The beginning of the hash of the trace after each `MARK_ROWS` rows that are not kept.
    peak : float
        Highest equity of the rows that are not kept, quote currency; minus infinity when all are.
    """

    newest: Ledger
    rows: int
    fills: int
    hash: str
    marks: tuple[bytes, ...]
    peak: float

    @property
    def dropped(self) -> int:
        """Rows of the trace that are not kept."""
        return self.rows - len(self.newest.trace)


def joint_hash(log: bytes, trace: bytes, state: bytes) -> str:
    """Return the hash of a run from those of its log and of its trace, which grow in pieces of any size."""
    return hashlib.sha256(log + trace + state).hexdigest()


def table_bytes(table: Table) -> memoryview:
    """Return the bytes of a table, without a copy where they lie together."""
    return np.ascontiguousarray(table).view(np.uint8).data


def new_trace(rows: int) -> Table:
    """Return an empty trace with place for `rows` rows."""
    return np.zeros(rows, TRACE)
