"""Where in a recorded sequence something came from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.core import EngineConfig
from workbench.core.intents import ENTER_LONG, EXIT
from workbench.core.origin import Origin, find_origin
from workbench.core.records import FILL_ROW, TRADE_ROW
from workbench.model import BAR, BAR_CLOSED, EVENT, TICK, Bars, Costs, Instrument, Timeframe
from workbench.strategy import Rules, Strategy, enter_long, exit_position, hold, plan_of, strategy

MIDNIGHT = 1_735_689_600_000_000_000
MINUTE = 60_000_000_000
FREE = Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.0)


@strategy
def above(m: Any) -> Rules:
    """Is in while the close is above 100."""
    return Rules(enter_long=m.close > 100.0, exit_long=m.close < 100.0)


class Above(Strategy):
    """The same bar by bar; it enters again at every bar above, which changes nothing while it is in."""

    def on_bar(self, now: Any, position: Any) -> Any:
        if now.close > 100.0:
            return enter_long()
        return hold() if position.is_flat else exit_position()


def config_of(*symbols: str) -> EngineConfig:
    instruments = tuple(Instrument(symbol) for symbol in symbols or ("BTC/USDT",))
    return EngineConfig(instruments=instruments, timeframe=Timeframe("1m"), cash=1_000.0, costs=FREE)


def bars_at(*closes: float, symbols: int = 1) -> Any:
    """Return rows of whole bars, one a minute and symbol, that stand at their close."""
    rows = [
        (BAR, s, MIDNIGHT + place * MINUTE, close, close, close, close, 1.0, symbols - 1 - s)
        for place, close in enumerate(closes)
        for s in range(symbols)
    ]
    return np.array(rows, dtype=EVENT)


def ticks_at(*closes: float) -> Any:
    """Return one price a minute, each with the bar that it makes."""
    rows: list[tuple[Any, ...]] = []
    for place, close in enumerate(closes):
        at = MIDNIGHT + place * MINUTE
        rows.append((TICK, 0, at, close, 1.0, 0, 0, 0, 0))
        rows.append((BAR_CLOSED, 0, at, close, close, close, close, 1.0, 0))
    return np.array(rows, dtype=EVENT)


def fill_number(sequence: int) -> Any:
    def find(log: Any) -> int | None:
        places = np.flatnonzero((log["kind"] == FILL_ROW) & (log["sequence"] == sequence))
        return int(places[0]) if places.size else None

    return find


def origin_of(strategy: Any, events: Any, sequence: int, *symbols: str, warmup: Bars | None = None) -> Origin:
    found = find_origin(lambda: plan_of(strategy), config_of(*symbols), events, warmup, fill_number(sequence))
    assert found is not None
    return found


@pytest.mark.parametrize("strategy", [above(), Above()])
def test_a_fill_comes_from_the_bar_before_its_event(strategy: Any) -> None:
    # Above 100 on bars 1, 2, 3: decided on bar 1, filled at the open of bar 2; below on bar 4, sold on bar 5.
    events = bars_at(99.0, 101.0, 102.0, 103.0, 98.0, 97.0)
    entry, exit_ = (origin_of(strategy, events, number) for number in (0, 1))
    assert (entry.row, exit_.row) == (2, 5)
    decision = entry.earlier[0]
    assert decision is not None
    assert (decision.time_ns, decision.bar_count, decision.entry_side) == (MIDNIGHT + MINUTE, 2, 1)
    assert entry.bars[0][:, : decision.bar_count][3].tolist() == [99.0, 101.0]
    left = exit_.earlier[0]
    assert left is not None
    assert (left.time_ns, left.bar_count, left.entry_side) == (MIDNIGHT + 4 * MINUTE, 5, 0)


def test_what_on_bar_was_asked_and_answered_is_kept() -> None:
    events = bars_at(99.0, 101.0, 102.0, 103.0, 98.0, 97.0)
    entry, exit_ = (origin_of(Above(), events, number).earlier[0] for number in (0, 1))
    assert entry is not None
    assert exit_ is not None
    assert entry.intent is not None
    assert exit_.intent is not None
    assert (entry.intent.action, exit_.intent.action) == (ENTER_LONG, EXIT)
    assert (entry.now.close, exit_.now.close) == (101.0, 98.0)
    assert entry.position is not None
    assert entry.position.is_flat
    assert exit_.position is not None
    assert (exit_.position.entry_price, exit_.position.bars_held) == (102.0, 3)


def test_state_and_log_are_those_before_the_event() -> None:
    events = ticks_at(99.0, 101.0, 102.0, 98.0, 97.0)
    origin = origin_of(above(), events, 1)
    assert events[origin.row]["kind"] == TICK
    assert events[origin.row]["time_ns"] == MIDNIGHT + 4 * MINUTE
    assert origin.before.symbols[0]["entry_price"] == 102.0
    assert origin.before.account["cash"] == pytest.approx(0.0, abs=1e-9)
    assert origin.before.log["kind"].tolist() == [FILL_ROW]
    assert origin.log["kind"].tolist() == [FILL_ROW, TRADE_ROW]
    assert origin.place == 0


def test_warm_up_bars_count_among_those_that_the_strategy_has_seen() -> None:
    closes = np.array([90.0, 91.0, 92.0])
    times = MIDNIGHT - MINUTE * np.array([3, 2, 1])
    warmup = Bars.from_arrays("BTC/USDT", "1m", times, closes, closes, closes, closes, np.ones(3))
    origin = origin_of(above(), bars_at(99.0, 101.0, 102.0), 0, warmup=warmup)
    decision = origin.earlier[0]
    assert decision is not None
    assert decision.bar_count == 3 + 2
    assert origin.bars[0][3, :5].tolist() == [90.0, 91.0, 92.0, 99.0, 101.0]


def test_each_symbol_has_a_decision_of_its_own() -> None:
    events = bars_at(99.0, 101.0, 102.0, symbols=2)
    # Symbol 0 takes all the cash at row 5, the last of the third group.
    origin = origin_of(above(), events, 0, "BTC/USDT", "ETH/USDT")
    assert origin.row == 5
    assert [one is not None and one.symbol for one in origin.earlier] == [0, 1]


def test_it_is_found_far_behind_the_first_piece() -> None:
    closes = [101.0 if place % 7 < 3 else 99.0 for place in range(3_000)]
    origin = origin_of(above(), bars_at(*closes), 700)
    # Fill 700 is entry number 350: decided on the first of its seven bars, filled one later.
    assert origin.row == 350 * 7 + 1


def test_what_never_was_comes_from_nowhere() -> None:
    assert find_origin(lambda: plan_of(above()), config_of(), bars_at(99.0), None, fill_number(0)) is None
