"""The facade's door to recorded sessions: play them again, with the same panels."""

from pathlib import Path

# With the facade come the panels.
from workbench.api import attach
from workbench.errors import ConfigError
from workbench.live import LiveSession, LiveSessionConfig
from workbench.live.recorded_config import ReadableRecord
from workbench.live.recorded_session import RecordedSession, record_in

__all__ = ["replay"]


def replay(
    session: str | LiveSession | tuple[LiveSessionConfig, ReadableRecord | Path],
    *,
    speed: float = 60.0,
    start: bool = True,
) -> RecordedSession:
    """Play a session again from its record, and return the handle of the replay at once.

    Its prices, commands and reports come as they came, nothing is made anew of them; nothing is sent, and what would
    trade is refused. Panel, chart, fills and account show what the session showed, and `stop` ends the replay.

    Parameters
    ----------
    session : str, LiveSession or tuple
        Name or id of a session of this process, its handle, or a configuration with the session's record: a
        `workbench.live.journal.JournalReader`, or the session's folder. It may have ended, crashed or run: then what
        it has recorded until now is played.
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
        The speed is out of its range, or the folder has no journal.
    SessionNotFoundError
        There is no session of this name.
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
    session: str | LiveSession | tuple[LiveSessionConfig, ReadableRecord | Path],
) -> tuple[LiveSessionConfig, ReadableRecord]:
    """Return the configuration of a session and what it recorded."""
    if isinstance(session, str):
        session = attach(session)
    if isinstance(session, LiveSession):
        return session.config, session.record
    if not isinstance(session, tuple):
        raise ConfigError(
            f"session must be a name, a session, or a configuration with a record or folder, was {session!r}"
        )
    config, record = session
    return config, record_in(record) if isinstance(record, Path) else record
