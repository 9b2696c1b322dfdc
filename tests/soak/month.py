"""Kills a session on the practice market again and again, and compares it with a twin that nobody killed.

In a process of its own: ``python -m tests.soak.month SEED KILLS BARS``.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tests.process_sessions import PLENTY_S, eventually, home
from workbench.live import LiveSessionConfig
from workbench.live.journal.reader import JournalReader
from workbench.live.live_core import replay_core
from workbench.live.parity import ParityReport
from workbench.live.process.archive import session_of_folder
from workbench.live.process.process_table import send, wait_for_end
from workbench.live.process.registry import SessionRegistry
from workbench.live.process.session_info import SessionInfo, look_at
from workbench.model import BAR_CLOSED, COMMAND, RiskConfig
from workbench.model.practice import PRACTICE_LIVE_START
from workbench.strategy import sma_cross

_MINUTE_NS = 60 * 10**9
_MONTH = 43_200
_MOST_S = 900.0


@dataclass(slots=True)
class Twins:
    """What a hunted session and its twin came to."""

    kills: int = 0
    bars: int = 0
    rows: int = 0
    fills: int = 0
    hunted_s: float = 0.0
    spared_s: float = 0.0
    recovery_s: list[float] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.bars:,} bars, {self.rows:,} rows, {self.fills:,} fills in {self.hunted_s:.0f} "
            f"s, the twin in {self.spared_s:.0f} s; recovery of the whole {self.recovery_s[-1]:.2f} s, "
            f"{max(self.recovery_s):.2f} s at most"
        )


def config_of(name: str) -> LiveSessionConfig:
    """Return a session on the practice market, as fast as it goes."""
    return LiveSessionConfig(
        name=name,
        strategy=sma_cross(fast=8, slow=24),
        risk=RiskConfig(stop_loss=0.01, take_profit=0.02, trailing_stop=0.01),
        symbols=("BTC/USDT",),
        timeframe="1m",
        speed=float("inf"),
        warmup_bars=50,
    )


class Hunt:
    """A session that is killed until it has so many bars.

    Parameters
    ----------
    registry : SessionRegistry
        Where.
    seed : int
        Of the moments.
    """

    def __init__(self, registry: SessionRegistry, seed: int) -> None:
        self._registry = registry
        self._dice = Random(seed)
        self._twins = Twins()
        self._never = threading.Event()

    def run(self, kills: int, bars: int) -> Twins:
        """Kill one session so many times while it makes so many bars, run another one as long, and compare."""
        twins = self._twins
        began_s = time.monotonic()
        hunted, _ = self._registry.start(config_of("hunted"))
        for number in range(kills):
            # All over the run, and soon after some starts: while the record is run again.
            _until_bars(hunted, bars * number // kills)
            self._never.wait(self._dice.uniform(0.0, 0.5))
            self._kill(hunted)
            twins.kills += 1
        _until_bars(hunted, bars)
        self._kill(hunted)
        twins.kills += 1
        hunted = self._stop(hunted)
        twins.hunted_s = time.monotonic() - began_s
        began_s = time.monotonic()
        spared, _ = self._registry.start(config_of("spared"))
        rows = len(JournalReader(hunted.folder.journal))
        eventually(lambda: len(JournalReader(spared.folder.journal)) >= rows, _MOST_S)
        twins.spared_s = time.monotonic() - began_s
        self._compare(hunted, self._stop(spared))
        return twins

    def _kill(self, info: SessionInfo) -> None:
        process = look_at(info.folder).process
        assert process is not None
        send(process, signal.SIGKILL)
        assert wait_for_end(process, PLENTY_S)
        began_s = time.monotonic()
        self._registry.resume(info.name)
        eventually(lambda: look_at(info.folder).state == "ACTIVE", _MOST_S)
        self._twins.recovery_s.append(time.monotonic() - began_s)

    def _stop(self, info: SessionInfo) -> SessionInfo:
        (ended,) = self._registry.stop(info.name)
        assert ended.state == "STOPPED", ended.reason
        return ended

    def _compare(self, hunted: SessionInfo, spared: SessionInfo) -> None:
        twins = self._twins
        records = [JournalReader(info.folder.journal) for info in (hunted, spared)]
        one, other = (_without_stop(record.read()) for record in records)
        rows = min(len(one), len(other))
        twins.rows, twins.bars = rows, int(np.count_nonzero(one["kind"] == BAR_CLOSED))
        self._require("recorded rows", one[:rows].tobytes() == other[:rows].tobytes(), "they differ")
        # What each process said of its ledger when it was there, against what the other's record gives.
        for name, record, theirs in (("hunted", records[0], other), ("spared", records[1], one)):
            said = [check for check in record.snapshots() if check.rows <= rows][-1]
            found = _ledger_hash(name, theirs[: said.rows], records[0].history())
            self._require(f"ledger of {name} after {said.rows:,} rows", found == said.ledger_hash, found)
        for info in (hunted, spared):
            report = _parity(info)
            twins.fills = report.fills
            self._require(f"parity of {info.name}", report.is_identical, report)

    def _require(self, what: str, is_met: bool, found: object) -> None:
        if not is_met:
            self._twins.differences.append(f"{what}: {found}")


def _ledger_hash(name: str, rows: Any, history: Any) -> str:
    config = config_of(name)
    return replay_core(config.plan(), rows, config.engine_config(), history).hash


def _parity(info: SessionInfo) -> ParityReport:
    return session_of_folder(info.folder).parity()


def _without_stop(rows: Any) -> Any:
    """Return the rows but for the command at the end; the only one that a person gave."""
    assert list(np.flatnonzero(rows["kind"] == COMMAND)) == [len(rows) - 1]
    return rows[:-1]


def _until_bars(info: SessionInfo, count: int) -> None:
    def look() -> bool:
        now = look_at(info.folder)
        assert not now.is_finished, now.reason
        return now.summary.get("market_ns", 0) >= PRACTICE_LIVE_START + count * _MINUTE_NS

    eventually(look, _MOST_S)


def main(seed: int, kills: int, bars: int) -> int:
    """Run, print the figures, and return 1 when anything differs; the folder is kept then."""
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    with home(folder) as registry:
        twins = Hunt(registry, seed).run(kills, bars)
    sys.stdout.write(f"{twins}\n")
    for difference in twins.differences:
        sys.stdout.write(f"  {difference}\n")
    if twins.differences:
        sys.stdout.write(f"  the sessions are kept in {folder}\n")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
