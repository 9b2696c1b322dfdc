"""The journal of a session: what it must not forget, durable before anything is done that follows from it.

A journal holds a session's inputs (rows of `EVENT`, warm-up bars) and notes; replayed through the same core they give
everything back. It is a SQLite file with one writer and any number of readers.
"""

from workbench.live.journal.journal import SNAPSHOT_ROWS, Journal
from workbench.live.journal.note import NOTE_KINDS, Note
from workbench.live.journal.reader import JournalReader
from workbench.live.journal.salvage import Salvaged, salvage
from workbench.live.journal.stored import Snapshot
from workbench.live.journal.telemetry import Sample, Telemetry, read_telemetry

__all__ = [
    "NOTE_KINDS",
    "SNAPSHOT_ROWS",
    "Journal",
    "JournalReader",
    "Note",
    "Salvaged",
    "Sample",
    "Snapshot",
    "Telemetry",
    "read_telemetry",
    "salvage",
]
