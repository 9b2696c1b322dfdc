from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq

from tests.unit.live.fake_core import EMPTY
from tests.unit.live.process.hosted import WAIT_S, Heard
from workbench.errors import SessionTimeoutError
from workbench.live.process.codec import encode
from workbench.live.process.numbering import Numbering
from workbench.live.process.publisher import PULSE, UPDATE
from workbench.live.process.sockets import UPDATES, end_point, shared_context
from workbench.live.process.update_reader import UpdateReader
from workbench.live.records import StepUpdate


class Station:
    """A server that publishes what the test says, and the reader that hears it."""

    def __init__(self, folder: Path) -> None:
        self.heard = Heard()
        self.failures = 0
        self.socket = shared_context().socket(zmq.XPUB)
        self.socket.bind(end_point(folder / UPDATES))
        self.reader = UpdateReader(folder, Numbering(), self.heard, self.account)
        assert self.socket.poll(round(WAIT_S * 1_000))
        assert self.socket.recv() == b"\1"

    def account(self) -> Any:
        if self.failures:
            self.failures -= 1
            raise SessionTimeoutError("no answer")
        return EMPTY

    def update(self, sequence: int, boot: str = "first") -> None:
        update = StepUpdate(sequence, np.ones((1, 6)), np.empty((0, 3)), (), {}, EMPTY)
        text, buffers = encode({"boot": boot, "update": update})
        self.socket.send_multipart([UPDATE, text, *buffers])

    def pulse(self, sequence: int, boot: str = "first") -> None:
        text, _ = encode({"host": {"boot": boot}, "sequence": sequence, "state": "ACTIVE", "reason": "trading"})
        self.socket.send_multipart([PULSE, text])

    def hears(self, *numbers: int) -> bool:
        return self.heard.until(lambda: self.heard.numbers == list(numbers))


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path)
    yield station
    station.reader.end()
    station.socket.close(linger=0)


def test_a_reader_is_greeted_by_the_first_pulse(station: Station) -> None:
    assert not station.reader.wait_greeted(0.05)
    station.pulse(7)
    assert station.reader.wait_greeted(WAIT_S)
    station.update(8)
    assert station.hears(8)  # what was before the subscription is not missed


def test_a_lost_update_with_others_behind_it_shows_by_the_numbers(station: Station) -> None:
    for number in (1, 2, 4):
        station.update(number)
    assert station.hears(1, 2, 4)


def test_a_lost_update_with_none_behind_it_is_told_by_the_pulse(station: Station) -> None:
    station.update(1)
    station.pulse(1)
    station.pulse(2)  # says that there was a 2
    assert station.hears(1, 3)  # a number is left out, and the 3 brings nothing
    assert len(station.heard.updates[-1].bar_rows) == 0
    station.pulse(2)
    station.update(3)
    assert station.hears(1, 3, 4)


def test_a_new_process_is_told_even_when_its_number_would_fit(station: Station) -> None:
    station.update(1)
    station.update(2)
    station.update(3, boot="second")
    assert station.hears(1, 2, 7)  # 2 + 2 + 3


def test_a_new_process_without_updates_is_told_by_its_pulse(station: Station) -> None:
    station.update(1)
    station.pulse(0, boot="second")
    assert station.hears(1, 3)  # 1 + 2 + 0
    station.update(2)  # a late word of the first one
    station.update(1, boot="second")
    assert station.hears(1, 3, 4)


def test_what_could_not_be_told_is_told_with_the_next_pulse(station: Station) -> None:
    station.update(1)
    station.failures = 1
    station.pulse(0, boot="second")
    station.pulse(0, boot="second")
    assert station.hears(1, 3)


def test_a_message_that_cannot_be_read_is_a_lost_one(station: Station, caplog: pytest.LogCaptureFixture) -> None:
    station.update(1)
    station.socket.send_multipart([UPDATE])
    station.socket.send_multipart([UPDATE, b"{"])
    station.socket.send_multipart([b"gossip", b"{}"])
    station.update(2)
    assert station.hears(1, 2)
    assert "cannot be read" in caplog.text
