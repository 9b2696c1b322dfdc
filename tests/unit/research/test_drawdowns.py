import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.curve import worst_fall
from workbench.errors import DataError
from workbench.research.drawdowns import calmar_ratio, drawdown_series, longest_drawdown_s, worst_drawdown

SECOND_NS = 1_000_000_000


def longest(equity, *, start=100.0, every_s=10):
    closes = np.arange(1, len(equity) + 1, dtype=np.int64) * every_s * SECOND_NS
    return longest_drawdown_s(np.array(equity, dtype=np.float64), closes, start=start, start_time_ns=0)


def test_drawdown_is_the_fall_below_the_highest_equity_so_far():
    # peaks 100, 120, 120: (100-90)/100, 0, (120-60)/120
    assert drawdown_series(np.array([90.0, 120.0, 60.0]), start=100.0).tolist() == [0.1, 0.0, 0.5]


def test_worst_drawdown_is_the_largest_fall():
    # falls 10 %, 0, 50 %
    assert worst_drawdown(np.array([90.0, 120.0, 60.0]), start=100.0) == 0.5


@pytest.mark.parametrize("start", [50.0, 100.0, 150.0])
@pytest.mark.parametrize("size", [1, 2, 999, 1_000, 1_001, 12_007])
@pytest.mark.parametrize("drift", [-0.001, 0.0, 0.001, 0.1])
@pytest.mark.parametrize("seed", range(2))
def test_worst_drawdown_equals_the_series_to_the_bit(size, start, drift, seed):
    steps = np.random.default_rng(seed).normal(drift, 0.01, size)
    equity = 100.0 * np.exp(np.minimum(np.cumsum(steps), 300.0))
    assert worst_drawdown(equity, start=start) == drawdown_series(equity, start=start).max()


LEVELS = st.sampled_from([-30.0, 0.0, 1e-8, 0.1, 90.0, 100.0, float(np.nextafter(100.0, 0.0)), 110.0, 120.0, 1e9])


@given(st.lists(LEVELS, min_size=1, max_size=23), st.sampled_from([1e-9, 100.0, 1e12]), st.integers(0, 280))
def test_worst_drawdown_equals_the_series_on_any_curve(levels, start, before):
    # As long as that it has whole blocks of 128 rows, with the levels in one, over its end, or after the last.
    for equity in (np.array(levels), np.concatenate((np.full(before, levels[0]), levels))):
        assert worst_drawdown(equity, start=start) == drawdown_series(equity, start=start).max()


@pytest.mark.parametrize("size", [1, 2, 3, 127, 128, 129, 260])
def test_worst_drawdown_ends_in_whichever_row(size):
    for bottom in range(size):
        equity = np.full(size, 100.0)
        equity[bottom] = 75.0
        assert worst_drawdown(equity, start=100.0) == 0.25
        # A later peak does not hide it: 120 -> 100 is a sixth.
        equity[bottom + 1 : bottom + 2] = 120.0
        assert worst_drawdown(equity, start=100.0) == 0.25
        # Nor does a peak just before it: 150 -> 75 is half.
        if bottom:
            equity[bottom - 1] = 150.0
            assert worst_drawdown(equity, start=100.0) == 0.5


@given(st.lists(st.one_of(st.just(math.nan), LEVELS), max_size=23), st.integers(0, 280))
def test_worst_fall_passes_over_nan(levels, before):
    for padding in (100.0, math.nan):
        equity = np.concatenate((np.full(before, padding), levels))
        assert worst_fall(equity, 100.0) == worst_fall(equity[~np.isnan(equity)], 100.0)


def test_worst_fall_is_the_largest_from_any_peak_to_any_later_bottom():
    equity = np.full(10_000, 100.0)
    equity[5_010] = 200.0
    equity[5_020] = 150.0
    equity[8_000] = 140.0
    # 200 -> 100 right after the bottom of 150: half
    assert worst_drawdown(equity, start=100.0) == 0.5
    equity[5_011:] = 190.0
    equity[5_020] = 150.0
    equity[8_000] = 180.0
    # the deepest of three bottoms after 200: 150
    assert worst_drawdown(equity, start=100.0) == 0.25


@pytest.mark.parametrize("equity", [np.full(50_000, 100.0), np.linspace(100.0, 200.0, 50_000)])
def test_equity_that_never_falls_has_a_worst_drawdown_of_zero(equity):
    assert worst_drawdown(equity, start=100.0) == 0.0


def test_negative_equity_is_a_drawdown_above_one():
    # (100 + 20) / 100
    assert drawdown_series(np.array([-20.0]), start=100.0).tolist() == [1.2]


def test_drawdown_needs_a_positive_start():
    with pytest.raises(DataError, match=r"start must be above 0, was 0\.0"):
        drawdown_series(np.array([1.0]), start=0.0)


def test_a_drawdown_lasts_from_its_peak_to_the_next_equity_as_high():
    # peak at 0 s (the start), back at 100 after 30 s; the later one lasts 10 s
    assert longest([90, 80, 100, 99]) == 30.0


def test_a_drawdown_that_has_not_ended_lasts_to_the_last_mark():
    # peak 110 at 10 s, last mark at 50 s
    assert longest([110, 90, 80, 100, 109]) == 40.0


def test_equity_that_never_falls_has_no_drawdown():
    assert longest([100, 100, 101, 101, 105]) == 0.0


def test_a_fall_that_is_made_good_counts_even_when_new_highs_follow_each_other():
    # 105 at 10 s, 104 at 20 s, 105 at 30 s
    assert longest([105, 104, 105, 106, 107]) == 20.0


def test_no_marks_have_no_drawdown():
    assert longest([]) == 0.0


def test_calmar_is_growth_over_drawdown():
    assert calmar_ratio(0.5, 0.25) == 2.0


@pytest.mark.parametrize(("growth", "drawdown"), [(0.5, 0.0), (math.nan, 0.1)])
def test_calmar_is_undefined_without_a_drawdown_or_growth(growth, drawdown):
    assert math.isnan(calmar_ratio(growth, drawdown))
