from __future__ import annotations

import gc
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import JournalError, SessionClosedError
from workbench.live.spool import EventSpool
from workbench.model import EVENT

if TYPE_CHECKING:
    from typing_extensions import Buffer

OPEN_FILES = Path("/proc/self/fd")
needs_file_list = pytest.mark.skipif(not OPEN_FILES.exists(), reason="needs the system's list of open files")


def rows(count: int, first: int = 0) -> np.ndarray:
    table = np.zeros(count, dtype=EVENT)
    table["time_ns"] = np.arange(first, first + count)
    return table


@given(st.lists(st.integers(0, 13), max_size=20), st.integers(1, 8))
def test_what_was_added_comes_back_in_order_however_it_was_cut(sizes: list[int], buffer_rows: int) -> None:
    total = sum(sizes)
    with EventSpool(buffer_rows=buffer_rows) as spool:
        at = 0
        for size in sizes:
            spool.append(rows(size, at))
            at += size
        assert len(spool) == total
        assert spool.read().tobytes() == rows(total).tobytes()
        assert spool.read(total // 2).tobytes() == rows(total // 2).tobytes()


def test_reading_between_additions_does_not_disturb_them() -> None:
    with EventSpool(buffer_rows=2) as spool:
        for at in range(10):
            spool.append(rows(1, at))
            assert len(spool.read()) == at + 1
            assert len(spool.read(1)) == 1


def test_a_row_takes_72_bytes() -> None:
    assert EVENT.itemsize == 72  # 9 fields of 8 bytes


def open_files() -> int:
    return sum(1 for _ in OPEN_FILES.iterdir())


@needs_file_list
def test_a_short_session_opens_no_file() -> None:
    before = open_files()
    with EventSpool() as spool:
        spool.append(rows(4_096))
        assert open_files() == before
        spool.append(rows(1))
        assert open_files() == before + 1
    assert open_files() == before


def test_a_closed_spool_takes_and_gives_nothing() -> None:
    spool = EventSpool(buffer_rows=1)
    spool.append(rows(3))
    spool.close()
    spool.close()
    assert spool.is_closed
    with pytest.raises(SessionClosedError, match="recorded events are gone"):
        spool.append(rows(1))
    with pytest.raises(SessionClosedError, match="recorded events are gone"):
        spool.read()


@needs_file_list
def test_a_dropped_spool_leaves_no_open_file() -> None:
    before = open_files()
    spool = EventSpool(buffer_rows=1)
    spool.append(rows(3))
    del spool
    gc.collect()
    assert open_files() == before


class DiskOfTwoRows(io.BytesIO):
    """A file on a disk that is full after two rows."""

    def write(self, data: Buffer) -> int:
        if self.tell() >= 2 * EVENT.itemsize:
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_full_disk_is_an_error_and_keeps_what_was_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: DiskOfTwoRows())
    with EventSpool(buffer_rows=2) as spool:
        spool.append(rows(4))
        with pytest.raises(JournalError, match="No space left"):
            spool.append(rows(1, 4))
        assert spool.read().tobytes() == rows(4).tobytes()  # 2 in the file, 2 in the buffer
