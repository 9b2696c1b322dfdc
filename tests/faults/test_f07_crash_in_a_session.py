"""F07: a session's process dies at any point between intent, send, answer, fill and booking.

Guards that an intent is durable before its order leaves, that orders without an end are resolved before anything new is
sent, that "not found" counts only when the request's window has closed, and that a trade is booked once over all lives.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.crashing_sessions import Point, two_ways_world

WHERE = (
    "before commit",
    "after commit",
    "before send",
    "after send",
    "before cancel",
    "after cancel",
    "before question",
)


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> list[Point]:
    with two_ways_world(tmp_path_factory.mktemp("whole")) as whole:
        whole.run()
        whole.check()
        return whole.points


def died(folder: Path, *dies_at: Point, is_late: bool = False) -> tuple[int, set[str]]:
    """Run a session that dies at some points, check what must hold, and return how often it died and what it said."""
    with two_ways_world(folder, *dies_at, is_late=is_late) as one:
        session = one.run()
        one.check()
        return one.lives, {event.text for event in session.events()}


def test_the_run_without_a_crash_has_all_that_a_crash_could_spoil(tmp_path: Path) -> None:
    with two_ways_world(tmp_path) as whole:
        session = whole.run()
        whole.check()
        # Bought at 102 and peaked at 104: the stop is at 104 * 0.97 = 100.88, and the exchange is at 100 by then.
        told = [(fill.side, fill.price, fill.is_maker) for fill in session.fills()[::2]]
        assert told == [("buy", 102.0, False), ("sell", 100.0, False), ("buy", 92.5, True), ("sell", 94.0, False)]
        assert [order.status for order in whole.exchange.orders.values()] == ["filled"] * 4 + ["cancelled"] * 2


@pytest.mark.parametrize("where", WHERE)
def test_a_crash_at_any_point_doubles_and_loses_nothing(tmp_path: Path, points: list[Point], where: str) -> None:
    chosen = [point for point in points if point[0] == where]
    assert chosen
    deaths = [died(tmp_path / str(number), (name, number))[0] for name, number in chosen]
    # How many commits there are depends a little on how soon answers come.
    assert sum(deaths) >= 0.8 * len(chosen)


def test_an_order_that_was_on_its_way_when_its_sender_died_is_found(tmp_path: Path, points: list[Point]) -> None:
    for name, number in points:
        if name == "before send":
            _, texts = died(tmp_path / str(number), (name, number), is_late=True)
            assert not any("never arrived" in text for text in texts), number


def test_an_order_that_never_left_is_told_so(tmp_path: Path) -> None:
    _, texts = died(tmp_path, ("before send", 0))
    assert any("order 0 never arrived" in text for text in texts)


@pytest.mark.parametrize("seed", range(12))
def test_crashes_in_the_recovery_from_a_crash_do_no_harm_either(tmp_path: Path, points: list[Point], seed: int) -> None:
    dice = random.Random(seed)
    later = [("before commit", 9), ("after commit", 10), ("before question", 0), ("before question", 2)]
    chosen = [*dice.sample(points, 2), *dice.sample(later, 2)]
    lives, _ = died(tmp_path, *chosen, is_late=dice.random() < 0.5)
    assert lives >= 2
