"""Runs that keep only their newest rows leave the hash, the counts and the tail of the whole run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.unit.live.markets import walk
from workbench.core import MARK_ROWS, Engine, EngineConfig, Ledger, marks_of, run_events
from workbench.errors import ConfigError
from workbench.model import BAR, EVENT, Instrument, Timeframe
from workbench.strategy import plan_of, sma_cross

KEPT = 64
BARS = 1_000
CONFIG = EngineConfig(instruments=(Instrument("BTC/USDT"),), timeframe=Timeframe("1m"), cash=10_000.0)


def events() -> np.ndarray:
    bars = walk(BARS)
    rows = [(BAR, 0, int(time_ns), *bars.values[:, 0, at].tolist(), 0) for at, time_ns in enumerate(bars.time_ns)]
    return np.array(rows, dtype=EVENT)


def strategy() -> Any:
    return plan_of(sma_cross(fast=3, slow=10))


@pytest.fixture(scope="module")
def whole() -> Ledger:
    return run_events(strategy(), events(), CONFIG)


@pytest.mark.parametrize("piece", [1, 7, 333, BARS])
def test_the_newest_rows_and_the_hash_of_all_are_those_of_the_whole_run(whole: Ledger, piece: int) -> None:
    engine = Engine(strategy(), CONFIG, kept_rows=KEPT)
    rows = events()
    for begin in range(0, BARS, piece):
        engine.process(rows[begin : begin + piece])
    tail = engine.tail
    assert (tail.hash, engine.hash) == (whole.hash, whole.hash)
    assert (tail.rows, tail.fills) == (BARS, len(whole.fills))
    # At least what was asked for and at most twice as much: the buffer holds 2 x 64 rows and 64 stay when it is full.
    assert KEPT <= len(tail.newest.trace) <= 2 * KEPT
    assert tail.newest.trace.tobytes() == whole.trace[tail.dropped :].tobytes()
    assert tail.newest.log.tobytes() == whole.log[-len(tail.newest.log) :].tobytes()
    assert len(whole.log) == 177 > 2 * KEPT >= len(tail.newest.log)


def test_marks_stand_at_whole_multiples_of_the_rows_that_are_gone(whole: Ledger) -> None:
    engine = Engine(strategy(), CONFIG, kept_rows=KEPT)
    engine.process(events())
    marks = engine.tail.marks
    assert len(marks) == engine.tail.dropped // MARK_ROWS == 3  # 872 or more of 1,000 rows are gone, 3 x 256 = 768
    assert marks == marks_of(whole.trace)[:3]


def test_a_changed_row_changes_its_mark_and_all_after_it(whole: Ledger) -> None:
    trace = whole.trace.copy()
    trace["equity"][300] = math.nextafter(trace["equity"][300], 0.0)
    differ = [one != other for one, other in zip(marks_of(whole.trace), marks_of(trace), strict=True)]
    assert differ == [False, True, True]  # row 300 lies in the second 256 rows


def test_the_peak_of_the_rows_that_are_gone_is_kept(whole: Ledger) -> None:
    engine = Engine(strategy(), CONFIG, kept_rows=KEPT)
    engine.process(events())
    assert engine.tail.peak == whole.equity[: engine.tail.dropped].max()


def test_an_engine_that_keeps_all_has_both(whole: Ledger) -> None:
    engine = Engine(strategy(), CONFIG)
    engine.process(events())
    assert engine.ledger.hash == engine.tail.hash == whole.hash
    assert (engine.tail.dropped, engine.tail.marks, engine.tail.peak) == (0, (), -math.inf)


def test_a_whole_ledger_is_not_made_of_a_part() -> None:
    engine = Engine(strategy(), CONFIG, kept_rows=KEPT)
    with pytest.raises(ConfigError, match="kept_rows"):
        _ = engine.ledger


def test_a_run_without_an_event_has_a_hash() -> None:
    assert Engine(strategy(), CONFIG, kept_rows=KEPT).hash == run_events(strategy(), events()[:0], CONFIG).hash
