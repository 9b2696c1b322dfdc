"""F61, F84: what a session keeps for its readers grows for ever, or drops the newest.

Guards that every list that grows with the market is bounded, keeps the newest, and counts what it dropped, and that
memory grows by compact rows only.
"""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest

from tests.unit.live.markets import run_to_end, session_config, walk
from workbench.live import LiveSession
from workbench.strategy import Strategy, enter_long, exit_position, sma_cross

BARS, KEPT = 3_000, 50


class NeverRests(Strategy):
    """Buys and sells in turn, and fails on every bar above 95."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:
        if now.close > 95.0:
            raise ValueError("too high")
        return enter_long() if position.is_flat else exit_position()


@pytest.fixture(scope="module")
def session() -> LiveSession:
    return run_to_end(
        session_config(walk(BARS), strategy=NeverRests(), max_bars=KEPT, max_errors=KEPT, max_strategy_errors=BARS)
    )


def test_the_newest_are_kept_and_the_others_counted(session: LiveSession) -> None:
    account, counts = session.snapshot(), session.metrics()["counts"]
    kept = {"fills": session.fills(), "trades": session.trades(), "errors": session.errors()}
    added = {"fills": account.fill_count, "trades": account.trade_count, "errors": counts["strategy_errors"]}
    assert all(number > 2 * KEPT for number in added.values()), added
    assert {name: len(rows) for name, rows in kept.items()} == dict.fromkeys(kept, KEPT)
    assert session.fills()[-1].sequence == account.fill_count - 1
    dropped = session.metrics()["dropped"]
    assert {name: dropped[name] for name in kept} == {name: number - KEPT for name, number in added.items()}


def test_the_chart_keeps_the_newest_bars(session: LiveSession) -> None:
    state = session.chart_state()
    assert (len(state.bars), len(state.equity)) == (KEPT, KEPT)
    assert state.bars[-1, 4] == walk(BARS).values[3, 0, -1]


def kept_memory(bars: int) -> int:
    """Return the bytes that a session holds at its end."""
    config = session_config(walk(bars), strategy=sma_cross(fast=3, slow=8), max_bars=KEPT)
    gc.collect()
    tracemalloc.start()
    try:
        session = run_to_end(config)
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert session.metrics()["counts"]["bars"] == bars
    return held


def test_memory_grows_by_no_more_than_a_row_of_numbers_for_each_bar() -> None:
    kept_memory(500)  # what is loaded once
    # The replayed bar itself (72 bytes) and its row of the ledger; an object of Python for each would be a kilobyte.
    assert kept_memory(4_000) - kept_memory(1_000) < 400 * 3_000
