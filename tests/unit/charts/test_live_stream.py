import gzip
import math
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.unit.live.markets import session_config, walk
from tests.unit.panels.fake_session import FakeSession
from workbench.charts.live_source import equity_until_now
from workbench.charts.live_stream import ChartStream, Message, StreamLimits
from workbench.charts.live_study import LiveStudy
from workbench.strategy import sma_cross

BEAT = {"kind": "beat"}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def session() -> FakeSession:
    return FakeSession(bars=30)


@pytest.fixture
def stream(session: FakeSession, clock: Clock) -> ChartStream:
    stream = ChartStream(session, clock=clock)
    session.subscribe(stream.receive)
    return stream


def rows(message: Message, buffer: int, width: int) -> np.ndarray:
    return np.frombuffer(message.buffers[buffer], dtype="<f8").reshape(-1, width)


def kinds(messages: tuple[Message, ...]) -> list[Any]:
    return [message.content["kind"] for message in messages]


def only(messages: tuple[Message, ...]) -> Message:
    assert len(messages) == 1
    return messages[0]


def watched(stream: ChartStream, clock: Clock) -> ChartStream:
    """Bring a stream to where a page has its snapshot."""
    stream.hear(BEAT)
    assert kinds(stream.pump()) == ["snapshot"]
    clock.now += 1
    return stream


def test_nothing_is_sent_without_a_heartbeat(stream: ChartStream, session: FakeSession) -> None:
    session.tick()
    assert stream.pump() == ()


def test_first_heartbeat_is_answered_by_a_snapshot_of_everything(stream: ChartStream, session: FakeSession) -> None:
    stream.hear(BEAT)
    message = only(stream.pump())
    state = session.chart_state()
    assert message.content["kind"] == "snapshot"
    assert message.content["final"] is False
    assert message.content["lines"] == state.lines
    np.testing.assert_array_equal(rows(message, 0, 6), state.bars)
    # A point for the bar that forms comes after those of the closed ones.
    np.testing.assert_array_equal(rows(message, 1, 3)[:-1], state.equity)
    account = session.snapshot()
    assert rows(message, 1, 3)[-1].tolist() == [state.bars[-1, 0], account.equity, -account.drawdown]


def test_bar_that_has_its_point_gets_no_second_one() -> None:
    bars, equity = np.array([[60.0, *[1.0] * 5], [120.0, *[1.0] * 5]]), np.array([[60.0, 9.0, 0.0], [120.0, 8.0, -0.1]])
    state: Any = SimpleNamespace(bars=bars, equity=equity, now=(7.0, -0.2))
    assert equity_until_now(state).tolist() == equity.tolist()
    state.equity = equity[:1]
    assert equity_until_now(state).tolist() == [[60.0, 9.0, 0.0], [120.0, 7.0, -0.2]]
    state.now = None
    assert equity_until_now(state).tolist() == [[60.0, 9.0, 0.0]]


def test_marks_travel_with_times_in_milliseconds(stream: ChartStream, session: FakeSession) -> None:
    session.enter()
    time_ns, price, side, text, held = session.chart_state().marks[-1]
    stream.hear(BEAT)
    assert only(stream.pump()).content["marks"][-1] == [time_ns / 1e6, price, side, text, held]  # type: ignore[index]


def test_deltas_are_numbered_without_a_gap(stream: ChartStream, session: FakeSession, clock: Clock) -> None:
    watched(stream, clock)
    numbers = []
    for _ in range(5):
        session.tick()
        numbers.append(only(stream.pump()).content["sequence"])
        clock.now += 0.1
    assert numbers == [2, 3, 4, 5, 6]  # the snapshot was 1


def test_ticks_between_two_messages_are_merged_and_the_latest_wins(
    stream: ChartStream, session: FakeSession, clock: Clock
) -> None:
    watched(stream, clock)
    before = len(session.chart_state().bars)
    for _ in range(12 + 6):  # 12 ticks are a bar
        session.tick()
    message = only(stream.pump())
    expected = session.chart_state().bars[before - 1 :]
    np.testing.assert_array_equal(rows(message, 0, 6), expected)
    np.testing.assert_array_equal(rows(message, 1, 3)[:, 0], expected[:, 0])  # a point a bar, and one for now
    assert rows(message, 1, 3)[-1, 1] == session.snapshot().equity


def test_nothing_is_sent_within_the_message_interval(stream: ChartStream, session: FakeSession, clock: Clock) -> None:
    watched(stream, clock)
    session.tick()
    assert kinds(stream.pump()) == ["delta"]
    session.tick()
    clock.now += 0.04
    assert stream.pump() == ()
    clock.now += 0.02
    assert kinds(stream.pump()) == ["delta"]


def test_a_thousand_updates_a_second_become_at_most_twenty_messages(
    stream: ChartStream, session: FakeSession, clock: Clock
) -> None:
    watched(stream, clock)
    start, sent = clock.now, 0
    for step in range(3000):
        clock.now = start + step / 1000
        stream.hear(BEAT)
        session.tick()
        sent += len(stream.pump())
    assert 55 <= sent <= 60  # 3 s of 20 a second


def test_page_that_confirms_nothing_gets_no_more_than_two_heartbeats_of_messages(
    session: FakeSession, clock: Clock
) -> None:
    stream = ChartStream(session, clock=clock, limits=StreamLimits(interval_s=1.0))
    session.subscribe(stream.receive)
    watched(stream, clock)  # message 1, confirmed by the heartbeat's word
    sent = 0
    for _ in range(30):
        stream.hear({"kind": "beat", "sequence": 1})
        session.tick()
        sent += kinds(stream.pump()).count("delta")
        clock.now += 1
    assert sent == 6  # of one a second in 6 s
    stream.hear({"kind": "beat", "sequence": 7})
    message = only(stream.pump())  # all that waited, merged
    assert message.content["kind"] == "delta"
    np.testing.assert_array_equal(rows(message, 0, 6)[-1], session.chart_state().bars[-1])


def test_page_that_is_behind_still_gets_the_snapshot_it_asks_for(session: FakeSession, clock: Clock) -> None:
    stream = ChartStream(session, clock=clock, limits=StreamLimits(interval_s=1.0))
    session.subscribe(stream.receive)
    watched(stream, clock)
    for _ in range(10):
        stream.hear({"kind": "beat", "sequence": 1})
        session.tick()
        stream.pump()
        clock.now += 1
    stream.hear({"kind": "snapshot"})
    assert kinds(stream.pump()) == ["snapshot"]


def test_study_comes_with_the_messages_and_costs_a_tick_nothing(clock: Clock) -> None:
    session = FakeSession(bars=60)
    session.config = session_config(walk(10), strategy=sma_cross(fast=3, slow=8))  # type: ignore[assignment]  # a real one
    news = threading.Semaphore(0)
    stream = ChartStream(session, clock=clock, on_work=news.release)
    stream.hear(BEAT)
    first = only(stream.pump())
    assert first.content["study"]["whole"] is True  # type: ignore[index]
    while not (study := stream._study.whole()).levels:  # noqa: SLF001  what its thread makes is waited for
        assert news.acquire(timeout=90)
    session.subscribe(stream.receive)
    clock.now += 1
    stream.hear({"kind": "snapshot"})
    message = only(stream.pump())
    assert message.content["study"]["names"] == ("sma(close, 3)", "sma(close, 8)")  # type: ignore[index]
    np.testing.assert_array_equal(rows(message, 2, 3), np.concatenate(study.levels))
    np.testing.assert_array_equal(rows(message, 3, 2), np.concatenate(study.equity))
    clock.now += 1
    session.tick()
    tick = only(stream.pump())
    assert "study" not in tick.content
    assert len(tick.buffers) == 2


def test_new_marks_are_sent_once(stream: ChartStream, session: FakeSession, clock: Clock) -> None:
    watched(stream, clock)
    update = SimpleNamespace(
        sequence=session.sequence + 1,
        bar_rows=np.empty((0, 6)),
        equity_rows=np.empty((0, 3)),
        marks=((2_000_000_000, 5.0, -1, "SELL", 0),),
        lines={"entry": 1.0, "stop": math.nan},
        snapshot=session.snapshot(),
    )
    stream.receive(update)
    message = only(stream.pump())
    assert message.content["marks"] == [[2000.0, 5.0, -1, "SELL", 0]]
    assert message.content["lines"] == {"entry": 1.0}  # JSON has no nan
    assert message.buffers == (b"", b"")
    clock.now += 1
    assert stream.pump() == ()


def test_gap_in_the_sessions_numbers_is_mended_by_a_snapshot(
    stream: ChartStream, session: FakeSession, clock: Clock
) -> None:
    watched(stream, clock)
    lost, session.subscribers[:] = list(session.subscribers), []
    session.tick()
    session.subscribers[:] = lost
    session.tick()
    message = only(stream.pump())
    assert message.content["kind"] == "snapshot"
    np.testing.assert_array_equal(rows(message, 0, 6), session.chart_state().bars)


def test_start_of_a_session_brings_its_history(stream: ChartStream, session: FakeSession, clock: Clock) -> None:
    watched(stream, clock)
    session.start()
    assert kinds(stream.pump()) == ["snapshot"]


def test_page_that_asks_gets_a_snapshot(stream: ChartStream, clock: Clock) -> None:
    watched(stream, clock)
    stream.hear({"kind": "snapshot"})
    message = only(stream.pump())
    assert (message.content["kind"], message.content["sequence"]) == ("snapshot", 2)


def test_snapshots_keep_a_distance_in_time(stream: ChartStream, clock: Clock) -> None:
    watched(stream, clock)
    sent = 0
    for _ in range(24):  # 3 s of a page that asks eight times a second
        stream.hear({"kind": "snapshot"})
        sent += kinds(stream.pump()).count("snapshot")
        clock.now += 0.125
    assert sent == 6


def test_updates_that_the_snapshot_holds_are_not_sent_again(
    stream: ChartStream, session: FakeSession, clock: Clock
) -> None:
    stream.hear(BEAT)
    session.tick()
    assert kinds(stream.pump()) == ["snapshot"]
    clock.now += 1
    assert stream.pump() == ()


def test_update_that_comes_while_the_snapshot_is_taken_is_sent_after_it(session: FakeSession, clock: Clock) -> None:
    take = session.chart_state

    def take_and_tick() -> Any:
        state = take()
        session.tick()
        return state

    session.chart_state = take_and_tick  # type: ignore[method-assign]  # a session that moves at the worst moment
    stream = ChartStream(session, clock=clock)
    session.subscribe(stream.receive)
    stream.hear(BEAT)
    assert kinds(stream.pump()) == ["snapshot"]
    clock.now += 1
    message = only(stream.pump())
    assert message.content["kind"] == "delta"
    np.testing.assert_array_equal(rows(message, 0, 6)[-1], take().bars[-1])


def test_page_without_heartbeat_for_ten_seconds_gets_nothing_and_then_a_snapshot(
    stream: ChartStream, session: FakeSession, clock: Clock
) -> None:
    watched(stream, clock)
    clock.now += 9.5  # 10.5 s after the heartbeat
    for _ in range(100):
        session.tick()
        assert stream.pump() == ()
    assert not stream.is_watched
    stream.hear(BEAT)
    assert kinds(stream.pump()) == ["snapshot"]


def test_updates_without_a_page_are_not_kept(stream: ChartStream, session: FakeSession, clock: Clock) -> None:
    stream.hear(BEAT)
    session.tick()
    clock.now += 11
    for _ in range(100):
        session.tick()
    assert stream._updates == []  # noqa: SLF001  what grows must be looked at where it grows


def test_more_waiting_updates_than_a_snapshot_has_rows_become_a_snapshot(clock: Clock) -> None:
    session = FakeSession(bars=70)
    stream = ChartStream(session, clock=clock, limits=StreamLimits(max_rows=50))
    session.subscribe(stream.receive)
    watched(stream, clock)
    for _ in range(60):
        session.tick()
    message = only(stream.pump())
    assert message.content["kind"] == "snapshot"
    np.testing.assert_array_equal(rows(message, 0, 6), session.chart_state().bars[-50:])


def test_calm_session_is_told_from_silence_by_a_pulse_with_the_last_number(stream: ChartStream, clock: Clock) -> None:
    watched(stream, clock)
    clock.now += 0.9
    assert stream.pump() == ()
    clock.now += 0.2
    assert only(stream.pump()).content == {"kind": "pulse", "sequence": 1}
    assert stream.pump() == ()


def test_finished_session_is_sent_whole_once_and_marked_as_final(
    stream: ChartStream, session: FakeSession, clock: Clock
) -> None:
    watched(stream, clock)
    session.tick()
    session.stop()
    message = only(stream.pump())
    assert (message.content["kind"], message.content["final"]) == ("snapshot", True)
    assert stream.is_done
    clock.now += 1
    stream.hear(BEAT)
    assert stream.is_done


def test_lines_that_are_computed_after_the_end_are_sent_too(
    stream: ChartStream, session: FakeSession, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveStudy, "is_settled", False)
    watched(stream, clock)
    session.stop()
    assert only(stream.pump()).content["final"] is True
    assert not stream.is_done
    monkeypatch.setattr(LiveStudy, "is_settled", True)
    assert stream.is_done


def test_page_that_opens_after_the_end_still_gets_its_snapshot(
    stream: ChartStream, session: FakeSession, clock: Clock
) -> None:
    session.stop()
    watched(stream, clock)
    clock.now += 60
    stream.hear({"kind": "snapshot"})
    assert not stream.is_done
    assert only(stream.pump()).content["final"] is True
    assert stream.is_done


def test_chart_script_is_sent_when_asked_for_and_only_then(stream: ChartStream, clock: Clock) -> None:
    watched(stream, clock)
    stream.hear({"kind": "script"})
    message = only(stream.pump())
    assert message.content == {"kind": "script"}
    assert b"plotly.js v" in gzip.decompress(message.buffers[0])[:200]
    clock.now += 1
    assert "script" not in kinds(stream.pump())


def test_last_price_is_that_of_the_newest_bar_sent(stream: ChartStream, session: FakeSession, clock: Clock) -> None:
    assert math.isnan(stream.last_price)
    watched(stream, clock)
    session.tick()
    stream.pump()
    assert stream.last_price == session.chart_state().bars[-1, 4]


def test_work_is_announced(session: FakeSession, clock: Clock) -> None:
    calls: list[str] = []
    stream = ChartStream(session, clock=clock, on_work=lambda: calls.append("work"))
    session.subscribe(stream.receive)
    stream.hear(BEAT)
    session.tick()
    assert calls == ["work", "work"]
