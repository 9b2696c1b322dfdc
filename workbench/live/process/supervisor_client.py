"""Finds the process that starts and watches sessions, starts it when there is none, and asks it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import workbench
from workbench.errors import SessionError
from workbench.live.process.folders import private_folder
from workbench.live.process.lock import FileLock
from workbench.live.process.sockets import claim_socket, socket_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "CONSENTS",
    "REAL_SWITCH",
    "SUPERVISOR_FOLDER",
    "ask_supervisor",
    "consents",
    "supervisor_key",
    "supervisor_socket",
]

SUPERVISOR_FOLDER: Final = ".supervisor"
# The first session after an installation compiles the core before it answers: minutes, where the machine is busy.
_ANSWER_S: Final = 300.0
_SPAWN_S: Final = 120.0
_MOST_LOG_BYTES: Final = 2_000_000
_TRIES: Final = 3
_MOST_ANSWER_BYTES: Final = 1_048_576

# All that a session inherits of the environment of whoever comes first: no key or token of a notebook.
_KEPT: Final = frozenset({
    "HOME", "LANG", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "PYTHONHASHSEED", "PYTHONHOME", "PYTHONPATH",
    "REQUESTS_CA_BUNDLE", "SHELL", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV",
    "WORKBENCH_CACHE_DIR", "WORKBENCH_DATA_DIR", "WORKBENCH_HOME", "WORKBENCH_RUNTIME_DIR", "XDG_CACHE_HOME",
    "XDG_DATA_HOME", "XDG_RUNTIME_DIR",
})  # fmt: skip
REAL_SWITCH: Final = "WORKBENCH_ENABLE_REAL_TRADING"
_KEPT_BEGINNINGS: Final = ("LC_", "NUMBA_")
# What each session takes from whoever starts it, and not from whoever came first.
CONSENTS: Final = (REAL_SWITCH, "JUPYTER_RUNTIME_DIR", "WORKBENCH_CONFIG_DIR", "XDG_CONFIG_HOME")
# A fork copies one thread only, so libraries must not have started others: not for linear algebra, nor to tidy memory.
_ONE_THREAD: Final = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# It forks before it loads anything, so that it belongs to nobody and nobody has to reap it.
_BOOT: Final = """
import os, sys
if os.fork():
    os._exit(0)
if sys.argv[1] not in sys.path:
    sys.path.append(sys.argv[1])
from workbench.live.process.supervisor import main
main(sys.argv[2], int(sys.argv[3]), sys.argv[4])
"""


@cache
def _code_mark() -> str:
    """Return what tells this code from another version of it: names, sizes and times of its files."""
    place = Path(workbench.__file__).parent
    marks = []
    for path in sorted(place.rglob("*.py")):
        status = path.stat()
        marks.append(f"{path} {status.st_size} {status.st_mtime_ns}")
    with contextlib.suppress(PackageNotFoundError):
        marks.append(version("workbench-trading"))
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()


def consents() -> dict[str, str]:
    """Return the variables that a session which this process starts is to have for real money, if it may at all.

    They are those with which this process itself was started: what a cell sets later is not passed on.
    """
    if REAL_SWITCH not in os.environ:
        return {}
    from workbench.exchange.real_money import started_environment  # noqa: PLC0415  nobody waits for it without the switch

    started = started_environment()
    return {name: started[name] for name in CONSENTS if name in started} if REAL_SWITCH in started else {}


def supervisor_key(root: Path) -> str:
    """Return what names the one supervisor for this `root`, this Python and this code."""
    return hashlib.sha256(f"{root.resolve()}\n{sys.executable}\n{_code_mark()}".encode()).hexdigest()[:16]


def supervisor_socket(root: Path) -> Path:
    """Return where the supervisor listens."""
    return socket_path(private_folder(root / SUPERVISOR_FOLDER), _socket_name(root))


def _socket_name(root: Path) -> str:
    return f"{supervisor_key(root)}.sock"


def ask_supervisor(
    root: Path, request: Mapping[str, Any], *, starts: bool = True, answer_s: float = _ANSWER_S
) -> dict[str, Any] | None:
    """Return the supervisor's answer to a request.

    Parameters
    ----------
    root : Path
        Folder of all sessions.
    request : mapping
        What to do: ``{"op": "start", "name": ..., "mode": ...}``, ``{"op": "ping"}`` or ``{"op": "end"}``.
    starts : bool, default True
        Whether to start a supervisor when there is none.
    answer_s : float, default 60
        Real seconds to wait for the answer, above 0.

    Returns
    -------
    dict or None
        Its answer; None when there is no supervisor and none was to be started. Empty when the session's process died
        before it could answer.

    Raises
    ------
    SessionError
        It cannot be started, or does not answer.
    """
    for _ in range(_TRIES):
        connection = _connect(root, starts=starts)
        if connection is None:
            return None
        with connection:
            answer = _exchange(connection, request, answer_s)
        # An old one that just went to rest takes the connection with it; its successor is asked then.
        if answer is not None:
            return answer
    log = root / SUPERVISOR_FOLDER / f"{supervisor_key(root)}.log"
    raise SessionError(f"the supervisor of the sessions ends before it answers; its log is {log}")


def _exchange(connection: socket.socket, request: Mapping[str, Any], answer_s: float) -> dict[str, Any] | None:
    """Send one line and return the one that comes back; None when the other side went away without taking it."""
    connection.settimeout(answer_s)
    parts = b""
    try:
        connection.sendall(json.dumps(request).encode() + b"\n")
        # Until both ends that might answer, the supervisor and the process that it forked, have closed.
        while len(parts) < _MOST_ANSWER_BYTES and (part := connection.recv(65_536)):
            parts += part
    except TimeoutError as error:
        raise SessionError(f"the supervisor of the sessions did not answer within {answer_s:g} s") from error
    except OSError:
        return None
    lines = parts.splitlines()
    if not lines:
        return None
    # The first line says that the request was taken; an answer without a second one is one of a dead process.
    return dict(json.loads(lines[1])) if len(lines) > 1 else {}


def _connect(root: Path, *, starts: bool) -> socket.socket | None:
    path = supervisor_socket(root)
    connection = _try(path)
    if connection is not None or not starts:
        return connection
    with _spawning(root):
        connection = _try(path)
        if connection is None:
            path = claim_socket(root / SUPERVISOR_FOLDER, _socket_name(root))
            _spawn(root, path)
            connection = _try(path)
    if connection is None:
        raise SessionError(f"the supervisor of the sessions could not be started at {path}")
    return connection


def _try(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_ANSWER_S)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


@contextlib.contextmanager
def _spawning(root: Path) -> Iterator[None]:
    """Be the only one who starts a supervisor here: others wait and then find it."""
    lock = FileLock(root / SUPERVISOR_FOLDER / "spawn.lock")
    lock.acquire(timeout_s=_SPAWN_S)
    try:
        yield
    finally:
        lock.close()


def _spawn(root: Path, path: Path) -> None:
    """Start a supervisor that listens already: whoever connects waits in its queue until it is warm."""
    folder = root / SUPERVISOR_FOLDER
    log = folder / f"{supervisor_key(root)}.log"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(128)
        output = os.open(log, flags, 0o600)
        opened.callback(os.close, output)
        if os.fstat(output).st_size > _MOST_LOG_BYTES:
            os.ftruncate(output, 0)
        listening = str(listener.fileno())
        package = str(Path(workbench.__file__).parents[1])
        # Its own session: no signal of a terminal or a notebook reaches it. It keeps nothing open of this process.
        started = subprocess.run(  # noqa: S603 - this interpreter on fixed text
            [sys.executable, "-P", "-c", _BOOT, package, str(root), listening, supervisor_key(root)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=root,
            env=_environment(),
            start_new_session=True,
            pass_fds=[listener.fileno()],
            check=False,
        )
    if started.returncode:
        raise SessionError(f"the supervisor of the sessions could not be started; its log is {log}")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_BEGINNINGS)}
    # By this mark a session knows that it may believe what its supervisor was asked to pass on.
    return kept | _ONE_THREAD | {"WORKBENCH_SUPERVISOR": "1"}
