"""F72: another user of the computer reads a session's files, or sends it commands.

Guards that a session's folder, and every file and socket in it, is open to its user alone, whatever the umask says.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process_sessions import eventually, process_config
from workbench.live.process.registry import SessionRegistry

NEEDED = {"session.json", "journal.db", "lock", "heartbeat", "stderr.log", "status.json"}


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Let this process give what it makes to everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(path: Path) -> bool:
    return bool(stat.S_IMODE(path.lstat().st_mode) & 0o077)


@pytest.mark.usefixtures("open_umask")
def test_nothing_of_a_session_is_open_to_others(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("f72-private"))
    folder = info.folder.path
    eventually(lambda: {path.name for path in folder.iterdir()} >= NEEDED and any(folder.glob("*.sock")))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(registry.root.stat().st_mode) == 0o700
    files = list(folder.rglob("*"))
    assert [path.name for path in files if open_to_others(path)] == []
    sockets = [path for path in files if stat.S_ISSOCK(path.lstat().st_mode)]
    assert {stat.S_IMODE(path.lstat().st_mode) for path in sockets} == {0o600}


def test_a_root_that_was_open_is_closed_by_the_next_start(registry: SessionRegistry) -> None:
    registry.root.mkdir(parents=True, exist_ok=True)
    registry.root.chmod(0o755)
    registry.start(process_config("f72-closed"))
    assert stat.S_IMODE(registry.root.stat().st_mode) == 0o700
