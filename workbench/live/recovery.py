"""How a session goes on where an earlier process of it stopped: what its record holds is run again and shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.core.reports import DONE
from workbench.live.records import SessionEvent
from workbench.model import REPORT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workbench.live.readings import Readings
    from workbench.live.record import RecordedNote, SessionRecord
    from workbench.live.status import SessionStatus
    from workbench.live.symbol_charts import SymbolCharts
    from workbench.live.trading_engine import LiveTradingEngine
    from workbench.model import ExchangeRequest

__all__ = [
    "BEGUN",
    "FAILED_IN_A_ROW",
    "HOLE",
    "PAUSED",
    "Replayed",
    "failed_in_a_row",
    "last_pause",
    "replay_record",
    "requests_in_flight",
    "since_of",
    "told_events",
]

BEGUN: Final = "run"
"""Kind of the note with which a record begins: its time is that of the feed's beginning, and ``since_ns`` that from
which on all prices are known to come."""

HOLE: Final = "hole_in"
"""Field of a notice that names the symbol of which prices are missing."""

FAILED_IN_A_ROW: Final = "failed_in_a_row"
"""Field of a note of kind ``breaker``: on how many bars the strategy has failed without a good one since."""

PAUSED: Final = "pause"
"""Kind of the note on why entries are paused: ``reason``, and ``by`` whom or what: ``user``, ``strategy``, ``order``,
``account``, ``feed``, ``gate``, ``journal``, ``replay`` or ``hang``."""


class Replayed(NamedTuple):
    """What running a record again came to.

    Attributes
    ----------
    requests : tuple of ExchangeRequest
        All orders, and cancels of them, that were asked for, oldest first.
    in_flight : tuple of ExchangeRequest
        Those of which the record does not say that they are done.
    events : ndarray of `EVENT`
        The record's rows.
    """

    requests: tuple[ExchangeRequest, ...]
    in_flight: tuple[ExchangeRequest, ...]
    events: NDArray[np.void]

    @property
    def reports(self) -> NDArray[np.void]:
        """What was booked of the session's own orders, rows of kind ``REPORT``."""
        own: NDArray[np.void] = self.events[(self.events["kind"] == REPORT) & (self.events["d"] >= 0)]
        return own


def replay_record(engine: LiveTradingEngine, readings: Readings, charts: SymbolCharts) -> Replayed:
    """Bring an engine, and what readers see of it, to where its record ends.

    Raises
    ------
    JournalError
        The record cannot be read.
    """
    result, cut = engine.restore()
    readings.restore(result, engine.time_ns)
    if cut.history is not None:
        charts.add_history(cut.history)
    charts.restore(cut.events, cut.tail, result, engine.forming)
    return Replayed(result.requests, requests_in_flight(result.requests, cut.events), cut.events)


def requests_in_flight(requests: Sequence[ExchangeRequest], events: NDArray[np.void]) -> tuple[ExchangeRequest, ...]:
    """Return the `requests` that no report among the `events` ends; a cancel ends with the order that it cancels."""
    reports = events[events["kind"] == REPORT]
    done = set(reports["d"][(reports["e"].astype(np.int64) & DONE) != 0].astype(np.int64).tolist())
    return tuple(
        request for request in requests if (request.number if request.cancels is None else request.cancels) not in done
    )


def since_of(record: SessionRecord) -> int | None:
    """Return the time from which on a record's prices are known to be whole, ns UTC; None when nobody knew."""
    begun = record.notes(BEGUN)
    since_ns: int | None = begun[0].body["since_ns"] if begun else None
    return since_ns


def failed_in_a_row(record: SessionRecord) -> int:
    """Return on how many bars the strategy had failed without a good one since when the record ended."""
    counts = [note.body[FAILED_IN_A_ROW] for note in record.notes("breaker") if FAILED_IN_A_ROW in note.body]
    return counts[-1] if counts else 0


def last_pause(record: SessionRecord) -> RecordedNote | None:
    """Return the note on the newest pause, whether it was taken back or not."""
    return next(reversed(record.notes(PAUSED)), None)


def told_events(record: SessionRecord, status: SessionStatus) -> None:
    """Show the events of earlier processes of the session again."""
    notes = [note for note in record.notes() if "text" in note.body]
    status.retell(SessionEvent(note.time_ns, note.body["about"], note.body["text"]) for note in notes)
