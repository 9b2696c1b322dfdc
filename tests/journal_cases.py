"""What the tests of the journal write, and where its files are."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.live.journal import Journal, opening
from workbench.live.journal.connection import connect_writer
from workbench.model import EVENT

HEADER = {"mode": "paper", "config": "c0ffee"}


def rows(count: int, first: int = 0) -> np.ndarray:
    """Return rows that all differ, in every column."""
    table = np.zeros(count, dtype=EVENT)
    numbers = np.arange(first, first + count)
    for column, name in enumerate(EVENT.names or ()):
        table[name] = numbers * 10 + column
    return table


def new_journal(folder: Path, session_id: str = "s1") -> Journal:
    return Journal.create(folder / "journal.db", session_id=session_id, header=HEADER)


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the content of the file and of its -wal file, as far as they are there."""
    names = ("journal.db", "journal.db-wal")
    return {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}


def crash_copy(folder: Path, target: Path) -> Path:
    """Return the file as a machine finds it that lost its power now."""
    target.mkdir(exist_ok=True)
    for name in files_of(folder):
        shutil.copy(folder / name, target / name)
    return target / "journal.db"


class WatchedConnection:
    """A connection of the writer in a test's hands, whose disk fails at the statement of a number."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self.real = real
        self.fails_in = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        self._count()
        return self.real.execute(*arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        self._count()
        return self.real.executemany(*arguments)

    def _count(self) -> None:
        self.fails_in -= 1
        if self.fails_in == 0:
            raise sqlite3.OperationalError("disk I/O error")


def watched_journal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Journal, WatchedConnection]:
    """Return a new journal and its connection."""
    connections: list[WatchedConnection] = []

    def connect(path: Path, **options: bool) -> WatchedConnection:
        connections.append(WatchedConnection(connect_writer(path, **options)))
        return connections[-1]

    monkeypatch.setattr(opening, "connect_writer", connect)
    return new_journal(folder), connections[-1]
