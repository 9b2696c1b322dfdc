"""A record that outlives a session: in memory, with the difference between what was committed and what was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import JournalError, SessionClosedError
from workbench.model import EVENT, Bars


@dataclass(frozen=True)
class Note:
    after: int
    kind: str
    time_ns: int
    body: Mapping[str, Any]


class KeptRecord:
    """Keeps rows and notes; at commit number `crash_at` its session dies, before or after the commit.

    A session that dies so sees a closed record, and whatever its thread still does is lost, as with a real crash.
    """

    def __init__(self, *, crash_at: int | None = None, is_after: bool = False) -> None:
        self._rows: list[NDArray[np.void]] = []
        self._notes: list[Note] = []
        self._history: Bars | None = None
        self._checks: list[tuple[int, str]] = []
        self._safe: tuple[int, int, Bars | None] = (0, 0, None)
        self._count = 0
        self._crash_at = crash_at
        self._is_after = is_after
        self._is_dead = False
        self.commits = 0
        self.refusals = 0
        self.has_ballast = True

    def survivor(self, *, crash_at: int | None = None, is_after: bool = False, rows: int | None = None) -> KeptRecord:
        """Return what is left of the record after a crash: what was committed, or its first `rows`."""
        one = KeptRecord(crash_at=crash_at, is_after=is_after)
        if rows is not None:
            self._safe = (rows, sum(note.after <= rows for note in self._notes), self._history)
        rows, notes, one._history = self._safe
        one._rows, one._notes, one._count = [self.read(rows)], self._notes[:notes], rows
        one._safe = self._safe
        one._checks = [check for check in self._checks if check[0] <= rows]
        return one

    def __len__(self) -> int:
        return self._count

    @property
    def uncommitted(self) -> int:
        return self._count - self._safe[0] + len(self._notes) - self._safe[1]

    def put_history(self, bars: Bars | None) -> None:
        self._history = bars

    def history(self) -> Bars | None:
        return self._history

    def append(self, events: NDArray[np.void]) -> None:
        if not self._is_dead:
            self._rows.append(events.copy())
            self._count += len(events)

    def read(self, count: int | None = None) -> NDArray[np.void]:
        return np.concatenate([np.zeros(0, EVENT), *self._rows])[:count]

    def note(self, kind: str, time_ns: int, body: Mapping[str, Any]) -> int:
        if not self._is_dead:
            self._notes.append(Note(self._count, kind, time_ns, dict(body)))
        return len(self._notes)

    def notes(self, *kinds: str) -> tuple[Note, ...]:
        return tuple(note for note in self._notes if not kinds or note.kind in kinds)

    @property
    def keeps_snapshots(self) -> bool:
        return True

    @property
    def is_snapshot_due(self) -> bool:
        return self._count - (self._checks[-1][0] if self._checks else 0) >= 100

    def snapshot(self, ledger_hash: str) -> None:
        if not self._is_dead:
            self._checks.append((self._count, ledger_hash))

    def snapshots(self) -> list[tuple[int, str]]:
        return self._checks

    def commit(self) -> None:
        if self._is_dead:
            return
        if self.refusals:
            self.refusals -= 1
            raise JournalError("the disk is full")
        self.commits += 1
        self._is_dead = self.commits == self._crash_at
        if not self._is_dead or self._is_after:
            self._safe = (self._count, len(self._notes), self._history)
        if self._is_dead:
            raise SessionClosedError("the process died")

    def release_ballast(self) -> int:
        self.has_ballast = False
        return 0

    def renew_ballast(self) -> None:
        self.has_ballast = True

    def close(self) -> None:
        pass
