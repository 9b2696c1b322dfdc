"""F70: the name of a session is a path: ``../x``, ``/etc/x``, a NUL, 300 letters, a letter that only looks like one.

Guards that a name is checked wherever one comes in, before it becomes a path, and that links are not followed.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.process_sessions import command, process_config
from workbench.errors import ConfigError, SessionError, SessionNotFoundError
from workbench.live.process.folders import SessionFolder
from workbench.live.process.registry import SessionRegistry
from workbench.live.session_config import SESSION_NAME

HOSTILE = [
    "../x", "..", ".", "", "/etc/x", "a/b", "a\\b", "a\0b", "a" * 300, "a" * 65, "con.", "A", "\u0430bc", "a\u2024b",
    "~root", "-rf", ".finished", "a b", "a\n", "%2e%2e", "\uff0e\uff0e",
]  # fmt: skip
names = st.one_of(
    st.text(max_size=80),
    st.from_regex(r"(\.{1,2}[/\\])*[a-z0-9_/\\\0.-]{0,70}", fullmatch=True),
    st.sampled_from(HOSTILE),
)


@given(names)
def test_a_name_is_inside_the_root_or_no_name_at_all(name: str) -> None:
    root = Path("/data/sessions")
    if SESSION_NAME.fullmatch(name) is None:
        with pytest.raises(SessionError, match="a session's name must be"):
            SessionFolder(root, name)
        return
    folder = SessionFolder(root, name)
    inside = [folder.path, folder.journal, folder.lock, folder.config, folder.heartbeat, folder.log, folder.status]
    assert all(path.resolve().is_relative_to(root.resolve()) for path in inside)
    assert folder.path.parent == root


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_every_door_refuses_a_name_that_is_none(name: str, tmp_path: Path) -> None:
    registry = SessionRegistry(tmp_path / "sessions")
    with pytest.raises(ConfigError, match="name must be 1 to 64"):
        process_config(name)
    with pytest.raises(SessionError):
        registry.find(name)
    assert [path.name for path in tmp_path.iterdir() if path.name != "sessions"] == []


def test_the_command_line_does_not_leave_the_root(tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "session.json").write_text("{}")
    done = command(SessionRegistry(tmp_path / "sessions"), "stop", "../victim")
    assert done.returncode != 0
    assert "no session has the name or id '../victim'" in done.stderr
    assert [path.name for path in (tmp_path / "victim").iterdir()] == ["session.json"]


def test_a_session_is_not_looked_for_behind_a_link(tmp_path: Path) -> None:
    registry = SessionRegistry(tmp_path / "sessions")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "session.json").write_text("{}")
    registry.root.mkdir(parents=True)
    (registry.root / "linked").symlink_to(outside)
    with pytest.raises(SessionNotFoundError):
        registry.find("linked")
    with pytest.raises(SessionError, match="no link"):
        SessionFolder(registry.root, "linked").make()
