from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.live.fake_core import EMPTY
from tests.unit.live.markets import MINUTE, session_config, walk
from tests.unit.live.process.hosted import hosted
from workbench.live import LiveSession
from workbench.live.health import SessionHealth
from workbench.live.readings import Readings
from workbench.live.states import SessionState
from workbench.live.status import SessionStatus


def test_health_is_one_line() -> None:
    assert repr(SessionHealth("ACTIVE", "trading", 1.25, 90.0, None)) == "ACTIVE, data 1.2 s old (limit 90 s)"
    assert repr(SessionHealth("STOPPED", "stopped", None, 90.0, 0.0125)) == "STOPPED, ping 12.5 ms"
    assert repr(SessionHealth("STALE", "no data", 100.0, 90.0, None)).endswith("(limit 90 s), no data")


@pytest.mark.parametrize(
    ("state", "age_s", "is_well"),
    [
        ("ACTIVE", 90.0, True), ("ACTIVE", 90.1, False), ("STALE", 1.0, False), ("PREPARED", None, True),
        ("STOPPED", None, True), ("FAILED", None, False), ("CRASHED", None, False), ("UNREACHABLE", None, False),
    ],
)  # fmt: skip
def test_a_session_is_well_when_it_trades_on_fresh_data_or_has_nothing_to_do(
    state: str, age_s: float | None, is_well: bool
) -> None:
    assert SessionHealth(state, "", age_s, 90.0, None).is_well is is_well


def test_health_follows_the_age_of_the_data(tmp_path: Path) -> None:
    assert LiveSession(session_config()).health().data_age_s is None
    with hosted(tmp_path) as host:
        host.start().bars(2)
        host.clock.advance(MINUTE // 2)
        health = host.handle.health()
        # A bar and a half of a minute is the limit; half a minute has passed since the last close.
        assert (health.state, health.data_age_s, health.stale_after_s) == ("ACTIVE", 30.0, 90.0)
        assert health.ping_s is not None
        assert 0.0 < health.ping_s < 10.0
        assert host.session.health().ping_s is None


def test_whoever_measures_an_order_the_journal_or_the_feed_is_heard_in_the_metrics() -> None:
    session = LiveSession(session_config(walk(5)))
    for name, microseconds in (("orders", 3), ("journal", 4), ("feed", 5)):
        getattr(session._readings, name).record(microseconds * 1_000)  # noqa: SLF001  what the loop's parts do
    metrics = session.metrics()
    assert (metrics["order_us"]["max"], metrics["journal_us"]["max"], metrics["feed_us"]["max"]) == (3.0, 4.0, 5.0)
    assert [metrics[name]["count"] for name in ("step_us", "order_us", "journal_us", "feed_us")] == [0, 1, 1, 1]
    assert Readings(EMPTY, 1).orders.summary_us()["count"] == 0


def test_a_listener_hears_each_change_of_state_or_reason_until_it_ends() -> None:
    status = SessionStatus()
    heard: list[str] = []
    ends = [status.listen(lambda: heard.append(f"{status.state}: {status.reason}")) for _ in range(2)]
    status.move(SessionState.STARTING, "go", 0)
    status.move(SessionState.STARTING, "go", 0)
    ends[0]()
    ends[0]()
    status.move(SessionState.STARTING, "go on", 0)
    ends[1]()
    status.move(SessionState.ACTIVE, "trading", 0)
    assert heard == ["STARTING: go", "STARTING: go", "STARTING: go on"]
