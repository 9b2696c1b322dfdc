"""F36: a strategy takes longer than its bars last: it is told, and nothing is entered on what is over by then.

What comes meanwhile waits at the feed, one row for a price and none for a step; see the bound of what may wait there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.practice_session import SECOND, Stage
from workbench.live import SystemClock
from workbench.strategy import Strategy, enter_long, hold

# What the strategy does on a bar that closes at such a price before it decides.
TAKES: dict[float, Callable[[], None]] = {}


class Slow(Strategy):
    """Buys above 150 when it holds nothing, and takes its time."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:
        TAKES.get(now.close, int)()
        return enter_long() if position.is_flat and now.close > 150.0 else hold()


class MovedClock(SystemClock):
    """The computer's clock, which somebody can move on."""

    moved_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.moved_ns

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.moved_ns


def prices(by_minute: dict[int, float]) -> list[tuple[float, float]]:
    """Return a price each 10 s, 100 where a minute has none of its own."""
    return [(second, by_minute.get(second // 60, 100.0)) for second in range(0, 1_200, 10)]


@pytest.fixture
def slow() -> Iterator[Callable[..., Stage]]:
    """Start a session whose strategy takes some seconds on bars that close at a price."""
    stages: list[Stage] = []

    def start(ticks: list[tuple[float, float]], takes: dict[float, float]) -> Stage:
        clock = MovedClock()
        stage = Stage(ticks, Slow(), clock=clock)
        stages.append(stage)

        def take(seconds: float) -> None:
            clock.moved_ns += round(seconds * SECOND)
            stage.exchange.advance(seconds)

        for close, seconds in takes.items():
            TAKES[close] = lambda seconds=seconds: take(seconds)  # type: ignore[misc]
        stage.start()
        return stage

    yield start
    TAKES.clear()
    for stage in stages:
        stage.stop()


def test_what_came_while_it_thought_is_too_old_to_enter_on_and_the_next_bar_is_not(slow: Any) -> None:
    # It thinks for four minutes at the close of minute 1, from 2:05 to 6:05; minute 2 would have it buy.
    stage = slow(prices({1: 101.0, 2: 200.0, 6: 200.0}), {101.0: 240.0})
    stage.play(65, bars=1)
    stage.play(60, bars=6)
    assert stage.closes()[:6] == [(0, 100.0, False), (1, 101.0, False), (2, 200.0, False)] + [
        (minute, 100.0, False) for minute in (3, 4, 5)
    ]
    assert stage.told("nothing enters on it")
    assert stage.orders() == []
    assert stage.counts["slow_steps"] == 1
    assert stage.told("a step took 240 s of the 60 s that a bar lasts at speed 1")
    # 6:05 to 7:05: minute 6 closes at 200.
    stage.play(60, bars=7)
    stage.until(lambda: stage.session.snapshot().fill_count == 1)
    assert [side for side, _ in stage.orders()] == ["buy"]
    stage.check_books()


@pytest.mark.parametrize(("seconds", "told"), [(14.0, False), (20.0, True)])
def test_a_quarter_of_a_bar_is_too_long(slow: Any, seconds: float, *, told: bool) -> None:
    # Of 60 s that a bar lasts, 15 s are a quarter.
    stage = slow(prices({1: 101.0, 2: 101.0}), {101.0: seconds})
    stage.play(65, bars=1)
    stage.play(60, bars=2)
    stage.play(60, bars=3)
    stage.until(lambda: stage.counts["slow_steps"] == (2 if told else 0))
    texts = [text for text in stage.texts() if text.startswith("a step took ")]
    assert len(texts) == told  # once, not on each bar


def test_a_session_that_is_too_far_behind_ends_and_does_not_grow(slow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.live.exchange_feed._MOST_WAITING", 20)
    # 24 prices of four minutes wait when it has thought.
    stage = slow(prices({1: 101.0}), {101.0: 240.0})
    stage.play(65, bars=1)
    stage.exchange.advance(60)
    stage.until_any(lambda: stage.session.is_finished)
    assert "the session is more than 20 prices behind" in stage.session.reason
    assert stage.orders() == []
