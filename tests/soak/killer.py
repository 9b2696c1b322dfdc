"""Kills a session's process again and again while its orders get lost, and then compares its books with the exchange's.

In a process of its own: ``python -m tests.soak.killer SEED KILLS``. The moments come from the seed; what they meet does
not, for the session, its supervisor and the exchange run in real time.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.process_sessions import PLENTY_S, ROOT, eventually, home
from tests.soak.busy import Busy
from workbench.errors import SessionError
from workbench.exchange.practice import PracticeConfig, PracticeExchange
from workbench.live import LiveSessionConfig
from workbench.live.exchange_source import ExchangeSource
from workbench.live.journal.reader import JournalReader
from workbench.live.process.archive import session_of_folder
from workbench.live.process.process_table import ProcessId, send, wait_for_end
from workbench.live.process.registry import SessionRegistry
from workbench.live.process.session_info import SessionInfo, look_at
from workbench.model import REPORT

SYMBOLS = ("BTC/USDT", "ETH/USDT", "LTC/USDT")
CASH = 10_000.0
SPEED = 60.0
SHARE_OF_FAULTS = 0.03
# How long a kill waits for the order at which it is to strike, real seconds.
_ORDER_S = 15.0
_TRADING = {"ACTIVE", "EXITS_ONLY", "STALE", "HALTED"}
_HASH_AGAIN = """
import sys
from pathlib import Path
from workbench.live.process.archive import session_of_folder
from workbench.live.process.folders import SessionFolder
print(session_of_folder(SessionFolder(Path(sys.argv[1]), sys.argv[2])).parity().live_hash)
"""


@dataclass(slots=True)
class Outcome:
    """What a run of kills came to; everything but the figures must be empty."""

    kills: int = 0
    orders: int = 0
    executed: int = 0
    unknown: int = 0
    never_arrived: int = 0
    bars: int = 0
    rows: int = 0
    recovery_s: list[float] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    without_intent: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Return all that must not be."""
        named = {"doubled": self.doubled, "lost": self.lost, "no durable intent": self.without_intent}
        return [*(f"{name}: {one}" for name, found in named.items() for one in found), *self.differences]

    def __str__(self) -> str:
        middle, most = statistics.median(self.recovery_s or [math.nan]), max(self.recovery_s or [math.nan])
        return (
            f"{self.kills} kills, {self.bars:,} bars, {self.rows:,} rows, {self.orders} orders at the exchange, "
            f"{self.executed} executed; {self.unknown} were unknown for a while, {self.never_arrived} never arrived; "
            f"{len(self.doubled)} doubled, {len(self.lost)} lost, {len(self.without_intent)} without a durable intent; "
            f"recovery {middle:.2f} s at the median, {most:.2f} s at most"
        )


class Killer:
    """One session on one practice exchange, and what kills it.

    Parameters
    ----------
    registry : SessionRegistry
        Of a home of its own, whose supervisor finds the exchange.
    seed : int
        Of the moments, the ways and the faults.
    """

    def __init__(self, registry: SessionRegistry, seed: int) -> None:
        self._registry = registry
        self._dice = Random(seed)
        self._outcome = Outcome()
        self._posted: Counter[str] = Counter()
        self._target: ProcessId | None = None
        self._struck = threading.Event()
        self._never = threading.Event()
        config = PracticeConfig(balances={"USDT": CASH}, is_registered=True, seed=seed, on_order=self._on_order)
        self._exchange = PracticeExchange(SYMBOLS, speed=SPEED, config=config)
        self._info: SessionInfo

    def run(self, kills: int) -> Outcome:
        """Kill so many times, let the session end by itself, and return what is left."""
        with self._exchange:
            self._order_faults()
            config = LiveSessionConfig(
                name="hunted",
                strategy=Busy(),
                symbols=SYMBOLS,
                timeframe="1m",
                source=ExchangeSource("practice", address=self._exchange.url),
                cash=CASH,
                execution="exchange",
                warmup_bars=50,
                stale_after_s=600.0,
            )
            self._info, _ = self._registry.start(config)
            for _ in range(kills):
                self._strike()
                self._bring_back()
                self._outcome.kills += 1
            self._until_trading()
            self._pause(3.0)
            self._exchange.faults.clear()
            (ended,) = self._registry.stop("hunted")
            assert ended.is_finished, ended.reason
            self._compare(ended)
        return self._outcome

    def _order_faults(self) -> None:
        for kind in ("executed_then_dropped", "dropped", "accepted_late"):
            # By the exchange's time. Half of the late ones come when nobody may accept them any more.
            seconds = 2.0 * SPEED if kind == "accepted_late" else 0.0
            self._exchange.faults.add(
                kind, where="POST /api/v3/order", times=None, seconds=seconds, probability=SHARE_OF_FAULTS
            )

    # ---- one kill ----

    def _strike(self) -> None:
        """End the process: while it recovers, at any moment of its work, or as an order of it arrives."""
        dice = self._dice
        way = dice.choice(("recovering", "moment", "moment", "order", "order", "order"))
        delay_s = dice.uniform(0.0, 2.0)
        if way != "recovering":
            self._until_trading()
        process = self._process()
        if way == "order":
            self._struck.clear()
            self._target = process
            self._struck.wait(_ORDER_S)
            self._target = None
        else:
            self._pause(delay_s)
        send(process, signal.SIGKILL)
        assert wait_for_end(process, PLENTY_S)

    def _bring_back(self) -> None:
        """Have the session started again, by its supervisor or by a person, and wait for its process."""
        if self._dice.random() < 0.25:
            found = eventually(self._is_back)
            if not found.reason.startswith("given up"):
                return
        began_s = time.monotonic()
        try:
            self._registry.resume("hunted")
        except SessionError as error:
            # The supervisor may have been quicker.
            if "runs already" not in str(error) and "is locked" not in str(error):
                raise
            return
        self._until_trading()
        self._outcome.recovery_s.append(time.monotonic() - began_s)

    def _is_back(self) -> SessionInfo | None:
        """Return the session once it runs again, or its supervisor says that it has died too often."""
        info = look_at(self._info.folder)
        return info if info.is_running or info.reason.startswith("given up") else None

    def _until_trading(self) -> None:
        def look() -> bool:
            info = look_at(self._info.folder)
            assert not info.is_finished, info.reason
            return info.state in _TRADING

        eventually(look, PLENTY_S)

    def _process(self) -> ProcessId:
        process = look_at(self._info.folder).process
        return process if process is not None else eventually(lambda: look_at(self._info.folder).process)

    def _pause(self, seconds: float) -> None:
        self._never.wait(seconds)

    def _on_order(self, client_order_id: str) -> None:
        """Look into the journal before the exchange does anything, and strike if that was planned."""
        self._posted[client_order_id] += 1
        with closing(sqlite3.connect(f"file:{self._info.folder.journal}?mode=ro", uri=True)) as journal:
            found = journal.execute(
                "SELECT count(*) FROM notes WHERE kind = 'intent' AND client_order_id = ?", (client_order_id,)
            ).fetchone()
        if found != (1,):
            self._outcome.without_intent.append(client_order_id)
        target, self._target = self._target, None
        if target is not None:
            send(target, signal.SIGKILL)
            self._struck.set()

    # ---- the books ----

    def _compare(self, ended: SessionInfo) -> None:
        outcome, folder = self._outcome, ended.folder
        reader = JournalReader(folder.journal)
        reader.check()
        rows, notes = reader.read(), reader.notes()
        names = {note.body["number"]: note.body["client_order_id"] for note in notes if note.kind == "intent"}
        orders = self._exchange.orders()
        outcome.orders, outcome.rows = len(orders), len(rows)
        ends = [note.body["status"] for note in notes if note.kind == "outcome"]
        outcome.unknown, outcome.never_arrived = ends.count("unknown"), ends.count("never_arrived")
        # The note on what the account held before the session is the only one of its kind that is no decision.
        asked = [dict(note.body) for note in notes if note.kind in ("pause", "adjust") and "before" not in note.body]
        self._require("nobody had to look", not asked, asked)
        self._compare_orders(orders, rows, names)
        session = session_of_folder(folder)
        self._compare_accounts(session)
        report = session.parity()
        outcome.bars = report.bars
        self._require("parity", report.is_identical, report)
        last = reader.snapshots()[-1]
        self._require("the last check covers all", last.rows == len(rows), f"{last.rows} of {len(rows)} rows")
        again = subprocess.run(
            [sys.executable, "-c", _HASH_AGAIN, str(folder.root), folder.name],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True, timeout=300,
        )  # fmt: skip
        hashes = {last.ledger_hash, report.live_hash, again.stdout.strip()}
        self._require("one state, whoever runs the journal again", len(hashes) == 1, hashes)

    def _compare_orders(self, orders: list[Any], rows: Any, names: dict[int, str]) -> None:
        outcome = self._outcome
        told = Counter(order.wanted.client_order_id for order in orders)
        outcome.doubled += [name for name, count in (told | self._posted).items() if count > 1]
        outcome.without_intent += [name for name in told if name not in names.values()]
        theirs: Counter[str] = Counter()
        for order in orders:
            theirs[order.wanted.client_order_id] += float(order.filled) * (1 if order.is_buy else -1)
        ours: Counter[str] = Counter()
        for row in rows[(rows["kind"] == REPORT) & (rows["d"] >= 0)]:
            ours[names[int(row["d"])]] += float(row["a"])
        outcome.executed = sum(quantity != 0 for quantity in theirs.values())
        for name in sorted({*theirs, *ours}):
            one, other = theirs[name], ours[name]
            if math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12):
                continue
            found = outcome.lost if abs(one) > abs(other) else outcome.doubled
            found.append(f"{name}: {one} at the exchange, {other} booked")

    def _compare_accounts(self, session: Any) -> None:
        account, balances = session.snapshot(), self._exchange.balances()
        positions = {position.symbol: position.quantity for position in account.positions}
        for symbol in SYMBOLS:
            held, theirs = positions.get(symbol, 0.0), float(balances.get(symbol.partition("/")[0], 0))
            is_same = math.isclose(held, theirs, abs_tol=1e-9)
            self._require("position", is_same, f"{held} {symbol}, at the exchange {theirs}")
        # Sums of floats against exact ones: a millionth is many orders below a fee.
        cash = float(balances["USDT"])
        self._require("cash", math.isclose(account.cash, cash, abs_tol=1e-6), f"{account.cash}, at the exchange {cash}")

    def _require(self, what: str, is_met: bool, found: object) -> None:
        if not is_met:
            self._outcome.differences.append(f"{what}: {found}")


def main(seed: int, kills: int) -> int:
    """Run, print the figures, and return 1 when anything is not as it must be; the folder is kept then."""
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    os.environ["WORKBENCH_RUNTIME_DIR"] = str(folder / "run")
    with home(folder) as registry:
        outcome = Killer(registry, seed).run(kills)
    sys.stdout.write(f"{outcome}\n")
    for fault in outcome.faults:
        sys.stdout.write(f"  {fault}\n")
    if outcome.faults:
        sys.stdout.write(f"  the session is kept in {folder}\n")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
