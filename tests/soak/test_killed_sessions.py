"""Sessions that are killed again and again do each order once, and what one does that nobody kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process_sessions import home
from tests.soak.killer import Killer
from tests.soak.month import Hunt

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


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_session_that_is_killed_does_what_its_twin_does(tmp_path: Path) -> None:
    with home(tmp_path) as registry:
        twins = Hunt(registry, seed=1).run(kills=4, bars=1_200)
    assert twins.differences == [], twins
    assert twins.kills == 5
    # A check on the ledger each 10,000 rows, of which a bar has a dozen.
    assert twins.rows > 10_000
    assert twins.fills > 20
