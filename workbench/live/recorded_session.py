"""A recorded session, played again: the same handle and the same panels, and nothing that trades."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Never

from workbench.errors import SessionError, SessionNotFoundError
from workbench.live.journal import JournalReader
from workbench.live.recorded_engine import RecordedEngine
from workbench.live.recorded_feed import RecordedSource
from workbench.live.session import LiveSession

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.live.clock import Clock
    from workbench.live.recorded_config import ReadableRecord
    from workbench.live.session_config import LiveSessionConfig
    from workbench.live.states import SessionState

__all__ = ["RecordedSession", "record_in"]

_JOURNAL: Final = "journal.db"
# Before the name: what begins with "real-" is about real money, and a replay never is.
_PREFIX: Final = "replay-"
_LONGEST_NAME: Final = 64


class RecordedSession(LiveSession):
    """Plays what a session recorded through the core again, price by price, command by command, report by report.

    It reads as a `LiveSession` does: panel, chart, fills, snapshot, parity, why. At its end its ledger is the recorded
    session's, byte for byte. It sends nothing and obeys no command that would trade; `stop` and `kill` end it.

    Parameters
    ----------
    config : LiveSessionConfig
        The recorded session's.
    record : SessionRecord or JournalReader
        What it has recorded; of a session that still runs, what it had when the replay was started.
    speed : float, default 60
        Market seconds in a real second: 1 to 1,000, or ``inf`` for as fast as it goes.
    clock : Clock, optional
        Real time; default the computer's.

    Raises
    ------
    ConfigError
        The speed is out of its range.
    """

    def __init__(
        self, config: LiveSessionConfig, record: ReadableRecord, *, speed: float = 60.0, clock: Clock | None = None
    ) -> None:
        name = (_PREFIX + config.name)[:_LONGEST_NAME]
        source = RecordedSource(config, record)
        super().__init__(replace(config, name=name, source=source, speed=speed, warmup_bars=None), clock=clock)

    def configure(self, **parameters: object) -> Never:  # noqa: ARG002  the interface is that of all sessions
        """Raise SessionError: with other parameters it would not be what was recorded."""
        self._refuse("configure", "a backtest or a new session takes other parameters")

    def stop(self, *, flatten: bool = False, timeout_s: float = 30.0) -> SessionState:
        """End the replay.

        Parameters
        ----------
        flatten : bool, default False
            Must be False.
        timeout_s : float, default 30
            As for `LiveSession.stop`.

        Raises
        ------
        SessionError
            It was asked to flatten.
        """
        self.ask_to_stop(flatten=flatten)
        return super().stop(timeout_s=timeout_s)

    def ask_to_stop(self, *, flatten: bool = False) -> None:
        """Ask the replay to end, and do not wait for it; raises SessionError when it is asked to `flatten`."""
        if flatten:
            self._refuse("stop(flatten=True)", "stop() ends the replay")
        super().ask_to_stop()

    def _command(self, name: str) -> Never:
        self._refuse(name, "the commands of that time come again with its prices")

    def _refuse(self, what: str, way_out: str) -> Never:
        raise SessionError(
            f"session {self.name!r} replays a record: {what} would change what was; {way_out}",
            session_id=self.session_id,
        )

    def _new_engine(self, *, since_ns: int | None = None) -> RecordedEngine:
        config = self._config
        return RecordedEngine(
            config.plan(),
            config.engine_config(),
            since_ns=since_ns,
            max_strategy_errors=config.max_strategy_errors,
            max_errors=config.max_errors,
            record=self._host.record,
        )


def record_in(folder: Path) -> JournalReader:
    """Return a reader of the journal in a session's folder, also while the session runs.

    Raises
    ------
    SessionNotFoundError
        There is no journal.
    JournalError
        It cannot be read.
    """
    path = folder / _JOURNAL
    if not path.is_file():
        raise SessionNotFoundError(f"there is no recorded session in {folder}: it has no {_JOURNAL}")
    return JournalReader(path)
