"""F34: a strategy raises: on one bar, in its indicators, in a feature, on many bars in a row.

Guards that its bar is skipped and told, that a fixed number of failures in a row halts entries over a restart too, and
that stops go on all the while, because no exit asks the strategy.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.live.kept_record import KeptRecord
from tests.unit.live.markets import bars_of, run_to_end, session_config
from workbench.live import LiveSession
from workbench.live.host import SessionHost
from workbench.model import RiskConfig
from workbench.strategy import Strategy, enter_long, hold

# The seventh bar closes at 107.
RISING = [100.0 + bar for bar in range(1, 13)]


class RaisesAt(Strategy):
    """Buys when it holds nothing; raises on bars that close from `low` to `high`, and from `later` on."""

    low: float = 107.0
    high: float = 107.0
    later: float = 10_000.0

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:
        if self.low <= now.close <= self.high or now.close >= self.later:
            raise ValueError("this bar is too much")
        return enter_long() if position.is_flat else hold()


class RaisesInIndicators(Strategy):
    """Cannot say what it needs."""

    def indicators(self, m: Any) -> dict[str, Any]:  # noqa: ARG002  the interface of all strategies
        raise ValueError("no indicator today")

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
        return enter_long()


class RaisesInFeature(Strategy):
    """Has a feature that fails above 106."""

    def indicators(self, m: Any) -> dict[str, Any]:
        def fragile(close: Any) -> Any:
            if close[-1] > 106.0:
                raise ValueError("the feature is too much")
            return close

        return {"fragile": m.feature(fragile, lookback=1)}

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
        return enter_long() if position.is_flat else hold()


def run(closes: list[float], strategy: Any, record: KeptRecord | None = None, **settings: Any) -> LiveSession:
    config = session_config(bars_of(closes), strategy=strategy, **settings)
    host = SessionHost(session_id="one", record=KeptRecord() if record is None else record)
    return run_to_end(config, host=host)


def test_a_strategy_that_raises_on_bar_seven_misses_that_bar_alone() -> None:
    # What is bought at 101 is sold by the target 5 % above, 106.05, within the seventh bar: the strategy would buy
    # again at the close of that bar, and does at the next one's.
    risk = RiskConfig(take_profit=0.05)
    session = run(RISING, RaisesAt(), risk=risk)
    (error,) = session.errors()
    assert "ValueError: this bar is too much" in str(error)
    assert "in on_bar" in error.traceback
    assert session.metrics()["counts"]["strategy_errors"] == 1
    assert not session.snapshot().is_paused
    # 108 is the open of the bar after the eighth: decided on at its close.
    assert [fill.price for fill in session.fills() if fill.side == "buy"] == [101.0, 108.0]
    healthy = run(RISING, RaisesAt(low=1_000.0, high=1_000.0), risk=risk)
    assert [fill.price for fill in healthy.fills() if fill.side == "buy"] == [101.0, 107.0]


def test_indicators_that_raise_are_refused_before_anything_starts() -> None:
    with pytest.raises(ValueError, match="no indicator today"):
        run(RISING, RaisesInIndicators())


def test_a_feature_that_raises_is_the_strategys_failure() -> None:
    session = run(RISING, RaisesInFeature(), max_strategy_errors=3)
    assert session.state == "STOPPED"
    assert "the feature is too much" in str(session.errors()[0])
    assert session.metrics()["counts"]["strategy_errors"] == 6  # 107 to 112
    assert any("HALTED: the strategy failed on 3 bars in a row" in event.text for event in session.events())


@pytest.mark.parametrize(("limit", "is_halted"), [(3, True), (4, False)])
def test_failures_in_a_row_are_counted_and_a_good_bar_ends_the_row(limit: int, is_halted: bool) -> None:
    # 104, 105, 106, then 110, 111, 112: six in all, three in a row.
    session = run(RISING, RaisesAt(low=104.0, high=106.0, later=110.0), max_strategy_errors=limit)
    assert session.metrics()["counts"]["strategy_errors"] == 6
    assert session.snapshot().is_paused is is_halted
    assert any(event.text.startswith("HALTED") for event in session.events()) is is_halted


def test_stops_go_on_while_the_strategy_fails_on_every_bar() -> None:
    # Bought at 101, peak 110, out at 110 * 0.95 = 104.5 on the way from 106 to 104; not bought again afterwards.
    closes = [101.0, 102.0, 110.0, 106.0, 104.0, 101.0, 101.0]
    session = run(closes, RaisesAt(low=102.0, high=1_000.0), risk=RiskConfig(trailing_stop=0.05), max_strategy_errors=2)
    assert [(fill.reason, fill.price) for fill in session.fills()] == [("signal", 101.0), ("trailing_stop", 104.5)]
    assert "the strategy failed on 2 bars in a row" in next(e.text for e in session.events() if "HALTED" in e.text)


def test_it_is_halted_after_a_restart_and_its_stop_works_still() -> None:
    closes = [101.0, 102.0, 103.0, 110.0, 109.0, 106.0, 104.0, 101.0, 101.0]
    settings: dict[str, Any] = {
        "strategy": RaisesAt(low=102.0, high=108.0),
        "risk": RiskConfig(trailing_stop=0.05),
        "max_strategy_errors": 2,
    }
    # The commits are those of the start, of the purchase, of the halt on 103, and the fourth would be that of the stop.
    record = KeptRecord(crash_at=4)
    died = run(closes, record=record, **settings)
    assert [fill.reason for fill in died.fills()][:1] == ["signal"]
    survivor = record.survivor()
    assert not any(row["kind"] == 0 for row in survivor.read())
    session = run(closes, record=survivor, **settings)
    resumed = [event.text for event in session.events()]
    again = resumed[max(at for at, text in enumerate(resumed) if text.startswith("STARTING")) :]
    assert any(text.startswith("HALTED: the strategy failed on 2 bars in a row") for text in again)
    assert session.snapshot().is_paused
    # 101 at the end is below what it raises on, so that it would buy if it might.
    assert [(fill.reason, fill.price) for fill in session.fills()] == [("signal", 101.0), ("trailing_stop", 104.5)]


@pytest.mark.parametrize("is_resumed", [False, True])
def test_failures_in_a_row_are_counted_on_after_a_restart(*, is_resumed: bool) -> None:
    # It raises on 102, 103 and 104; the process dies behind the bar of 103.
    closes = [101.0, 102.0, 103.0, 104.0, 101.0]
    settings: dict[str, Any] = {"strategy": RaisesAt(low=102.0, high=104.0), "max_strategy_errors": 3}
    record = KeptRecord()
    whole = run(closes, record=record, **settings)
    assert any("the strategy failed on 3 bars in a row" in event.text for event in whole.events())
    counts = [note.body["failed_in_a_row"] for note in record.notes("breaker")]
    assert counts == [1, 2, 3, 0]
    left = record.survivor(rows=3)
    if is_resumed:
        left.note("breaker", 0, {"failed_in_a_row": 0})
    session = run(closes, record=left, **settings)
    is_halted = any("HALTED: the strategy failed on 3 bars in a row" in event.text for event in session.events())
    assert is_halted is not is_resumed


def test_a_good_bar_after_a_restart_ends_the_row_for_the_next_process_too() -> None:
    # It raises on 102 and 103, and the process dies behind them; 101 is a good bar.
    settings: dict[str, Any] = {"strategy": RaisesAt(low=102.0, high=103.0), "max_strategy_errors": 9}
    record = KeptRecord()
    run([101.0, 102.0, 103.0, 101.0], record=record, **settings)
    left = record.survivor(rows=3)
    assert [note.body["failed_in_a_row"] for note in left.notes("breaker")] == [1, 2]
    run([101.0, 102.0, 103.0, 101.0], record=left, **settings)
    assert [note.body["failed_in_a_row"] for note in left.notes("breaker")] == [1, 2, 0]
