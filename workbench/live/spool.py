"""The recorded sequence of events of one session, on disk, for its replay."""

from __future__ import annotations

import tempfile
import threading
import weakref
from typing import IO, TYPE_CHECKING, Any, Final, Self

import numpy as np

from workbench.errors import JournalError, SessionClosedError
from workbench.model import EVENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from workbench.live.record import RecordedNote
    from workbench.model import Bars

__all__ = ["EventSpool"]

# 4,096 rows of 72 bytes are 288 KiB; a session of a few thousand bars never touches the disk.
_BUFFER_ROWS: Final = 4_096


class EventSpool:
    """The record of a session that ends with its process: rows of `EVENT`, added by one thread and read by any.

    Notes are not kept, and there is nothing to commit: who wants to go on after a crash takes a journal. The newest
    rows are in a buffer of fixed size, the others in an unnamed temporary file, which the system removes when the spool
    is closed, collected, or its process dies.

    Parameters
    ----------
    buffer_rows : int, default 4096
        Rows kept in memory; 72 bytes each.

    Examples
    --------
    >>> import numpy as np
    >>> with EventSpool(buffer_rows=2) as spool:
    ...     spool.append(np.zeros(5, dtype=EVENT))
    ...     len(spool), spool.read(3).shape
    (5, (3,))
    """

    def __init__(self, *, buffer_rows: int = _BUFFER_ROWS) -> None:
        self._lock = threading.Lock()
        self._buffer = np.zeros(buffer_rows, dtype=EVENT)
        self._buffered = 0
        self._written = 0
        self._is_closed = False
        # Made by the first flush: most sessions of tests and lessons never need a file descriptor.
        self._file: IO[bytes] | None = None
        self._close_file: weakref.finalize[[], EventSpool] | None = None
        self._history: Bars | None = None

    def __enter__(self) -> Self:
        """Return the spool."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the spool."""
        self.close()

    def __len__(self) -> int:
        with self._lock:
            return self._written + self._buffered

    @property
    def uncommitted(self) -> int:
        """Always 0: nothing waits to be made safe."""
        return 0

    def put_history(self, bars: Bars | None) -> None:
        """Keep the `bars` before the first row."""
        self._history = bars

    def history(self) -> Bars | None:
        """Return the bars before the first row."""
        return self._history

    def note(self, kind: str, time_ns: int, body: Mapping[str, Any]) -> int:  # noqa: ARG002  see the class
        """Keep nothing."""
        return 0

    def notes(self, *kinds: str) -> tuple[RecordedNote, ...]:  # noqa: ARG002  see the class
        """Return nothing."""
        return ()

    @property
    def keeps_snapshots(self) -> bool:
        """Always False: who holds the spool holds the session that filled it."""
        return False

    @property
    def is_snapshot_due(self) -> bool:
        """Always False."""
        return False

    def snapshot(self, ledger_hash: str) -> None:
        """Keep nothing."""

    def snapshots(self) -> tuple[tuple[int, str], ...]:
        """Return nothing."""
        return ()

    def commit(self) -> None:
        """Do nothing."""

    def release_ballast(self) -> int:
        """Return 0: there is none."""
        return 0

    def renew_ballast(self) -> None:
        """Do nothing: there is none."""

    @property
    def is_closed(self) -> bool:
        """Whether the rows are gone."""
        return self._is_closed

    def append(self, events: NDArray[np.void]) -> None:
        """Add rows of `EVENT`.

        Raises
        ------
        SessionClosedError
            The spool is closed.
        JournalError
            The temporary file cannot be written; what the error leaves is whole rows.
        """
        with self._lock:
            self._check_open()
            start = 0
            while start < len(events):
                room = len(self._buffer) - self._buffered
                if not room:
                    self._flush()
                    continue
                part = events[start : start + room]
                self._buffer[self._buffered : self._buffered + len(part)] = part
                self._buffered += len(part)
                start += len(part)

    def read(self, count: int | None = None) -> NDArray[np.void]:
        """Return a copy of the first `count` rows, or of all.

        Raises
        ------
        SessionClosedError
            The spool is closed.
        JournalError
            The temporary file does not hold what was written to it.
        """
        with self._lock:
            self._check_open()
            total = self._written + self._buffered
            wanted = total if count is None else min(count, total)
            rows = np.empty(wanted, dtype=EVENT)
            from_file = min(wanted, self._written)
            if from_file:
                rows[:from_file] = self._read_file(from_file)
            rows[from_file:] = self._buffer[: wanted - from_file]
            return rows

    def close(self) -> None:
        """Remove the file and the buffer; more than once is fine."""
        with self._lock:
            self._is_closed = True
            self._buffer = np.zeros(0, dtype=EVENT)
            self._buffered = self._written = 0
            if self._close_file is not None:
                self._close_file()

    def _check_open(self) -> None:
        if self._is_closed:
            raise SessionClosedError("the recorded events are gone: the session was cleaned up")

    def _flush(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="workbench-events-", buffering=0)  # noqa: SIM115  lives as long as the spool
            self._close_file = weakref.finalize(self, self._file.close)
        data = memoryview(self._buffer[: self._buffered].tobytes())
        try:
            self._file.seek(self._written * EVENT.itemsize)
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            raise JournalError(f"{self._buffered} events could not be written to a temporary file: {error}") from error
        self._written += self._buffered
        self._buffered = 0

    def _read_file(self, count: int) -> NDArray[np.void]:
        if self._file is None:
            raise JournalError("the temporary file of the recorded events was never made")
        self._file.seek(0)
        data = bytearray()
        while len(data) < count * EVENT.itemsize:
            part = self._file.read(count * EVENT.itemsize - len(data))
            if not part:
                raise JournalError(f"the temporary file holds {len(data)} bytes of {count * EVENT.itemsize}")
            data += part
        return np.frombuffer(bytes(data), dtype=EVENT)
