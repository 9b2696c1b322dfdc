"""Ends sessions from outside, by signals alone: it needs no answer of the session, and no kernel."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from workbench.live.process.lock import is_locked, left_behind, wait_until_free
from workbench.live.process.process_table import send, wait_for_end
from workbench.live.process.record import FINISHED, read_record, write_record, write_request

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
        The sessions; those without a process are written down as ended.
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
    for info in running:
        left_s = max(0.0, until_s - time.monotonic())
        if info.process is not None and not wait_for_end(info.process, left_s):
            send(info.process, signal.SIGKILL)
            wait_for_end(info.process, _DEATH_S)
        for child in left_behind(info.folder.lock):
            send(child, signal.SIGKILL)
        wait_until_free(info.folder.lock, _DEATH_S)
        _settle(info.folder, what)


def _settle(folder: SessionFolder, what: str) -> None:
    """Write down the end of a session whose process could not, when no supervisor does."""
    record = read_record(folder)
    if record is not None and record.phase != FINISHED and not is_locked(folder.lock):
        reason = f"ended by {what}; its process {record.pid} could not say so itself"
        write_record(folder, replace(record, phase=FINISHED, reason=f"STOPPED: {reason}", time_s=time.time()))
