import struct
import time
from pathlib import Path

import pytest

from workbench.errors import SessionError
from workbench.live.process.heartbeat import Heartbeat, read_beat


def test_step_is_seen_while_it_runs_and_after_it(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    heart = Heartbeat(path)
    assert read_beat(path).step == 0
    assert not read_beat(path).is_busy
    before_ns = time.monotonic_ns()
    heart.begin()
    beat = read_beat(path)
    assert (beat.step, beat.is_busy) == (1, True)
    assert before_ns <= beat.begun_ns <= time.monotonic_ns()
    heart.end()
    assert not read_beat(path).is_busy
    heart.begin()
    heart.begin()
    assert (read_beat(path).step, read_beat(path).is_busy) == (3, True)


def test_summary_is_read_as_it_was_told_last(tmp_path: Path) -> None:
    heart = Heartbeat(tmp_path / "heartbeat")
    assert read_beat(tmp_path / "heartbeat").summary == {}
    heart.tell({"state": "ACTIVE", "equity": 1.5})
    heart.tell({"state": "STALE"})
    assert read_beat(tmp_path / "heartbeat").summary == {"state": "STALE"}
    heart.close()
    assert read_beat(tmp_path / "heartbeat").summary == {"state": "STALE"}


def test_process_that_died_while_it_wrote_its_summary_still_shows_its_step(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    heart = Heartbeat(path)
    heart.tell({"state": "ACTIVE"})
    heart.begin()
    content = bytearray(path.read_bytes())
    struct.pack_into("=q", content, 40, 3)  # odd: being written
    path.write_bytes(content)
    beat = read_beat(path)
    assert (beat.step, beat.is_busy, beat.summary) == (1, True, {})


def test_summary_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    heart = Heartbeat(tmp_path / "heartbeat")
    heart.tell({"state": "ACTIVE"})
    with pytest.raises(SessionError, match="must fit in"):
        heart.tell({"text": "x" * 10_000})
    assert read_beat(tmp_path / "heartbeat").summary == {"state": "ACTIVE"}


@pytest.mark.parametrize("content", [b"", b"short", b"\0" * 8_192])
def test_anything_else_is_no_heartbeat(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "heartbeat").write_bytes(content)
    assert read_beat(tmp_path / "heartbeat") is None
    assert read_beat(tmp_path / "missing") is None


def test_new_process_of_the_session_begins_anew(tmp_path: Path) -> None:
    first = Heartbeat(tmp_path / "heartbeat")
    first.tell({"state": "ACTIVE"})
    first.begin()
    Heartbeat(tmp_path / "heartbeat")
    beat = read_beat(tmp_path / "heartbeat")
    assert (beat.step, beat.is_busy, beat.summary) == (0, False, {})
