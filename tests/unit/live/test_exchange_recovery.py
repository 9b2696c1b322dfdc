"""A session on a practice exchange that goes on from what its record holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.practice_session import WAIT_S, Stage, staged
from tests.unit.live.kept_record import KeptRecord
from workbench.live import LiveSession
from workbench.live.host import SessionHost
from workbench.strategy import Rules, buy_and_hold, strategy

TICKS = [(float(second), 100.0) for second in range(1_200)]


@strategy
def in_above_out_below(m: Any, high: float = 150.0, low: float = 50.0) -> Rules:
    return Rules(enter_long=m.close > high, exit_long=m.close < low)


def hosted(record: KeptRecord) -> SessionHost:
    return SessionHost(session_id="one", record=record)


@contextmanager
def begun(stage: Stage) -> Iterator[None]:
    """Begin on a stage with a session that ends at once."""
    try:
        stage.begin()
        assert stage.session.wait(WAIT_S)
        yield
    finally:
        stage.stop()


@contextmanager
def gone_on(stage: Stage, record: KeptRecord) -> Iterator[LiveSession]:
    """Take up the session of a stage where its record ends."""
    session = LiveSession(stage.session.config, host=hosted(record)).start()
    try:
        yield session
    finally:
        session.kill()
        session.close()


def test_a_session_that_could_not_pay_is_not_taken_up_as_if_it_had_begun() -> None:
    record = KeptRecord()
    stage = Stage(TICKS, buy_and_hold(), cash=20_000.0, host=hosted(record))
    with begun(stage), gone_on(stage, record.survivor()) as session:
        assert "cash must be at most what the account has free" in stage.session.reason
        assert session.wait(WAIT_S)
        assert session.reason == stage.session.reason


def test_a_session_that_died_before_its_first_price_is_not_stale_since_the_beginning_of_time() -> None:
    record = KeptRecord(crash_at=1, is_after=True)
    stage = Stage(TICKS, buy_and_hold(), warmup_bars=0, host=hosted(record))
    with begun(stage):
        assert len(record.survivor()) == 0
        with gone_on(stage, record.survivor()) as session:
            assert session.wait_for("ACTIVE", timeout_s=WAIT_S), session.reason
            assert not any(event.text.startswith("STALE") for event in session.events())


def test_an_exit_that_could_not_be_recorded_leaves_once_when_it_is_decided_again() -> None:
    ticks = [(float(second), (200.0, 100.0)[second // 60] if second < 120 else 40.0) for second in range(0, 1_200, 2)]
    record = KeptRecord()
    with staged(ticks, in_above_out_below(), host=hosted(record)) as stage:
        stage.play(65, bars=1)
        stage.until(lambda: stage.session.snapshot().fill_count == 1)
        stage.play(115, bars=2)
        # Neither the order's own commit is safe, nor the next ones.
        record.refusals = 4
        stage.play(5, bars=3)

        def is_sold() -> bool:
            stage.exchange.advance(0.5)
            is_safe = stage.told("the journal can be written again")
            return is_safe and len(stage.orders()) > 1 and not stage.session.snapshot().positions

        stage.until_any(is_sold)
        assert [side for side, _ in stage.orders()] == ["buy", "sell"]
        assert stage.told("nothing can be recorded, so nothing is sent: the disk is full")
        stage.check_books()
