"""F29: a restart with an open position, resting orders, a trailing peak and a holding time that runs.

Guards that everything is rebuilt from the recorded inputs: what a session rebuilds at a restart is, byte for byte, what
it had, and it ends where a twin ends that never died.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from tests.crashing_sessions import DyingJournal, Point, World, two_ways_world
from tests.unit.live.markets import bars_of, session_config
from workbench.live.feeds import bar_replay, olhc_tick_replay
from workbench.live.spool import EventSpool
from workbench.live.trading_engine import LiveTradingEngine
from workbench.model import RiskConfig
from workbench.strategy import Strategy, enter_long, hold

# Bought below 100, then up to 104 and 106, down a little: peaks that count at a restart. Later an entry that rests.
BARS = bars_of(
    [99.0, 99.5, 104.0, 103.0, 106.0, 104.0, 103.5, 101.0, 101.0, 100.5, 98.0, 98.5, 98.5, 98.5, 98.5, 98.5, 99.2]
)
RISK = RiskConfig(stop_loss=0.05, trailing_stop=0.03, max_holding_s=300.0)


class BuysAndWaits(Strategy):
    """Buys below 100, or has an order wait at 98.25 when the price is a little above."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:
        if not position.is_flat:
            return hold()
        if now.close < 99.1:
            return enter_long()
        return enter_long(limit=98.25) if now.close == 101.0 else hold()


def state_of(engine: LiveTradingEngine) -> dict[str, Any]:
    """Return everything of an engine that a decision may depend on, its records as bytes."""
    book = engine._core._run.book  # type: ignore[attr-defined]  # noqa: SLF001  the whole of the state
    return {
        "account": book.account.tobytes(),
        "symbols": book.symbols.tobytes(),
        "ledger": engine.ledger_hash(),
        "snapshot": asdict(engine.snapshot()),
        "forming": engine.forming,
        "prices": engine.prices,
        "time_ns": engine.time_ns,
    }


def engine_on(record: EventSpool) -> LiveTradingEngine:
    config = session_config(BARS, strategy=BuysAndWaits(), risk=RISK)
    return LiveTradingEngine(config.plan(), config.engine_config(), record=record, since_ns=int(BARS.time_ns[0]))


@pytest.mark.parametrize("replay", [bar_replay, olhc_tick_replay])
def test_what_is_rebuilt_after_any_step_is_what_was_there_and_goes_on_alike(replay: Any) -> None:
    events = replay(BARS).poll(2**62)
    record = EventSpool()
    engine = engine_on(record)
    lives = [(len(record), state_of(engine))]
    group = 1 if replay is bar_replay else 4
    for at in range(0, len(events), group):
        for _ in engine.run(events[at : at + group]):
            pass
        lives.append((len(record), state_of(engine)))
    for number, (rows, before) in enumerate(lives):
        kept = EventSpool()
        kept.append(record.read(rows))
        again = engine_on(kept)
        again.restore()
        assert state_of(again) == before, number
        for _ in again.run(events[number * group :]):
            pass
        assert state_of(again) == lives[-1][1], number
    # A position whose stop has risen, whose time runs, and an entry that rests: each was there at some restart.
    positions = [state["snapshot"]["positions"] for _, state in lives]
    levels = {one["trailing_level"] for held in positions for one in held}
    assert {106.0 * 0.97} <= levels
    assert any(one["time_limit_ns"] for held in positions for one in held)
    assert engine.snapshot().trade_count == 2  # both by their holding time


class Deaths:
    """Remembers what the engine of a session was at each commit, and compares it with what a restart makes of that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.compared = 0
        self.seen: list[dict[str, Any]] = []
        self._committed: dict[tuple[Path, int], dict[str, Any]] = {}
        commit, restore = DyingJournal.commit, LiveTradingEngine.restore

        def committed(journal: DyingJournal) -> None:
            engine = journal.world.session._engine  # type: ignore[union-attr]  # noqa: SLF001  the whole of the state
            # Before it: a process that dies after its commit does not come back from it.
            before = None if journal.world.is_dead else state_of(engine)
            rows = len(journal)
            try:
                commit(journal)
            finally:
                if before is not None and journal.uncommitted == 0:
                    self._committed[journal.path, rows] = before

        def restored(engine: LiveTradingEngine) -> Any:
            result = restore(engine)
            journal: Any = engine._record  # noqa: SLF001  where it was restored from
            if len(journal):
                state = state_of(engine)
                assert state == self._committed[journal.path, len(journal)]
                self.compared += 1
                self.seen.append(state)
            return result

        monkeypatch.setattr(DyingJournal, "commit", committed)
        monkeypatch.setattr(LiveTradingEngine, "restore", restored)


@contextmanager
def waiting_world(folder: Path, *dies_at: Point) -> Iterator[World]:
    folder.mkdir()
    one = World(folder, BARS, dies_at=dies_at, strategy=BuysAndWaits(), risk=RISK)
    try:
        yield one
    finally:
        one.close()


@pytest.mark.parametrize(
    ("world", "where"),
    [
        (waiting_world, "before commit"),
        (waiting_world, "after commit"),
        (waiting_world, "before send"),
        (waiting_world, "after send"),
        (two_ways_world, "before cancel"),
        (two_ways_world, "after cancel"),
    ],
)
def test_what_a_session_at_an_exchange_rebuilds_is_what_it_had_at_its_last_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: Any, where: str
) -> None:
    """Its state, byte for byte, with what the exchange had reported by then; whatever follows from what was lost."""
    deaths = Deaths(monkeypatch)
    with world(tmp_path / "whole") as whole:
        whole.run()
        numbers = range(whole.passed[where])
    for number in numbers:
        with world(tmp_path / str(number), (where, number)) as one:
            one.run()
            one.check()
    # The first commits have no rows yet, and how many there are depends a little on how soon answers come.
    assert deaths.compared >= 0.7 * len(numbers) > 0
    if "commit" in where:
        held = [one for state in deaths.seen for one in state["snapshot"]["positions"]]
        assert max(one["trailing_level"] for one in held) >= 106.0 * 0.97
        assert any(one["time_limit_ns"] for one in held)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with two_ways_world(tmp_path_factory.mktemp("whole")) as one:
        one.run()
        yield one


@pytest.mark.parametrize("where", ["before commit", "after commit", "after send", "after cancel"])
def test_a_session_at_an_exchange_ends_where_its_twin_ends_that_never_died(
    tmp_path: Path, whole: World, where: str
) -> None:
    """Only where the death lost an order that had not left yet, another history follows."""
    same = 0
    for name, number in whole.points:
        if name != where:
            continue
        folder = tmp_path / str(number)
        with two_ways_world(folder, (name, number)) as one:
            session, twin = one.run(), whole.session
            one.check()
            assert one.lives <= 1
            assert twin is not None
            if one.exchange.orders != whole.exchange.orders:
                assert where in {"before commit", "after commit"}
                continue
            same += 1
            assert session.parity().live_hash == twin.parity().live_hash, number
            # The number of the picture counts commands too, and a stop in whose midst it died is given again.
            assert replace(session.snapshot(), sequence=0) == replace(twin.snapshot(), sequence=0), number
            assert session.trades() == twin.trades(), number
    assert same >= 2
