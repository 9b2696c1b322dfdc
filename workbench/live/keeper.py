"""When a session's record is made safe, and what becomes of a session whose record cannot be written."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import JournalError, SessionClosedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.live.clock import Clock
    from workbench.live.record import SessionRecord
    from workbench.live.timing import DurationHistogram
    from workbench.live.trading_engine import LiveTradingEngine

__all__ = ["RecordKeeper"]

_NS_PER_S: Final = 1_000_000_000
# What changes nothing but prices is lost by a crash at most this long, and comes again from the exchange.
_LATEST_NS: Final = _NS_PER_S // 4
# A record that fails is tried again this often, real time.
_RETRY_NS: Final = _NS_PER_S
# Rows that wait for a disk to have room again; then the session ends, before the memory does.
_MOST_WAITING: Final = 500_000


class RecordKeeper:
    """Commits a session's record; its thread alone calls it.

    Parameters
    ----------
    record : SessionRecord
        What is kept.
    clock : Clock
        Real time.
    timing : DurationHistogram
        Takes how long each commit took.
    """

    def __init__(self, record: SessionRecord, clock: Clock, timing: DurationHistogram) -> None:
        self._record = record
        self._clock = clock
        self._timing = timing
        self._tried_ns = clock.monotonic_ns()
        self._fault: str | None = None

    @property
    def fault(self) -> str | None:
        """Why the record cannot be written now, None when it can."""
        return self._fault

    def note(self, kind: str, time_ns: int, body: Mapping[str, Any]) -> None:
        """Add a note; it is safe with the next commit."""
        self._record.note(kind, time_ns, body)

    def commit_if_due(self, engine: LiveTradingEngine, *, matters: bool) -> None:
        """Commit when what was added `matters`, or when the last time is long enough ago; now and then with a check.

        Raises
        ------
        JournalError
            So much waits for a record that cannot be written that the session cannot go on.
        """
        if self._record.is_snapshot_due:
            self._record.snapshot(engine.ledger_hash())
        waiting = self._record.uncommitted
        if not waiting:
            return
        due_ns = self._tried_ns + (_LATEST_NS if self._fault is None else _RETRY_NS)
        if (matters and self._fault is None) or self._clock.monotonic_ns() >= due_ns:
            self.commit()
        if self._fault is not None and waiting > _MOST_WAITING:
            raise JournalError(f"{waiting:,} rows and notes wait for the journal: {self._fault}")

    def commit(self) -> bool:
        """Commit now, and return whether that worked; if not, `fault` says why."""
        began_ns = self._clock.monotonic_ns()
        self._tried_ns = began_ns
        try:
            self._record.commit()
        except JournalError as error:
            self._record.release_ballast()
            self._fault = str(error)
            return False
        self._timing.record(self._clock.monotonic_ns() - began_ns)
        if self._fault is not None:
            self._fault = None
            self._record.renew_ballast()
        return True

    def finish(self, engine: LiveTradingEngine) -> None:
        """Commit what is left at the end of the session, with a check on its replay, where that is still possible."""
        # Of a session that was given up, somebody else may have closed the record already.
        with contextlib.suppress(SessionClosedError):
            if self._record.keeps_snapshots:
                self._record.snapshot(engine.ledger_hash())
            self.commit()
