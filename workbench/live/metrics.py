"""Timing and counters of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from workbench.live.readings import Readings
    from workbench.live.status import SessionStatus
    from workbench.live.symbol_charts import SymbolCharts
    from workbench.live.trading_engine import LiveTradingEngine

__all__ = ["session_metrics"]

_NS_PER_S: Final = 1_000_000_000


def session_metrics(
    readings: Readings,
    engine: LiveTradingEngine,
    charts: SymbolCharts,
    status: SessionStatus,
    now_ns: int | None,
) -> dict[str, Any]:
    """Return a session's timing and counters.

    Parameters
    ----------
    readings, engine, charts, status
        Parts of the session.
    now_ns : int or None
        Time of the market, ns UTC; None when the session does not run.

    Returns
    -------
    dict
        ``step_us``: ``count``, ``mean``, ``p50``, ``p99``, ``max`` of the real time from a price or bar to the
        published result, in microseconds; ``order_us``, ``journal_us`` and ``feed_us`` the same of an order's way to
        the exchange and back, of a durable write of the journal, and of a price's way from the exchange; a count of 0
        and nan where nothing was measured. ``counts``: bars, ticks, fills, trades, denials, errors, slow steps, and
        everything that was dropped as late or bad. ``dropped``: what bounded lists forgot. ``data_age_s``: market
        seconds since the last price or close, None when the session does not run.
    """
    account = readings.account
    counts = {
        **engine.counts,
        "fills": account.fill_count,
        "trades": account.trade_count,
        "denials": account.denial_count,
        "slow_steps": readings.slow_steps,
    }
    dropped = {
        **charts.dropped,
        "fills": readings.fills.dropped,
        "trades": readings.trades.dropped,
        "denials": readings.denials.dropped,
        "errors": engine.guard.errors.dropped,
        "events": status.events.dropped,
    }
    age_s = None
    if now_ns is not None and readings.data_ns is not None:
        age_s = max(0, now_ns - readings.data_ns) / _NS_PER_S
    return {
        "step_us": readings.steps.summary_us(),
        "order_us": readings.orders.summary_us(),
        "journal_us": readings.journal.summary_us(),
        "feed_us": readings.feed.summary_us(),
        "counts": counts,
        "dropped": dropped,
        "data_age_s": age_s,
    }
