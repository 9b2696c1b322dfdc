"""What a session's process runs: lock, definition, journal, session and control server, until the session ends."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import JournalError, WorkbenchError
from workbench.live.host import SessionHost
from workbench.live.journal import Journal
from workbench.live.process.account import account_of
from workbench.live.process.control_server import ControlServer
from workbench.live.process.exit_codes import EXIT_DONE, EXIT_FAILED, EXIT_LEFT, EXIT_LOCKED, EXIT_MEMORY
from workbench.live.process.heartbeat import Heartbeat
from workbench.live.process.housekeeping import MemoryGuard, give_back_memory, summary_of, turn_log
from workbench.live.process.lock import FileLock, LockedError, claim_symbols
from workbench.live.process.orders_left import record_of_end
from workbench.live.process.process_table import end_session, own_id
from workbench.live.process.record import (
    FINISHED,
    RUNNING,
    ProcessRecord,
    read_options,
    read_record,
    read_request,
    write_record,
)
from workbench.live.process.wakeups import Wakeups
from workbench.live.session import LiveSession
from workbench.live.session_text import read_session
from workbench.live.states import SessionState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.live.process.folders import SessionFolder
    from workbench.live.session_text import SavedSession

__all__ = ["open_journal", "session_main"]

_BEAT_S: Final = 1.0
# Soon after the start, and then now and then.
_TRIM_TURNS: Final = 300
_FIRST_TRIM: Final = 2
# Within the 30 s of a stop; whoever asked kills the process after that.
_STOP_S: Final = 25.0
_FASTER_STOP_S: Final = 2.0
# A session that runs its record again for longer is shown as it is.
_RESTORED_S: Final = 60.0
_STOPS: Final = frozenset({signal.SIGTERM, signal.SIGINT})


def session_main(
    folder: SessionFolder,
    mode: str,
    *,
    answer: Callable[[Mapping[str, Any]], None],
    hang: Mapping[str, Any] | None = None,
) -> int:
    """Run a session to its end, in a process of its own, and return the exit code.

    Parameters
    ----------
    folder : SessionFolder
        Where the session was written.
    mode : str
        ``"start"`` for a new one; ``"resume"`` to go on where its journal ends; ``"exits_only"`` to do so and not ask
        the strategy any more, which hung; ``"paused"`` to do so without entries, as a person ends it.
    answer : callable
        Called once, when the session trades or cannot.
    hang : mapping, optional
        What is known of the hang that ended the process before; written into the journal.
    """
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(FileLock(folder.lock, {"session": folder.name}))
            process = _SessionProcess(folder, mode, hang, held)
        except Exception as error:  # noqa: BLE001 - the border of the process: whoever started it is told
            traceback.print_exc()
            is_ours = isinstance(error, WorkbenchError)
            name = type(error).__name__ if is_ours else "SessionError"
            answer({"error": name, "message": str(error) if is_ours else f"{type(error).__name__}: {error}"})
            return EXIT_LOCKED if isinstance(error, LockedError) else EXIT_FAILED
        answer({"pid": own_id().pid, "session_id": process.session.session_id})
        code = process.run()
    # What a strategy has started does not outlive the session.
    end_session(own_id().pid)
    return code


class _SessionProcess:
    """A session with all that its process gives it."""

    def __init__(
        self, folder: SessionFolder, mode: str, hang: Mapping[str, Any] | None, held: contextlib.ExitStack
    ) -> None:
        self._folder = folder
        self._warnings: list[str] = []
        self._turns = 0
        saved = read_session(folder.path)
        if saved.config.execution == "exchange":
            claims = claim_symbols(folder.root, account_of(saved.config), saved.config.symbols, folder.name)
            for claim in claims:
                held.callback(claim.close)
        self._options = read_options(folder)
        self._memory = MemoryGuard(self._options.memory_limit_bytes)
        journal = held.enter_context(contextlib.closing(open_journal(folder, saved)))
        self._journal = journal
        if hang is not None:
            journal.note("hang", 0, dict(hang))
        beat = held.enter_context(contextlib.closing(Heartbeat(folder.heartbeat)))
        self._heartbeat = beat
        before = read_record(folder)
        # How the session goes on in later processes: one that was only to end is no other than before.
        self._mode = mode if mode != "paused" else "resume" if before is None else before.mode
        host = SessionHost(
            session_id=saved.session_id,
            record=journal,
            pulse=beat,
            is_muted=self._mode == "exits_only",
            is_paused=mode == "paused",
        )
        self.session = LiveSession(saved.config, host=host)
        self._wakeups = held.enter_context(contextlib.closing(Wakeups()))
        self.session.start()
        # Who asks before sees what the journal holds, and not an account without positions.
        self.session.wait_restored(_RESTORED_S)
        self._server = ControlServer(self.session, folder.path, epoch=journal.epoch)
        held.callback(self._server.close)
        self._began_s = time.time()
        write_record(folder, self._record(RUNNING, ""))
        self._tell()

    def run(self) -> int:
        """Wait for the end, or bring it about when asked; return the exit code."""
        # Only now, when the session trades: whoever started it need not wait for a megabyte to be on the disk.
        self._journal.renew_ballast()
        self._wakeups.watch(self.session)
        stops, until_s = 0, float("inf")
        if (wanted := read_request(self._folder)).get("what") == "stop":
            # Started to stop: the process before could not withdraw its orders.
            stops, until_s = 1, time.monotonic() + _STOP_S
            self.session.ask_to_stop(flatten=bool(wanted.get("flatten")))
        while not self.session.is_finished:
            for number in self._wakeups.wait(_BEAT_S):
                if number == signal.SIGUSR2:
                    # At once: the session's thread hangs, so nothing that waits for it would ever end.
                    os._exit(EXIT_LEFT)
                if number in _STOPS:
                    stops += 1
                    until_s = min(until_s, time.monotonic() + (_STOP_S if stops == 1 else _FASTER_STOP_S))
                    flatten = stops == 1 and bool(read_request(self._folder).get("flatten"))
                    self.session.ask_to_stop(flatten=flatten)
            if time.monotonic() >= until_s:
                self.session.stop(timeout_s=0.0)
            if not self._folder.is_there:
                # Nobody can find it any more, nor what it did.
                _say("the folder of the session was removed, so it ends; its position stays as it is")
                self.session.kill()
                return EXIT_DONE
            if self._keep_house():
                self.session.kill()
                return EXIT_MEMORY
        self.session.wait()
        return self._finish(was_asked=stops > 0)

    def _keep_house(self) -> bool:
        """Say what the session does, and return whether it needs more memory than it may."""
        self._tell()
        self._turns += 1
        if self._turns % _TRIM_TURNS == _FIRST_TRIM:
            give_back_memory()
        turn_log(self._folder.log, self._options.log_limit_bytes)
        if warning := self._memory.warning():
            self._warnings.append(warning)
            _say(warning)
        return self._memory.is_over

    def _finish(self, *, was_asked: bool) -> int:
        """Write how the session ended; one that failed by itself is to be started again."""
        self._tell()
        state, reason = self.session.state, self.session.reason
        if state is SessionState.FAILED and not was_asked and not read_request(self._folder):
            _say(f"the session failed: {reason}")
            write_record(self._folder, self._record(RUNNING, reason))
            return EXIT_FAILED
        asked = "stop" if was_asked else read_request(self._folder).get("what", "kill")
        record = self._record(FINISHED, f"{state}: {reason}")
        write_record(self._folder, record_of_end(self._folder, record, asked, record.reason))
        return EXIT_DONE

    def _tell(self) -> None:
        self._heartbeat.tell({**summary_of(self.session, self._began_s), "warnings": self._warnings})

    def _record(self, phase: str, reason: str) -> ProcessRecord:
        before = read_record(self._folder)
        return ProcessRecord(
            session_id=self.session.session_id,
            phase=phase,
            reason=reason,
            pid=own_id().pid,
            mode=self._mode,
            time_s=time.time(),
            began_s=self._began_s,
            deaths_s=() if before is None else before.deaths_s,
        )


def _say(text: str) -> None:
    """Write a line into the log."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def open_journal(folder: SessionFolder, saved: SavedSession) -> Journal:
    """Go on with the journal of a session, or begin it; its ballast is left to be made when nobody waits.

    Raises
    ------
    JournalError
        The journal in the folder was begun by another definition of a session, so that its record would be run again
        as what it was not; or as for `Journal`.
    """
    if not folder.journal.exists():
        header = {"config": saved.sha256, "versions": dict(saved.versions), "mode": saved.config.mode}
        return Journal.create(folder.journal, session_id=saved.session_id, header=header, has_ballast=False)
    journal = Journal.open(folder.journal, has_ballast=False)
    begun = (journal.session_id, journal.header.get("config"))
    if begun != (saved.session_id, saved.sha256):
        journal.close()
        raise JournalError(
            f"{folder.journal} is the journal of session {begun[0]}, begun with another session.json than the one "
            f"beside it (of session {saved.session_id}): put back the files that belong together"
        )
    return journal
