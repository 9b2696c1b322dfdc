"""What a session that goes on is fed: nothing twice, nothing left out, whole groups of bars."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.live.resumed_feed import ResumedFeed, last_seen_ns
from workbench.model import BAR, EVENT, TICK

BEGUN_NS = 5


class Batches:
    """A feed of given batches."""

    def __init__(self, *batches: NDArray[np.void]) -> None:
        self.is_bar_only = bool(batches and batches[0]["kind"][0] == BAR)
        self._batches = deque(batches)

    def poll(self, _now_ns: int) -> NDArray[np.void]:
        return self._batches.popleft() if self._batches else np.zeros(0, EVENT)


def rows(kind: int, *of: Sequence[float]) -> NDArray[np.void]:
    """Return rows of (symbol, time, price or close), and for whole bars how many of their group come after."""
    return np.array([(kind, s, time, a, 1.0, 1.0, 1.0, 1.0, *(left or [0])) for s, time, a, *left in of], dtype=EVENT)


def fed(recorded: NDArray[np.void], *batches: NDArray[np.void]) -> list[tuple[Any, ...]]:
    """Return (symbol, time, price, remaining) of what comes behind the recorded rows."""
    feed: Any = Batches(*batches)
    resumed = ResumedFeed(feed, recorded)
    found = []
    while len(batch := resumed.poll(0)):
        found += [(row["symbol"], row["time_ns"], row["a"], row["remaining"]) for row in batch]
    return found


def test_of_equal_times_as_many_are_left_out_as_were_recorded_of_each_symbol() -> None:
    recorded = rows(TICK, (0, 10, 1.0), (1, 20, 5.0), (0, 20, 2.0), (0, 20, 3.0))
    again = rows(TICK, (0, 20, 2.0), (1, 20, 5.0), (0, 20, 3.0)), rows(TICK, (0, 20, 4.0), (1, 20, 6.0), (0, 21, 1.0))
    assert fed(recorded, *again) == [(0, 20, 4.0, 0), (1, 20, 6.0, 0), (0, 21, 1.0, 0)]


def test_candles_of_one_symbol_after_those_of_another_are_each_decided_on() -> None:
    # An exchange's candles come symbol by symbol, each alone: the second symbol begins before the first one ended.
    recorded = rows(BAR, (0, 60, 1.0), (1, 60, 1.0))
    again = rows(BAR, *[(symbol, minute * 60, minute) for symbol in (0, 1) for minute in (1, 2, 3)])
    assert fed(recorded, again) == [(0, 120, 2.0, 0), (0, 180, 3.0, 0), (1, 120, 2.0, 0), (1, 180, 3.0, 0)]


def test_what_is_left_of_a_group_of_bars_counts_down_to_its_end() -> None:
    recorded = rows(BAR, (0, 60, 1.0))
    group = rows(BAR, (0, 60, 1.0, 2), (1, 60, 1.0, 1), (2, 60, 1.0, 0), (0, 120, 2.0, 1), (2, 120, 2.0, 0))
    assert fed(recorded, group) == [(1, 60, 1.0, 1), (2, 60, 1.0, 0), (0, 120, 2.0, 1), (2, 120, 2.0, 0)]


@pytest.mark.parametrize(
    ("recorded", "since_ns"),
    [
        (rows(TICK, (0, 10, 1.0), (1, 30, 1.0), (0, 20, 1.0)), 20),
        # Of the second symbol nothing was recorded yet, although it may have had prices since the feed began.
        (rows(TICK, (0, 10, 1.0)), BEGUN_NS),
        (np.zeros(0, EVENT), BEGUN_NS),
    ],
)
def test_a_feed_begins_where_the_symbol_ends_that_ends_first(recorded: NDArray[np.void], since_ns: int) -> None:
    assert last_seen_ns(recorded, 2, BEGUN_NS) == since_ns
