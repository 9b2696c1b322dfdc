"""What a reader of a backtest must know before believing its figures."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.core.records import DENIAL_RULES, EXIT_REASONS, HALTED
from workbench.research.formatting import format_percent
from workbench.research.tables import utc_times

if TYPE_CHECKING:
    from workbench.core.ledger import Ledger
    from workbench.core.plan import DecisionPlan
    from workbench.model import Bars

MIN_TRADES: Final = 30


def warnings_of(plan: DecisionPlan, bars: Bars, ledger: Ledger) -> tuple[str, ...]:
    """Return the warnings of a run, the gravest first; empty when there are none.

    Parameters
    ----------
    plan : DecisionPlan
        What ran.
    bars : Bars
        On what.
    ledger : Ledger
        What it did.

    Returns
    -------
    tuple of str
        One sentence each.
    """
    return (
        *_trips(ledger),
        *_denied(ledger),
        *_causality(plan),
        *_tight_stop(bars, ledger),
        *_few_trades(ledger),
        *_interpreted(plan),
    )


def median_bar_range(bars: Bars) -> float:
    """Return the median of high less low, over close, of all symbols: how far a price usually goes in one bar."""
    high, low, close = (bars.values[row][bars.valid] for row in (1, 2, 3))
    return float(np.median((high - low) / close))


def _trips(ledger: Ledger) -> list[str]:
    trips = ledger.trips
    times = utc_times(trips["time_ns"]).strftime("%Y-%m-%d %H:%M UTC")
    return [
        f"Halted by {EXIT_REASONS[trip['rule']]} on {time}: a loss of {format_percent(trip['value'])} "
        f"reached the limit of {format_percent(trip['limit'])}. No entries after that."
        for trip, time in zip(trips, times, strict=True)
    ]


def _denied(ledger: Ledger) -> list[str]:
    # After a breaker every entry is: that it tripped says so.
    rules = ledger.denials["rule"][ledger.denials["rule"] != HALTED]
    if not rules.size:
        return []
    counts = sorted(Counter(rules.tolist()).items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{DENIAL_RULES[rule]} {count:,}" for rule, count in counts)
    entries = "1 entry was" if rules.size == 1 else f"{rules.size:,} entries were"
    return [f"{entries} denied ({listed}): see denials."]


def _causality(plan: DecisionPlan) -> list[str]:
    if plan.is_causal:
        return []
    return ["Signals are not proven causal: they were computed outside, so they may have seen the future."]


def _tight_stop(bars: Bars, ledger: Ledger) -> list[str]:
    trades = ledger.trades
    if not trades.size:
        return []
    distance = np.abs(1.0 - trades["stop_level"] / trades["entry_price"])
    distance = distance[np.isfinite(trades["stop_level"]) & (trades["stop_level"] > 0.0)]
    usual = median_bar_range(bars)
    if not distance.size or not float(np.median(distance)) < usual:
        return []
    stop, bar = format_percent(float(np.median(distance))), format_percent(usual)
    return [
        (
            f"The stop is tighter than the median bar: {stop} against {bar}. The order of prices inside a bar decides "
            f"many trades; see path_band()."
        )
    ]


def _few_trades(ledger: Ledger) -> list[str]:
    count = int(ledger.trades.size)
    if count >= MIN_TRADES:
        return []
    return [f"{count} closed trade{'' if count == 1 else 's'}: too few to tell skill from luck."]


def _interpreted(plan: DecisionPlan) -> list[str]:
    # Only a plan with a function of the user's has anything to interpret.
    reason = getattr(plan, "interpreted_reason", None)
    return [f"Ran interpreted: {reason}"] if reason else []
