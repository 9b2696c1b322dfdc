from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import JournalError
from workbench.live.journal import Sample, Telemetry, read_telemetry


def test_samples_come_back_in_order_and_the_oldest_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    with Telemetry(path, max_samples=300) as telemetry:
        for at in range(450):
            telemetry.put("equity" if at % 2 else "timing", at, {"x": at / 10})
        assert len(read_telemetry(path)) == 300  # two batches of 200 are written: 400 - 300 were dropped
    assert [sample.time_ns for sample in read_telemetry(path)] == list(range(150, 450))  # 450 - 300
    assert read_telemetry(path, "equity")[-1] == Sample("equity", 449, {"x": 44.9})
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_written_is_counted_and_nothing_raises(tmp_path: Path) -> None:
    telemetry = Telemetry(tmp_path / "nowhere" / "telemetry.db")
    telemetry.put("log", 1, {"text": "a"})
    telemetry.put("log", 2, {"x": float("nan")})
    telemetry.flush()
    telemetry.flush()
    assert telemetry.lost == 2
    with pytest.raises(JournalError, match="cannot be opened"):
        read_telemetry(telemetry.path)


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    path.write_bytes(b"no database at all" * 1_000)
    with Telemetry(path) as telemetry:
        telemetry.put("log", 1, {"text": "lost"})
        telemetry.flush()
        telemetry.put("log", 2, {"text": "kept"})
    assert telemetry.lost == 1
    assert read_telemetry(path) == (Sample("log", 2, {"text": "kept"}),)
