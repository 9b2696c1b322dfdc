"""The sessions of a user as a dashboard reads them: real processes, and threads of this process."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.process_sessions import eventually, home, process_config, until_state
from tests.unit.live.markets import session_config, walk
from workbench.errors import SessionNotFoundError
from workbench.live import LiveSessionManager
from workbench.live.process.housekeeping import summary_of
from workbench.panels.overview import AllSessions, Overview
from workbench.strategy import sma_cross

LARGEST_SUMMARY = 8_192 - 56


def only(sessions: AllSessions, name: str) -> Overview:
    return next(one for one in sessions.overviews() if one.name == name)


@pytest.mark.timeout(240)
def test_process_is_seen_while_it_runs_when_it_is_killed_and_when_it_has_ended(tmp_path: Path) -> None:
    with home(tmp_path) as registry:
        info, _ = registry.start(process_config("watched"))
        until_state(info, "ACTIVE")
        sessions = AllSessions(registry, LiveSessionManager())
        one = eventually(lambda: (found := only(sessions, "watched")).equity is not None and found)
        assert (one.state, one.strategy, one.timeframe, one.symbols) == ("ACTIVE", "sma_cross", "1m", ("BTC/USDT",))
        assert (one.quote, one.is_real, one.is_finished) == ("USDT", False, False)
        assert one.curve
        assert one.drawdown is not None
        assert one.data_age_s is not None
        assert sessions.handle("watched").name == "watched"
        process = registry.find("watched").process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        assert eventually(lambda: only(sessions, "watched").state == "FROZEN")
        assert only(sessions, "watched").equity is not None
        sessions.stop(["watched", "gone"], flatten=False)
        ended = only(sessions, "watched")
        assert (ended.state, ended.is_finished, ended.needs_person) == ("STOPPED", True, False)


def test_threads_of_this_process_are_listed_and_ended_with_the_others(tmp_path: Path) -> None:
    with home(tmp_path) as registry:
        manager = LiveSessionManager()
        session = manager.create(session_config(walk(50), strategy=sma_cross(fast=3, slow=8), speed=1.0))
        sessions = AllSessions(registry, manager)
        (one,) = sessions.overviews()
        assert (one.key, one.state, one.equity) == (f"inline/{session.session_id}", "PREPARED", session.config.cash)
        assert sessions.handle(one.key) is session
        sessions.stop([one.key], flatten=False)
        assert sessions.overviews()[0].is_finished
        with pytest.raises(SessionNotFoundError, match="'nobody' is not there any more"):
            sessions.handle("nobody")
        session.close()


def test_summary_fits_into_the_heartbeat_at_its_largest() -> None:
    manager = LiveSessionManager()
    session = manager.create(session_config(walk(2_000), strategy=sma_cross(fast=3, slow=8), speed=float("inf")))
    session.start()
    assert session.wait(120)
    summary = summary_of(session, 0.0)
    assert len(summary["curve"]) == 49  # 48 points, and the equity now
    assert summary["curve"][-1] == pytest.approx(session.snapshot().equity, rel=1e-7)
    # Twenty positions of long names, a reason of 300 letters that need six bytes each, and figures of many digits.
    held = [["ABCDEFGHIJ/USDT:USDT", -123456.78901234567, 98765.43210987654]] * 20
    symbols = ["ABCDEFGHIJ/USDT:USDT"] * 20
    largest = {**summary, "positions": held, "symbols": symbols, "reason": 300 * "\u2192"}
    assert len(json.dumps(largest)) < LARGEST_SUMMARY - 1_000
    session.close()
