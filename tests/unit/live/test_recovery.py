"""A session that died goes on from its record, and ends where one that never died ends, byte for byte."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.unit.live.kept_record import KeptRecord
from tests.unit.live.markets import (
    ETH,
    JOIN_S,
    MIDNIGHT,
    MINUTE,
    SECOND,
    bars_of,
    run_to_end,
    session_config,
    walk,
)
from workbench.errors import ExchangeUnavailableError
from workbench.live import BarsSource, LiveSession, LiveSessionConfig, ManualClock, Market
from workbench.live.feeds import tick_replay
from workbench.live.host import SessionHost
from workbench.model import BAR_CLOSED, RiskConfig
from workbench.model.bars import Bars
from workbench.strategy import Strategy, buy_and_hold, enter_long, exit_position, hold, sma_cross

RISK = RiskConfig(stop_loss=0.01, take_profit=0.02, trailing_stop=0.008, max_drawdown=0.5, daily_loss_limit=0.2)
BARS = Bars.join([walk(300, seed=3), walk(300, seed=4, symbol=ETH)])


def config_of(*, as_ticks: bool, **changes: Any) -> LiveSessionConfig:
    settings: dict[str, Any] = {
        "source": BarsSource(BARS, as_ticks=as_ticks),
        "strategy": sma_cross(fast=3, slow=8),
        "risk": RISK,
        "warmup_bars": 20,
    }
    return session_config(BARS, **{**settings, **changes})


def run(config: LiveSessionConfig, record: KeptRecord) -> LiveSession:
    return run_to_end(config, host=SessionHost(session_id="one", record=record))


def ledger_hash(session: LiveSession) -> str:
    report = session.parity()
    assert report.is_identical, report
    return report.live_hash


def run_with_crashes(config: LiveSessionConfig, crashes: list[tuple[int, bool]]) -> LiveSession:
    """Run a session that dies at the first crash's commit, go on until the next one's, and then to its end."""
    record = KeptRecord()
    for at, is_after in crashes:
        record = record.survivor(crash_at=at, is_after=is_after)
        if run(config, record).reason == "the feed ended":
            return run(config, record.survivor())
    return run(config, record.survivor())


@pytest.fixture(scope="module")
def whole() -> dict[bool, LiveSession]:
    return {as_ticks: run(config_of(as_ticks=as_ticks), KeptRecord()) for as_ticks in (False, True)}


@pytest.mark.parametrize("as_ticks", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_a_session_that_died_ends_where_one_that_did_not_ends(
    whole: dict[bool, LiveSession], as_ticks: bool, seed: int
) -> None:
    random = Random(seed)
    crashes = [(random.randrange(1, 40), random.random() < 0.5) for _ in range(random.randrange(1, 5))]
    twin = whole[as_ticks]
    session = run_with_crashes(config_of(as_ticks=as_ticks), crashes)
    assert ledger_hash(session) == ledger_hash(twin)
    assert session.snapshot() == twin.snapshot()
    assert session.fills() == twin.fills()
    assert session.trades() == twin.trades()
    one, other = session.chart_state(), twin.chart_state()
    assert (one.bars == other.bars).all()
    assert one.marks == other.marks
    assert (one.equity[:, :2] == other.equity[:, :2]).all()


def test_events_of_all_processes_are_told_once_and_in_their_order() -> None:
    record = KeptRecord().survivor(crash_at=10, is_after=True)
    run(config_of(as_ticks=False), record)
    texts = [event.text for event in run(config_of(as_ticks=False), record.survivor()).events()]
    heads = ["PREPARED: ", "STARTING: started by the user", "ACTIVE: ", "STARTING: started again", "RECOVERING: "]
    assert [text for text in texts if text.startswith("PREPARED")] == ["PREPARED: waiting for start()"]
    assert [text.startswith(head) for text, head in zip(texts, heads, strict=False)] == [True] * 5
    assert texts[-1].startswith("STOPPED")


class FailsFromBar(Strategy):
    """Buys on its first bar, and raises from the tenth on."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"seen": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:
        if now.close > 109.0:
            raise ValueError("above what it knows")
        return enter_long() if position.is_flat else hold()


RISING = bars_of([100.0 + bar for bar in range(40)])


def test_what_halted_a_session_halts_it_still_after_a_crash() -> None:
    config = session_config(RISING, strategy=FailsFromBar(), max_strategy_errors=3)
    record = KeptRecord()
    first = run(config, record)
    went_on = run(config, record.survivor())
    halted = [event.text for event in went_on.events() if event.text.startswith("HALTED")]
    assert len(halted) == 2
    assert "failed on 3 bars in a row" in halted[-1]
    assert went_on.snapshot().is_paused
    assert ledger_hash(went_on) == ledger_hash(first)


def test_a_tripped_breaker_is_tripped_after_a_crash() -> None:
    falling = bars_of([100.0] * 3 + [100.0 - 2.0 * bar for bar in range(20)])
    config = session_config(falling, risk=RiskConfig(max_drawdown=0.1))
    record = KeptRecord()
    first = run(config, record)
    assert first.snapshot().halted == ("max_drawdown",)
    went_on = run(config, record.survivor())
    assert went_on.snapshot() == first.snapshot()
    assert any(event.text.startswith("HALTED: max_drawdown") for event in went_on.events(5))


def test_a_muted_strategy_is_asked_no_more_and_its_stop_goes_on() -> None:
    # It buys at 100 and would sell above 105; the prices rise to 110 and fall to 80.
    closes = [100.0] * 4 + [100.0 + bar for bar in range(10)] + [110.0 - 2.0 * bar for bar in range(15)]
    config = session_config(bars_of(closes), strategy=SellsAbove(), risk=RiskConfig(stop_loss=0.1))
    # The first commit is that of the start, the second that of the purchase, the third would be that of the sale.
    record = KeptRecord(crash_at=3)
    run(config, record)
    host = SessionHost(session_id="one", record=record.survivor(), is_muted=True)
    session = run_to_end(config, host=host)
    assert [fill.reason for fill in session.fills()] == ["signal", "stop_loss"]
    assert ledger_hash(session)
    assert "does not" not in session.reason
    assert any("is not asked again" in event.text for event in session.events())


@pytest.mark.parametrize("as_ticks", [False, True])
def test_rules_that_were_muted_decide_nothing_in_their_replay_either(as_ticks: bool) -> None:
    record = KeptRecord(crash_at=10)
    config = config_of(as_ticks=as_ticks)
    before = len(run(config, record).fills())
    session = run_to_end(config, host=SessionHost(session_id="one", record=record.survivor(), is_muted=True))
    entries = [trade.entry_time_ns for trade in session.trades()]
    assert len(entries) == len({*entries})
    assert ledger_hash(session)
    assert len(session.fills()) <= before + len(config.symbols)


class SellsAbove(Strategy):
    """Buys on its first bar, sells above 105."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:
        if position.is_flat:
            return enter_long() if now.close < 105.0 else hold()
        return exit_position() if now.close > 105.0 else hold()


def test_a_session_whose_journal_fails_halts_and_says_so_and_goes_on_when_it_works_again() -> None:
    record = KeptRecord()
    record.refusals = 2
    clock = ManualClock(0)
    session = LiveSession(config_of(as_ticks=False), clock=clock, host=SessionHost(session_id="one", record=record))
    session.start()
    assert session.wait(JOIN_S)
    texts = [event.text for event in session.events()]
    assert any("HALTED: the journal cannot be written: the disk is full" in text for text in texts)
    assert session.fills() == ()
    assert not record.has_ballast


def test_a_record_that_gives_something_else_now_is_not_gone_on_with() -> None:
    record = KeptRecord(crash_at=10)
    run(config_of(as_ticks=True), record)
    survivor = record.survivor()
    rows, _ = survivor.snapshots()[-1]
    survivor.snapshots()[-1] = (rows, "0" * 64)
    session = run(config_of(as_ticks=True), survivor)
    assert session.state == "FAILED"
    assert "by another version of workbench" in session.reason


@dataclass(frozen=True, repr=False)
class Unreachable(BarsSource):
    """Cannot be opened again while `failures` are left."""

    failures: list[int] = field(default_factory=list, compare=False)

    def open(self, *arguments: Any, since_ns: int | None = None) -> Any:
        if since_ns is not None and self.failures:
            self.failures.pop()
            raise ExchangeUnavailableError("no answer", exchange="fake", retryable=True)
        return super().open(*arguments, since_ns=since_ns)


def test_what_is_asked_while_the_exchange_cannot_be_reached_is_done_afterwards() -> None:
    record = KeptRecord(crash_at=10)
    source = Unreachable(BARS, failures=[1, 1])
    config = config_of(as_ticks=False, source=source)
    run(config, record)
    # A clock that stands still: it is tried again only because something is asked.
    clock = ManualClock(0)
    host = SessionHost(session_id="one", record=record.survivor())
    session = LiveSession(config, clock=clock, host=host).start()
    assert clock.join_waiter(JOIN_S)
    assert not session.pause()
    assert clock.join_waiter(JOIN_S)
    session.resume()
    assert session.wait(JOIN_S)
    asked = [event.text for event in session.events() if event.kind == "command"]
    assert asked == ["pause was asked", "resume was asked"]
    assert any(event.text.startswith("EXITS_ONLY: paused by the user") for event in session.events())


def test_a_session_that_cannot_reach_its_exchange_can_be_stopped() -> None:
    record = KeptRecord(crash_at=10)
    config = config_of(as_ticks=False, source=Unreachable(BARS, failures=[1] * 3))
    run(config, record)
    clock = ManualClock(0)
    host = SessionHost(session_id="one", record=record.survivor())
    session = LiveSession(config, clock=clock, host=host).start()
    assert clock.join_waiter(JOIN_S)
    assert session.stop() == "STOPPED"
    assert "before its market could be reached" in session.reason


@dataclass(frozen=True, repr=False)
class Missed(BarsSource):
    """Prices of a market with a clock of its own, all of them there at once: each ten seconds of two minutes."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(MIDNIGHT), compare=False)

    def open(self, *_arguments: Any, since_ns: int | None = None) -> Market:
        times = MIDNIGHT + 10 * SECOND * np.arange(12)
        times = times[times >= (since_ns or 0)]
        return Market(None, tick_replay(times, 100.0 + times % MINUTE, np.ones(len(times))), MIDNIGHT, self.clock, 1.0)


def test_an_entry_that_was_decided_before_a_long_absence_is_dropped() -> None:
    """It died after the bar of minute 0 was decided on, and goes on an hour later with the prices that it missed."""
    record, clock = KeptRecord(), ManualClock(MIDNIGHT + 2 * MINUTE)
    config = session_config(bars_of([100.0]), source=Missed(BARS, clock=clock), speed=1.0, strategy=buy_and_hold())
    first = run_to_end(config, clock=clock, host=SessionHost(session_id="one", record=record))
    assert [fill.time_ns for fill in first.fills()] == [MIDNIGHT + MINUTE]
    decided = int(np.flatnonzero(record.read()["kind"] == BAR_CLOSED)[0]) + 1
    clock.advance(60 * MINUTE)
    host = SessionHost(session_id="one", record=record.survivor(rows=decided))
    went_on = run_to_end(config, clock=clock, host=host)
    assert went_on.metrics()["counts"]["ticks"] == first.metrics()["counts"]["ticks"]
    assert went_on.fills() == ()
    assert ledger_hash(went_on)
