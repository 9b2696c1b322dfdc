from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.live.fake_core import FakeCore
from tests.unit.live.markets import (
    BTC,
    JOIN_S,
    MIDNIGHT,
    MINUTE,
    SECOND,
    bars_of,
    let_pass,
    run_to_end,
    session_config,
    slow_config,
    walk,
)
from workbench.errors import ConfigError, DataError, SessionClosedError, SessionError
from workbench.live import LiveSession, ManualClock
from workbench.strategy import buy_and_hold, sma_cross

if TYPE_CHECKING:
    from workbench.live.records import StepUpdate


# ---- the course of a session ----


def test_a_prepared_session_shows_an_untouched_account_and_waits() -> None:
    session = LiveSession(session_config(cash=500.0))
    assert (session.state, session.snapshot().cash, session.fills(), session.trades()) == ("PREPARED", 500.0, (), ())
    assert session.chart_state().bars.shape == (0, 6)
    assert session.metrics()["data_age_s"] is None
    assert session.reason == "waiting for start()"


def test_a_replay_runs_to_its_end_and_says_so() -> None:
    session = run_to_end(session_config(walk(200)))
    assert (session.state, session.metrics()["counts"]["bars"]) == ("STOPPED", 200)
    assert session.reason.startswith("the feed ended; still held: ")
    assert session.snapshot().fill_count == 1


def test_a_session_goes_at_the_speed_of_its_clock(clock: ManualClock, start: Any) -> None:
    session = start(slow_config(bars_of([100.0] * 5)))
    let_pass(clock, MINUTE - 1)
    assert session.metrics()["counts"]["bars"] == 0
    let_pass(clock, 1)
    assert session.metrics()["counts"]["bars"] == 1  # the first bar closes after a minute
    let_pass(clock, 2 * MINUTE)
    assert session.metrics()["counts"]["bars"] == 3


def test_a_thousand_times_the_speed_takes_a_thousandth_of_the_time(clock: ManualClock, start: Any) -> None:
    session = start(slow_config(bars_of([100.0] * 5), speed=1_000.0))
    let_pass(clock, 2 * MINUTE // 1_000)
    assert session.metrics()["counts"]["bars"] == 2


def test_starting_twice_is_starting_once(start: Any) -> None:
    session = start(slow_config())
    assert session.start() is session
    assert [event.text for event in session.events() if "STARTING" in event.text] == ["STARTING: started by the user"]


def test_history_feeds_the_indicators_and_the_chart_and_trades_nothing(clock: ManualClock, start: Any) -> None:
    session = start(slow_config(walk(100), warmup_bars=60))
    assert clock.join_waiter(JOIN_S)
    assert len(session.chart_state().bars) == 60
    assert session.metrics()["counts"]["bars"] == 0
    assert session.snapshot().fill_count == 0


def test_the_market_clock_starts_after_the_history_was_fed(clock: ManualClock) -> None:
    clock.advance(3_600 * SECOND)
    session = LiveSession(slow_config(), clock=clock).start()
    assert clock.join_waiter(JOIN_S)
    assert session.metrics()["counts"]["bars"] == 0
    session.stop()


def test_parameters_can_be_changed_until_the_start() -> None:
    session = LiveSession(session_config(strategy=sma_cross(fast=5, slow=20)))
    session.configure(fast=7)
    assert session.strategy.parameters["fast"] == 7
    with pytest.raises(ConfigError):
        session.configure(fats=7)
    assert session.strategy.parameters["fast"] == 7
    session.start()
    with pytest.raises((SessionError, SessionClosedError)):
        session.configure(fast=8)
    assert session.wait(JOIN_S)


def test_a_source_that_cannot_be_opened_is_the_callers_error_and_the_session_stays_prepared() -> None:
    session = LiveSession(session_config(walk(50), warmup_bars=50))
    with pytest.raises(DataError, match="at most 49, was 50"):
        session.start()
    assert session.state == "PREPARED"


# ---- commands ----


def test_pause_lets_no_entry_through_and_resume_does(clock: ManualClock, start: Any) -> None:
    session = start(slow_config(bars_of([100.0] * 30)))
    assert clock.join_waiter(JOIN_S)
    assert session.pause()
    assert (session.state, session.reason) == ("EXITS_ONLY", "paused by the user")
    let_pass(clock, 3 * MINUTE)
    assert session.snapshot().fill_count == 0
    assert session.resume()
    assert (session.state, session.reason) == ("ACTIVE", "trading")


def test_a_command_twice_is_the_command_once(clock: ManualClock, start: Any) -> None:
    core = FakeCore()
    session = start(slow_config(), open_core=core.open)
    assert clock.join_waiter(JOIN_S)
    for _ in range(3):
        session.pause()
    for _ in range(3):
        session.resume()
    assert core.commands == ["pause", "resume"]


def test_flatten_closes_the_position_at_the_next_price_and_pauses(clock: ManualClock, start: Any) -> None:
    session = start(slow_config(bars_of([100.0] * 30)))
    let_pass(clock, 2 * MINUTE)
    assert session.snapshot().positions[0].quantity > 0
    assert session.flatten()
    assert session.state == "EXITS_ONLY"
    assert session.snapshot().positions != ()  # no price came since
    let_pass(clock, MINUTE)
    assert session.snapshot().positions == ()
    assert session.trades()[-1].exit_reason == "flatten"


def test_stop_keeps_the_position_and_reports_it(clock: ManualClock, start: Any) -> None:
    session = start(slow_config(bars_of([100.0] * 30)))
    let_pass(clock, 2 * MINUTE)
    assert session.stop() == "STOPPED"
    assert session.reason == "stopped by the user; still held: 100 BTC/USDT"  # 10000 / 100
    assert session.snapshot().positions[0].quantity == 100.0
    assert not any("EXITS_ONLY" in event.text for event in session.events())  # it went from ACTIVE to STOPPED


def test_stop_with_flatten_waits_for_the_price_that_closes_the_position(clock: ManualClock, start: Any) -> None:
    session = start(slow_config(bars_of([100.0] * 30)))
    let_pass(clock, 2 * MINUTE)
    stopper = threading.Thread(target=session.stop, kwargs={"flatten": True})
    stopper.start()
    assert session.wait_for("STOPPING", timeout_s=JOIN_S)
    assert clock.join_waiter(JOIN_S)
    clock.advance(MINUTE)
    stopper.join(JOIN_S)
    assert (session.state, session.reason) == ("STOPPED", "stopped by the user")
    assert session.snapshot().positions == ()


def test_stop_with_flatten_ends_with_what_is_held_when_no_price_comes(clock: ManualClock, start: Any) -> None:
    session = start(slow_config(bars_of([100.0] * 30)))
    let_pass(clock, 2 * MINUTE)
    assert session.stop(flatten=True, timeout_s=0.1) == "STOPPED"
    assert "still held: 100 BTC/USDT" in session.reason


def test_stopping_twice_and_stopping_what_never_ran_are_fine() -> None:
    session = LiveSession(session_config())
    assert session.stop() == "STOPPED"
    assert session.stop() == "STOPPED"
    assert session.kill() == "STOPPED"
    assert session.reason == "stopped before it was started"


def test_kill_ends_at_once_and_touches_nothing(clock: ManualClock, start: Any) -> None:
    core = FakeCore()
    session = start(slow_config(), open_core=core.open)
    let_pass(clock, MINUTE)
    assert session.kill() == "STOPPED"
    assert session.reason == "killed by the user"
    assert core.commands == []


def test_commands_before_the_start_and_after_the_end_say_what_is_wrong() -> None:
    session = LiveSession(session_config())
    with pytest.raises(SessionError, match=r"not started yet: call start\(\) before pause\(\)"):
        session.pause()
    session.stop()
    for command in (session.pause, session.resume, session.flatten, session.clear_breaker, session.start):
        with pytest.raises(SessionClosedError, match="has ended"):
            command()


def test_commands_from_a_callback_do_not_wait_for_themselves() -> None:
    session = LiveSession(session_config())
    answers: list[object] = []

    def stop_at_once(_: StepUpdate) -> None:
        if not answers:
            answers.extend([session.pause(), session.stop(), session.wait()])

    session.subscribe(stop_at_once)
    session.start()
    assert session.wait(JOIN_S)
    assert answers == [False, "ACTIVE", False]
    assert session.reason.startswith("stopped by the user")


# ---- what goes wrong ----


def test_a_session_that_hangs_in_its_strategy_is_given_up_and_trades_no_more() -> None:
    core = FakeCore(hang_on=lambda number: number == 3)
    session = LiveSession(session_config(), open_core=core.open).start()
    assert core.hangs.wait(JOIN_S)
    assert session.stop(timeout_s=0.05) == "FAILED"
    assert "did not end within 0.05 s of stop()" in session.reason
    seen = len(core.events)
    core.may_go_on.set()
    assert session.wait(JOIN_S)
    for thread in threading.enumerate():
        if thread.name == "workbench-session-test":
            thread.join(JOIN_S)
    assert len(core.events) == seen  # nothing after the hanging bar
    assert session.state == "FAILED"


def test_a_session_that_hangs_in_a_subscriber_is_given_up_and_trades_no_more(clock: ManualClock) -> None:
    core = FakeCore()
    hangs, may_go_on = threading.Event(), threading.Event()
    session = LiveSession(slow_config(), clock=clock, open_core=core.open)

    def hang(_: StepUpdate) -> None:
        hangs.set()
        may_go_on.wait(JOIN_S)

    session.subscribe(hang)
    session.start()
    assert clock.join_waiter(JOIN_S)
    clock.advance(10 * MINUTE)  # ten bars in one batch
    assert hangs.wait(JOIN_S)
    assert session.stop(timeout_s=0.05) == "FAILED"
    may_go_on.set()
    for thread in threading.enumerate():
        if thread.name == "workbench-session-test":
            thread.join(JOIN_S)
    assert len(core.events) == 1


def test_an_error_of_the_core_ends_the_session_as_failed_with_its_traceback() -> None:
    core = FakeCore(break_on=lambda number: number == 3)
    session = run_to_end(session_config(), open_core=core.open)
    assert (session.state, session.reason) == ("FAILED", "RuntimeError: the core broke on decision 3")
    assert "fake_core" in session.errors()[-1].traceback


def test_a_strategy_that_fails_five_times_in_a_row_halts_entries_until_resume(clock: ManualClock, start: Any) -> None:
    core = FakeCore(fail_on=lambda number: number < 5)
    session = start(slow_config(), open_core=core.open)
    let_pass(clock, 5 * MINUTE)
    assert session.state == "HALTED"
    assert session.reason == (
        "the strategy failed on 5 bars in a row, at last with strategy on BTC/USDT: ZeroDivisionError: decision 4; "
        "resume() allows entries again"
    )
    assert session.snapshot().is_paused
    let_pass(clock, MINUTE)
    assert session.state == "HALTED"
    session.resume()
    assert session.state == "ACTIVE"


def test_a_breaker_halts_until_it_is_cleared(clock: ManualClock, start: Any) -> None:
    core = FakeCore(trip_on=lambda number: number == 0)
    session = start(slow_config(), open_core=core.open)
    let_pass(clock, MINUTE)
    assert session.state == "HALTED"
    assert any(
        "max_drawdown tripped: a loss of 21 % reached the limit of 20 %" in event.text for event in session.events()
    )
    session.resume()
    assert session.state == "HALTED"
    assert session.clear_breaker()
    assert session.state == "ACTIVE"


def test_a_subscriber_that_fails_is_counted_and_the_session_goes_on() -> None:
    session = LiveSession(session_config(walk(50)))

    def broken(_: StepUpdate) -> None:
        raise OSError("no page")

    session.subscribe(broken)
    session.start()
    assert session.wait(JOIN_S)
    assert session.metrics()["counts"]["callback_errors"] == 50
    assert session.errors(1)[0].message == "subscriber: OSError: no page"


def test_errors_are_bounded_and_the_newest_stay() -> None:
    core = FakeCore(fail_on=lambda _: True)
    session = run_to_end(session_config(walk(50), max_errors=10), open_core=core.open)
    assert len(session.errors()) == 10
    assert session.metrics()["dropped"]["errors"] == 40  # 50 bars
    assert session.errors(1)[0].message.endswith("decision 49")


def test_bars_are_bounded_and_the_newest_stay() -> None:
    session = run_to_end(session_config(walk(50), max_bars=20))
    state = session.chart_state()
    assert (len(state.bars), len(state.equity)) == (20, 20)
    assert session.metrics()["dropped"]["bars"] == 30


# ---- the handle itself ----


def test_names_and_figures_of_the_handle() -> None:
    config = session_config(walk(30), strategy=buy_and_hold())
    session = LiveSession(config)
    assert (session.name, session.symbols, str(session.timeframe)) == ("test", (BTC,), "1m")
    assert session.config is config
    assert repr(session) == "LiveSession('test')"
    assert len(session.session_id) == 36
    assert session.strategy.name == "buy_and_hold"


def test_lists_are_limited_to_the_newest() -> None:
    session = run_to_end(session_config(walk(300), strategy=sma_cross(fast=3, slow=10)))
    assert len(session.fills()) > 4
    assert session.fills(2) == session.fills()[-2:]
    assert session.trades(1) == session.trades()[-1:]
    assert session.events(1)[0].text.startswith("STOPPED")


def test_a_panel_needs_the_facade(monkeypatch: pytest.MonkeyPatch) -> None:
    session = LiveSession(session_config())
    monkeypatch.setattr(LiveSession, "panel_factory", None)
    with pytest.raises(SessionError, match=r"import workbench\.api first"):
        session.panel()
    monkeypatch.setattr(LiveSession, "panel_factory", lambda one, symbol: f"panel of {one.name}, {symbol}")
    assert session.panel() == "panel of test, None"
    assert session.panel(symbol="BTC/USDT") == "panel of test, BTC/USDT"


def test_a_closed_session_has_no_record_and_still_its_figures() -> None:
    session = run_to_end(session_config(walk(50)))
    session.close()
    assert session.snapshot().fill_count == 1
    with pytest.raises(SessionClosedError, match="recorded events are gone"):
        session.parity()


def test_a_session_that_never_ran_has_no_parity() -> None:
    with pytest.raises(SessionError, match="never started"):
        LiveSession(session_config()).parity()


def test_times_of_steps_are_measured() -> None:
    session = run_to_end(session_config(walk(50)))
    step = session.metrics()["step_us"]
    assert step["count"] == 50
    assert 0 < step["p50"] <= step["p99"] <= step["max"]
    assert session.metrics()["counts"]["slow_steps"] == 0


def test_midnight_is_where_the_replay_begins() -> None:
    session = run_to_end(session_config(walk(50)))
    assert session.chart_state().bars[0, 0] == MIDNIGHT / 1_000_000
