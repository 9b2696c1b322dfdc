"""Figures of closed trades: pure functions of their profits, as arrays in the order of their exits.

``pnl`` is net of fees and funding, in quote currency. A trade that ends at exactly 0 is neither a win nor a loss, but
counts. What is undefined for the given trades is ``nan``.
"""

import math
from typing import Final

import numpy as np

from workbench.research.statistics import FLAT, Floats

MIN_TRADES_FOR_DEVIATION: Final = 2


def win_rate(pnl: Floats) -> float:
    """Return the share of trades that earned something; ``nan`` without trades.

    Examples
    --------
    >>> win_rate(np.array([10.0, -5.0, 0.0, 1.0]))
    0.5
    """
    return float(np.count_nonzero(pnl > 0.0)) / pnl.size if pnl.size else math.nan


def profit_factor(pnl: Floats) -> float:
    """Return gross profit over gross loss; ``nan`` when no trade lost.

    References
    ----------
    Kaufman, P. J. (2013). Trading Systems and Methods, 5th ed., chapter 21. Wiley.

    Examples
    --------
    >>> profit_factor(np.array([10.0, -5.0, 2.0]))  # 12 / 5
    2.4
    """
    lost = -float(pnl[pnl < 0.0].sum())
    return float(pnl[pnl > 0.0].sum()) / lost if lost > 0.0 else math.nan


def expectancy(pnl: Floats) -> float:
    """Return the average profit of a trade in quote currency; ``nan`` without trades.

    References
    ----------
    Tharp, V. K. (2006). Trade Your Way to Financial Freedom, 2nd ed., chapter 7. McGraw-Hill.

    Examples
    --------
    >>> expectancy(np.array([10.0, -4.0]))
    3.0
    """
    return float(pnl.mean()) if pnl.size else math.nan


def payoff_ratio(pnl: Floats) -> float:
    """Return the average win over the average loss; ``nan`` without a win or without a loss.

    References
    ----------
    Kaufman, P. J. (2013). Trading Systems and Methods, 5th ed., chapter 21. Wiley.

    Examples
    --------
    >>> payoff_ratio(np.array([10.0, 20.0, -5.0]))  # 15 / 5
    3.0
    """
    wins, losses = pnl[pnl > 0.0], pnl[pnl < 0.0]
    return float(wins.mean() / -losses.mean()) if wins.size and losses.size else math.nan


def system_quality_number(pnl: Floats) -> float:
    """Return the average profit over its sample deviation (``ddof=1``), times the root of the number of trades.

    It is the t statistic of the average trade.

    Returns
    -------
    float
        The number; ``nan`` for fewer than two trades or trades that all earned the same.

    References
    ----------
    Tharp, V. K. (2008). Definitive Guide to Position Sizing. International Institute of Trading Mastery.

    Examples
    --------
    >>> system_quality_number(np.array([1.0, 3.0]))  # 2 / 1.41421 * sqrt(2)
    2.0
    """
    if pnl.size < MIN_TRADES_FOR_DEVIATION or pnl.max() - pnl.min() <= FLAT * np.abs(pnl).max():
        return math.nan
    return float(pnl.mean() / pnl.std(ddof=1) * math.sqrt(pnl.size))


def turnover(quantity: Floats, price: Floats, equity: Floats) -> float:
    """Return the notional of all fills over the average equity: how many times the account was traded.

    Parameters
    ----------
    quantity, price : ndarray of float64, shape (n_fills,)
        Of each fill; quantities are positive.
    equity : ndarray of float64, shape (n,)
        Equity at each mark.

    Returns
    -------
    float
        Times over the whole span, not annualised: buying and selling everything once is about 2. ``nan`` when the
        average equity is not positive.

    Examples
    --------
    >>> turnover(np.array([1.0, 1.0]), np.array([90.0, 110.0]), np.array([100.0, 100.0]))
    2.0
    """
    average = float(equity.mean()) if equity.size else math.nan
    return float(quantity @ price) / average if average > 0.0 else math.nan
