"""The core does what a slow, plain reading of the rules does, on markets that nobody arranged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from tests.reference.agreement import play
from tests.reference.random_market import random_bars, random_ticks
from tests.reference.scenario import Scenario, bars_alone
from tests.strategies import bar_scenarios, tick_scenarios


@pytest.mark.parametrize("symbols", [1, 2, 3])
@pytest.mark.parametrize("seed", range(20))
def test_backtest_with_funding_agrees(symbols: int, seed: int) -> None:
    # Commands belong to a recorded sequence; a backtest has none.
    play(bars_alone(random_bars(seed, symbols=symbols, bars=80)))


@pytest.mark.parametrize("symbols", [1, 2, 3])
@pytest.mark.parametrize("seed", range(100, 115))
def test_bars_with_commands_agree(symbols: int, seed: int) -> None:
    play(replace(random_bars(seed, symbols=symbols, bars=80), funding=()))


@pytest.mark.parametrize("symbols", [1, 2, 3])
@pytest.mark.parametrize("seed", range(200, 220))
def test_ticks_agree(symbols: int, seed: int) -> None:
    play(random_ticks(seed, symbols=symbols, bars=60))


@given(bar_scenarios())
def test_bars_whose_prices_tie_with_levels_agree(scenario: Scenario) -> None:
    play(scenario)


@given(tick_scenarios())
def test_ticks_whose_prices_tie_with_levels_agree(scenario: Scenario) -> None:
    play(scenario)


def test_random_markets_reach_every_rule() -> None:
    """A comparison proves nothing about what never happens: every reason and denial occurs in these seeds."""
    reasons: set[str] = set()
    rules: set[str] = set()
    sources = [random_bars(seed, symbols=3, bars=80) for seed in range(40)]
    sources += [random_ticks(seed, symbols=3, bars=60) for seed in range(200, 220)]
    for scenario in sources:
        outcome = play(replace(scenario, funding=()))
        reasons.update(trade.exit_reason for trade in outcome.trades)
        rules.update(denial.rule for denial in outcome.denials)
    assert reasons == {
        "daily_loss",
        "flatten",
        "liquidation",
        "max_drawdown",
        "max_holding",
        "max_loss",
        "signal",
        "stop_loss",
        "take_profit",
        "trailing_stop",
    }
    assert rules >= {
        "cooldown",
        "halted",
        "invalid_size",
        "max_leverage",
        "max_order_notional",
        "max_orders_per_minute",
        "max_position_notional",
        "min_notional",
        "paused",
        "price_collar",
        "short_on_spot",
    }
