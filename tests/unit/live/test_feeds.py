from __future__ import annotations

import numpy as np
import pytest

from tests.unit.live.markets import BTC, ETH, MIDNIGHT, MINUTE, SECOND, bars_of, walk
from workbench.errors import ConfigError, DataError
from workbench.live.aggregator import BarAggregator
from workbench.live.feeds import ScheduledFeed, bar_replay, olhc_tick_replay, practice_feed, tick_replay
from workbench.model import BAR, TICK, Bars
from workbench.model.practice import PRACTICE_LIVE_START, practice_bars, practice_ticks

FOR_EVER = 2**62


def drained(feed: ScheduledFeed) -> np.ndarray:
    batches = []
    while not feed.is_ended:
        batches.append(feed.poll(FOR_EVER))
    return np.concatenate(batches)


def aggregated(events: np.ndarray, symbol: str, timeframe: str) -> list[tuple[float, ...]]:
    """Return the closed bars that ticks make."""
    aggregator = BarAggregator(symbol, timeframe)
    closed = (aggregator.add_price(row["time_ns"], row["a"], row["b"]) for row in events)
    return [(bar.time_ns, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in closed if bar is not None]


def rows_of(bars: Bars) -> list[tuple[float, ...]]:
    return [(int(time_ns), *values) for time_ns, values in zip(bars.time_ns, bars.values[:, 0].T.tolist(), strict=True)]


def test_a_replayed_bar_is_due_when_it_closes() -> None:
    feed = bar_replay(bars_of([100.0, 101.0]))
    assert feed.is_bar_only
    assert feed.start_ns == MIDNIGHT
    assert feed.next_due_ns() == MIDNIGHT + MINUTE
    assert len(feed.poll(MIDNIGHT + MINUTE - 1)) == 0
    (row,) = feed.poll(MIDNIGHT + MINUTE)
    assert (row["kind"], row["time_ns"], row["d"]) == (BAR, MIDNIGHT, 100.0)
    assert feed.next_due_ns() == MIDNIGHT + 2 * MINUTE


def test_a_replay_ends_after_its_last_bar() -> None:
    feed = bar_replay(bars_of([100.0]))
    assert not feed.is_ended
    feed.poll(FOR_EVER)
    assert feed.is_ended
    assert feed.next_due_ns() is None
    assert len(feed.poll(FOR_EVER)) == 0


def test_bars_of_one_time_are_a_group_in_the_order_of_the_symbols() -> None:
    late_start = bars_of([50.0, 51.0], symbol=ETH, start_ns=MIDNIGHT + MINUTE)
    events = drained(bar_replay(Bars.join([bars_of([100.0, 101.0]), late_start])))
    # minute 0: BTC alone; minute 1: BTC and ETH; minute 2: ETH alone
    assert events["symbol"].tolist() == [0, 0, 1, 1]
    assert events["remaining"].tolist() == [0, 1, 0, 0]
    assert ((events["time_ns"] - MIDNIGHT) // MINUTE).tolist() == [0, 1, 1, 2]


def test_batches_are_bounded_and_never_cut_a_group_apart() -> None:
    joint = Bars.join([walk(1_000), walk(1_000, seed=2, symbol=ETH), walk(1_000, seed=3, symbol="SOL/USDT")])
    feed = bar_replay(joint)
    sizes = []
    while not feed.is_ended:
        batch = feed.poll(FOR_EVER)
        assert batch["remaining"][-1] == 0
        sizes.append(len(batch))
    assert max(sizes) <= 512 + 2  # a batch ends with the group that its last row belongs to
    assert sum(sizes) == 3_000


def test_replayed_bars_are_the_bars_byte_for_byte_also_over_many_chunks() -> None:
    bars = walk(10_000)
    events = drained(bar_replay(bars))
    assert events["time_ns"].tobytes() == bars.time_ns.tobytes()
    for name, values in zip("abcde", bars.values[:, 0], strict=True):
        assert np.ascontiguousarray(events[name]).tobytes() == np.ascontiguousarray(values).tobytes()


def test_a_bar_as_ticks_goes_open_low_high_close_within_its_time() -> None:
    bars = Bars.from_arrays(BTC, "1m", [MIDNIGHT], [100.0], [110.0], [95.0], [105.0], [3.0])
    feed = olhc_tick_replay(bars)
    events = drained(feed)
    assert not feed.is_bar_only
    assert events["kind"].tolist() == [TICK] * 4
    assert events["a"].tolist() == [100.0, 95.0, 110.0, 105.0]
    assert (events["time_ns"] - MIDNIGHT).tolist() == [0, 20 * SECOND, 40 * SECOND, MINUTE - 1]
    assert events["b"].tolist() == [1.5, 0.0, 0.0, 1.5]  # 3 / 2


def test_bars_made_of_their_own_ticks_are_the_same_to_the_last_bit() -> None:
    bars = walk(500)
    made = aggregated(drained(olhc_tick_replay(bars)), BTC, "1m")
    assert made == rows_of(bars)[:-1]  # the last bar is never closed by a later tick


def test_ticks_of_several_symbols_come_in_order_of_time_and_leave_missing_bars_out() -> None:
    joint = Bars.join([bars_of([100.0, 101.0]), bars_of([50.0], symbol=ETH, start_ns=MIDNIGHT + MINUTE)])
    events = drained(olhc_tick_replay(joint))
    assert len(events) == 12  # (2 + 1) * 4
    assert np.all(np.diff(events["time_ns"]) >= 0)
    assert events["symbol"].tolist() == [0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1]


def test_recorded_ticks_come_as_they_were_even_out_of_order() -> None:
    feed = tick_replay([MIDNIGHT + 5, MIDNIGHT + 3, MIDNIGHT + 7], [1.0, float("nan"), 2.0], [1.0, 1.0, 1.0])
    assert len(feed.poll(MIDNIGHT + 4)) == 0
    assert feed.poll(MIDNIGHT + 5)["time_ns"].tolist() == [MIDNIGHT + 5, MIDNIGHT + 3]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="one length"):
        tick_replay([MIDNIGHT, MIDNIGHT + 1], [1.0], [1.0, 1.0])


def test_an_empty_replay_is_refused() -> None:
    for make in (bar_replay, olhc_tick_replay):
        with pytest.raises(DataError, match="at least one row"):
            make(walk(1)[:0])
    with pytest.raises(DataError, match="at least one row"):
        tick_replay([], [], [])


def test_practice_ticks_begin_at_the_live_start_and_go_on_over_midnight() -> None:
    feed = practice_feed([BTC])
    assert feed.start_ns == PRACTICE_LIVE_START
    day = practice_ticks(BTC, PRACTICE_LIVE_START // (1440 * MINUTE))
    taken = 0
    while taken <= len(day.time_ns):
        batch = feed.poll(FOR_EVER)
        taken += len(batch)
    assert batch["time_ns"][-1] >= PRACTICE_LIVE_START + 1440 * MINUTE
    assert not feed.is_ended


def test_practice_ticks_can_begin_in_the_middle_of_a_day() -> None:
    start = PRACTICE_LIVE_START + 754 * MINUTE + 17 * SECOND
    first = practice_feed([BTC], start=start).poll(FOR_EVER)["time_ns"][0]
    day = practice_ticks(BTC, PRACTICE_LIVE_START // (1440 * MINUTE)).time_ns
    assert first == day[day >= start][0]


def test_bars_made_of_practice_ticks_are_the_history_to_the_last_bit() -> None:
    events = practice_feed([BTC]).poll(FOR_EVER)
    made = aggregated(events, BTC, "1m")
    history = practice_bars(BTC, "1m", PRACTICE_LIVE_START, PRACTICE_LIVE_START + len(made) * MINUTE)
    assert made[1:] == rows_of(history)[1:]
    assert len(made) > 10


def test_practice_ticks_of_two_symbols_are_merged_in_order_of_time() -> None:
    events = practice_feed([BTC, ETH]).poll(FOR_EVER)
    assert set(events["symbol"].tolist()) == {0, 1}
    assert np.all(np.diff(events["time_ns"]) >= 0)


def test_a_bad_practice_symbol_is_the_callers_error() -> None:
    with pytest.raises(ConfigError):
        practice_feed(["bitcoin"])
