"""F55, in a session: the disk is full while orders are wanted.

Guards that nothing leaves that could not be recorded, that the session is halted and says why, that the reserve is
given up for exits, and that it goes on, by a person's word, when there is room again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.crashing_sessions import World
from tests.unit.live.markets import bars_of
from workbench.live.journal import ballast
from workbench.model import RiskConfig
from workbench.strategy import Strategy, enter_long, hold

ROOT = Path(__file__).parents[2]
RISK = RiskConfig(stop_loss=0.05)

# A session whose journal may not grow any more while its market goes on: the system refuses the write itself.
FULL = """
import resource, sys
from pathlib import Path
from workbench.live import LiveSession, LiveSessionConfig, PracticeSource
from workbench.live.host import SessionHost
from workbench.live.journal import Journal, JournalReader
from workbench.strategy import sma_cross

folder = Path(sys.argv[1])
unlimited = resource.RLIM_INFINITY
with Journal.create(folder / "journal.db", session_id="one", header={"mode": "paper"}) as journal:
    config = LiveSessionConfig(name="full", strategy=sma_cross(fast=3, slow=8), symbols=("BTC/USDT",), timeframe="1m",
                               speed=1000.0, warmup_bars=20)
    session = LiveSession(config, host=SessionHost(session_id="one", record=journal)).start()
    assert session.wait_for("ACTIVE", timeout_s=90), session.reason
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, unlimited))
    assert session.wait_for("HALTED", timeout_s=90), session.state
    print(session.reason)
    assert not journal.ballast_path.exists()
    entered = session.snapshot().fill_count
    kept = len(JournalReader(journal.path))
    resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))
    assert session.wait_for("EXITS_ONLY", timeout_s=90), (session.state, session.reason)
    print(session.reason)
    assert session.resume()
    assert session.wait_for("ACTIVE", timeout_s=90)
    session.stop()
    assert session.parity().is_identical
    assert len(JournalReader(journal.path)) > kept
    session.close()
with Journal.open(folder / "journal.db") as again:
    again.hash
print("all is well")
"""


class InBelow(Strategy):
    """Buys below 100 when it holds nothing."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:
        return enter_long() if position.is_flat and now.close < 100.0 else hold()


@contextmanager
def world(folder: Path, closes: list[float], full: range) -> Iterator[World]:
    """Have a session whose disk is full from one bar to another."""
    one = World(folder, bars_of(closes), full_at_bars=full, strategy=InBelow(), risk=RISK)
    try:
        yield one
    finally:
        one.close()


def test_no_order_leaves_while_nothing_can_be_recorded_and_it_is_halted_with_the_reason(tmp_path: Path) -> None:
    with world(tmp_path, [101.0, 101.0, 99.0, 99.0, 99.0, 99.0, 99.0], range(3, 100)) as one:
        session = one.run()
        assert one.exchange.orders == {}
        assert session.snapshot().positions == ()
        texts = [event.text for event in session.events()]
        assert any(text.startswith("HALTED: the journal cannot be written: the disk is full") for text in texts)
        assert any("so that none leaves" in text for text in texts)
        assert not (tmp_path / "ballast").exists()
        # What the journal holds is what was committed before.
        assert one.journal.notes("intent") == ()


def test_a_full_disk_halts_before_the_next_bar(tmp_path: Path) -> None:
    """The session notices at its first commit: of a second at most, here that of the bar itself."""
    with world(tmp_path, [101.0, 101.0, 101.0, 101.0], range(2, 100)) as one:
        session = one.run()
        (halted,) = [event for event in session.events() if event.text.startswith("HALTED")]
        assert halted.time_ns == int(one.bars.time_ns[2]) + one.bars.timeframe.ns


def test_it_goes_on_when_there_is_room_again_but_enters_by_a_persons_word_only(tmp_path: Path) -> None:
    with world(tmp_path, [101.0, 101.0, 101.0, 101.0, 99.0, 99.0, 99.0], range(2, 3)) as one:
        session = one.run()
        one.check()
        texts = [event.text for event in session.events()]
        assert "the journal can be written again; resume() allows entries" in texts
        assert any(text.startswith("EXITS_ONLY: the journal cannot be written") for text in texts)
        assert one.exchange.orders == {}
        assert session.snapshot().is_paused
        assert (tmp_path / "ballast").stat().st_size == ballast.BALLAST_BYTES


def test_an_exit_is_recorded_and_leaves_once_the_reserve_has_made_room(tmp_path: Path) -> None:
    # Bought at 99, stopped at 99 * 0.95 = 94.05 on the way to 90, on a disk that takes a commit again by then.
    with world(tmp_path, [99.0, 99.0, 99.0, 99.0, 90.0, 90.0, 90.0], range(2, 4)) as one:
        session = one.run()
        one.check()
        assert [fill.reason for fill in session.fills()] == ["signal"] * 2 + ["stop_loss"] * 2
        exits = [note.body for note in one.journal.notes("intent") if note.body["is_exit"]]
        assert len(exits) == 1


def test_a_session_whose_journal_may_not_grow_halts_and_goes_on_when_it_may(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)],
        capture_output=True, text=True, timeout=200, env=environment, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    halted, paused, end = done.stdout.splitlines()
    assert "the journal cannot be written" in halted
    assert "journal.db cannot be written" in paused
    assert end == "all is well"
