"""The handle of a session under a supervisor; one process for most of what it can be told."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.process_sessions import eventually, process_config, until_another_process
from workbench.errors import SessionNotFoundError
from workbench.live.process.registry import SessionRegistry


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


def test_anything_else_in_the_folder_is_no_session(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "Upper").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    lonely = SessionRegistry(tmp_path)
    assert lonely.list() == ()
    with pytest.raises(SessionNotFoundError, match="there are: none"):
        lonely.attach("empty")
    assert SessionRegistry(tmp_path / "missing").list() == ()


def test_session_whose_folder_is_removed_ends(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("removed"))
    shutil.rmtree(info.folder.path)
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
