"""F51: when the day of the daily loss begins, on a computer in another zone, over clock changes and on a leap day.

Guards that the day is UTC's, whatever the zone of the computer says, and that nothing else begins a new one.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.live.markets import MINUTE, bars_of, engine_config
from workbench.live.feeds import bar_replay
from workbench.live.trading_engine import LiveTradingEngine
from workbench.model import RiskConfig
from workbench.strategy import Strategy, enter_long, hold, plan_of

HOUR_NS = 60 * MINUTE
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati"]
# The clocks of Europe change, those of the United States do, a leap day, a new year.
DAYS = ["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2028-02-29", "2027-01-01"]


class BuysOnce(Strategy):
    """Buys at once, and is in from the second bar on."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
        return enter_long() if position.is_flat else hold()


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Move the computer to a zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def midnight_ns(day: str) -> int:
    return int(dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.usefixtures("zone")
def test_the_base_changes_at_midnight_utc_and_at_no_other_hour(day: str) -> None:
    # Three days of hours, from noon on; the price rises by 1 in each hour.
    start_ns = midnight_ns(day) - 12 * HOUR_NS
    bars = bars_of([100.0 + hour for hour in range(72)], timeframe="1h", start_ns=start_ns)
    config = engine_config(timeframe=bars.timeframe, risk=RiskConfig(daily_loss_limit=0.9))
    engine = LiveTradingEngine(plan_of(BuysOnce()), config, since_ns=start_ns)
    changed_ns: list[int] = []
    base = engine.snapshot().day_start_equity
    for step in engine.run(bar_replay(bars).poll(2**62)):
        account = step.result.snapshot
        if account.day_start_equity != base:
            base = account.day_start_equity
            changed_ns.append(step.time_ns)
    first = midnight_ns(day)
    # The close of the bar that ends at midnight is the first mark of the new day.
    assert changed_ns == [first, first + 24 * HOUR_NS, first + 48 * HOUR_NS]


def test_a_loss_over_midnight_is_that_of_two_days() -> None:
    # 10,000 at 100. Down to 96 before midnight: a loss of 4 %; then to 93: 3.1 % of the new day. Neither is 5 %.
    start_ns = midnight_ns("2026-03-29") - 3 * HOUR_NS
    bars = bars_of([100.0, 100.0, 96.0, 93.0, 92.0, 91.0], timeframe="1h", start_ns=start_ns)
    config = engine_config(timeframe=bars.timeframe, risk=RiskConfig(daily_loss_limit=0.05))
    engine = LiveTradingEngine(plan_of(BuysOnce()), config, since_ns=start_ns)
    trips = [trip for step in engine.run(bar_replay(bars).poll(2**62)) for trip in step.result.trips]
    # The last mark before midnight is 96 or, by its path, the open of that bar: 100, of which 95 is 5 % less.
    assert [trip.rule for trip in trips] == ["daily_loss"]
