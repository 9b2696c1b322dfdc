"""A session on a practice exchange that goes on from what its record holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.practice_session import WAIT_S, Stage
from tests.unit.live.kept_record import KeptRecord
from workbench.live import LiveSession
from workbench.live.host import SessionHost
from workbench.strategy import buy_and_hold

TICKS = [(float(second), 100.0) for second in range(1_200)]


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
