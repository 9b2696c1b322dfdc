"""Why a measure is undefined, in words."""

import math
from collections.abc import Mapping

import numpy as np

from workbench.research.statistics import MIN_RETURNS, Floats
from workbench.research.trade_statistics import MIN_TRADES_FOR_DEVIATION


def undefined_reasons(values: Mapping[str, float], returns: Floats, *, pnl: Floats, days: float) -> dict[str, str]:
    """Return a sentence for each measure that is ``nan``.

    Parameters
    ----------
    values : mapping of str to float
        All measures of a result.
    returns : ndarray of float64, shape (n_days,)
        Daily returns; ``nan`` after a day that closed at or below zero.
    pnl : ndarray of float64, shape (n_trades,)
        Profit of each closed trade.
    days : float
        Length of the run in days.

    Returns
    -------
    dict of str to str
        Reason by name, for the undefined ones only.
    """
    growth = _growth_reason(values["total_return"], days)
    reasons = {
        "cagr": growth,
        "calmar": growth if math.isnan(values["cagr"]) else "no drawdown",
        "volatility": _curve_reason(returns, ""),
        "sharpe": _curve_reason(returns, "daily returns do not vary"),
        "sortino": _curve_reason(returns, "no day lost money"),
        "turnover": "average equity is not positive",
        **dict.fromkeys(("win_rate", "expectancy", "average_trade", "best_trade", "worst_trade"), "no closed trades"),
        "average_holding_s": "no closed trades",
        "profit_factor": "no losing trade" if pnl.size else "no closed trades",
        "payoff_ratio": _payoff_reason(pnl),
        "sqn": "fewer than two closed trades" if pnl.size < MIN_TRADES_FOR_DEVIATION else "all trades earned the same",
    }
    return {name: reasons[name] for name, value in values.items() if math.isnan(value)}


def _growth_reason(total_return: float, days: float) -> str:
    if days < 1.0:
        return "shorter than one day"
    return "lost more than everything" if total_return < -1.0 else "too large to annualise"


def _curve_reason(returns: Floats, otherwise: str) -> str:
    if not np.isfinite(returns).all():
        return "equity fell to zero or below"
    return "fewer than two daily returns" if returns.size < MIN_RETURNS else otherwise


def _payoff_reason(pnl: Floats) -> str:
    if not pnl.size:
        return "no closed trades"
    return "no winning trade" if not (pnl > 0.0).any() else "no losing trade"
