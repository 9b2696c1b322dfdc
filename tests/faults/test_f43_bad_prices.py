"""F43: prices that cannot be: told, left out, and part of nothing that the strategy or the account sees."""

from typing import Any

import numpy as np
import pytest

from tests.scripted_session import Wire, print_of, run_wire
from tests.unit.live.markets import session_config, walk
from workbench.live.feeds import bar_replay
from workbench.live.trading_engine import LiveTradingEngine
from workbench.strategy import sma_cross


@pytest.mark.parametrize("price", ["NaN", "Infinity", "0", "-100", "1e300", "abc", "", None])
def test_a_bad_price_is_told_and_reaches_no_bar(price: str | None) -> None:
    async def test(wire: Wire) -> None:
        bad = print_of(2, 10)
        bad["p"] = price
        await wire.send(bad, print_of(3, 20, 101.0), print_of(4, 60, 102.0))
        await wire.until(lambda: len(wire.bars) >= 1)
        bar = wire.bars[0]
        assert (bar.high, bar.low, bar.close) == (101.0, 100.0, 101.0)
        # Told by the client, or, where only the sum of such prices would be too large, counted at the session's gate.
        assert wire.counts["bad_price_ticks"] == (price == "1e300")
        assert any(event.kind == "bad_record" for event in wire.session.events()) is (price != "1e300")
        assert wire.session.state in {"ACTIVE", "STALE"}

    run_wire(test)


@pytest.mark.parametrize("volume", ["NaN", "-1", "1e300"])
def test_a_bad_volume_is_told_and_reaches_no_bar(volume: str) -> None:
    async def test(wire: Wire) -> None:
        bad = print_of(2, 10, 500.0)
        bad["q"] = volume
        await wire.send(bad, print_of(3, 20, 101.0), print_of(4, 60, 102.0))
        await wire.until(lambda: len(wire.bars) >= 1)
        assert (wire.bars[0].high, wire.bars[0].volume) == (101.0, 1.0)  # 2 * 0.5
        assert wire.session.state in {"ACTIVE", "STALE"}

    run_wire(test)


NAN, INF = float("nan"), float("inf")
OPEN, HIGH, LOW, CLOSE, VOLUME = "abcde"


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: value} for name in (OPEN, HIGH, LOW, CLOSE) for value in (NAN, INF, -INF, 0.0, -100.0)),
        {CLOSE: 1e300},
        {VOLUME: NAN},
        {VOLUME: -1.0},
        {HIGH: 1.0},  # below the low
        {LOW: 1e6},  # above the high
    ],
    ids=str,
)
def test_a_bar_that_cannot_be_is_counted_and_changes_nothing(wrong: dict[str, float]) -> None:
    config = session_config(walk(120), strategy=sma_cross(fast=3, slow=8))
    events = bar_replay(config.source.bars).poll(2**62)

    def engine_after(rows: Any) -> LiveTradingEngine:
        engine = LiveTradingEngine(config.plan(), config.engine_config())
        for _ in engine.run(rows):
            pass
        return engine

    bad = events.copy()
    for name, value in wrong.items():
        bad[60][name] = value
    engine = engine_after(bad)
    assert (engine.counts["bad_bars"], engine.counts["bars"]) == (1, 119)
    # What the account and the indicators have seen is as if it had never come.
    without = engine_after(np.delete(events, 60))
    assert engine.ledger_hash() == without.ledger_hash()
    assert engine.snapshot() == without.snapshot()
    assert engine.snapshot().fill_count > 0
