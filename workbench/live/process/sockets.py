"""Where the sockets of a session's folder are, who listens there, and one ZeroMQ context for each process.

Whoever may enter the folder may command the session: the folder is its owner's alone (0700), and so are the sockets.
"""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import struct
import sys
import tempfile
from pathlib import Path
from typing import Final

import zmq

from workbench.errors import SessionError

__all__ = [
    "CONTROL",
    "UPDATES",
    "claim_socket",
    "end_point",
    "listener_pid",
    "shared_context",
    "socket_path",
    "zmq_context",
]

CONTROL: Final = "control.sock"
UPDATES: Final = "updates.sock"

# A Unix socket's path has 108 bytes on Linux and 104 on macOS, its end included.
_LONGEST_PATH: Final = 100
_POINTER_SIZE: Final = 1_000
_PROBE_S: Final = 0.25
_SO_PEERCRED_FORMAT: Final = "3i"
_LOCAL_PEERPID: Final = 2
_SOL_LOCAL: Final = 0

_contexts: dict[int, zmq.Context[zmq.Socket[bytes]]] = {}


def zmq_context() -> zmq.Context[zmq.Socket[bytes]]:
    """Return a new ZeroMQ context whose sockets never keep the process from ending."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    context.linger = 0
    return context


def shared_context() -> zmq.Context[zmq.Socket[bytes]]:
    """Return the context of this process, made when it is first asked for; one that was forked along is not touched."""
    # Two threads may race for the first one; `setdefault` lets one win, and the other's, without a socket, ends here.
    pid = os.getpid()
    context = _contexts.get(pid)
    if context is None:
        made = zmq_context()
        context = _contexts.setdefault(pid, made)
        if context is not made:
            made.term()
    return context


def end_point(path: Path) -> str:
    """Return ZeroMQ's address of a socket's `path`."""
    return f"ipc://{path}"


def socket_path(folder: Path, name: str) -> Path:
    """Return where the socket of a session's folder is, for whoever connects to it.

    A path that is too long for a Unix socket stands in a pointer file in its place.

    Parameters
    ----------
    folder : Path
        The session's folder.
    name : str
        `CONTROL` or `UPDATES`.

    Raises
    ------
    SessionError
        The pointer leads to a place that is not this user's alone.
    """
    inside = _inside(folder, name)
    if _fits(inside):
        return inside
    try:
        with _pointer(folder, name).open("rb") as file:
            path = Path(os.fsdecode(file.read(_POINTER_SIZE)).strip())
    except OSError:
        return _runtime_path(folder, name)
    _require_private(path.parent)
    return path


def claim_socket(folder: Path, name: str) -> Path:
    """Return where to bind the socket of a session's folder, with nothing left there by a process that has ended.

    Raises
    ------
    SessionError
        The folder is not this user's alone, or another process listens there.
    """
    _require_private(folder)
    inside = _inside(folder, name)
    path = inside if _fits(inside) else _runtime_path(folder, name)
    if path != inside:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_private(path.parent)
        _write_pointer(_pointer(folder, name), path)
    pid = listener_pid(path)
    if pid is not None:
        raise SessionError(f"process {pid or 'unknown'} serves the session in {folder} already: attach to it")
    path.unlink(missing_ok=True)
    return path


def listener_pid(path: Path) -> int | None:
    """Return the id of the process that listens at a Unix socket, by the word of the kernel.

    Returns
    -------
    int or None
        None when nobody listens; 0 when somebody does and the system does not say who.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(str(path))
        except (BlockingIOError, TimeoutError):
            # Its queue of connections is full: it is there and does not take them.
            return 0
        except OSError:
            return None
        return _peer_pid(probe)


def _peer_pid(connected: socket.socket) -> int:
    try:
        if sys.platform == "linux":
            size = struct.calcsize(_SO_PEERCRED_FORMAT)
            pid, _uid, _gid = struct.unpack(
                _SO_PEERCRED_FORMAT, connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
            )
            return int(pid)
        return connected.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID)
    except OSError:
        return 0


def _inside(folder: Path, name: str) -> Path:
    return Path(os.path.abspath(folder)) / name  # noqa: PTH100  `resolve` would follow links


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= _LONGEST_PATH


def _pointer(folder: Path, name: str) -> Path:
    return folder / f"{name}.path"


def _runtime_path(folder: Path, name: str) -> Path:
    """Return a short path that belongs to a folder: a name made of the folder's whole path."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    digest = hashlib.sha256(os.fsencode(_inside(folder, name))).hexdigest()[:16]
    path = Path(base) / f"workbench-{os.getuid()}" / f"{digest}.sock"
    return path if _fits(path) else Path("/tmp") / path.parent.name / path.name  # noqa: S108  checked: 0700 and ours


def _write_pointer(pointer: Path, path: Path) -> None:
    draft = pointer.with_name(f"{pointer.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.fsencode(path))
    draft.replace(pointer)


def _require_private(folder: Path) -> None:
    """Raise SessionError unless a folder is a real one, this user's, and closed to all others."""
    try:
        status = folder.lstat()
    except OSError as error:
        raise SessionError(f"there is no folder of a session at {folder}: {error.strerror}") from None
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISDIR(status.st_mode):
        raise SessionError(f"{folder} must be a folder, and no link to one")
    if status.st_uid != os.getuid() or mode & 0o077:
        raise SessionError(
            f"{folder} must be its owner's alone, was mode {mode:03o} of user {status.st_uid}: who may enter it may "
            f"trade; chmod 700 {folder}"
        )
