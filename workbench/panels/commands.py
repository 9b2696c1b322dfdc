"""Carries out what a panel's buttons ask, on threads of their own, each command once at a time.

A command may take long (a stop waits up to 30 s for a strategy that hangs), and the front end delivers clicks on the
thread that also takes the page's heartbeats, or even on the one that runs cells: neither may wait.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CommandRunner", "refusal_within"]

_log = logging.getLogger(__name__)


class CommandRunner:
    """Runs commands of one panel.

    Parameters
    ----------
    on_change : callable
        Called when a command begins and when it ends, with the error's text, or with nothing.
    """

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._under_way: frozenset[str] = frozenset()

    def is_under_way(self, name: str) -> bool:
        """Whether a command was begun and has not ended."""
        return name in self._under_way

    def run(self, name: str, command: Callable[[], object]) -> bool:
        """Begin a command and return True, or False when the one of this name has not ended yet."""
        with self._lock:
            if name in self._under_way:
                return False
            self._under_way |= {name}
        self._on_change("")
        threading.Thread(target=self._carry_out, args=(name, command), name="workbench-command", daemon=True).start()
        return True

    def _carry_out(self, name: str, command: Callable[[], object]) -> None:
        complaint = ""
        try:
            command()
        except Exception as error:  # noqa: BLE001  the border of a widget callback
            # Raised further, it would end in a place that nobody reads.
            _log.exception("%s failed", name)
            complaint = f"{name} failed: {error}"
        with self._lock:
            self._under_way -= {name}
        self._on_change(complaint)


def refusal_within(timeout_s: float, command: Callable[[], object]) -> str:
    """Return why a command was refused, or nothing; it goes on by itself when it takes longer.

    Parameters
    ----------
    timeout_s : float
        Real seconds to wait, at least 0.
    command : callable
        What to do.

    Examples
    --------
    >>> refusal_within(10.0, lambda: None), refusal_within(10.0, lambda: 1 / 0)
    ('', 'division by zero')
    """
    refusal = [f"no answer within {timeout_s:g} s: the session is busy or gone"]

    def run() -> None:
        try:
            command()
        except Exception as error:  # noqa: BLE001  as above
            refusal[0] = str(error)
        else:
            refusal[0] = ""

    thread = threading.Thread(target=run, name="workbench-command", daemon=True)
    thread.start()
    thread.join(timeout_s)
    return refusal[0]
