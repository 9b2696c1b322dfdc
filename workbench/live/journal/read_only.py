"""A journal that is only read, as the record of a session that has ended or that another process runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from workbench.errors import SessionClosedError
from workbench.live.journal.reader import JournalReader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from workbench.live.journal.note import Note
    from workbench.live.journal.stored import Snapshot
    from workbench.model import Bars

__all__ = ["ReadOnlyRecord"]


class ReadOnlyRecord:
    """Implements `workbench.live.record.SessionRecord` on the commits of a journal; what would change it raises.

    Parameters
    ----------
    path : Path
        The journal.

    Raises
    ------
    JournalError
        It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._reader = JournalReader(path)

    def __len__(self) -> int:
        return len(self._reader)

    @property
    def uncommitted(self) -> int:
        """Always 0."""
        return 0

    @property
    def keeps_snapshots(self) -> bool:
        """Always False: nothing can be added."""
        return False

    @property
    def is_snapshot_due(self) -> bool:
        """Always False."""
        return False

    def history(self) -> Bars | None:
        """Return the bars before the first row."""
        return self._reader.history()

    def read(self, count: int | None = None) -> NDArray[np.void]:
        """Return the first `count` rows, or all."""
        return self._reader.read(count)

    def notes(self, *kinds: str) -> tuple[Note, ...]:
        """Return the notes of some kinds, or all, oldest first."""
        return tuple(self._reader.notes(*kinds))

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return the checks on a replay, oldest first."""
        return self._reader.snapshots()

    def put_history(self, bars: Bars | None) -> NoReturn:  # noqa: ARG002  the protocol's
        """Raise SessionClosedError."""
        self._refuse()

    def append(self, events: NDArray[np.void]) -> NoReturn:  # noqa: ARG002  the protocol's
        """Raise SessionClosedError."""
        self._refuse()

    def note(self, kind: str, time_ns: int, body: Mapping[str, Any]) -> NoReturn:  # noqa: ARG002  the protocol's
        """Raise SessionClosedError."""
        self._refuse()

    def snapshot(self, ledger_hash: str) -> NoReturn:  # noqa: ARG002  the protocol's
        """Raise SessionClosedError."""
        self._refuse()

    def commit(self) -> None:
        """Do nothing: nothing waits."""

    def release_ballast(self) -> int:
        """Return 0: only the writer keeps one."""
        return 0

    def renew_ballast(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing: nothing is held."""

    def _refuse(self) -> NoReturn:
        raise SessionClosedError("this record is only read: the session has ended, or another process runs it")
