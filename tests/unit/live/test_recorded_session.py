"""A recorded session is played again: it shows the same, ends at the same bytes, and trades nothing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.unit.live.kept_record import KeptRecord
from tests.unit.live.markets import (
    BTC,
    ETH,
    FREE,
    JOIN_S,
    SECOND,
    bars_of,
    let_pass,
    run_to_end,
    session_config,
    walk,
)
from tests.unit.live.recordings import Exchange, closed, recorded, report, tick, told
from workbench.errors import ConfigError, SessionError, SessionNotFoundError
from workbench.live import BarsSource, LiveSession, LiveSessionConfig, ManualClock
from workbench.live.host import SessionHost
from workbench.live.journal import Journal
from workbench.live.recorded_session import RecordedSession, record_in
from workbench.model import BAR, COMMAND, Bars, Costs, RiskConfig
from workbench.strategy import Strategy, buy_and_hold, enter_long, hold, sma_cross

RISK = RiskConfig(stop_loss=0.01, take_profit=0.02, trailing_stop=0.008)
BOTH = Bars.join([walk(200, seed=3), walk(200, seed=4, symbol=ETH)])


def config_of(*, as_ticks: bool, bars: Bars = BOTH, **changes: Any) -> LiveSessionConfig:
    settings: dict[str, Any] = {
        "source": BarsSource(bars, as_ticks=as_ticks),
        "strategy": sma_cross(fast=3, slow=8),
        "risk": RISK,
        "warmup_bars": 20,
    }
    return session_config(bars, **{**settings, **changes})


def replayed(session: LiveSession) -> RecordedSession:
    again = RecordedSession(session.config, session.record, speed=math.inf)
    again.start()
    assert again.wait(JOIN_S)
    assert again.reason.startswith("the feed ended"), again.reason
    return again


def assert_same(again: LiveSession, session: LiveSession) -> None:
    report, recorded = again.parity(), session.parity()
    assert report.is_identical, report
    assert report.live_hash == recorded.live_hash
    assert again.snapshot() == session.snapshot()
    assert again.fills() == session.fills()
    assert again.trades() == session.trades()
    assert again.denials() == session.denials()
    one, other = again.chart_state(), session.chart_state()
    assert (one.bars == other.bars).all()
    assert (one.equity == other.equity).all()
    assert (one.marks, one.lines) == (other.marks, other.lines)


@pytest.mark.parametrize("bars", [BOTH, BOTH.one(BTC)], ids=["two symbols", "one symbol"])
@pytest.mark.parametrize("as_ticks", [False, True])
def test_a_replay_ends_where_the_session_ended_and_shows_the_same(as_ticks: bool, bars: Bars) -> None:
    # With fees, so that equity tells the close of a bar from the price after it, which may fill.
    session = run_to_end(config_of(as_ticks=as_ticks, bars=bars, costs=Costs()))
    assert len(session.fills()) > 10
    assert_same(replayed(session), session)


def test_a_replay_counts_what_came_as_the_session_did() -> None:
    session = run_to_end(config_of(as_ticks=True))
    counts, again = (one.metrics()["counts"] for one in (session, replayed(session)))
    assert counts["ticks"] == 2 * 4 * (200 - 20)
    assert {name: again[name] for name in ("bars", "ticks", "fills")} == {
        name: counts[name] for name in ("bars", "ticks", "fills")
    }


class FailsInBetween(Strategy):
    """Raises on the closes from 105 to 112, and buys otherwise."""

    def on_bar(self, now: Any, position: Any) -> Any:
        if 105.0 <= now.close <= 112.0:
            raise ValueError("a price that it does not know")
        return enter_long() if position.is_flat else hold()


def test_the_pause_after_a_failing_strategy_comes_from_the_record_alone() -> None:
    bars = bars_of([100.0 + place for place in range(30)])
    session = run_to_end(session_config(bars, strategy=FailsInBetween(), max_strategy_errors=3))
    kinds = session.record.read()["kind"].tolist()
    assert kinds.count(COMMAND) == 1
    again = replayed(session)
    assert again.record.read()["kind"].tolist() == kinds
    assert len(again.errors()) == len(session.errors()) == 8  # 105 to 112
    assert_same(again, session)


def test_reports_of_an_exchange_are_booked_again_and_nothing_is_sent() -> None:
    # The bar of minute 0 decides, the price at 61 s makes the request, and the exchange sold 3 of it at 101.
    record = recorded(
        tick(0, 100.0),
        closed(0, 100.0),
        tick(61, 100.0),
        report(62, 0, 3.0, 101.0, fee=0.5, is_done=True),
        tick(63, 104.0),
    )
    config = session_config(source=Exchange(), execution="exchange", symbols=(BTC,), cash=1_000.0)
    again = RecordedSession(config, record, speed=math.inf)
    again.start()
    assert again.wait(JOIN_S)
    assert [(fill.quantity, fill.price, fill.fee) for fill in again.fills()] == [(3.0, 101.0, 0.5)]
    # 1000 - 3 * 101 - 0.5 + 3 * 104
    assert again.snapshot().equity == 1_008.5
    assert again.parity().is_identical
    assert (again.record.read() == record.read()).all()


def test_bars_are_shown_as_they_were_recorded_and_not_as_the_prices_make_them() -> None:
    # The exchange mended the bar: it closed at 105, and no price of 105 was seen.
    record = recorded(tick(0, 100.0), tick(61, 101.0), closed(0, 105.0), tick(62, 102.0))
    again = RecordedSession(session_config(walk(2)), record, speed=math.inf)
    again.start()
    assert again.wait(JOIN_S)
    # Closed, and forming: open, high, low, close.
    assert again.chart_state().bars[:, 1:5].tolist() == [[105.0] * 4, [101.0, 102.0, 101.0, 102.0]]


def test_time_passes_at_the_speed_that_was_asked_for() -> None:
    record = recorded(tick(0, 100.0), closed(0, 100.0), tick(60, 100.0), tick(120, 103.0))
    clock = ManualClock()
    again = RecordedSession(session_config(walk(2)), record, speed=60.0, clock=clock)
    again.start()
    assert clock.join_waiter(JOIN_S)
    assert again.snapshot().fill_count == 0
    # At 60 market seconds a second the price of 60 s comes after one, that of 120 s after another.
    let_pass(clock, SECOND - 1)
    assert again.snapshot().fill_count == 0
    let_pass(clock, 1)
    assert again.snapshot().fill_count == 1
    assert again.state == "ACTIVE"
    clock.advance(SECOND)
    assert again.wait(JOIN_S)
    assert again.snapshot().positions[0].mark_price == 103.0


def test_a_recorded_command_comes_with_its_prices() -> None:
    record = recorded(
        tick(0, 100.0), closed(0, 100.0), told(30, "pause"), tick(60, 100.0), closed(1, 100.0), tick(120, 100.0)
    )
    clock = ManualClock()
    again = RecordedSession(session_config(walk(2)), record, speed=60.0, clock=clock)
    again.start()
    let_pass(clock, SECOND)
    assert again.state == "EXITS_ONLY"
    # Without the pause the price of the first minute's end would have filled what the first bar decided.
    assert again.snapshot().fill_count == 0
    again.kill()


@pytest.mark.parametrize(
    "command",
    ["pause", "resume", "flatten", "clear_breaker", "configure", "stop_flat", "ask_to_stop_flat"],
)
def test_what_would_trade_is_refused_and_changes_nothing(command: str) -> None:
    clock = ManualClock()
    record = recorded(tick(0, 100.0), closed(0, 100.0), tick(60, 100.0), tick(600, 100.0))
    again = RecordedSession(session_config(walk(2)), record, speed=1.0, clock=clock)
    again.start()
    let_pass(clock, 60 * SECOND)
    before = again.snapshot()
    commands: dict[str, Any] = {
        "configure": lambda: again.configure(fast=3),
        "stop_flat": lambda: again.stop(flatten=True),
        "ask_to_stop_flat": lambda: again.ask_to_stop(flatten=True),
    }
    with pytest.raises(SessionError, match=r"session 'replay-test' replays a record: .* would change what was"):
        commands.get(command, getattr(again, command.removesuffix("_flat"), None))()
    assert again.snapshot() == before
    assert not again.is_finished
    again.kill()


def test_stop_ends_a_replay_in_the_middle_without_a_trace() -> None:
    clock = ManualClock()
    record = recorded(tick(0, 100.0), closed(0, 100.0), tick(60, 100.0), tick(600, 100.0))
    again = RecordedSession(session_config(walk(2)), record, speed=1.0, clock=clock)
    again.start()
    let_pass(clock, 60 * SECOND)
    assert again.stop() == "STOPPED"
    assert again.snapshot().fill_count == 1
    # What was played is a beginning of what was recorded: no command of its own.
    assert again.record.read().tolist() == record.read(3).tolist()
    assert again.parity().is_identical


def test_a_journal_is_played_from_its_file_alone(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "journal.db", session_id="one", header={})
    config = config_of(as_ticks=True)
    session = run_to_end(config, host=SessionHost(session_id="one", record=journal))
    wanted = session.parity().live_hash
    journal.close()
    again = RecordedSession(config, record_in(tmp_path), speed=math.inf)
    again.start()
    assert again.wait(JOIN_S)
    assert again.parity().live_hash == wanted
    assert again.fills() == session.fills()


def test_a_running_session_is_played_up_to_now() -> None:
    clock = ManualClock()
    bars = bars_of([100.0, 101.0, 102.0, 103.0, 104.0])
    session = LiveSession(session_config(bars, speed=60.0), clock=clock)
    session.start()
    for _ in range(3):
        let_pass(clock, SECOND)
    again = replayed(session)
    assert again.snapshot() == session.snapshot()
    assert again.parity().live_hash == session.parity().live_hash
    assert not session.is_finished
    session.kill()


def test_what_cannot_be_played_is_refused(tmp_path: Path) -> None:
    config = session_config(walk(2))
    with pytest.raises(SessionError, match="has recorded nothing yet"):
        RecordedSession(config, KeptRecord()).start()
    with pytest.raises(ConfigError, match=r"speed must be in \[1, 1000\] or inf, was 0.5"):
        RecordedSession(config, KeptRecord(), speed=0.5)
    with pytest.raises(SessionNotFoundError, match=r"it has no journal.db"):
        record_in(tmp_path)


def test_a_long_name_stays_a_name() -> None:
    config = session_config(walk(2), name="a" * 64, costs=FREE, strategy=buy_and_hold())
    assert RecordedSession(config, KeptRecord()).name == "replay-" + "a" * 57


def test_a_replay_in_which_only_the_start_was_recorded_ends_at_once() -> None:
    again = RecordedSession(session_config(walk(2)), recorded(), speed=math.inf)
    again.start()
    assert again.wait(JOIN_S)
    assert again.state == "STOPPED"
    assert again.snapshot().fill_count == 0


def test_whole_bars_are_due_when_they_close() -> None:
    clock = ManualClock()
    record = recorded(closed(0, 100.0, BAR), closed(1, 100.0, BAR))
    again = RecordedSession(session_config(walk(2)), record, speed=60.0, clock=clock)
    again.start()
    assert clock.join_waiter(JOIN_S)
    assert again.metrics()["counts"]["bars"] == 0
    let_pass(clock, SECOND)
    assert again.metrics()["counts"]["bars"] == 1
    again.kill()
