"""A recorded session as a source: its rows come again as they were, each when the market had come so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import SessionError
from workbench.live.feeds import Chunk, ScheduledFeed, ended_feed
from workbench.live.recorded_config import recorded_instruments
from workbench.live.recovery import BEGUN
from workbench.live.sources import Market
from workbench.model import BAR, TICK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.live.recorded_config import ReadableRecord
    from workbench.live.session_config import LiveSessionConfig
    from workbench.model import Instrument, Timeframe

__all__ = ["RecordedSource", "due_times"]


@dataclass(frozen=True, slots=True)
class RecordedSource:
    """Replays what a session recorded: prices, bars, commands and reports, row for row.

    Parameters
    ----------
    config : LiveSessionConfig
        The recorded session's.
    record : SessionRecord or JournalReader
        What it has recorded so far.
    """

    config: LiveSessionConfig
    record: ReadableRecord

    @property
    def name(self) -> str:
        """``record of`` and the session's name."""
        return f"record of {self.config.name}"

    @property
    def has_account(self) -> bool:
        """Whether fills come from an exchange's reports, which are among the rows; nothing is ever sent."""
        return self.config.execution == "exchange"

    @property
    def has_own_clock(self) -> bool:
        """False: it is played at any speed."""
        return False

    def instruments(self, symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
        """Return the rules of the `symbols` as the session had them."""
        known = recorded_instruments(self.config, self.record.history())
        return tuple(known[self.config.symbols.index(symbol)] for symbol in symbols)

    def usual_warmup(self, needed: int) -> int:  # noqa: ARG002  the interface is that of all sources
        """Return 0: the recorded warm-up is fed, whatever it was."""
        return 0

    def open(
        self,
        symbols: tuple[str, ...],  # noqa: ARG002  the recorded ones
        timeframe: Timeframe,
        warmup: int,  # noqa: ARG002  see `usual_warmup`
        *,
        since_ns: int | None = None,
    ) -> Market:
        """Return the recorded warm-up and a feed of the rows.

        Raises
        ------
        SessionError
            The record was not begun, or a replay is to go on in the middle.
        """
        if since_ns is not None:
            raise SessionError("a replay begins at the beginning: it cannot go on where another one ended")
        rows = self.record.read()
        begun = self.record.notes(BEGUN)
        start_ns = begun[0].time_ns if begun else int(rows["time_ns"][0]) if len(rows) else None
        if start_ns is None:
            raise SessionError(f"session {self.config.name!r} has recorded nothing yet: there is nothing to replay")
        is_bar_only = bool((rows["kind"] == BAR).any())
        feed = ended_feed(start_ns, is_bar_only=is_bar_only)
        if len(rows):
            due_ns = due_times(rows, timeframe.ns, start_ns)
            feed = ScheduledFeed(iter([Chunk(due_ns, rows)]), start_ns=start_ns, is_bar_only=is_bar_only)
        since = begun[0].body["since_ns"] if begun else None
        return Market(self.record.history(), feed, since)


def due_times(rows: NDArray[np.void], timeframe_ns: int, start_ns: int) -> NDArray[np.int64]:
    """Return when each recorded row is due: a price at its time, a whole bar when it closes, all else with these.

    Parameters
    ----------
    rows : ndarray of `EVENT`
        In the order in which they were recorded.
    timeframe_ns : int
        Length of a bar, ns.
    start_ns : int
        When the first may be due, ns UTC.

    Returns
    -------
    ndarray of int64
        Never falling; ns UTC.

    Examples
    --------
    >>> from workbench.model import COMMAND, EVENT
    >>> rows = np.zeros(3, dtype=EVENT)
    >>> rows["kind"], rows["time_ns"] = (TICK, COMMAND, TICK), (100, 0, 90)
    >>> due_times(rows, 60, 50).tolist()
    [100, 100, 100]
    """
    is_bar = rows["kind"] == BAR
    times = np.where((rows["kind"] == TICK) | is_bar, rows["time_ns"] + np.where(is_bar, timeframe_ns, 0), start_ns)
    due: NDArray[np.int64] = np.maximum.accumulate(times)
    return due
