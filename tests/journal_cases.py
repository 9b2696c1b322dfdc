"""What the tests of the journal write, and where its files are."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from workbench.live.journal import Journal
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
