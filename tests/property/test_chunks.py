"""Cutting a sequence of events into other pieces changes no byte of what happens."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.core_driver import config_of, events_of, live, plan_of, replay
from tests.reference.random_market import random_bars, random_ticks
from tests.reference.scenario import Scenario
from tests.strategies import bar_scenarios, tick_scenarios
from workbench.core import Engine

cuts = st.lists(st.integers(0, 60), max_size=8)


@given(bar_scenarios(max_symbols=3, max_bars=12, has_commands=True), cuts)
def test_bars_in_any_pieces_leave_the_same_ledger(scenario: Scenario, pieces: list[int]) -> None:
    whole = replay(replace(scenario, funding=()))
    assert live(scenario, pieces).hash == whole.hash
    assert live(scenario, pieces).state == whole.state


@given(tick_scenarios(), cuts)
def test_ticks_in_any_pieces_leave_the_same_ledger(scenario: Scenario, pieces: list[int]) -> None:
    assert live(scenario, pieces).hash == replay(scenario).hash


@pytest.mark.parametrize("seed", range(6))
def test_one_event_at_a_time_is_the_same_as_all_at_once(seed: int) -> None:
    for scenario in (random_bars(seed, symbols=3, bars=60), random_ticks(seed, symbols=2, bars=40)):
        assert live(scenario).hash == live(scenario, []).hash == replay(scenario).hash


def test_steps_tell_every_fill_trade_and_denial_exactly_once() -> None:
    scenario = random_bars(0, symbols=3, bars=120)
    plan, volumes = plan_of(scenario)
    events = events_of(scenario, volumes)
    engine = Engine(plan, config_of(scenario))
    steps = [engine.process(events[i : i + 1]) for i in range(len(events))]
    ledger = engine.ledger
    assert len(ledger.fills) > 20
    assert [fill.sequence for step in steps for fill in step.fills] == list(range(len(ledger.fills)))
    assert sum(len(step.closed_trades) for step in steps) == len(ledger.trades)
    assert sum(len(step.denials) for step in steps) == len(ledger.denials)
    assert sum(len(step.trips) for step in steps) == len(ledger.trips)
    assert [step.snapshot.sequence for step in steps] == list(range(1, len(events) + 1))
