"""A session's heartbeat: a small mapped file that says what its thread is doing, for readers outside of the process.

A reader needs nothing of the session, neither its thread nor its lock on the interpreter, so it also sees a session
that hangs, and the last words of one that is dead.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Beat", "Heartbeat", "read_beat"]

_MAGIC: Final = 0x5742_4231
_SIZE: Final = 8_192
# magic, pid, number of the step, when it began and when the one before ended (monotonic ns), length of the summary.
_HEAD: Final = struct.Struct("=qqqqqqq")
_STEP: Final = struct.Struct("=qq")
_NUMBER: Final = struct.Struct("=q")
_STEP_AT: Final = 16
_ENDED_AT: Final = 32
_VERSION_AT: Final = 40
_TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Beat:
    """What a heartbeat said at one moment.

    Attributes
    ----------
    pid : int
        Process that writes it.
    step : int
        Number of the step that began last.
    begun_ns, ended_ns : int
        When it began and when a step ended last, on the machine's monotonic clock; 0 for never.
    summary : mapping
        The account and state as the process wrote them last; empty before that.
    """

    pid: int
    step: int
    begun_ns: int
    ended_ns: int
    summary: Mapping[str, Any]

    @property
    def is_busy(self) -> bool:
        """Whether a step is under way."""
        return self.begun_ns > self.ended_ns


class Heartbeat:
    """Writes a session's heartbeat; `begin` and `end` are called by its thread, `tell` by one other thread.

    Parameters
    ----------
    path : Path
        The file; made or overwritten, readable by this user alone.
    """

    def __init__(self, path: Path) -> None:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(handle, _SIZE)
            self._map = mmap.mmap(handle, _SIZE)
        finally:
            os.close(handle)
        self._step = 0
        self._version = 0
        _HEAD.pack_into(self._map, 0, _MAGIC, os.getpid(), 0, 0, 0, 0, 0)

    def begin(self) -> None:
        """Say that a step begins, or the next one."""
        self._step += 1
        _STEP.pack_into(self._map, _STEP_AT, self._step, time.monotonic_ns())

    def end(self) -> None:
        """Say that the step has ended and the thread waits."""
        _NUMBER.pack_into(self._map, _ENDED_AT, time.monotonic_ns())

    def tell(self, summary: Mapping[str, Any]) -> None:
        """Write what people shall read of the session: a small JSON object.

        Raises
        ------
        SessionError
            It does not fit.
        """
        text = json.dumps(summary).encode()
        if len(text) > _SIZE - _HEAD.size:
            raise SessionError(f"the summary of a session must fit in {_SIZE - _HEAD.size} bytes, was {len(text)}")
        # An odd version says that the text is being written; the length stands before it.
        _NUMBER.pack_into(self._map, _VERSION_AT, self._version + 1)
        _NUMBER.pack_into(self._map, _VERSION_AT + 8, len(text))
        self._map[_HEAD.size : _HEAD.size + len(text)] = text
        self._version += 2
        _NUMBER.pack_into(self._map, _VERSION_AT, self._version)

    def close(self) -> None:
        """Let go of the file, which stays; what is written afterwards goes nowhere."""
        with contextlib.suppress(BufferError):
            self._map.flush()


def read_beat(path: Path) -> Beat | None:
    """Return what a heartbeat says, or None when there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            for _ in range(_TRIES):
                content = os.pread(handle, _SIZE, 0)
                beat, is_whole = _beat_of(content)
                if is_whole and os.pread(handle, 8, _VERSION_AT) == content[_VERSION_AT : _VERSION_AT + 8]:
                    return beat
            # Died while it wrote: what it did is known, what it would have said is not.
            return beat
        finally:
            os.close(handle)
    except OSError:
        return None


def _beat_of(content: bytes) -> tuple[Beat | None, bool]:
    """Return what a heartbeat's bytes say, and whether its summary was whole."""
    if len(content) < _HEAD.size:
        return None, True
    magic, pid, step, begun_ns, ended_ns, version, length = _HEAD.unpack_from(content)
    if magic != _MAGIC:
        return None, True
    summary: dict[str, Any] = {}
    is_whole = version % 2 == 0
    if is_whole and 0 < length <= _SIZE - _HEAD.size:
        with contextlib.suppress(ValueError):
            summary = json.loads(content[_HEAD.size : _HEAD.size + length])
    return Beat(pid, step, begun_ns, ended_ns, summary), is_whole
