"""Keep the write-ahead log of a journal small, and notice who keeps it large."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CHECKPOINT_PAGES", "WARN_PAGES", "WalKeeper"]

_LOG: Final = logging.getLogger(__name__)

CHECKPOINT_PAGES = 1_000
"""Pages of 4,096 bytes after which the log is brought into the file: about 4 MB."""

WARN_PAGES = 4_000
"""Pages in the log from which on a reader that keeps it from being emptied is worth a warning: about 16 MB."""


class WalKeeper:
    """Checkpoints of one journal, done by its writer between two commits.

    SQLite's own do not tell that a reader with an open transaction keeps the log growing, nor that one failed.

    Parameters
    ----------
    path : Path
        The journal's file.
    """

    __slots__ = ("_path", "_since", "warning")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._since = 0
        self.warning: str | None = None

    def after_commit(self, connection: sqlite3.Connection, pages: int) -> None:
        """Count the pages of a commit, and checkpoint when there are enough; never raises: the commit is durable."""
        self._since += pages
        if self._since < CHECKPOINT_PAGES:
            return
        self._since = 0
        try:
            # Passive: waits for nobody and stops nobody.
            _, in_log, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            self._warn(f"the -wal file of {self._path} could not be emptied: {error}")
            return
        if in_log >= WARN_PAGES and copied < in_log:
            size = f"{in_log * 4_096 / 1e6:.0f} MB"
            text = f"the -wal file of {self._path} has grown to {size}: a reader has kept a transaction open"
            self._warn(f"{text}; close what reads the file other than through workbench")
        else:
            self.warning = None

    def _warn(self, text: str) -> None:
        if self.warning is None:
            _LOG.warning(text)
        self.warning = text
