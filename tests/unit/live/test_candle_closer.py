from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.live.fake_exchange import candle
from tests.unit.live.markets import MIDNIGHT, MINUTE
from workbench.exchange import Candle
from workbench.live.candle_closer import CandleCloser

SINCE = MIDNIGHT + MINUTE


def closed_by(closer: CandleCloser, *candles: Candle) -> list[tuple[int, float]]:
    """Return (minute, close) of the candles that closed."""
    found = (closer.take(one)[0] for one in candles)
    return [((one.time_ns - MIDNIGHT) // MINUTE, one.close) for one in found if one is not None]


def test_the_exchanges_flag_closes_a_candle_with_its_last_numbers() -> None:
    updates = [candle(1, 99.0, is_closed=False), candle(1, 98.0, is_closed=False), candle(1, 97.0, is_closed=True)]
    assert closed_by(CandleCloser(SINCE), *updates) == [(1, 97.0)]


def test_an_open_candle_never_closes_by_a_later_one_alone() -> None:
    closer = CandleCloser(SINCE)
    assert closed_by(closer, candle(1, is_closed=None), candle(2, is_closed=None)) == []
    assert closer.unconfirmed_ns == MIDNIGHT + MINUTE


def test_a_later_candle_and_the_exchanges_word_close_it_with_the_exchanges_numbers() -> None:
    closer = CandleCloser(SINCE)
    closed_by(closer, candle(1, 50.0, is_closed=None), candle(2, is_closed=None))
    assert closed_by(closer, candle(1, 51.0), candle(2, is_closed=False)) == [(1, 51.0)]
    assert closer.unconfirmed_ns is None


def test_several_doubtful_candles_are_asked_for_from_the_oldest_on() -> None:
    closer = CandleCloser(SINCE)
    closed_by(closer, candle(1, is_closed=None), candle(2, is_closed=None), candle(3, is_closed=None))
    assert closer.unconfirmed_ns == MIDNIGHT + MINUTE
    assert closed_by(closer, candle(1), candle(2), candle(3, is_closed=False)) == [(1, 100.0), (2, 100.0)]


def test_a_candle_that_stays_unconfirmed_is_asked_for_again() -> None:
    closer = CandleCloser(SINCE)
    closed_by(closer, candle(1, is_closed=None), candle(2, is_closed=None))
    assert closed_by(closer, candle(1, is_closed=False)) == []
    assert closer.unconfirmed_ns == MIDNIGHT + MINUTE


def test_a_revision_is_told_and_changes_nothing() -> None:
    closer = CandleCloser(SINCE)
    closed_by(closer, candle(1, 100.0))
    closed, revision = closer.take(replace(candle(1), close=101.0, high=101.0))
    assert closed is None
    assert revision == "the candle of 2025-01-01T00:01Z was revised: high 100 -> 101, close 100 -> 101"
    assert closer.take(candle(1, 100.0)) == (None, None)


def test_an_update_of_a_closed_candle_that_says_it_is_open_is_no_revision() -> None:
    closer = CandleCloser(SINCE)
    closed_by(closer, candle(1, 100.0))
    assert closer.take(candle(1, 99.0, is_closed=False)) == (None, None)


def test_candles_close_in_order_only() -> None:
    closer = CandleCloser(SINCE)
    assert closed_by(closer, candle(2), candle(1), candle(3)) == [(2, 100.0), (3, 100.0)]


def test_candles_from_before_are_not_wanted() -> None:
    assert closed_by(CandleCloser(SINCE), candle(0), candle(1)) == [(1, 100.0)]


def test_memory_of_closed_candles_is_bounded() -> None:
    closer = CandleCloser(SINCE)
    closed_by(closer, *[candle(minute) for minute in range(1, 1_000)])
    assert len(closer._closed) == 100  # noqa: SLF001  its bound
    assert closer.take(candle(1, 50.0)) == (None, None)  # too old to know whether it was revised


seen = st.tuples(st.integers(0, 12), st.sampled_from([True, False, None]), st.sampled_from([90.0, 100.0, 110.0]))


@given(st.lists(seen, max_size=60))
def test_whatever_comes_and_however_often_each_candle_closes_once_and_in_order(
    rows: list[tuple[int, bool, float]],
) -> None:
    closer = CandleCloser(SINCE)
    closed = closed_by(closer, *[candle(minute, close, is_closed=flag) for minute, flag, close in rows])
    minutes = [minute for minute, _ in closed]
    assert minutes == sorted(set(minutes))
    told = {minute: close for minute, flag, close in reversed(rows) if flag is True}
    assert all(minute >= 1 and told[minute] == close for minute, close in closed)  # the first flagged numbers stay


@given(st.integers(1, 12), st.lists(st.integers(0, 40), max_size=40))
def test_any_repetition_of_a_whole_sequence_closes_the_same_candles(count: int, repeats: list[int]) -> None:
    updates = [candle(minute, is_closed=flag) for minute in range(1, count + 1) for flag in (False, True)]
    for at in repeats:
        place = at % len(updates)
        updates.insert(place, updates[place])
    assert closed_by(CandleCloser(SINCE), *updates) == [(minute, 100.0) for minute in range(1, count + 1)]
