"""The handle of a session that a supervisor looks after: its end is written down, so that nobody starts it again."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from workbench.errors import SessionClosedError, SessionError
from workbench.live.process.archive import FolderArchive
from workbench.live.process.handle import ProcessSession
from workbench.live.process.lock import holder_of
from workbench.live.process.process_table import wait_for_end
from workbench.live.process.record import write_request
from workbench.live.process.session_info import look_at
from workbench.live.process.stopping import end_sessions
from workbench.live.session_text import read_session

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.live.order_story import OrderStory
    from workbench.live.parity import ParityReport
    from workbench.live.process.folders import SessionFolder
    from workbench.live.session_config import LiveSessionConfig
    from workbench.live.states import SessionState
    from workbench.model import Denied, EquityWaterfall, Fill

__all__ = ["RegisteredSession"]

# Of the time that a stop has, this is left for ending a process that does not answer.
_BY_FORCE_S: Final = 6.0


class RegisteredSession(ProcessSession):
    """A session in a process of its own that is started again when it dies, unless it was asked to end.

    Parameters
    ----------
    place : SessionFolder
        Where it is.
    """

    def __init__(self, place: SessionFolder) -> None:
        self._kept = FolderArchive(place)
        super().__init__(place.path, load_config=_read_config, archive=self._kept, is_owner=self._is_holder)
        self._place = place

    def stop(self, *, flatten: bool = False, timeout_s: float = 30.0) -> SessionState:
        """End the session: cancel entry orders, keep the positions, and report them in the reason.

        A process that does not answer is asked by a signal, and killed when that does not help in time either.
        """
        if self.is_finished:
            return self.state
        until_s = time.monotonic() + timeout_s
        process = holder_of(self._place.lock)
        write_request(self._place, "stop", flatten=flatten)
        # Its process may be gone, or not answer: then it is ended below.
        with contextlib.suppress(SessionError):
            super().stop(flatten=flatten, timeout_s=max(0.0, timeout_s - _BY_FORCE_S))
            if process is not None:
                wait_for_end(process, max(0.0, until_s - time.monotonic()))
        left_s = max(0.0, until_s - time.monotonic())
        end_sessions([look_at(self._place)], "stop", flatten=flatten, timeout_s=left_s)
        return self.state

    def ask_to_stop(self, *, flatten: bool = False) -> None:
        """Ask the session to end as `stop` does, closing its position first when `flatten`, and do not wait for it."""
        if not self.is_finished:
            write_request(self._place, "stop", flatten=flatten)
            super().ask_to_stop(flatten=flatten)

    def kill(self) -> SessionState:
        """End the session's process at once, orders and positions untouched; return the state."""
        if not self.is_finished:
            end_sessions([look_at(self._place)], "kill")
        return self.state

    def parity(self, strategy: object = None) -> ParityReport:
        """Replay what was recorded, and say whether it did the same, byte for byte.

        Another `strategy`, and a session whose process is gone, is replayed here from the journal.
        """
        if strategy is None:
            # Its process may be about to end.
            with contextlib.suppress(SessionClosedError):
                return super().parity()
        return self._kept.parity(strategy)

    def waterfall(self) -> EquityWaterfall:
        """Explain the difference to the bar-only backtest; here when the session's process is gone."""
        with contextlib.suppress(SessionClosedError):
            return super().waterfall()
        return self._kept.waterfall()

    def why(self, order: int | str | Fill | Denied) -> OrderStory:
        """Return why an order happened; found out here when the session's process is gone."""
        return super().why(order) if self._is_there() else self._kept.session().why(order)

    def _is_holder(self, pid: int) -> bool:
        holder = holder_of(self._place.lock)
        return holder is not None and holder.pid == pid


def _read_config(folder: Path) -> LiveSessionConfig:
    return read_session(folder).config
