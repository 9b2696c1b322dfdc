"""The notebook's handle of a session in another process: the interface of `LiveSession` over the sockets of its folder.

It holds no socket but the one of its subscription, so it may be used from any thread, inside a running event loop, in a
forked child, and may be interrupted anywhere.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError, SessionClosedError, SessionError, SessionTimeoutError
from workbench.live.order_resolution import check_resolution
from workbench.live.order_story import OrderStory
from workbench.live.parity import ParityReport
from workbench.live.process.control_link import NotRunningError
from workbench.live.process.process_view import ProcessView
from workbench.live.process.termination import end_process
from workbench.live.session import LiveSession
from workbench.live.states import FINISHED, SessionState, states_named
from workbench.model import EquityWaterfall

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.live.process.process_view import SessionArchive
    from workbench.live.session_config import LiveSessionConfig
    from workbench.live.session_handle import SessionHandle
    from workbench.model import Denied, Fill

__all__ = ["ProcessSession"]

_COMMAND_S: Final = 10.0
_START_S: Final = 180.0
_PARITY_S: Final = 600.0
_WHY_S: Final = 120.0
_KILL_S: Final = 5.0
# What a stop may take beyond its own timeout until its answer is here.
_STOP_MARGIN_S: Final = 5.0
_WAIT_SLICE_S: Final = 1.0
_LOOK_AGAIN_S: Final = 0.1


class ProcessSession(ProcessView):
    """The handle of a session that runs in a process of its own.

    Reads of a session that does not answer give the last known values, and the state says CRASHED or UNREACHABLE;
    commands then raise. When the session's process is started anew, the handle goes on with the new one by itself.
    Its interface is `workbench.live.session_handle.SessionHandle`, as that of `LiveSession`.

    Parameters
    ----------
    folder : Path
        The session's folder.
    load_config : callable, optional
        Reads the session's configuration from its folder; without it `config` is not known here.
    archive : SessionArchive, optional
        Answers reads when the process is gone.
    answer_timeout_s : float, default 2
        Real seconds that a read waits for its answer, above 0; commands have longer times of their own.
    is_owner : callable, optional
        Asked before `kill` whether the process of this number is the session's; default: whether it listens at the
        session's socket, by the word of the kernel.
    """

    def __init__(
        self,
        folder: Path,
        *,
        load_config: Callable[[Path], LiveSessionConfig] | None = None,
        archive: SessionArchive | None = None,
        answer_timeout_s: float = 2.0,
        is_owner: Callable[[int], bool] | None = None,
    ) -> None:
        super().__init__(folder, load_config=load_config, archive=archive, answer_timeout_s=answer_timeout_s)
        self._is_owner = self._is_listener if is_owner is None else is_owner

    def parity(self, strategy: object = None) -> ParityReport:
        """Let the session's process replay what was recorded, and say whether it did the same, byte for byte."""
        if strategy is not None:
            raise ConfigError("strategy must be None: the session's process replays no other strategy than its own")
        return self._checked(self._command("parity", _PARITY_S), ParityReport)

    def why(self, order: int | str | Fill | Denied) -> OrderStory:
        """Let the session's process find out why an order happened; see `LiveSession.why`."""
        return OrderStory.from_dict(self._checked(self._command("why", _WHY_S, order=order), dict))

    def waterfall(self) -> EquityWaterfall:
        """Let the session's process explain the difference to the bar-only backtest."""
        return self._checked(self._command("waterfall", _PARITY_S), EquityWaterfall)

    def configure(self, **parameters: object) -> None:
        """Change parameters of the strategy before the start."""
        self._command("configure", _START_S, parameters=parameters)

    def start(self) -> ProcessSession:
        """Start trading and return the session; a session that runs already goes on."""
        self._command("start", _START_S)
        return self

    def pause(self) -> bool:
        """Let no new entries through; exits and stops go on. Return whether the session has obeyed already."""
        return bool(self._command("pause"))

    def resume(self) -> bool:
        """Let entries through again after `pause`, `flatten` or a failing strategy; see `pause` for the answer."""
        return bool(self._command("resume"))

    def flatten(self) -> bool:
        """Close all positions at their next price, then pause; see `pause` for the answer."""
        return bool(self._command("flatten"))

    def clear_breaker(self) -> bool:
        """Allow entries again after a breaker tripped, and measure losses from now; see `pause` for the answer."""
        return bool(self._command("clear_breaker"))

    def reconcile(self, answer: str) -> bool:
        """Decide what becomes of a difference between the exchange and what was booked: adopt, flatten or ignore."""
        return bool(self._command("reconcile", answer=answer))

    def resolve(self, number: int, answer: str) -> bool:
        """Decide what becomes of an order of which nobody can tell: ``"never_arrived"``, where you have looked."""
        check_resolution(number, answer)
        return bool(self._command("resolve", number=number, answer=answer))

    def stop(self, *, flatten: bool = False, timeout_s: float = 30.0) -> SessionState:
        """End the session: cancel entry orders, keep the positions, and report them in the reason."""
        if not self.is_finished:
            self._command("stop", timeout_s + _STOP_MARGIN_S, flatten=flatten, timeout_s=timeout_s)
        return self.state

    def ask_to_stop(self, *, flatten: bool = False) -> None:
        """Ask the session to end as `stop` does, closing its position first when `flatten`, and do not wait for it."""
        if not self.is_finished:
            self._command("ask_to_stop", flatten=flatten)

    def kill(self) -> SessionState:
        """End the session's process at once by SIGKILL, orders and positions untouched; return the state.

        Raises
        ------
        SessionError
            It cannot be told for sure that the process is the session's, or it does not end.
        """
        if self.is_finished:
            return self.state
        pid = self._local.link.pid
        if pid is None:
            return self.state
        if pid == os.getpid():
            # The session is hosted here: its end must not be ours.
            return SessionState(self._command("kill"))
        if pid == 0 or not end_process(pid, self._is_owner, _KILL_S):
            raise SessionError(
                f"process {pid or 'unknown'} was not ended: it is not for sure that of session {self.name!r}, or it "
                f"lives on; see `workbench ls`"
            )
        self._kill_note = "killed by the user; "
        return self.state

    def wait(self, timeout_s: float | None = None) -> bool:
        """Return whether the session has ended within `timeout_s` real seconds; None waits for ever.

        A process that crashes does not end its session: the wait goes on, as it may be started anew.
        """
        return self.wait_for(*FINISHED, timeout_s=timeout_s)

    def wait_for(self, *states: SessionState | str, timeout_s: float | None = None) -> bool:
        """Return whether the session came to be in one of the `states` within `timeout_s` real seconds."""
        wanted = states_named(states)
        until = float("inf") if timeout_s is None else time.monotonic() + timeout_s
        pause = threading.Event()
        while True:
            left_s = max(0.0, until - time.monotonic())
            if self._wait_slice(wanted, min(left_s, _WAIT_SLICE_S)):
                return True
            if time.monotonic() >= until:
                return False
            if self._local.link.pid is None:
                pause.wait(min(left_s, _LOOK_AGAIN_S))

    def close(self) -> None:
        """End the session if it runs, as `LiveSession.close` does, and let go of the subscription."""
        if self._is_there() and not self.is_finished:
            self._command("kill")
        self.detach()

    def detach(self) -> None:
        """Forget all subscribers; the session goes on, and so may this handle."""
        self._local.lines.close()

    def panel(self, *, symbol: str | None = None) -> Any:  # noqa: ANN401  a widget; this room knows none
        """Return a control panel with a live chart, to be shown as the value of a notebook cell; see `LiveSession`."""
        factory = LiveSession.panel_factory
        if factory is None:
            raise SessionError("panels come with the facade: import workbench.api first")
        return factory(self, symbol)

    def _command(self, operation: str, timeout_s: float = _COMMAND_S, /, **arguments: object) -> Any:  # noqa: ANN401  what the operation answers
        try:
            return self._local.link.command(operation, timeout_s, **arguments).value
        except NotRunningError as error:
            state, reason = self._status()
            advice = "make a new one" if state in FINISHED else self._advice()
            effect = "may have been carried out before its end" if error.is_sent else "can do nothing"
            raise SessionClosedError(
                f"session {self.name!r} is not running ({state}: {reason}), so {operation}() {effect}; {advice}"
            ) from error

    def _wait_slice(self, wanted: set[SessionState], timeout_s: float) -> bool:
        try:
            found = self._local.link.ask(
                "wait_for", timeout_s + self._answer_s, states=tuple(wanted), timeout_s=timeout_s
            )
        except (NotRunningError, SessionTimeoutError) as error:
            return self._status_without_answer(error)[0] in wanted
        self._known["status"] = (found.value["state"], found.value["reason"])
        return bool(found.value["is_there"])

    def _is_listener(self, pid: int) -> bool:
        return self._local.link.pid == pid


if TYPE_CHECKING:
    # Both are sessions to whoever holds one; the type checker proves it here.
    _HANDLES: tuple[type[SessionHandle], ...] = (LiveSession, ProcessSession)
