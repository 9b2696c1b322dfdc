"""`wb.replay` finds the record of a session wherever it is, and shows it with the panel of a live one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.unit.live.markets import JOIN_S, run_to_end, session_config, walk
from workbench.errors import ConfigError, SessionNotFoundError
from workbench.live import BarsSource, LiveSession
from workbench.live.host import SessionHost
from workbench.live.journal import Journal, JournalReader
from workbench.live.session_text import write_session
from workbench.strategy import sma_cross

BARS = walk(120)


@pytest.fixture
def in_folder(tmp_path: Path) -> Iterator[tuple[LiveSession, Path]]:
    """Return a session that has ended, and the folder that it leaves."""
    config = session_config(BARS, source=BarsSource(BARS, as_ticks=True), strategy=sma_cross(fast=3, slow=8))
    write_session(tmp_path, config, session_id="one")
    journal = Journal.create(tmp_path / "journal.db", session_id="one", header={})
    session = run_to_end(config, host=SessionHost(session_id="one", record=journal))
    yield session, tmp_path
    session.close()


def assert_plays(session: Any, recorded: LiveSession) -> None:
    again = wb.replay(session, speed=math.inf)
    assert again.wait(JOIN_S)
    assert again.fills() == recorded.fills()
    assert again.parity().live_hash == recorded.parity().live_hash
    again.close()


def test_it_plays_from_a_folder_a_reader_and_a_handle(in_folder: tuple[LiveSession, Path]) -> None:
    session, folder = in_folder
    assert len(session.fills()) > 3
    for one in (folder, (session.config, JournalReader(folder / "journal.db")), session):
        assert_plays(one, session)


def test_it_plays_a_session_of_this_process_by_its_name() -> None:
    session = wb.paper(sma_cross(fast=3, slow=8), exchange=BARS, speed=math.inf, name="played-again", inline=True)
    assert session.wait(JOIN_S)
    assert isinstance(session, LiveSession)
    assert_plays("played-again", session)
    session.close()


def test_a_replay_can_wait_for_start_and_has_the_panel_of_a_session(in_folder: tuple[LiveSession, Path]) -> None:
    session, _ = in_folder
    again = wb.replay(session, speed=1_000.0, start=False)
    assert (again.state, again.config.speed) == ("PREPARED", 1_000.0)
    panel = again.panel()
    assert repr(panel) == "SessionPanel('replay-test')"
    assert not panel.controls.buttons["start"].disabled
    panel.close()
    again.kill()


def test_sixty_times_real_time_is_the_default(in_folder: tuple[LiveSession, Path]) -> None:
    assert wb.replay(in_folder[0], start=False).config.speed == 60.0


def test_what_is_no_session_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"session must be a name, a session, its folder, or .*, was 5"):
        wb.replay(5)  # type: ignore[arg-type]  # what a user may type
    with pytest.raises(SessionNotFoundError, match=r"there is no recorded session in .*: it has no journal.db"):
        wb.replay(tmp_path)
    with pytest.raises(SessionNotFoundError):
        wb.replay("never-was")
