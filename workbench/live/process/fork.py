"""Forks a session's process from the warm supervisor."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING, Any, Final

from workbench.live.process.exit_codes import EXIT_FAILED
from workbench.live.process.session_main import session_main
from workbench.live.sources import PracticeSource
from workbench.model import Timeframe

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from workbench.live.process.folders import SessionFolder

__all__ = ["fork_session", "warm_up"]

_WARM_BARS: Final = 500
_LOG_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_HANDLED: Final = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)


def warm_up() -> None:
    """Load all that a session needs, so that a fork has it: packages, machine code, and nothing with a thread."""
    from workbench.live.live_core import compile_core  # noqa: PLC0415 - loads the machine code, which clients do not need

    compile_core()
    # The practice market keeps what it has worked out once; most sessions begin there.
    PracticeSource().open(("BTC/USDT",), Timeframe("1m"), _WARM_BARS).feed.close()
    # What is there now lives as long as the process. Left alone by the collector, its memory stays shared.
    gc.collect()
    gc.freeze()


def fork_session(
    folder: SessionFolder,
    mode: str,
    *,
    reply: socket.socket | None,
    hang: Mapping[str, Any] | None,
    environment: Mapping[str, str],
    let_go: Callable[[], None],
) -> int:
    """Start the process of a session and return its number.

    Parameters
    ----------
    folder : SessionFolder
        The session.
    mode : str
        ``"start"``, ``"resume"`` or ``"exits_only"``.
    reply : socket or None
        Who waits for the news that the session runs, or why it does not; closed by the new process.
    hang : mapping or None
        What is known of the hang that ended the process before.
    environment : mapping of str to str
        More variables of its environment.
    let_go : callable
        Closes, in the new process, what only the supervisor uses.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = EXIT_FAILED
    try:
        _take_over(environment)
        _become_a_session(folder)
        let_go()
        code = session_main(folder, mode, answer=_Answer(reply), hang=hang)
    except BaseException:  # noqa: BLE001 - the border of the process: whatever it is goes into its log
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Not `sys.exit`: the supervisor's own clean-up stands above on this stack.
        os._exit(code)


class _Answer:
    """Tells the one who waits, once."""

    def __init__(self, reply: socket.socket | None) -> None:
        self._reply = reply

    def __call__(self, content: Mapping[str, Any]) -> None:
        if self._reply is None:
            return
        reply, self._reply = self._reply, None
        try:
            reply.sendall(json.dumps(content).encode() + b"\n")
        except OSError:
            return  # nobody waits any more; the session runs all the same
        finally:
            reply.close()


def _take_over(environment: Mapping[str, str]) -> None:
    """Have what whoever asked for the session was started with, before any code of a strategy is loaded."""
    if not environment:
        return
    from workbench.exchange.real_money import vouch  # noqa: PLC0415 - only what trades real money waits for it

    os.environ.update(environment)
    vouch(environment)


def _become_a_session(folder: SessionFolder) -> None:
    """Leave the supervisor's group, its signals and its output."""
    os.setsid()
    os.umask(0o077)
    signal.set_wakeup_fd(-1)
    for number in _HANDLED:
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    log = os.open(folder.log, _LOG_FLAGS, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.chdir(folder.path)
