"""F64: limits and clean-up never touch a session that has not finished (and F93: nor one that a reboot interrupted)."""

import os
import signal

import pytest

from tests.process_sessions import eventually, process_config, supervisor_of
from workbench.errors import SessionError, SessionLimitError, SessionNotFoundError
from workbench.live.process.process_table import wait_for_end
from workbench.live.process.registry import SessionRegistry


def test_session_beyond_the_limit_is_refused_and_leaves_nothing(registry: SessionRegistry) -> None:
    strict = SessionRegistry(registry.root, max_sessions=1)
    strict.start(process_config("f64-first"))
    with pytest.raises(SessionLimitError, match="`workbench stop f64-first`"):
        strict.start(process_config("f64-second"))
    assert not (registry.root / "f64-second").exists()
    strict.stop("f64-first")
    strict.start(process_config("f64-second"))


def test_only_a_finished_session_is_moved_away(registry: SessionRegistry) -> None:
    hasty = SessionRegistry(registry.root, ttl_s=0.0)
    registry.start(process_config("f64-running"))
    gone, _ = registry.start(process_config("f64-over"))
    registry.stop("f64-over")
    names = [info.name for info in hasty.list()]
    assert "f64-running" in names
    assert "f64-over" not in names
    kept = registry.root / ".finished" / f"f64-over-{gone.session_id[:8]}"
    assert (kept / "journal.db").is_file()
    with pytest.raises(SessionNotFoundError, match=r"there are: .*f64-running"):
        registry.find("f64-over")


def test_name_of_a_finished_session_is_free(registry: SessionRegistry) -> None:
    first, _ = registry.start(process_config("f64-again"))
    registry.stop("f64-again")
    second, is_new = registry.start(process_config("f64-again"))
    assert is_new
    assert second.session_id != first.session_id
    assert (registry.root / ".finished" / f"f64-again-{first.session_id[:8]}").is_dir()


def test_session_that_was_running_when_the_machine_went_down_is_shown_and_resumed_by_one_command(
    registry: SessionRegistry,
) -> None:
    info, _ = registry.start(process_config("f93-reboot"))
    supervisor = supervisor_of(registry)
    # A reboot ends the supervisor and the sessions at once.
    for process in (supervisor, info.process):
        os.kill(process.pid, signal.SIGKILL)
        assert wait_for_end(process, 30.0)
    shown = SessionRegistry(registry.root, ttl_s=0.0).find("f93-reboot")
    assert (shown.state, shown.needs_person, shown.is_finished) == ("CRASHED", True, False)
    assert "was running" in shown.reason
    assert "`workbench resume f93-reboot`" in shown.reason
    assert [one.name for one in registry.unattended()] == ["f93-reboot"]
    after = registry.resume("f93-reboot")
    assert after.session_id == info.session_id
    assert eventually(lambda: registry.find("f93-reboot").state not in {"STARTING", "RECOVERING"})
    with pytest.raises(SessionError, match="runs already"):
        registry.resume("f93-reboot")
    registry.stop("f93-reboot")
    with pytest.raises(SessionError, match="has finished"):
        registry.resume("f93-reboot")


def test_same_start_again_goes_on_with_an_interrupted_session(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("f93-again"))
    supervisor = supervisor_of(registry)
    for process in (supervisor, info.process):
        os.kill(process.pid, signal.SIGKILL)
        assert wait_for_end(process, 30.0)
    after, is_new = registry.start(process_config("f93-again"))
    assert not is_new
    assert after.session_id == info.session_id
    assert after.process not in {None, info.process}
