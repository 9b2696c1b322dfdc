import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.charts.decimation import envelope_rows, join_candles
from workbench.model import Timeframe

MINUTE = Timeframe("1m")


def prices(rows, seed=0):
    random = np.random.default_rng(seed)
    close = 100.0 + np.cumsum(random.normal(size=rows))
    open_ = np.concatenate((close[:1], close[:-1]))
    spread = random.uniform(0.0, 1.0, rows)
    return np.stack([open_, np.maximum(open_, close) + spread, np.minimum(open_, close) - spread, close])


def test_few_bars_stay_as_they_are():
    times, ohlc = np.arange(10) * MINUTE.ns, prices(10)
    candles = join_candles(times, ohlc, timeframe=MINUTE, max_candles=10)
    assert not candles.is_joined
    assert candles.period == MINUTE
    np.testing.assert_array_equal(candles.time_ns, times)


def test_a_joined_candle_has_first_open_extremes_and_last_close():
    times, ohlc = np.arange(10) * MINUTE.ns, prices(10)
    candles = join_candles(times, ohlc, timeframe=MINUTE, max_candles=5)
    assert str(candles.period) == "2m"
    assert candles.open.tolist() == ohlc[0, ::2].tolist()
    assert candles.high.tolist() == np.maximum(ohlc[1, ::2], ohlc[1, 1::2]).tolist()
    assert candles.low.tolist() == np.minimum(ohlc[2, ::2], ohlc[2, 1::2]).tolist()
    assert candles.close.tolist() == ohlc[3, 1::2].tolist()


def test_candles_are_aligned_to_utc_and_gaps_stay_gaps():
    # minutes 3, 4, 5 and, after a gap, 60, 61
    times = np.array([3, 4, 5, 60, 61]) * MINUTE.ns
    candles = join_candles(times, prices(5), timeframe=MINUTE, max_candles=3)
    assert str(candles.period) == "2m"
    assert (candles.time_ns // MINUTE.ns).tolist() == [2, 4, 60]


def test_a_candle_is_a_whole_number_of_bars():
    # 300 minutes in 35 candles: 10 minutes would do, but cut bars of 3 minutes in two; 15 do not
    three = Timeframe("3m")
    candles = join_candles(np.arange(100) * three.ns, prices(100), timeframe=three, max_candles=35)
    assert str(candles.period) == "15m"


def test_weeks_start_on_monday():
    day = Timeframe("1d")
    # 2025-01-01 was a Wednesday; its week began on 2024-12-30
    times = 1_735_689_600_000_000_000 + np.arange(60) * day.ns
    candles = join_candles(times, prices(60), timeframe=day, max_candles=10)
    assert str(candles.period) == "1w"
    assert str(candles.time_ns[:1].astype("datetime64[ns]")[0])[:10] == "2024-12-30"


def test_bars_that_fit_no_round_length_are_joined_all_the_same():
    odd = Timeframe("11m")
    candles = join_candles(np.arange(5_000) * odd.ns, prices(5_000), timeframe=odd)
    assert candles.time_ns.size <= 1_500


@given(st.integers(1, 3_000), st.integers(2, 200), st.integers(0, 2**32 - 1))
def test_joined_candles_keep_the_whole_range_within_the_limit(rows, limit, seed):
    ohlc = prices(rows, seed)
    minutes = np.cumsum(np.random.default_rng(seed).integers(1, 4, rows))
    candles = join_candles(minutes * MINUTE.ns, ohlc, timeframe=MINUTE, max_candles=limit)
    assert candles.time_ns.size <= limit
    assert candles.high.max() == ohlc[1].max()
    assert candles.low.min() == ohlc[2].min()
    assert (candles.open[0], candles.close[-1]) == (ohlc[0, 0], ohlc[3, -1])
    assert (np.diff(candles.time_ns) > 0).all()


@given(st.integers(0, 3_000), st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_an_envelope_keeps_ends_and_extremes_within_the_limit(rows, quarters, seed):
    values = np.random.default_rng(seed).normal(size=rows)
    kept = envelope_rows(values, max_points=4 * quarters)
    assert kept.size <= max(4 * quarters, 0)
    assert (np.diff(kept) > 0).all()
    if rows:
        assert (kept[0], kept[-1]) == (0, rows - 1)
        assert values[kept].max() == values.max()
        assert values[kept].min() == values.min()


@pytest.mark.parametrize("rows", [0, 1, 4])
def test_a_short_line_is_kept_whole(rows):
    assert envelope_rows(np.zeros(rows), max_points=4).tolist() == list(range(rows))
