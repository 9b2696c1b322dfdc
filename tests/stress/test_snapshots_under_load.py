"""Eight readers, one writer: every snapshot is of one moment. The mutations show that a torn one would be seen."""

from __future__ import annotations

import sys
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.live.markets import ETH, JOIN_S, engine_config, session_config, walk
from workbench.core import Engine
from workbench.core.views import account_state
from workbench.live import LiveSession, session_view
from workbench.live.feeds import bar_replay
from workbench.live.readings import Readings
from workbench.model import AccountState, Bars, Costs
from workbench.strategy import plan_of, sma_cross

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.stress

READERS = 8
CASH = 10_000.0
TOLERANCE = 1e-9
# Two symbols and many trades: cash and positions change on nearly every bar.
BARS = Bars.join([walk(300), walk(300, seed=2, symbol=ETH)])
STRATEGY = sma_cross(fast=2, slow=3)


@pytest.fixture(autouse=True)
def threads_switch_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


class Reader:
    """What one reader saw."""

    def __init__(self) -> None:
        self.seen: set[AccountState] = set()
        self.reads = self.steps_back = 0
        self._last = -1

    def take(self, account: AccountState) -> None:
        self.reads += 1
        self.steps_back += account.sequence < self._last
        self._last = account.sequence
        self.seen.add(account)


def adds_up(account: AccountState) -> bool:
    """Return whether the parts of an account are of one moment, as far as they can show it."""
    held = sum(position.quantity * position.mark_price for position in account.positions)
    # Equity is made of cash and positions, so the first sum is true of any picture; the second one joins the account's
    # own counters with the positions, and fails when one of them is older than the other.
    earned = account.realized_pnl + account.unrealized_pnl - account.fees - account.funding
    return (
        abs(account.cash + held - account.equity) <= TOLERANCE * account.equity
        and abs(CASH + earned - account.equity) <= TOLERANCE * account.equity
    )


def hammer(snapshot: Callable[[], AccountState], write: Callable[[], None]) -> list[Reader]:
    """Read from eight threads while `write` runs on this one."""
    done = threading.Event()
    readers = [Reader() for _ in range(READERS)]

    def read(reader: Reader) -> None:
        while not done.is_set():
            reader.take(snapshot())

    threads = [threading.Thread(target=read, args=(reader,)) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        write()
    finally:
        done.set()
        for thread in threads:
            thread.join(JOIN_S)
    return readers


def torn(readers: list[Reader], truth: set[AccountState]) -> set[AccountState]:
    """Return what was seen and never was: pictures that the writer did not make, or that do not add up."""
    seen = set.union(*(reader.seen for reader in readers))
    return {account for account in seen if account not in truth or not adds_up(account)}


def run_session() -> tuple[list[Reader], set[AccountState]]:
    session = LiveSession(session_config(BARS, strategy=STRATEGY, costs=Costs(), cash=CASH))
    truth = {session.snapshot()}
    session.subscribe(lambda update: truth.add(update.snapshot))

    def write() -> None:
        session.start()
        assert session.wait(JOIN_S)

    readers = hammer(session.snapshot, write)
    assert session.snapshot().fill_count > 50
    return readers, truth


def run_engine(engine: Engine) -> tuple[list[Reader], set[AccountState]]:
    truth = {engine.snapshot()}
    events = bar_replay(BARS).poll(2**62), bar_replay(BARS[256:]).poll(2**62)

    def write() -> None:
        for batch in events:
            for at in range(0, len(batch), 2):
                truth.add(engine.process(batch[at : at + 2]).snapshot)

    return hammer(engine.snapshot, write), truth


def test_eight_readers_of_a_running_session_never_see_a_torn_snapshot() -> None:
    readers, truth = run_session()
    assert all(reader.reads for reader in readers)
    assert len(set.union(*(reader.seen for reader in readers))) > 20  # they read while it traded
    assert torn(readers, truth) == set()
    assert sum(reader.steps_back for reader in readers) == 0


class PiecewiseReadings(Readings):
    """Publishes an account piece by piece in place of one frozen record."""

    @property
    def account(self) -> AccountState:  # type: ignore[override]  # an attribute of the real one
        pieces = {}
        for name in AccountState.__slots__:
            pieces[name] = self._pieces[name]
        return AccountState(**pieces)

    @account.setter
    def account(self, account: AccountState) -> None:
        self._pieces: dict[str, Any] = getattr(self, "_pieces", {})
        for name in AccountState.__slots__:
            self._pieces[name] = getattr(account, name)


def test_a_session_that_published_piece_by_piece_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_view, "Readings", PiecewiseReadings)
    readers, truth = run_session()
    assert torn(readers, truth)


def test_eight_readers_of_the_engine_never_see_a_torn_snapshot() -> None:
    readers, truth = run_engine(Engine(plan_of(STRATEGY), engine_config(*BARS.symbols, costs=Costs())))
    assert len(set.union(*(reader.seen for reader in readers))) > 20
    assert torn(readers, truth) == set()
    assert sum(reader.steps_back for reader in readers) == 0


class UnlockedEngine(Engine):
    """Copies account and positions without the lock, and one after the other."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._lock = nullcontext()  # type: ignore[assignment]  # the mutation

    def _picture(self) -> AccountState:
        book, sequence = self._run.book, self._run.sequence
        account = book.account.copy()
        for _ in range(200):  # long enough for another thread to come in between
            pass
        return account_state(sequence, self.config.symbols, account, book.symbols.copy())


def test_an_engine_without_its_lock_would_be_caught() -> None:
    readers, truth = run_engine(UnlockedEngine(plan_of(STRATEGY), engine_config(*BARS.symbols, costs=Costs())))
    assert torn(readers, truth)
    assert any(not adds_up(account) for reader in readers for account in reader.seen)
