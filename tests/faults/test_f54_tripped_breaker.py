"""F54: a restart, or a new day, would reset a breaker that has tripped.

Guards that a trip is part of what is rebuilt from the record, and that a person's command alone allows entries again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.live.kept_record import KeptRecord
from tests.unit.live.markets import JOIN_S, MIDNIGHT, MINUTE, bars_of, let_pass, session_config
from workbench.live import LiveSession, LiveSessionConfig, ManualClock
from workbench.live.host import SessionHost
from workbench.model import RiskConfig
from workbench.strategy import Strategy, enter_long, hold

RISKS = {"daily_loss": RiskConfig(daily_loss_limit=0.05), "max_drawdown": RiskConfig(max_drawdown=0.05)}
# Bought at 100 half an hour before midnight, down by 10 %, and calm until half an hour into the next day.
CLOSES = [100.0, 100.0, 95.0, 90.0] + [90.0] * 56


class AlwaysIn(Strategy):
    """Buys whenever it holds nothing."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
        return enter_long() if position.is_flat else hold()


def config_of(rule: str) -> LiveSessionConfig:
    bars = bars_of(CLOSES, start_ns=MIDNIGHT - 30 * MINUTE)
    return session_config(bars, strategy=AlwaysIn(), risk=RISKS[rule], speed=1.0)


@pytest.fixture
def begin() -> Iterator[Any]:
    """Start sessions, and end them with the test."""
    begun: list[LiveSession] = []

    def start(config: LiveSessionConfig, record: KeptRecord, clock: ManualClock) -> LiveSession:
        session = LiveSession(config, clock=clock, host=SessionHost(session_id="one", record=record)).start()
        begun.append(session)
        assert clock.join_waiter(JOIN_S)
        return session

    yield start
    for session in begun:
        session.kill()
        session.close()


def sides(session: LiveSession) -> list[str]:
    return [fill.side for fill in session.fills()]


@pytest.mark.parametrize("rule", RISKS)
def test_a_breaker_stays_tripped_over_a_restart_and_midnight_until_it_is_cleared(begin: Any, rule: str) -> None:
    config, record, clock = config_of(rule), KeptRecord(), ManualClock()
    first = begin(config, record, clock)
    let_pass(clock, 10 * MINUTE)
    assert (first.snapshot().halted, first.state) == ((rule,), "HALTED")
    assert sides(first) == ["buy", "sell"]
    first.kill()

    session = begin(config, record.survivor(), clock)
    assert (session.snapshot().halted, session.state) == ((rule,), "HALTED")
    let_pass(clock, 35 * MINUTE)  # and over midnight
    assert session.snapshot().time_ns > MIDNIGHT
    assert session.snapshot().day_start_equity == session.snapshot().equity  # the new day has its own base
    assert session.state == "HALTED"
    assert sides(session) == ["buy", "sell"]
    assert {denial.rule for denial in session.denials()} == {"halted"}

    # Other commands do not clear it.
    session.pause()
    session.resume()
    let_pass(clock, 2 * MINUTE)
    assert (session.state, sides(session)) == ("HALTED", ["buy", "sell"])
    session.clear_breaker()
    let_pass(clock, 3 * MINUTE)
    assert (session.state, sides(session)) == ("ACTIVE", ["buy", "sell", "buy"])
