"""A session that is killed again and again, and loses orders on the way, does each of them once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process_sessions import home
from tests.soak.killer import Killer

KILLS = 10


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_session_that_is_killed_among_lost_orders_doubles_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path / "run"))
    with home(tmp_path) as registry:
        outcome = Killer(registry, seed=1).run(KILLS)
    assert outcome.faults == [], outcome
    assert outcome.kills == KILLS
    # Else it would have proved nothing.
    assert outcome.executed > KILLS
