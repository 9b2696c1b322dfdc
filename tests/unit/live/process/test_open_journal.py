from __future__ import annotations

from pathlib import Path

import pytest

from tests.process_sessions import process_config
from workbench.errors import JournalError
from workbench.live.process.folders import SessionFolder
from workbench.live.process.session_main import open_journal
from workbench.live.session_text import SavedSession, read_session, write_session


def saved(folder: SessionFolder, session_id: str, cash: float) -> SavedSession:
    """Write the definition of a session into its folder, in place of the one before."""
    folder.path.joinpath("session.json").unlink(missing_ok=True)
    write_session(folder.path, process_config("one", cash=cash), session_id=session_id)
    return read_session(folder.path)


def test_a_journal_is_gone_on_with_by_its_own_session_alone(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path, "one").make()
    open_journal(folder, saved(folder, "first", 1_000.0)).close()
    with open_journal(folder, saved(folder, "first", 1_000.0)) as journal:
        assert journal.epoch == 2
    for session_id, cash in (("first", 2_000.0), ("second", 1_000.0)):
        with pytest.raises(JournalError, match="put back the files that belong together"):
            open_journal(folder, saved(folder, session_id, cash))
