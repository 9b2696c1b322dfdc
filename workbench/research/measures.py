"""The measures of a result: name, label, unit, direction and meaning, in the order in which tables show them."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from workbench.research.formatting import Unit


@dataclass(frozen=True, slots=True)
class Measure:
    """What one figure is.

    Parameters
    ----------
    name : str
        Key in `Stats` and column of a sweep's table.
    label : str
        What a person reads.
    unit : {"fraction", "money", "ratio", "count", "duration"}
        How the number is meant: money is quote currency, a duration is seconds.
    better : {"high", "low"} or None
        Which end is better; None when neither is.
    meaning : str
        One sentence.
    """

    name: str
    label: str
    unit: Unit
    better: Literal["high", "low"] | None
    meaning: str

    @property
    def sign(self) -> float:
        """Factor that makes more better: -1 where less is, else 1."""
        return -1.0 if self.better == "low" else 1.0


_RETURN: Final = (
    Measure("final_equity", "Final equity", "money", "high", "cash plus open positions at the last close"),
    Measure("total_return", "Total return", "fraction", "high", "final equity over starting cash, less 1"),
    Measure("cagr", "CAGR", "fraction", "high", "yearly growth (365 days) behind the total return"),
    Measure("buy_and_hold_return", "Buy and hold", "fraction", None, "last close over first open, less 1, no costs"),
)
_RISK: Final = (
    Measure("volatility", "Volatility", "fraction", "low", "deviation of daily returns times sqrt(365)"),
    Measure("sharpe", "Sharpe", "ratio", "high", "daily mean over deviation, times sqrt(365)"),
    Measure("sortino", "Sortino", "ratio", "high", "daily mean over downside, times sqrt(365)"),
    Measure("calmar", "Calmar", "ratio", "high", "CAGR over maximum drawdown"),
    Measure("max_drawdown", "Max drawdown", "fraction", "low", "largest fall below the highest equity, at closes"),
    Measure("max_drawdown_duration_s", "Longest drawdown", "duration", "low", "longest time from a peak to the next"),
)
_ACTIVITY: Final = (
    Measure("exposure", "Exposure", "fraction", None, "share of bars that closed with a position"),
    Measure("turnover", "Turnover", "ratio", None, "notional of all fills over average equity"),
    Measure("fees", "Fees", "money", "low", "all fees paid"),
    Measure("funding", "Funding", "money", None, "funding paid; negative when received"),
)
_TRADES: Final = (
    Measure("trade_count", "Trades", "count", None, "closed round trips"),
    Measure("win_rate", "Win rate", "fraction", "high", "share of trades that earned after costs"),
    Measure("profit_factor", "Profit factor", "ratio", "high", "gross profit over gross loss"),
    Measure("expectancy", "Expectancy", "money", "high", "average profit of a trade after costs"),
    Measure("average_trade", "Average trade", "fraction", "high", "average profit over entry notional"),
    Measure("best_trade", "Best trade", "fraction", None, "largest profit over entry notional"),
    Measure("worst_trade", "Worst trade", "fraction", None, "smallest profit over entry notional"),
    Measure("payoff_ratio", "Payoff ratio", "ratio", "high", "average win over average loss"),
    Measure("average_holding_s", "Average holding", "duration", None, "average time from entry to exit"),
    Measure("sqn", "SQN", "ratio", "high", "t statistic of the average trade"),
)
GROUPS: Final = MappingProxyType({"Return": _RETURN, "Risk": _RISK, "Activity": _ACTIVITY, "Trades": _TRADES})
MEASURES: Final = MappingProxyType({measure.name: measure for group in GROUPS.values() for measure in group})
# What a sweep can afford for every combination: the equity curve and the account's counters, no list of trades.
SWEEP_MEASURES: Final = (
    *("final_equity", "total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown"),
    *("exposure", "fees", "trade_count", "win_rate", "profit_factor", "expectancy"),
)
# The value that is neither good nor bad, for colours.
CENTRES: Final = MappingProxyType(
    {
        **dict.fromkeys(("total_return", "cagr", "sharpe", "sortino", "calmar", "expectancy"), 0.0),
        "profit_factor": 1.0,
        "win_rate": 0.5,
    }
)
