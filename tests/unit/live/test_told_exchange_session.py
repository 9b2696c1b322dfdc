"""A session that traded at a practice exchange is told and played again when exchange and session are long gone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.practice_session import BTC, MIDNIGHT, MINUTE, staged
from tests.unit.live.markets import JOIN_S
from workbench.live import LiveSession, LiveSessionConfig
from workbench.live.host import SessionHost
from workbench.live.journal import Journal, JournalReader
from workbench.live.recorded_session import RecordedSession
from workbench.live.why import explain_order
from workbench.strategy import Rules, strategy


@strategy
def in_above_out_below(m: Any, high: float = 150.0, low: float = 50.0) -> Rules:
    """Is in between a close above one level and a close below another."""
    return Rules(enter_long=m.close > high, exit_long=m.close < low)


class Told:
    """What is left of the session: its configuration, its journal, and what it said itself."""

    def __init__(self, session: LiveSession, path: Path) -> None:
        self.config: LiveSessionConfig = session.config
        self.fills = session.fills()
        self.stories = [session.why(fill) for fill in self.fills]
        self.hash = session.parity().live_hash
        self.path = path


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Return what is left of a session that bought after bar 0 and sold after bar 2."""
    path = tmp_path_factory.mktemp("told") / "journal.db"
    journal = Journal.create(path, session_id="told", header={})
    prices = {0: 200.0, 2: 40.0}
    ticks = [(second, prices.get(second // 60, 100.0)) for second in range(0, 600, 10)]
    host = SessionHost(session_id="told", record=journal)
    with staged(ticks, in_above_out_below(), host=host, cash=9_000.0) as stage:
        for minute in range(4):
            stage.play(65 if minute == 0 else 60, bars=minute + 1)
            fills = (minute + 2) // 2 if minute < 3 else 2
            stage.until(lambda fills=fills: stage.session.snapshot().fill_count == fills)
        # The answers may come after the trades.
        stage.until_any(lambda: all(told_in_full(stage.session, number) for number in (0, 1)))
        stage.session.stop()
        return Told(stage.session, path)


def told_in_full(session: LiveSession, number: int) -> bool:
    return {"sent", "answer", "trade"} <= {moment.what for moment in session.why(number).moments}


def test_the_course_of_an_order_is_whole_and_in_its_order(told: Told) -> None:
    story = explain_order(told.config, JournalReader(told.path), 0)
    assert story == told.stories[0]
    assert story.decision is not None
    assert (story.decision.bar.time_ns, story.decision.bar.close) == (MIDNIGHT, 200.0)
    assert [rule.name for rule in story.decision.rules if rule.is_met] == ["enter_long"]
    assert (story.symbol, story.side, story.order_type) == (BTC, "buy", "market")
    assert story.client_order_id is not None
    assert story.quantity == told.fills[0].quantity
    what = [moment.what for moment in story.moments]
    assert what[:3] == ["bar closed", "ordered", "intent"]
    assert set(what[3:]) == {"sent", "answer", "trade"}
    # The bar of midnight closed a minute later; the price that came then made the order.
    assert story.moments[0].time_ns == MIDNIGHT + MINUTE
    assert all(moment.time_ns >= MIDNIGHT + MINUTE for moment in story.moments)


def test_name_number_and_fill_lead_to_the_same_story(told: Told) -> None:
    reader = JournalReader(told.path)
    for number, fill in enumerate(told.fills):
        story = explain_order(told.config, reader, number)
        assert story.client_order_id is not None
        assert explain_order(told.config, reader, fill) == story
        assert explain_order(told.config, reader, story.client_order_id) == story
    assert [story.is_exit for story in told.stories] == [False, True]


def test_it_is_played_again_without_the_exchange(told: Told) -> None:
    again = RecordedSession(told.config, JournalReader(told.path), speed=math.inf)
    again.start()
    assert again.wait(JOIN_S)
    assert again.fills() == told.fills
    assert again.parity().live_hash == told.hash
