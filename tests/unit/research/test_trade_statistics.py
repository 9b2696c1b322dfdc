import math

import numpy as np
import pytest

from workbench.research.trade_statistics import (
    expectancy,
    payoff_ratio,
    profit_factor,
    system_quality_number,
    turnover,
    win_rate,
)

# two wins, two losses, one that ended at nothing
PNL = np.array([30.0, -10.0, 0.0, 10.0, -10.0])


def test_a_trade_that_ends_at_nothing_is_no_win_but_counts():
    # 2 of 5
    assert win_rate(PNL) == 0.4


def test_profit_factor_is_gross_profit_over_gross_loss():
    # (30 + 10) / (10 + 10)
    assert profit_factor(PNL) == 2.0


def test_expectancy_is_the_average_profit():
    # 20 / 5
    assert expectancy(PNL) == 4.0


def test_payoff_is_the_average_win_over_the_average_loss():
    # 20 / 10
    assert payoff_ratio(PNL) == 2.0


def test_system_quality_number_is_a_t_statistic():
    # mean 4, squares of the deviations 26^2 + 14^2 + 4^2 + 6^2 + 14^2 = 1120, deviation sqrt(1120 / 4)
    assert system_quality_number(PNL) == pytest.approx(4.0 / math.sqrt(280.0) * math.sqrt(5.0))


def test_turnover_is_traded_notional_over_average_equity():
    # (2 * 50 + 2 * 60) / 110
    assert turnover(np.array([2.0, 2.0]), np.array([50.0, 60.0]), np.array([100.0, 120.0])) == 2.0


@pytest.mark.parametrize("measure", [win_rate, profit_factor, expectancy, payoff_ratio, system_quality_number])
def test_nothing_is_defined_without_trades(measure):
    assert math.isnan(measure(np.empty(0)))


@pytest.mark.parametrize(
    ("measure", "pnl"),
    [
        (profit_factor, [1.0, 2.0]),
        (payoff_ratio, [1.0, 2.0]),
        (payoff_ratio, [-1.0, -2.0]),
        (system_quality_number, [1.0]),
        (system_quality_number, [0.1, 0.1, 0.1]),
        (system_quality_number, [0.0, 0.0]),
    ],
)
def test_a_ratio_without_its_denominator_is_undefined(measure, pnl):
    assert math.isnan(measure(np.array(pnl)))


@pytest.mark.parametrize("equity", [[], [0.0], [-5.0, 5.0]])
def test_turnover_of_no_equity_is_undefined(equity):
    assert math.isnan(turnover(np.array([1.0]), np.array([1.0]), np.array(equity)))
