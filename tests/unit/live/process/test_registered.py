"""The handle of a session under a supervisor; one process for most of what it can be told."""

import math
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.process_sessions import PLENTY_S, eventually, process_config, until_another_process
from workbench.errors import SessionNotFoundError
from workbench.live.process.registry import SessionRegistry
from workbench.recordings import replay
from workbench.strategy import sma_cross


def test_session_is_read_commanded_and_stopped_through_its_handle(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("held"))
    session = registry.attach("held")
    assert (session.name, session.session_id, session.pid) == ("held", info.session_id, info.process.pid)
    assert session.config.differences(process_config("held")) == ()
    assert session.pause()
    assert session.state == "EXITS_ONLY"
    assert session.resume()
    assert session.stop() == "STOPPED"
    after = registry.find("held")
    assert after.is_finished
    assert after.reason.startswith("stopped by the user")
    # What the folder knows is told when the process is gone.
    assert session.state == "STOPPED"
    texts = [event.text for event in session.events()]
    assert "pause was asked" in texts
    assert [event.text for event in session.events(limit=2)] == texts[-2:]


def test_session_that_is_killed_through_its_handle_stays_down(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("killed"))
    session = registry.attach("killed")
    assert session.kill() == "STOPPED"
    assert not info.process.is_alive
    assert registry.find("killed").is_finished
    assert "kill" in registry.find("killed").reason


def test_handle_goes_on_with_the_process_that_follows(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("followed"))
    session = registry.attach("followed")
    equity = session.snapshot().equity
    os.kill(info.process.pid, signal.SIGKILL)
    after = until_another_process(info)
    assert eventually(lambda: session.pid == after.process.pid)
    assert session.session_id == info.session_id
    assert session.snapshot().equity > 0.9 * equity
    assert session.stop(flatten=True) == "STOPPED"


def test_session_that_does_not_answer_is_stopped_by_force(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("dumb"))
    session = registry.attach("dumb")
    os.kill(info.process.pid, signal.SIGSTOP)
    assert session.stop(timeout_s=12.0) == "STOPPED"
    assert not info.process.is_alive
    assert registry.find("dumb").is_finished


def test_parity_and_waterfall_are_told_with_and_without_a_process(registry: SessionRegistry) -> None:
    registry.start(process_config("proven"))
    session = registry.attach("proven")
    eventually(lambda: session.metrics()["counts"]["bars"] > 20 and session.snapshot().fill_count > 1)
    assert session.parity().is_identical
    # Another strategy is replayed from the journal, of a session that runs as well.
    assert (session.parity(sma_cross(fast=2, slow=30)).first_difference or "").startswith("bar 2025-07-01T00:")
    assert session.waterfall().currency == "USDT"
    assert session.stop(flatten=True) == "STOPPED"
    # Its process may be about to end: the journal answers then.
    assert session.parity().is_identical
    assert session.parity(sma_cross(fast=3, slow=8)).is_identical
    assert not session.parity(sma_cross(fast=2, slow=30)).is_identical
    waterfall = session.waterfall()
    # Without a position the equity is the cash.
    assert waterfall.end == pytest.approx(session.snapshot().equity)


def test_anything_else_in_the_folder_is_no_session(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "Upper").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    lonely = SessionRegistry(tmp_path)
    assert lonely.list() == ()
    with pytest.raises(SessionNotFoundError, match="there are: none"):
        lonely.attach("empty")
    with pytest.raises(SessionNotFoundError, match=r"there are: of-this-process, other$"):
        lonely.attach("empty", others=("of-this-process", "other", "other"))
    assert SessionRegistry(tmp_path / "missing").list() == ()


def test_session_whose_folder_is_removed_ends(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("removed"))

    def is_removed() -> bool:
        # The process may write a file between two steps of the removal.
        shutil.rmtree(info.folder.path, ignore_errors=True)
        return not info.folder.path.exists()

    assert eventually(is_removed)
    assert eventually(lambda: not info.process.is_alive)


def test_session_that_ended_is_read_and_proven_from_its_journal(registry: SessionRegistry) -> None:
    registry.start(process_config("over"))
    session = registry.attach("over")
    assert eventually(lambda: session.metrics()["counts"]["bars"] >= 30)
    session.stop()
    fills, account = session.fills(), session.snapshot()
    # Another handle, which never spoke with the process.
    later = registry.attach("over")
    assert later.fills() == fills
    assert later.snapshot() == account
    assert later.chart_state().bars.shape[0] >= 30
    report = later.parity()
    assert report.is_identical
    assert report.fills == len(fills)
    # Why its last order happened, and all of it once more, from the folder alone.
    story = later.why(fills[-1])
    assert (story.quantity, story.executions[0].price) == (fills[-1].quantity, fills[-1].price)
    again = replay(later, speed=math.inf)
    assert again.wait(PLENTY_S)
    assert again.parity().live_hash == report.live_hash
    assert again.fills() == fills
    assert again.why(fills[-1]).decision == story.decision
    again.close()
