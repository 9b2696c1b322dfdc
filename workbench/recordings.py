"""The facade's door to recorded sessions: play them again, with the same panels."""

from pathlib import Path

# With the facade come the panels.
from workbench.api import attach
from workbench.errors import ConfigError
from workbench.live import LiveSession, LiveSessionConfig
from workbench.live.recorded_config import ReadableRecord
from workbench.live.recorded_session import RecordedSession, record_in
from workbench.live.session_handle import SessionHandle
from workbench.live.session_text import read_session

__all__ = ["replay"]


def replay(
    session: str | Path | SessionHandle | tuple[LiveSessionConfig, ReadableRecord],
    *,
    speed: float = 60.0,
    start: bool = True,
) -> RecordedSession:
    """Play a session again from its record, and return the handle of the replay at once.

    Its prices, commands and reports come as they came, nothing is made anew of them; nothing is sent, and what would
    trade is refused. Panel, chart, fills and account show what the session showed, and `stop` ends the replay.

    Parameters
    ----------
    session : str, Path, SessionHandle or tuple
        Name or id of a session, its folder, its handle, or a configuration with a record of it, such as a
        `workbench.live.journal.JournalReader`. It may have ended, crashed or run: then what it has recorded until now
        is played.
    speed : float, default 60
        Market seconds in a real second: 1 to 1,000, or ``inf`` for as fast as it goes.
    start : bool, default True
        False prepares a replay whose panel shows Start.

    Returns
    -------
    RecordedSession
        The handle: ``panel() snapshot() fills() why() parity() stop()``.

    Raises
    ------
    ConfigError
        The speed is out of its range, or the strategy cannot be built here.
    SessionNotFoundError
        There is no session of this name, or none in the folder.
    SessionError
        The session has recorded nothing yet.
    JournalError
        The journal cannot be read.

    Examples
    --------
    >>> import workbench as wb
    >>> bars = wb.load_bars("practice", "BTC/USDT", "1h", start="2025-01-01", end="2025-01-03")
    >>> cross = wb.strategy.sma_cross(fast=3, slow=8)
    >>> session = wb.paper(cross, exchange=bars, speed=float("inf"), name="doc-replayed")
    >>> session.wait(60)
    True
    >>> again = wb.replay("doc-replayed", speed=float("inf"))
    >>> again.wait(60), again.fills() == session.fills(), again.parity().live_hash == session.parity().live_hash
    (True, True, True)
    >>> again.close()
    >>> session.close()
    """
    config, record = _recording(session)
    replayed = RecordedSession(config, record, speed=speed)
    if start:
        replayed.start()
    return replayed


def _recording(
    session: str | Path | SessionHandle | tuple[LiveSessionConfig, ReadableRecord],
) -> tuple[LiveSessionConfig, ReadableRecord]:
    """Return the configuration of a session and what it recorded."""
    if isinstance(session, tuple):
        return session
    if isinstance(session, str):
        session = attach(session)
    if isinstance(session, LiveSession):
        return session.config, session.record
    folder = session if isinstance(session, Path) else getattr(session, "folder", None)
    if not isinstance(folder, Path):
        raise ConfigError(
            f"session must be a name, a session, its folder, or a configuration with a record, was {session!r}"
        )
    record = record_in(folder)
    return read_session(folder).config, record
