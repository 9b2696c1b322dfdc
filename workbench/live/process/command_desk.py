"""Commands on threads of their own, each id once: whoever asks again gets the first one's answer."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import SessionError, WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CommandDesk", "Outcome"]

_log = logging.getLogger(__name__)

_REMEMBERED: Final = 1_000
_ASKERS: Final = 64


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended: with a value or with an error."""

    value: Any
    error: WorkbenchError | None = None


@dataclass(slots=True, eq=False)
class _Command:
    askers: list[bytes] = field(default_factory=list)
    outcome: Outcome | None = None


class CommandDesk:
    """Carries out commands; used by the server's thread alone.

    Parameters
    ----------
    wake : callable
        Called, on a command's thread, when `finished` has something to tell.
    at_once : int, default 16
        Commands that may be at work at the same time.
    """

    def __init__(self, wake: Callable[[], None], *, at_once: int = 16) -> None:
        self._wake = wake
        self._at_once = at_once
        self._commands: OrderedDict[str, _Command] = OrderedDict()
        self._done: deque[tuple[str, _Command, Outcome]] = deque()
        self._threads: set[threading.Thread] = set()
        self.carried_out = 0

    @property
    def is_idle(self) -> bool:
        """Whether no command is at work and every outcome was taken."""
        return not self._done and all(command.outcome is not None for command in self._commands.values())

    def submit(self, number: str, asker: bytes, run: Callable[[], Any]) -> Outcome | None:
        """Begin a command, or join the one with the same id.

        Parameters
        ----------
        number : str
            Id of the command.
        asker : bytes
            Who wants to hear the outcome.
        run : callable
            The command; what it returns is its value.

        Returns
        -------
        Outcome or None
            The outcome when it is known already; None when `finished` will tell it.
        """
        known = self._commands.get(number)
        if known is not None:
            if known.outcome is None and asker not in known.askers and len(known.askers) < _ASKERS:
                known.askers.append(asker)
            return known.outcome
        self._threads = {thread for thread in self._threads if thread.is_alive()}
        if len(self._threads) >= self._at_once:
            return Outcome(None, SessionError(f"{len(self._threads)} commands are at work already: wait for them"))
        command = self._commands[number] = _Command([asker])
        self._forget_oldest()
        self.carried_out += 1
        # A daemon: a strategy that hangs in a command must not keep the process from ending.
        thread = threading.Thread(
            target=self._carry_out, args=(number, command, run), name="workbench-control-command", daemon=True
        )
        self._threads.add(thread)
        thread.start()
        return None

    def finished(self) -> list[tuple[str, tuple[bytes, ...], Outcome]]:
        """Return the commands that have ended since the last call: id, who asked, outcome."""
        ended = []
        while self._done:
            number, command, outcome = self._done.popleft()
            command.outcome = outcome
            ended.append((number, tuple(command.askers), outcome))
            command.askers.clear()
        return ended

    def _carry_out(self, number: str, command: _Command, run: Callable[[], Any]) -> None:
        try:
            outcome = Outcome(run())
        except WorkbenchError as error:
            outcome = Outcome(None, error)
        except Exception as error:  # noqa: BLE001  logged, and it is the answer: the asker must not wait in vain
            _log.exception("a command failed")
            outcome = Outcome(None, SessionError(f"{type(error).__name__}: {error}"))
        self._done.append((number, command, outcome))
        self._wake()

    def _forget_oldest(self) -> None:
        """Forget the outcomes of old commands; those at work are kept."""
        spare = len(self._commands) - _REMEMBERED
        old = [number for number, command in self._commands.items() if command.outcome is not None][: max(spare, 0)]
        for number in old:
            del self._commands[number]
