from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.live.process.hosted import WAIT_S, Heard, hosted
from workbench.errors import ConfigError, SessionClosedError, SessionError, UnknownOrderError
from workbench.live import LiveSession
from workbench.live.process.handle import ProcessSession
from workbench.live.session_handle import SessionHandle
from workbench.model import RiskConfig
from workbench.strategy import sma_cross


def test_a_handle_tells_what_the_session_tells(tmp_path: Path) -> None:
    with hosted(tmp_path, risk=RiskConfig(max_order_notional=5_000.0)) as host:
        host.start().bars(40)
        session, handle = host.session, host.handle
        assert len(handle.fills()) + len(handle.denials()) > 0
        for read in ("snapshot", "fills", "trades", "denials", "errors", "events"):
            assert getattr(handle, read)() == getattr(session, read)()
        for fact in ("symbols", "timeframe", "state", "reason", "is_finished", "session_id"):
            assert getattr(handle, fact) == getattr(session, fact)
        assert handle.strategy.parameters == session.strategy.parameters
        assert handle.strategy.spec == session.strategy.spec
        one, other = handle.chart_state(), session.chart_state()
        assert (one.sequence, one.symbol, one.timeframe_ns) == (other.sequence, other.symbol, other.timeframe_ns)
        assert (one.marks, dict(one.lines)) == (other.marks, dict(other.lines))
        np.testing.assert_array_equal(one.bars, other.bars)
        np.testing.assert_array_equal(one.equity, other.equity)
        assert handle.metrics()["counts"] == session.metrics()["counts"]


def test_why_an_order_happened_comes_as_the_session_tells_it(tmp_path: Path) -> None:
    with hosted(tmp_path, risk=RiskConfig(max_order_notional=5_000.0)) as host:
        host.start().bars(40)
        session, handle = host.session, host.handle
        orders: list[Any] = [*session.fills(3), *session.denials(1)]
        assert orders
        for order in orders:
            assert handle.why(order) == session.why(order)
            assert str(handle.why(order)) == str(session.why(order))
        with pytest.raises(UnknownOrderError, match="is the sequence of no fill"):
            handle.why(10_000)


def test_a_limit_cuts_to_the_newest(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        host.start().bars(5)
        assert host.handle.events(2) == host.session.events()[-2:]
        assert host.handle.events(0) == ()


def test_commands_do_what_they_do_to_the_session(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        handle = host.handle
        handle.configure(fast=4)
        assert (handle.strategy.parameters["fast"], host.session.strategy.parameters["fast"]) == (4, 4)
        host.start().bars(2)
        assert handle.pause()
        assert (handle.state, host.session.snapshot().is_paused) == ("EXITS_ONLY", True)
        assert handle.resume()
        assert handle.state == "ACTIVE"
        assert handle.flatten()
        assert handle.clear_breaker()
        assert handle.stop() == "STOPPED"
        assert handle.is_finished
        assert handle.parity().is_identical
        assert handle.waterfall() == host.session.waterfall()
        with pytest.raises(ConfigError, match="no other strategy than its own"):
            handle.parity(sma_cross())
        with pytest.raises(SessionClosedError, match="has ended"):
            handle.pause()


def test_an_error_of_the_session_comes_as_it_is(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        with pytest.raises(ConfigError, match="fats is not a parameter"):
            host.handle.configure(fats=4)
        with pytest.raises(SessionError, match="was not started yet"):
            host.handle.pause()


def test_waiting_ends_when_the_state_comes_and_not_before(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        host.start()
        assert not host.handle.wait_for("EXITS_ONLY", timeout_s=0.05)
        found: list[bool] = []
        waiting = threading.Thread(target=lambda: found.append(host.handle.wait_for("EXITS_ONLY", timeout_s=WAIT_S)))
        waiting.start()
        host.session.pause()
        waiting.join(WAIT_S)
        assert found == [True]
        assert not host.handle.wait(0.05)
        host.session.stop()
        assert host.handle.wait(WAIT_S)


def test_updates_come_numbered_and_whole(tmp_path: Path) -> None:
    heard = Heard()
    with hosted(tmp_path) as host:
        direct: list[Any] = []
        host.session.subscribe(direct.append)
        host.start()
        unsubscribe = host.handle.subscribe(heard)
        host.bars(20)
        assert heard.until(lambda: len(heard.updates) == 20)
        assert heard.numbers == [update.sequence for update in direct] == list(range(1, 21))
        for one, other in zip(heard.updates, direct, strict=True):
            np.testing.assert_array_equal(one.bar_rows, other.bar_rows)
            assert (one.snapshot, one.marks, dict(one.lines)) == (other.snapshot, other.marks, dict(other.lines))
        assert host.handle.chart_state().sequence == 20
        unsubscribe()
        unsubscribe()


def test_without_subscribers_a_session_is_not_subscribed_to(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        host.start()
        host.handle.subscribe(Heard())()
        host.handle.subscribe(Heard())()
        assert host.server.counts["updates"] == 0


def test_a_handle_works_inside_a_running_event_loop(tmp_path: Path) -> None:
    async def cell(handle: ProcessSession) -> tuple[str, bool]:
        return str(handle.state), handle.pause()

    with hosted(tmp_path) as host:
        host.start()
        assert asyncio.run(cell(host.handle)) == ("ACTIVE", True)


def test_both_handles_have_the_whole_interface() -> None:
    names = {name for name in vars(SessionHandle) if not name.startswith("_")}
    assert len(names) > 25
    for kind in (LiveSession, ProcessSession):
        assert names <= set(dir(kind))


def test_a_prepared_session_can_be_closed_by_its_handle(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        host.handle.close()
        assert host.session.state == "STOPPED"
