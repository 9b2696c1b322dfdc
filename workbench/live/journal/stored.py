"""What a journal's file holds, read and checked; every function reads inside the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.live.journal.chain import ROW_BYTES, Chain, seal
from workbench.live.journal.note import StoredNote
from workbench.live.journal.stored_bars import StoredBars
from workbench.model import EVENT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["CHUNK_ROWS", "About", "DamageError", "Head", "Snapshot", "chunk_count", "rows_of"]

CHUNK_ROWS: Final = 55
"""Rows in a full chunk: with its digest it just fits into one page of 4,096 bytes."""

STORED_EVENT: Final = EVENT.newbyteorder("<")


class DamageError(Exception):
    """What was read cannot be what was written; whoever knows the file's name makes a ``JournalError`` of it."""


class About(NamedTuple):
    """What never changes: whose journal it is, and how that session began."""

    session_id: str
    header: str
    created_wall_ns: int

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> About:
        """Return it, checked."""
        row = connection.execute("SELECT session_id, header, created_wall_ns, seal FROM about").fetchone()
        if row is None or seal(*row[:-1]) != row[-1]:
            raise DamageError("what it says of its session is not what was written")
        return cls(*row[:-1])

    def write(self, connection: sqlite3.Connection) -> None:
        """Store it."""
        connection.execute("INSERT INTO about VALUES (1, ?, ?, ?, ?)", (*self, seal(*self)))


class Head(NamedTuple):
    """Where a journal stands."""

    epoch: int
    rows: int
    notes: int
    snapshots: int
    rows_digest: bytes
    notes_digest: bytes
    history_digest: bytes

    @classmethod
    def read(cls, connection: sqlite3.Connection, session_id: str) -> Head:
        """Return it, checked."""
        columns = ", ".join(cls._fields)
        row = connection.execute(f"SELECT {columns}, seal FROM head").fetchone()  # noqa: S608 - names of this class
        if row is None or seal(session_id, *row[:-1]) != row[-1]:
            raise DamageError("its head is not what was written")
        return cls(*row[:-1])

    def write(self, connection: sqlite3.Connection, session_id: str) -> None:
        """Store it in place of the one before."""
        values = (*self, seal(session_id, *self))
        connection.execute("INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)", values)


class Snapshot(NamedTuple):
    """A check on a replay: the hash of the ledger after so many rows."""

    rows: int
    ledger_hash: str

    def write(self, connection: sqlite3.Connection, number: int) -> None:
        """Store it as the one of this number, from 1."""
        values = (number, *self)
        connection.execute("INSERT INTO snapshots VALUES (?, ?, ?, ?)", (*values, seal(*values)))


def chunk_count(rows: int) -> int:
    """Return how many chunks hold so many rows.

    Examples
    --------
    >>> chunk_count(0), chunk_count(1), chunk_count(55), chunk_count(56)
    (0, 1, 1, 2)
    """
    return -(-rows // CHUNK_ROWS)


def read_chunks(connection: sqlite3.Connection, head: Head, rows: int) -> tuple[bytearray, Chain]:
    """Return the bytes of the chunks that hold the first `rows` rows, and the chain over them, which proves them."""
    found = connection.execute(
        "SELECT number, digest, data FROM chunks WHERE number < ? ORDER BY number", (chunk_count(rows),)
    ).fetchall()
    if len(found) != chunk_count(rows) or not all(isinstance(data, bytes) for _, _, data in found):
        raise DamageError(f"chunks of its {rows} rows are missing")
    content = bytearray().join([data for _, _, data in found])
    chain = Chain()
    chain.add_rows(content)
    digest = head.rows_digest if rows == head.rows else found[-1][1] if found else chain.rows_digest
    if chain.rows < rows or len(content) % ROW_BYTES or chain.rows_digest != digest:
        raise DamageError(f"its first {rows} rows are not what was written")
    return content, chain


def each_chunk(connection: sqlite3.Connection) -> Iterator[bytes]:
    """Yield the bytes of each chunk as long as its digest proves it; ``DamageError`` at the first that it does not."""
    chain = Chain()
    found = connection.execute("SELECT number, digest, data FROM chunks ORDER BY number")
    for number, (stored_number, digest, data) in enumerate(found):
        chain.add_rows(data)
        if stored_number != number or len(data) % ROW_BYTES or chain.rows_digest != digest:
            raise DamageError(f"its chunk {number} is not what was written")
        yield data


def rows_of(content: bytearray, count: int) -> NDArray[np.void]:
    """Return the first `count` of stored rows as an array of `EVENT`, on the same memory where that can be."""
    return np.frombuffer(content, dtype=STORED_EVENT, count=count).astype(EVENT, copy=False)


def read_notes(connection: sqlite3.Connection, head: Head) -> list[StoredNote]:
    """Return all notes, proven by the chain."""
    chain = Chain()
    notes = list(each_note(connection, chain))
    if len(notes) != head.notes or chain.notes_digest != head.notes_digest:
        raise DamageError(f"its {head.notes} notes are not what was written")
    return notes


def each_note(connection: sqlite3.Connection, chain: Chain) -> Iterator[StoredNote]:
    """Yield each note as long as its seal proves it, and let the chain go on; ``DamageError`` at the first other."""
    found = connection.execute(
        "SELECT seq, epoch, after, kind, time_ns, body, client_order_id, wall_ns, seal FROM notes ORDER BY seq"
    )
    for *values, wall_ns, sealed in found:
        note = StoredNote(*values)
        if note.seq != chain.notes + 1 or sealed != add_note(chain, note, wall_ns):
            raise DamageError(f"its note {note.seq} is not what was written")
        yield note


def add_note(chain: Chain, note: StoredNote, wall_ns: int) -> bytes:
    """Let a chain go on over a note and return the note's seal."""
    chain.add_note(note.chain_text)
    return seal(chain.notes_digest, note.epoch, note.client_order_id or "", wall_ns)


def write_notes(connection: sqlite3.Connection, chain: Chain, notes: Iterable[StoredNote], wall_ns: int) -> None:
    """Store notes and let the chain go on over them."""
    rows = [
        (note.seq, note.epoch, note.after, note.kind, note.time_ns, note.text, note.client_order_id, wall_ns,
         add_note(chain, note, wall_ns))
        for note in notes
    ]  # fmt: skip
    connection.executemany("INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def write_rows(connection: sqlite3.Connection, chain: Chain, tail: bytes, data: bytes) -> bytes:
    """Store rows behind those of the last chunk, which are `tail`, and return what the last chunk holds now."""
    number = chain.rows // CHUNK_ROWS
    content = tail + data
    size = CHUNK_ROWS * ROW_BYTES
    chunks = []
    for start in range(0, len(content), size):
        part = content[start : start + size]
        chain.add_rows(part if start else part[len(tail) :])
        chunks.append((number + start // size, chain.rows_digest, part))
    connection.executemany("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?)", chunks)
    return content[len(content) // size * size :]


def read_history(connection: sqlite3.Connection, head: Head) -> StoredBars | None:
    """Return the warm-up bars, checked; None when there are none."""
    row = connection.execute("SELECT about, time_ns, bar_values FROM history").fetchone()
    if (row is None) != (not head.history_digest):
        raise DamageError("its warm-up bars are missing")
    if row is None:
        return None
    stored = StoredBars(*row)
    if stored.digest != head.history_digest:
        raise DamageError("its warm-up bars are not what was written")
    return stored


def read_snapshots(connection: sqlite3.Connection, head: Head) -> tuple[Snapshot, ...]:
    """Return the checks on a replay, oldest first."""
    found = connection.execute("SELECT number, rows, ledger_hash, seal FROM snapshots ORDER BY number").fetchall()
    numbers = [number for number, *_ in found]
    if numbers != list(range(1, head.snapshots + 1)) or any(seal(*row[:-1]) != row[-1] for row in found):
        raise DamageError("its snapshots are not what was written")
    return tuple(Snapshot(rows, ledger_hash) for _, rows, ledger_hash, _ in found)
