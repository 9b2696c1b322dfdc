"""The end of a process by force, without ever hitting another one that has come to its number."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["end_process"]

_MS_PER_S: Final = 1_000


def end_process(pid: int, is_still_it: Callable[[int], bool], timeout_s: float) -> bool:
    """Kill a process, and return whether it was gone within the timeout.

    Parameters
    ----------
    pid : int
        Number of the process.
    is_still_it : callable
        Asked, once the process of this number is held fast, whether it is the one that is meant; if not, nothing is
        done.
    timeout_s : float
        Real seconds to wait for its end.

    Returns
    -------
    bool
        True when there is no such process any more; False when it was not the one that is meant, or lives on.
    """
    if sys.platform != "linux":
        return _end_by_number(pid, is_still_it)
    try:
        held = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        # From here on the number may be given away, but what is signalled is what is held.
        if not is_still_it(pid):
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(held, signal.SIGKILL)
        ended = select.poll()
        ended.register(held, select.POLLIN)
        return bool(ended.poll(timeout_s * _MS_PER_S))
    finally:
        os.close(held)


def _end_by_number(pid: int, is_still_it: Callable[[int], bool]) -> bool:
    if not is_still_it(pid):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True
