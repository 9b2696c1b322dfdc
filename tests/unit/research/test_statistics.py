import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.research.statistics import (
    DAY_NS,
    compound_annual_growth,
    daily_returns,
    day_close_rows,
    risk_figures,
    sharpe_ratio,
    sortino_ratio,
    volatility,
)

HOUR_NS = DAY_NS // 24


def marks(*hours: int) -> np.ndarray:
    return np.array(hours, dtype=np.int64) * HOUR_NS


def test_a_mark_at_midnight_closes_the_day_that_ends_there():
    assert day_close_rows(marks(23, 24, 25)).tolist() == [1, 2]


def test_a_day_without_marks_repeats_the_row_before_it():
    # Marks on day 0 and day 3: days 1 and 2 close where day 0 did.
    assert day_close_rows(marks(12, 84)).tolist() == [0, 0, 0, 1]


def test_no_marks_make_no_days():
    assert day_close_rows(marks()).tolist() == []


def test_marks_before_1970_fall_on_their_own_days():
    # -30 h and -1 h lie on the second and the first day before the epoch.
    assert day_close_rows(marks(-30, -1)).tolist() == [0, 1]


def test_daily_returns_start_from_the_equity_before_the_first_mark():
    equity = np.array([105.0, 110.0, 99.0])
    # 110 / 100 - 1 and 99 / 110 - 1
    assert daily_returns(equity, np.array([1, 2]), start=100.0) == pytest.approx([0.1, -0.1])


def test_a_return_after_a_day_that_closed_at_zero_is_undefined():
    returns = daily_returns(np.array([0.0, 5.0]), np.array([0, 1]), start=100.0)
    assert returns[0] == -1.0
    assert math.isnan(returns[1])


@given(
    steps=st.lists(st.integers(1, 50), min_size=1, max_size=60),
    seed=st.integers(0, 2**32 - 1),
)
def test_daily_returns_multiply_to_the_total_return(steps, seed):
    closes = marks(*np.cumsum(steps).tolist())
    equity = np.random.default_rng(seed).uniform(50.0, 200.0, closes.size)
    returns = daily_returns(equity, day_close_rows(closes), start=100.0)
    assert np.prod(1.0 + returns) == pytest.approx(equity[-1] / 100.0)


def test_growth_of_21_percent_in_two_years_is_10_percent_a_year():
    # 1.1 ** 2 = 1.21
    assert compound_annual_growth(0.21, days=730.0) == pytest.approx(0.1)


def test_growth_over_one_day_compounds_365_times():
    assert compound_annual_growth(0.001, days=1.0) == pytest.approx(1.001**365 - 1)


def test_losing_everything_is_a_growth_of_minus_one():
    assert compound_annual_growth(-1.0, days=100.0) == -1.0


@pytest.mark.parametrize(
    ("total_return", "days"),
    [(0.1, 0.9), (0.1, math.nan), (-1.1, 100.0), (math.nan, 100.0), (1e9, 1.0)],
)
def test_growth_is_undefined_under_a_day_beyond_a_total_loss_and_beyond_numbers(total_return, days):
    assert math.isnan(compound_annual_growth(total_return, days=days))


def test_volatility_is_the_sample_deviation_times_root_365():
    # mean 0.01, deviations +-0.01: sqrt(0.0002 / 1) = 0.0141421
    assert volatility(np.array([0.02, 0.0])) == pytest.approx(math.sqrt(0.0002) * math.sqrt(365))


def test_volatility_of_one_return_is_undefined():
    assert math.isnan(volatility(np.array([0.02])))


def test_sharpe_is_mean_over_sample_deviation_times_root_365():
    # mean 0.01, ddof=1 deviation 0.0141421, ratio 0.707107 * 19.10497
    assert sharpe_ratio(np.array([0.02, 0.0])) == pytest.approx(0.01 / math.sqrt(0.0002) * math.sqrt(365))


def test_sharpe_spreads_the_risk_free_rate_over_365_days():
    # excess mean 0.01 - 0.73 / 365 = 0.008
    expected = 0.008 / math.sqrt(0.0002) * math.sqrt(365)
    assert sharpe_ratio(np.array([0.02, 0.0]), risk_free_rate=0.73) == pytest.approx(expected)


@pytest.mark.parametrize("returns", [[], [0.01], [0.1, 0.1, 0.1], [0.0, 0.0]])
def test_sharpe_of_too_few_or_equal_returns_is_undefined(returns):
    # (0.1 + 0.1 + 0.1) / 3 is not 0.1 in floats: a deviation of 1e-17 must not become a ratio of 1e17.
    assert math.isnan(sharpe_ratio(np.array(returns)))


def test_sortino_counts_the_shortfall_over_all_days():
    # mean 0.01; downside sqrt((0 + 0.01**2) / 2) = 0.00707107
    expected = 0.01 / math.sqrt(0.0001 / 2) * math.sqrt(365)
    assert sortino_ratio(np.array([0.03, -0.01])) == pytest.approx(expected)


def test_sortino_measures_from_the_minimum_return():
    # minimum 0.01 a day: above (0.03, -0.02), mean 0.005, downside sqrt(0.02**2 / 2)
    expected = 0.005 / math.sqrt(0.0004 / 2) * math.sqrt(365)
    assert sortino_ratio(np.array([0.04, -0.01]), minimum_return=3.65) == pytest.approx(expected)


@pytest.mark.parametrize("returns", [[], [-0.01], [0.01, 0.02], [0.0, 0.0]])
def test_sortino_without_a_shortfall_is_undefined(returns):
    assert math.isnan(sortino_ratio(np.array(returns)))


@pytest.mark.parametrize("measure", [volatility, sharpe_ratio, sortino_ratio])
def test_a_return_that_is_not_finite_is_named_with_its_row(measure):
    with pytest.raises(DataError, match="returns must be finite, was nan at row 1"):
        measure(np.array([0.0, math.nan, math.inf]))


@given(st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=50))
def test_sharpe_agrees_with_numpy_when_it_is_defined(values):
    returns = np.array(values)
    ratio = sharpe_ratio(returns)
    if returns.max() - returns.min() > 1e-6:
        assert ratio == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(365), rel=1e-6, abs=1e-9)


@given(
    st.lists(
        st.one_of(st.floats(-1.0, 10.0), st.sampled_from([0.0, -0.0, 0.01, -0.01, 1e-13, -1e-13, 5e-324])), max_size=40
    )
)
def test_risk_figures_are_the_three_measures_to_the_bit(values):
    returns = np.array(values, np.float64)
    alone = np.array([volatility(returns), sharpe_ratio(returns), sortino_ratio(returns)])
    assert np.array(risk_figures(returns)).tobytes() == alone.tobytes()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_risk_figures_of_a_return_that_is_not_finite_are_undefined(bad):
    assert np.isnan(risk_figures(np.array([0.01, bad, 0.02]))).all()
