"""The process that starts sessions by forking itself, warm, and watches them; one for a root, a Python and a code.

One thread, no event loop and no ZeroMQ, so that a fork copies a process that is whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.live.process.folders import SessionFolder, private_folder
from workbench.live.process.fork import fork_session, warm_up
from workbench.live.process.lock import FileLock, LockedError
from workbench.live.process.process_table import reap
from workbench.live.process.supervisor_client import CONSENTS, SUPERVISOR_FOLDER, supervisor_key
from workbench.live.process.watch import Watch

__all__ = ["Supervisor", "main"]

_TICK_S: Final = 0.5
_IDLE_S: Final = 300.0
_ADOPT_S: Final = 10.0
_MOST_REQUEST_BYTES: Final = 65_536
_REQUEST_S: Final = 1.0
_MODES: Final = ("start", "resume", "exits_only", "paused")


class Supervisor:
    """Takes requests at a socket, forks sessions and looks after them until none is left for a while.

    Parameters
    ----------
    root : Path
        Folder of all sessions.
    listener : socket
        Where requests come in; it listens already.
    key : str
        Name of this supervisor.
    idle_s : float, default 300
        Seconds without a session after which it ends itself.
    """

    def __init__(self, root: Path, listener: socket.socket, key: str, *, idle_s: float = _IDLE_S) -> None:
        self._root = root
        self._listener = listener
        self._idle_s = idle_s
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._woken, self._waking = socket.socketpair()
        self._is_ending = False
        self._busy_s = self._adopted_s = 0.0
        self._watch = Watch(root, key, self._fork)

    def run(self) -> None:
        """Serve until told to end, or until there was nothing to do for long enough."""
        self._heed_signals()
        self._watch.adopt()
        self._busy_s = self._adopted_s = time.monotonic()
        while not self._is_ending:
            try:
                self._turn()
            except Exception:  # noqa: BLE001 - the border of the process, such as a full disk: who would watch then?
                traceback.print_exc()
                time.sleep(_TICK_S)

    def _turn(self) -> None:
        """Wait for a while, answer who asks, and look at every session."""
        ready = self._selector.select(_TICK_S if self._watch.sessions else min(self._idle_s, _ADOPT_S))
        for key, _ in ready:
            if key.fileobj is self._woken:
                self._woken.recv(4_096)
            else:
                self._accept()
        for pid, status in reap():
            self._watch.ended(pid, status)
        if not self._watch.sessions and not self._root.is_dir():
            # Nothing can be started there any more, nor can this supervisor be found.
            self._is_ending = True
            return
        now_s = time.monotonic()
        if now_s - self._adopted_s >= _ADOPT_S:
            self._watch.adopt()
            self._adopted_s = now_s
        self._watch.look(now_s)
        if ready or self._watch.sessions:
            self._busy_s = now_s
        if now_s - self._busy_s >= self._idle_s:
            self._rest()

    def let_go(self) -> None:
        """Close what only the supervisor uses, here or in a fresh fork."""
        self._selector.close()
        self._listener.close()
        self._woken.close()
        self._waking.close()

    def _heed_signals(self) -> None:
        self._woken.settimeout(0.0)
        self._waking.settimeout(0.0)
        signal.set_wakeup_fd(self._waking.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def _end(self, *_: object) -> None:
        """End: the sessions trade on, and the next supervisor adopts them."""
        self._is_ending = True

    def _rest(self) -> None:
        """End, unless somebody is just starting a supervisor, who would find this one."""
        with contextlib.suppress(LockedError), FileLock(self._root / SUPERVISOR_FOLDER / "spawn.lock") as lock:
            del lock
            name = self._listener.getsockname()
            self._listener.settimeout(0.0)
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                Path(name).unlink(missing_ok=True)
                self._is_ending = True
            else:
                self._serve(connection)
            finally:
                self._listener.settimeout(None)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        """Answer one request; whoever asks nonsense, slowly or as another user hears nothing."""
        with connection:
            connection.settimeout(_REQUEST_S)
            if not _is_own_user(connection):
                return
            with contextlib.suppress(OSError, ValueError):
                request = _read_line(connection)
                connection.sendall(b'{"taken": true}\n')
                answer = self._obey(request, connection)
                if answer is not None:
                    connection.sendall(json.dumps(answer).encode() + b"\n")

    def _obey(self, request: dict[str, Any], connection: socket.socket) -> dict[str, Any] | None:
        """Do what was asked and return the answer; None when a session's new process answers."""
        what = request.get("op")
        if what == "ping":
            return {"pid": os.getpid(), "sessions": sorted(self._watch.sessions)}
        if what == "end":
            self._is_ending = True
            return {"pid": os.getpid()}
        if what != "start" or request.get("mode") not in _MODES:
            return {"error": "SessionError", "message": f"the supervisor cannot do {request!r:.200}"}
        try:
            folder = SessionFolder(self._root, request.get("name", "")).check()
        except WorkbenchError as error:
            return {"error": type(error).__name__, "message": str(error)}
        # The process sends this when it is ready, long after the supervisor has forgotten the connection.
        connection.settimeout(None)
        given = request.get("environment")
        found = given if isinstance(given, dict) else {}
        environment = {name: str(found[name]) for name in CONSENTS if name in found}
        self._watch.start(folder, request["mode"], reply=connection, environment=environment)
        return None

    def _fork(self, folder: SessionFolder, mode: str, **options: Any) -> int:  # noqa: ANN401 - handed on
        return fork_session(folder, mode, let_go=self.let_go, **options)


def _read_line(connection: socket.socket) -> dict[str, Any]:
    parts = b""
    while not parts.endswith(b"\n"):
        part = connection.recv(4_096)
        if not part or len(parts) > _MOST_REQUEST_BYTES:
            raise ValueError("the request ends before its line does")
        parts += part
    request = json.loads(parts)
    if not isinstance(request, dict):
        raise ValueError(f"a request must be an object, was {request!r:.80}")  # noqa: TRY004 - not a caller's type
    return request


def _is_own_user(connection: socket.socket) -> bool:
    """Return whether the other side is of this user; where the system does not tell, the folder's rights have to do."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return bool(user == os.getuid())


def main(root: str, listening: int, key: str) -> None:
    """Be the supervisor; the target of the process that a client starts.

    Parameters
    ----------
    root : str
        Folder of all sessions.
    listening : int
        Descriptor of the socket that listens.
    key : str
        What the client takes this code for.
    """
    os.set_inheritable(listening, False)  # noqa: FBT003 - its only parameter
    folder = Path(root)
    if supervisor_key(folder) != key:
        sys.exit("the supervisor finds another version of this package than the one that starts it")
    listener = socket.socket(fileno=listening)
    lock = FileLock(private_folder(folder / SUPERVISOR_FOLDER) / f"{key}.lock")
    lock.acquire()
    warm_up()
    supervisor = Supervisor(folder, listener, key)
    try:
        supervisor.run()
    finally:
        supervisor.let_go()
        lock.close()
