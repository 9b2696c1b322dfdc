"""Two runs of one seeded session leave the same journal: every row, every note, in their order."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.soak.busy import Busy
from tests.unit.live.markets import run_to_end, session_config, walk
from workbench.exchange import SimulatedClient
from workbench.live import BarsSource, LiveSessionConfig
from workbench.live.host import SessionHost
from workbench.live.journal import Journal, JournalReader
from workbench.live.simulated_source import SimulatedSource
from workbench.model import RiskConfig
from workbench.strategy import sma_cross

RISK = RiskConfig(stop_loss=0.005, take_profit=0.01, trailing_stop=0.008)


def journal_of(folder: Path, config: LiveSessionConfig) -> JournalReader:
    """Run a session to its end and return what it left."""
    folder.mkdir()
    with closing(Journal.create(folder / "journal.db", session_id="one", header={})) as journal:
        session = run_to_end(config, host=SessionHost(session_id="one", record=journal))
        assert session.reason.startswith("the feed ended"), session.reason
        reader = JournalReader(journal.path)
        assert reader.hash == journal.hash
        return reader


def replay(seed: int, *, as_ticks: bool) -> LiveSessionConfig:
    bars = walk(600, seed=seed)
    source = BarsSource(bars, as_ticks=as_ticks)
    return session_config(bars, strategy=sma_cross(fast=3, slow=8), source=source, risk=RISK, warmup_bars=20)


def simulated(seed: int) -> LiveSessionConfig:
    client = SimulatedClient([walk(150, seed=seed)])
    return session_config(strategy=Busy(), source=SimulatedSource(client), execution="exchange", speed=math.inf)


CASES: dict[str, Any] = {
    "bars": lambda seed: replay(seed, as_ticks=False),
    "ticks": lambda seed: replay(seed, as_ticks=True),
    "orders at a simulated exchange": simulated,
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_seed_leaves_the_same_journal(tmp_path: Path, case: str) -> None:
    one, same = (journal_of(tmp_path / name, CASES[case](1)) for name in ("one", "same"))
    other = journal_of(tmp_path / "other", CASES[case](2))
    assert [(note.kind, note.body) for note in one.notes()] == [(note.kind, note.body) for note in same.notes()]
    assert one.read().tobytes() == same.read().tobytes()
    assert one.hash == same.hash
    assert one.hash != other.hash
    if case.startswith("orders"):
        assert len(one.notes("intent")) > 30
        assert len(one.notes("trade")) > 30
    else:
        assert len(one) >= 580  # 600 bars, 20 of them history
