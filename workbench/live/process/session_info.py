"""What can be told of a session from its folder alone, whatever its process, its kernel or its supervisor do."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from workbench.live.process.folders import read_json
from workbench.live.process.heartbeat import read_beat
from workbench.live.process.lock import holder_of, is_locked, left_behind
from workbench.live.process.orders_left import has_traded
from workbench.live.process.process_table import is_stopped
from workbench.live.process.record import CRASHED, FINISHED, GIVEN_UP, RUNNING, read_budget_s, read_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.live.process.folders import SessionFolder
    from workbench.live.process.heartbeat import Beat
    from workbench.live.process.process_table import ProcessId
    from workbench.live.process.record import ProcessRecord

__all__ = ["SessionInfo", "look_at"]

_NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """One session at one moment.

    Attributes
    ----------
    folder : SessionFolder
        Where it is.
    session_id : str
        Its id.
    state : str
        A `SessionState` of a session whose process lives and works, or that has finished. Beyond that ``"HUNG"`` (one
        step for too long), ``"FROZEN"`` (the process was stopped by a signal), ``"CRASHED"`` (the process is gone and
        the session has not finished) and ``"UNBORN"`` (it never got to trade).
    reason : str
        Why, and what can be done.
    process : ProcessId or None
        The process that runs it; None for none.
    is_finished : bool
        Whether it has ended for good.
    summary : mapping
        What its process said last: positions, equity, profit, symbols, times.
    told_age_s : float or None
        How old that is in seconds; None when nothing was ever said.
    uptime_s : float or None
        How long its process has been running; None without one.
    finished_s : float or None
        When it finished, seconds since 1970; None when it has not.
    """

    folder: SessionFolder
    session_id: str
    state: str
    reason: str
    process: ProcessId | None
    is_finished: bool
    summary: Mapping[str, Any]
    told_age_s: float | None
    uptime_s: float | None
    finished_s: float | None

    @property
    def name(self) -> str:
        """Name of the session."""
        return self.folder.name

    @property
    def is_running(self) -> bool:
        """Whether a process runs it."""
        return self.process is not None

    @property
    def needs_person(self) -> bool:
        """Whether nobody looks after it although it has not finished."""
        return self.state in {"CRASHED", "HUNG", "FROZEN"}

    @property
    def positions(self) -> str:
        """What it holds, as its process said last, for people."""
        held = self.summary.get("positions", [])
        return ", ".join(f"{quantity:g} {symbol}" for symbol, quantity, *_ in held) or "none"


def look_at(folder: SessionFolder) -> SessionInfo:
    """Return what can be told of a session; SessionNotFoundError when there is none."""
    folder.check()
    record, beat = read_record(folder), read_beat(folder.heartbeat)
    process = holder_of(folder.lock)
    summary = {} if beat is None else beat.summary
    state, reason = _verdict(folder, record, beat, process)
    now_s = time.time()
    is_finished = process is None and record is not None and record.phase == FINISHED
    session_id = record.session_id if record else str(read_json(folder.config).get("session_id", ""))
    return SessionInfo(
        folder=folder,
        session_id=session_id,
        state=state,
        reason=reason,
        process=process,
        is_finished=is_finished,
        summary=summary,
        told_age_s=max(0.0, now_s - summary["time_s"]) if "time_s" in summary else None,
        uptime_s=max(0.0, now_s - record.began_s) if process is not None and record is not None else None,
        finished_s=record.time_s if is_finished and record is not None else None,
    )


def _verdict(
    folder: SessionFolder, record: ProcessRecord | None, beat: Beat | None, process: ProcessId | None
) -> tuple[str, str]:
    if process is not None:
        return _verdict_of_living(folder, record, beat, process)
    again = f"`workbench resume {folder.name}` goes on with it"
    if record is not None and record.phase == FINISHED:
        state, _, reason = record.reason.partition(": ")
        return (state, reason) if state in {"STOPPED", "FAILED"} else ("STOPPED", record.reason)
    if is_locked(folder.lock):
        children = " ".join(str(one.pid) for one in left_behind(folder.lock))
        return "CRASHED", f"a process that the dead one left behind keeps its lock; `kill -9 {children or 'PID'}`"
    if record is None and has_traded(folder):
        # Its process died before it could say that it trades.
        return "CRASHED", f"its process died just as it began to trade; position unmanaged; {again}"
    if record is None:
        return "UNBORN", f"it never got to trade; see {folder.log}"
    reasons = {
        RUNNING: f"position unmanaged: it was running, and its process {record.pid} is gone; {again}",
        GIVEN_UP: f"position unmanaged: given up, as {record.reason}; {again}",
        CRASHED: record.reason,
    }
    return "CRASHED", reasons.get(record.phase, f"{record.reason}; {again}")


def _verdict_of_living(
    folder: SessionFolder, record: ProcessRecord | None, beat: Beat | None, process: ProcessId
) -> tuple[str, str]:
    if is_stopped(process.pid):
        return "FROZEN", f"process {process.pid} was stopped by a signal; `kill -CONT {process.pid}` lets it go on"
    if beat is None or beat.pid != process.pid or record is None or record.pid != process.pid:
        return "STARTING", f"process {process.pid} is getting ready"
    busy_s = (time.monotonic_ns() - beat.begun_ns) / _NS_PER_S if beat.is_busy else 0.0
    if busy_s > read_budget_s(folder):
        return "HUNG", f"process {process.pid} has been in one step for {busy_s:.0f} s"
    return beat.summary.get("state", "STARTING"), beat.summary.get("reason", "")
