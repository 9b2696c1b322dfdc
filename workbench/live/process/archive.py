"""What the folder of a session tells when no process of it answers: its journal, run again and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import SessionClosedError
from workbench.live.host import SessionHost
from workbench.live.journal.read_only import ReadOnlyRecord
from workbench.live.process.operations import READS
from workbench.live.process.session_info import look_at
from workbench.live.session import LiveSession
from workbench.live.session_text import read_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.live.parity import ParityReport
    from workbench.live.process.folders import SessionFolder
    from workbench.model import EquityWaterfall

__all__ = ["FolderArchive", "session_of_folder"]

_KEPT = frozenset({"describe", "snapshot", "chart_state", "fills", "trades", "denials", "errors", "events", "metrics"})


def session_of_folder(folder: SessionFolder) -> LiveSession:
    """Return a session as its journal leaves it: everything can be read of it, and nothing can be started.

    Raises
    ------
    SessionClosedError
        It has no journal.
    JournalError
        The journal cannot be read, or run again by this version.
    """
    if not folder.journal.is_file():
        raise SessionClosedError(f"session {folder.name!r} never got to trade; see {folder.log}")
    saved = read_session(folder.path)
    host = SessionHost(session_id=saved.session_id, record=ReadOnlyRecord(folder.journal))
    session = LiveSession(saved.config, host=host)
    session.restore()
    return session


class FolderArchive:
    """Tells of a session whose process is gone what its folder knows.

    Parameters
    ----------
    folder : SessionFolder
        The session.
    """

    def __init__(self, folder: SessionFolder) -> None:
        self._folder = folder
        self._read: tuple[int, LiveSession] | None = None

    def answer(self, operation: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what the operation answers
        """Return what the session's process would answer to a read; LookupError for what is not kept."""
        if operation == "status":
            info = look_at(self._folder)
            if info.is_finished:
                return info.state, info.reason
        if operation in _KEPT and self._folder.journal.is_file():
            return READS[operation].run(self.session(), **arguments)
        raise LookupError(operation)

    def parity(self, strategy: object = None) -> ParityReport:
        """Replay the journal through the backtest driver, with the session's strategy or another, and compare."""
        return self.session().parity(strategy)

    def waterfall(self) -> EquityWaterfall:
        """Explain the difference to the bar-only backtest."""
        return self.session().waterfall()

    def session(self) -> LiveSession:
        """Return the session as its journal leaves it; read again when the journal has grown."""
        rows = len(ReadOnlyRecord(self._folder.journal)) if self._folder.journal.is_file() else 0
        if self._read is None or self._read[0] != rows:
            self._read = (rows, session_of_folder(self._folder))
        return self._read[1]
