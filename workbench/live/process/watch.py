"""Looks after sessions: starts those again whose process died, ends those that hang, adopts those it did not start."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from workbench.errors import WorkbenchError
from workbench.live.process.exit_codes import EXIT_DONE, EXIT_LOCKED
from workbench.live.process.folders import SessionFolder, read_json, write_json
from workbench.live.process.heartbeat import read_beat
from workbench.live.process.lock import FileLock, LockedError, holder_of, is_locked, left_behind
from workbench.live.process.orders_left import record_of_end
from workbench.live.process.process_table import ending_text, id_of, is_stopped, send
from workbench.live.process.record import (
    CRASHED,
    FINISHED,
    GIVEN_UP,
    RUNNING,
    ProcessRecord,
    read_budget_s,
    read_record,
    read_request,
    write_record,
)
from workbench.live.process.restarts import RestartPolicy
from workbench.live.process.supervisor_client import CONSENTS, REAL_SWITCH
from workbench.live.process.watchdog import HangTimer

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from pathlib import Path

    from workbench.live.process.process_table import ProcessId

__all__ = ["Fork", "Watch"]

# What a process that hangs is sent, and the seconds after the dump of its stacks: to leave, and at last to die.
_LADDER: Final = ((0.0, signal.SIGUSR1), (0.5, signal.SIGUSR2), (2.0, signal.SIGKILL))
_WATCHER: Final = "watcher.json"


class Fork(Protocol):
    """Starts the process of a session."""

    def __call__(
        self,
        folder: SessionFolder,
        mode: str,
        *,
        reply: socket.socket | None,
        hang: Mapping[str, Any] | None,
        environment: Mapping[str, str],
    ) -> int:
        """Return its number; see `workbench.live.process.fork.fork_session`."""


@dataclass(slots=True)
class _Watched:
    """One session under watch."""

    folder: SessionFolder
    process: ProcessId
    mode: str
    timer: HangTimer
    is_child: bool
    hang: dict[str, Any] | None = None
    hung_s: float = 0.0
    sent: int = 0
    restart_s: float | None = None
    environment: dict[str, str] = field(default_factory=dict)


class Watch:
    """The sessions of one supervisor.

    Parameters
    ----------
    root : Path
        Folder of all sessions.
    key : str
        Name of the supervisor.
    fork : Fork
        Starts a process.
    policy : RestartPolicy, optional
        When a dead one is started again.
    """

    def __init__(self, root: Path, key: str, fork: Fork, *, policy: RestartPolicy | None = None) -> None:
        self.sessions: dict[str, _Watched] = {}
        self._root = root
        self._key = key
        self._fork = fork
        self._policy = RestartPolicy() if policy is None else policy

    def start(
        self,
        folder: SessionFolder,
        mode: str,
        *,
        reply: socket.socket | None = None,
        hang: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the process of a session and watch it; one that finds another at work ends by itself."""
        known = self.sessions.get(folder.name)
        consents = dict(environment or {})
        pid = self._fork(folder, mode, reply=reply, hang=hang, environment=consents)
        # One that died just now, of which nobody was told yet, is followed by the new one: else that had no watcher.
        if known is not None and known.restart_s is None and known.process.is_alive:
            return
        self._take(folder, id_of(pid), mode, consents, is_child=True)

    def adopt(self) -> None:
        """Take over the sessions that run and that no living supervisor watches."""
        lock = FileLock(self._root / ".supervisor" / "adopt.lock")
        with contextlib.suppress(LockedError), lock:
            for entry in sorted(self._root.iterdir()):
                with contextlib.suppress(WorkbenchError):
                    self._adopt(SessionFolder(self._root, entry.name).check())

    def ended(self, pid: int, status: int) -> None:
        """Take note that a child ended, with its wait status."""
        watched = next((one for one in self.sessions.values() if one.process.pid == pid and one.is_child), None)
        if watched is None or watched.restart_s is not None:
            return
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) in {EXIT_DONE, EXIT_LOCKED}:
            del self.sessions[watched.folder.name]
            return
        self._died(watched, ending_text(status))

    def look(self, now_s: float) -> None:
        """Look at every session once, at a monotonic time in seconds."""
        for watched in list(self.sessions.values()):
            if watched.restart_s is not None:
                self._restart_if_due(watched, watched.restart_s, now_s)
            elif not watched.is_child and not watched.process.is_alive:
                self._died(watched, "ended while no supervisor was its parent")
            elif watched.hang is not None:
                self._press(watched, now_s)
            else:
                self._look_for_hang(watched, now_s)

    def _restart_if_due(self, watched: _Watched, restart_s: float, now_s: float) -> None:
        if read_request(watched.folder) or not watched.folder.is_there:
            # Stopped by a person, or moved away, while it was dead; whoever did so has written it down.
            del self.sessions[watched.folder.name]
        elif now_s >= restart_s:
            self.start(watched.folder, watched.mode, hang=watched.hang, environment=watched.environment)

    def _take(
        self, folder: SessionFolder, process: ProcessId, mode: str, environment: dict[str, str], *, is_child: bool
    ) -> None:
        timer = HangTimer(read_budget_s(folder))
        self.sessions[folder.name] = _Watched(folder, process, mode, timer, is_child, environment=environment)
        # Where keys lie is kept, so that whoever adopts the session can still close its position. The switch is not:
        # no file may open the way in.
        folders = {name: value for name, value in environment.items() if name != REAL_SWITCH}
        write_json(folder.path / _WATCHER, {"supervisor": self._key, "folders": folders})

    def _adopt(self, folder: SessionFolder) -> None:
        if folder.name in self.sessions:
            return
        process = holder_of(folder.lock)
        kept = read_json(folder.path / _WATCHER)
        watcher, found = kept.get("supervisor"), kept.get("folders")
        known = found if isinstance(found, dict) else {}
        folders = {name: str(known[name]) for name in CONSENTS if name in known and name != REAL_SWITCH}
        if process is None or (watcher != self._key and _lives(self._root, watcher)):
            return
        record = read_record(folder)
        # One that is not ready yet has no record of its own; its starter hears of its end.
        if record is not None and record.pid == process.pid:
            self._take(folder, process, record.mode, folders, is_child=False)

    def _look_for_hang(self, watched: _Watched, now_s: float) -> None:
        beat = read_beat(watched.folder.heartbeat)
        if beat is not None and beat.pid != watched.process.pid:
            beat = None
        is_held = is_stopped(watched.process.pid)
        if beat is not None and watched.timer.look(now_s, beat, is_stopped=is_held):
            watched.hung_s = now_s
            watched.hang = {"step": beat.step, "busy_s": round(watched.timer.busy_s, 3), "pid": beat.pid}
            self._press(watched, now_s)

    def _press(self, watched: _Watched, now_s: float) -> None:
        """Send a process that hangs what is due by now."""
        while watched.sent < len(_LADDER) and now_s - watched.hung_s >= _LADDER[watched.sent][0]:
            send(watched.process, _LADDER[watched.sent][1])
            watched.sent += 1

    def _died(self, watched: _Watched, how: str) -> None:
        """Decide what becomes of a session whose process ended unasked."""
        folder, pid = watched.folder, watched.process.pid
        for child in left_behind(folder.lock):
            send(child, signal.SIGKILL)
        record = read_record(folder)
        if record is None or record.pid != pid:
            # It was never ready: whoever started it was told, and decides.
            del self.sessions[folder.name]
            if watched.mode == "start":
                return
            record = record or ProcessRecord(session_id="", phase=CRASHED)
            record = replace(record, pid=pid)
        if record.phase == FINISHED:
            self.sessions.pop(folder.name, None)
            return
        if wanted := read_request(folder).get("what"):
            self.sessions.pop(folder.name, None)
            write_record(
                folder, record_of_end(folder, record, wanted, f"process {pid} {how} after it was asked to {wanted}")
            )
            return
        if watched.hang is not None:
            how = f"hung in one step for {watched.hang['busy_s']:g} s and was {how}"
        elif record.reason and record.phase == RUNNING:
            how += f", as {record.reason}"
        deaths_s = self._policy.recent([*record.deaths_s, time.time()])
        delay_s = self._policy.delay_s(deaths_s)
        if delay_s is None:
            self.sessions.pop(folder.name, None)
            reason = f"process {pid} {how}; it died {len(deaths_s)} times in {self._policy.window_s:g} s"
            self._note(folder, record, GIVEN_UP, reason, deaths_s)
            return
        mode = "exits_only" if watched.hang is not None or watched.mode == "exits_only" else "resume"
        self._note(folder, record, CRASHED, f"process {pid} {how}; it starts again in {delay_s:g} s", deaths_s)
        self.sessions[folder.name] = replace(
            watched, mode=mode, restart_s=time.monotonic() + delay_s, timer=HangTimer(watched.timer.budget_s), sent=0
        )

    def _note(
        self,
        folder: SessionFolder,
        record: ProcessRecord,
        phase: str,
        reason: str,
        deaths_s: tuple[float, ...] | None = None,
    ) -> None:
        deaths_s = record.deaths_s if deaths_s is None else deaths_s
        write_record(folder, replace(record, phase=phase, reason=reason, time_s=time.time(), deaths_s=deaths_s))


def _lives(root: Path, key: object) -> bool:
    return isinstance(key, str) and key.isalnum() and is_locked(root / ".supervisor" / f"{key}.lock")
