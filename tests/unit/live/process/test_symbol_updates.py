"""Charts of several symbols of a session in another process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq

from tests.unit.live.markets import BTC, ETH, session_config, two_walks
from tests.unit.live.process.hosted import WAIT_S, Heard, Hosted
from workbench.errors import ConfigError, SessionError
from workbench.live.process.codec import decode
from workbench.live.process.operations import READS, Operation
from workbench.live.process.sockets import UPDATES, end_point, shared_context
from workbench.strategy import sma_cross


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Hosted]:
    host = Hosted(tmp_path, session_config(two_walks(120), speed=1.0, strategy=sma_cross(fast=3, slow=8)))
    yield host
    host.close()


class Ear:
    """A subscription to the bare socket of a session's updates."""

    def __init__(self, folder: Path, topic: bytes) -> None:
        self.socket = shared_context().socket(zmq.SUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(end_point(folder / UPDATES))
        self.socket.subscribe(topic)
        assert self.next()[0].endswith(b"pulse")  # greeted

    def next(self) -> list[bytes]:
        assert self.socket.poll(round(WAIT_S * 1_000))
        return self.socket.recv_multipart()

    def next_update(self) -> list[bytes]:
        while True:
            frames = self.next()
            if frames[0].endswith(b"update"):
                return frames


def test_each_symbol_comes_as_the_session_has_it(host: Hosted) -> None:
    host.start().bars(40)
    assert host.handle.chart_symbols == (BTC, ETH)
    for symbol in (BTC, ETH):
        one, other = host.handle.chart_state(symbol), host.session.chart_state(symbol)
        assert (one.symbol, one.sequence, one.marks) == (symbol, other.sequence, other.marks)
        np.testing.assert_array_equal(one.bars, other.bars)
        np.testing.assert_array_equal(one.equity, other.equity)
    assert host.handle.chart_state().symbol == BTC
    assert "ETH/USDT 1m" in host.handle.plot(symbol=ETH).layout.title.text


def test_who_follows_a_symbol_hears_its_rows_alone_with_numbers_that_fit_its_state(host: Hosted) -> None:
    host.start()
    btc, eth, first = Heard(), Heard(), Heard()
    ends = [
        host.handle.subscribe(btc, BTC),
        host.handle.subscribe(eth, ETH),
        host.handle.subscribe(first),
    ]
    host.bars(5)
    for heard, symbol in ((btc, BTC), (eth, ETH), (first, BTC)):
        state = host.session.chart_state(symbol)
        assert heard.until(lambda heard=heard, state=state: heard.numbers[-1:] == [state.sequence])
        rows = np.concatenate([update.bar_rows for update in heard.updates])
        np.testing.assert_array_equal(rows, state.bars[-len(rows) :])
        assert host.handle.chart_state(symbol).sequence == heard.numbers[-1]
    assert len(eth.updates) == 5
    ends[1]()
    host.bars(1)
    assert btc.until(lambda: len(btc.updates) == 6)
    assert len(eth.updates) == 5


def test_the_wire_of_a_chart_is_as_wide_as_with_one_symbol(host: Hosted, tmp_path: Path) -> None:
    host.start()
    ear = Ear(tmp_path, b"ETH/USDT ")
    host.bars(1)
    frames = ear.next_update()
    update = decode(frames[1], frames[2:])["update"]
    assert frames[0] == b"ETH/USDT update"
    assert update.bar_rows.shape == (1, 6)
    ear.socket.close()


def test_a_handle_of_an_older_version_hears_what_it_heard(host: Hosted, tmp_path: Path) -> None:
    host.start()
    ear = Ear(tmp_path, b"")
    host.bars(1)
    frames = ear.next_update()
    assert frames[0] == b"update"
    np.testing.assert_array_equal(decode(frames[1], frames[2:])["update"].bar_rows, host.session.chart_state().bars)
    ear.socket.close()


def test_a_session_of_an_older_version_has_the_chart_of_its_first_symbol_and_says_so(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe, state = READS["describe"].run, READS["chart_state"].run

    def old_describe(session: Any) -> Any:
        return {name: value for name, value in describe(session).items() if name != "chart_symbols"}

    monkeypatch.setitem(READS, "describe", Operation(old_describe, {}))  # type: ignore[arg-type]  # a dict inside
    monkeypatch.setitem(READS, "chart_state", Operation(state, {}))  # type: ignore[arg-type]  # as above
    host.start().bars(2)
    assert host.handle.chart_symbols == (BTC,)
    assert host.handle.chart_state(BTC).symbol == host.handle.chart_state().symbol == BTC
    message = "session '.*' runs in an older version of workbench, which has a chart of BTC/USDT only; one that this"
    with pytest.raises(SessionError, match=message):
        host.handle.chart_state(ETH)
    with pytest.raises(SessionError, match=message):
        host.handle.plot(symbol=ETH)
    with pytest.raises(ConfigError, match="symbol must be one of BTC/USDT, ETH/USDT, was 'XRP/USDT'"):
        host.handle.subscribe(Heard(), "XRP/USDT")


def test_what_is_known_of_a_lost_session_is_known_of_each_symbol(host: Hosted) -> None:
    host.start().bars(3)
    before = {symbol: host.handle.chart_state(symbol) for symbol in (None, BTC, ETH)}
    host.server.close()
    assert {symbol: host.handle.chart_state(symbol) for symbol in before} == before
