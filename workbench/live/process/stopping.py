"""Ends sessions from outside, by signals alone: it needs no answer of the session, and no kernel."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from workbench.errors import SessionError
from workbench.live.process.folders import read_json
from workbench.live.process.lock import holder_of, is_locked, left_behind, wait_until_free
from workbench.live.process.orders_left import NOT_STOPPED, has_traded, orders_left, record_of_end
from workbench.live.process.process_table import send, wait_for_end
from workbench.live.process.record import (
    CRASHED,
    FINISHED,
    ProcessRecord,
    read_record,
    write_record,
    write_request,
)
from workbench.live.process.supervisor_client import ask_supervisor, consents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.live.process.folders import SessionFolder
    from workbench.live.process.session_info import SessionInfo

__all__ = ["end_sessions"]

# Of the time that a stop has, this much is left for the kill.
_KILL_S: Final = 2.0
_DEATH_S: Final = 5.0


def end_sessions(infos: Sequence[SessionInfo], what: str, *, flatten: bool = False, timeout_s: float = 30.0) -> None:
    """Ask sessions to ``"stop"``, or ``"kill"`` them, and return when their processes have ended.

    Parameters
    ----------
    infos : sequence of SessionInfo
        The sessions. One without a process, that may have left orders at the exchange or shall close its position, is
        started once more to do that; without either it is written down as ended. One of which orders may still be open
        in the end has not finished, and says so.
    what : {"stop", "kill"}
        How.
    flatten : bool, default False
        Whether they shall close their positions before they stop.
    timeout_s : float, default 30
        Real seconds after which a process that was asked to stop is killed.
    """
    until_s = time.monotonic() + timeout_s - _KILL_S
    running = [info for info in infos if not info.is_finished]
    for info in running:
        # Written first: from now on nobody starts it again.
        write_request(info.folder, what, flatten=flatten)
        if info.process is not None:
            send(info.process, signal.SIGKILL if what == "kill" else signal.SIGTERM)
            # One that is frozen could not obey.
            send(info.process, signal.SIGCONT)
    failures: dict[str, str] = {}
    if what == "stop":
        for number, info in enumerate(running):
            if info.process is None and _has_work(info.folder, flatten=flatten):
                failures[info.name] = _begin(info.folder, until_s - time.monotonic())
                running[number] = replace(info, process=holder_of(info.folder.lock))
    for info in running:
        left_s = max(0.0, until_s - time.monotonic())
        if info.process is not None and not wait_for_end(info.process, left_s):
            send(info.process, signal.SIGKILL)
            wait_for_end(info.process, _DEATH_S)
        for child in left_behind(info.folder.lock):
            send(child, signal.SIGKILL)
        wait_until_free(info.folder.lock, _DEATH_S)
        _settle(info.folder, what, failures.get(info.name, ""))


def _has_work(folder: SessionFolder, *, flatten: bool) -> bool:
    """Return whether a session without a process has something to do before it may be called ended."""
    if is_locked(folder.lock):
        return False
    return (flatten and folder.journal.is_file()) or bool(orders_left(folder))


def _begin(folder: SessionFolder, timeout_s: float) -> str:
    """Start a session that shall stop, which its process reads; return why that failed, empty when it did not."""
    request = {"op": "start", "name": folder.name, "mode": "paused", "environment": consents()}
    try:
        answer = ask_supervisor(folder.root, request, answer_s=max(timeout_s, 1.0))
    except SessionError as error:
        return str(error)
    if not answer:
        return f"its process died before it was ready; see {folder.log}"
    return str(answer.get("message", answer["error"])) if "error" in answer else ""


def _settle(folder: SessionFolder, what: str, failure: str) -> None:
    """Write down the end of a session whose process could not, when no supervisor does."""
    record = read_record(folder)
    if record is None and has_traded(folder):
        record = ProcessRecord(session_id=str(read_json(folder.config).get("session_id", "")), phase=CRASHED)
    if record is None or record.phase == FINISHED or is_locked(folder.lock):
        return
    if what == "stop" and record.reason.startswith(NOT_STOPPED) and not failure and orders_left(folder):
        # What a process that was started for it has written of its own end says more.
        return
    reason = f"STOPPED: ended by {what}; its process {record.pid} could not say so itself"
    reason += f", nor could it be started once more: {failure}" if failure else ""
    write_record(folder, record_of_end(folder, record, what, reason))
