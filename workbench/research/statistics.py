"""Return and risk of an equity curve: pure functions of equity and daily returns.

Conventions: a year has 365 days, because crypto trades on all of them; returns are simple and daily, from one UTC close
to the next; deviations are sample deviations (``ddof=1``); equity is in quote currency; returns and drawdowns are
fractions (0.01 is one percent). What is undefined for the given input is ``nan``, never 0 and never infinite.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.core.curve import fill_returns, moments
from workbench.errors import DataError

DAYS_PER_YEAR: Final = 365.0
DAY_NS: Final = 86_400_000_000_000
MIN_RETURNS: Final = 2
# Daily returns closer than this are the rounding of one number: a flat series shows a deviation of 1e-17, not 0.
FLAT: Final = 1e-12

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def day_close_rows(close_time_ns: Integers) -> Integers:
    """Return, for each UTC day of the span, the row of the last mark at or before its close.

    A mark at exactly 00:00 is the close of the day that ends there. A day without marks repeats the row before it, so
    that its return is 0: the account existed on that day too.

    Parameters
    ----------
    close_time_ns : ndarray of int64, shape (n,)
        Times of the marks in nanoseconds UTC, strictly increasing.

    Returns
    -------
    ndarray of int64, shape (n_days,)
        Row numbers, not decreasing; the last one is ``n - 1``. Empty for no marks.

    Examples
    --------
    >>> hour = DAY_NS // 24
    >>> day_close_rows(np.array([12 * hour, 24 * hour, 30 * hour, 80 * hour])).tolist()
    [1, 2, 2, 3]
    """
    if close_time_ns.size == 0:
        return np.empty(0, dtype=np.int64)
    first = (int(close_time_ns[0]) - 1) // DAY_NS
    last = (int(close_time_ns[-1]) - 1) // DAY_NS
    closes = np.arange(first + 1, last + 2, dtype=np.int64) * DAY_NS
    return np.searchsorted(close_time_ns, closes, side="right").astype(np.int64) - 1


def daily_returns(equity: Floats, day_rows: Integers, *, start: float) -> Floats:
    """Return the simple return of each UTC day; the first day starts from ``start``.

    The first and the last day may be partial, so the returns always multiply to the total return.

    Parameters
    ----------
    equity : ndarray of float64, shape (n,)
        Equity at each mark.
    day_rows : ndarray of int64, shape (n_days,)
        From `day_close_rows`.
    start : float
        Equity before the first mark.

    Returns
    -------
    ndarray of float64, shape (n_days,)
        Returns as fractions; ``nan`` after a day that closed at or below zero, where a return has no meaning.

    Examples
    --------
    >>> daily_returns(np.array([101.0, 110.0, 99.0]), np.array([1, 2]), start=100.0).round(12).tolist()
    [0.1, -0.1]
    """
    returns = np.empty(day_rows.size)
    fill_returns(equity, day_rows, start, returns)
    return returns


def compound_annual_growth(total_return: float, *, days: float) -> float:
    """Return the yearly growth rate that compounds to ``total_return`` over ``days``.

    Parameters
    ----------
    total_return : float
        Fraction over the whole span; -1 is a total loss.
    days : float
        Length of the span in days.

    Returns
    -------
    float
        ``(1 + total_return) ** (365 / days) - 1``; ``nan`` under one day or after a loss of more than everything.

    References
    ----------
    CFA Institute, Global Investment Performance Standards (2020), geometric linking and annualisation.

    Examples
    --------
    >>> round(compound_annual_growth(0.21, days=730.0), 12)
    0.1
    """
    if not days >= 1.0 or not total_return >= -1.0:
        return math.nan
    exponent = DAYS_PER_YEAR / days * math.log1p(total_return) if total_return > -1.0 else -math.inf
    # exp overflows above 709.78; a yearly rate beyond that says nothing about the strategy.
    return math.expm1(exponent) if exponent < 709.0 else math.nan  # noqa: PLR2004  the limit explained above


def volatility(returns: Floats) -> float:
    """Return the annualised sample deviation of daily returns; ``nan`` for fewer than two.

    Parameters
    ----------
    returns : ndarray of float64, shape (n_days,)
        Daily returns as fractions.

    Returns
    -------
    float
        Standard deviation (``ddof=1``) times ``sqrt(365)``, a fraction.

    Raises
    ------
    DataError
        A return is not finite.

    Examples
    --------
    >>> round(volatility(np.array([0.01, -0.01])) / 365**0.5, 6)
    0.014142
    """
    _require_finite(returns)
    if returns.size < MIN_RETURNS:
        return math.nan
    _, squares, _, _ = moments(returns)
    return _deviation(squares, returns.size) * math.sqrt(DAYS_PER_YEAR)


def sharpe_ratio(returns: Floats, *, risk_free_rate: float = 0.0) -> float:
    """Return the annualised Sharpe ratio of daily returns.

    Parameters
    ----------
    returns : ndarray of float64, shape (n_days,)
        Daily returns as fractions.
    risk_free_rate : float, default 0.0
        Yearly risk-free return as a fraction, spread evenly over 365 days.

    Returns
    -------
    float
        Mean excess return over its sample deviation (``ddof=1``), times ``sqrt(365)``; ``nan`` for fewer than two
        returns or returns that are all the same (within 1e-12).

    Raises
    ------
    DataError
        A return is not finite.

    References
    ----------
    Sharpe, W. F. (1994). The Sharpe Ratio. J. Portfolio Management 21(1), 49-58.

    Examples
    --------
    >>> round(sharpe_ratio(np.array([0.02, 0.0])), 4)  # 0.01 / 0.0141421 * sqrt(365)
    13.5093
    """
    _require_finite(returns)
    if returns.size < MIN_RETURNS:
        return math.nan
    total, squares, _, spread = moments(returns)
    if spread < FLAT:
        return math.nan
    excess = total / returns.size - risk_free_rate / DAYS_PER_YEAR
    return excess / _deviation(squares, returns.size) * math.sqrt(DAYS_PER_YEAR)


def sortino_ratio(returns: Floats, *, minimum_return: float = 0.0) -> float:
    """Return the annualised Sortino ratio of daily returns.

    Parameters
    ----------
    returns : ndarray of float64, shape (n_days,)
        Daily returns as fractions.
    minimum_return : float, default 0.0
        Yearly acceptable return as a fraction, spread evenly over 365 days.

    Returns
    -------
    float
        Mean return above the minimum over the target downside deviation (root of the mean square shortfall over *all*
        days), times ``sqrt(365)``; ``nan`` for fewer than two returns or when no day fell short (by 1e-12).

    Raises
    ------
    DataError
        A return is not finite.

    References
    ----------
    Sortino, F. A. and Price, L. N. (1994). Performance Measurement in a Downside Risk Framework.
    J. Investing 3(3), 59-64.

    Examples
    --------
    >>> round(sortino_ratio(np.array([0.03, -0.01])), 4)  # 0.01 / sqrt(0.0001 / 2) * sqrt(365)
    27.0185
    """
    _require_finite(returns)
    if returns.size < MIN_RETURNS:
        return math.nan
    total, _, shortfall, _ = moments(returns - minimum_return / DAYS_PER_YEAR)
    return _sortino(total, shortfall, returns.size)


def risk_figures(returns: Floats) -> tuple[float, float, float]:
    """Return `volatility`, `sharpe_ratio` and `sortino_ratio` at once, to the bit.

    What they share is computed once: a sweep asks all three of every combination.

    Parameters
    ----------
    returns : ndarray of float64, shape (n_days,)
        Daily returns as fractions. One that is not finite makes all three ``nan``, where they alone would raise.

    Examples
    --------
    >>> volatile, sharpe, _ = risk_figures(np.array([0.02, 0.0]))
    >>> round(sharpe, 4)
    13.5093
    """
    if returns.size < MIN_RETURNS:
        return math.nan, math.nan, math.nan
    total, squares, shortfall, spread = moments(returns)
    if not math.isfinite(total):
        return math.nan, math.nan, math.nan
    year = math.sqrt(DAYS_PER_YEAR)
    deviation = _deviation(squares, returns.size)
    sharpe = math.nan if spread < FLAT else total / returns.size / deviation * year
    return deviation * year, sharpe, _sortino(total, shortfall, returns.size)


def _sortino(total: float, shortfall: float, count: int) -> float:
    """Return the ratio of returns above the minimum from their sum and that of the squares of those below it."""
    square = shortfall / count
    if square < FLAT * FLAT:
        return math.nan
    return total / count / math.sqrt(square) * math.sqrt(DAYS_PER_YEAR)


def _deviation(squares: float, count: int) -> float:
    return math.sqrt(squares / (count - 1))


def _require_finite(returns: Floats) -> None:
    if not np.isfinite(returns).all():
        row = int(np.flatnonzero(~np.isfinite(returns))[0])
        raise DataError(f"returns must be finite, was {returns[row]} at row {row}")
