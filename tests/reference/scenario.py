"""One description of a market, its signals and its rules, and the ways to play it: the reference and the core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.reference.decisions import Signal, SignalPlan
from tests.reference.records import BarGroup, BarPrices, Decision, Denial, Filled, Trade, Trip
from tests.reference.simulator import Simulator
from workbench.model import Costs, Instrument, RiskConfig, Timeframe

NS = 1_000_000_000
START_NS = 1_704_067_200 * NS  # 2024-01-01 00:00 UTC
HOUR_NS = 3600 * NS
SPOT = Instrument("BTC/USDT")
PERPETUAL = Instrument("BTC/USDT:USDT", kind="linear_perpetual")
FREE = Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.0)

Row = tuple[float, float, float, float]
Key = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A run: ``events`` in order, ``signals[symbol, row]`` after the row-th own bar of a symbol, and the rules."""

    events: Sequence[Any]
    signals: Mapping[Key, Signal] = field(default_factory=dict)
    instruments: tuple[Instrument, ...] = (SPOT,)
    risk: RiskConfig = field(default_factory=RiskConfig)
    costs: Costs = FREE
    cash: float = 10_000.0
    path: str = "adverse"
    timeframe: Timeframe = field(default_factory=lambda: Timeframe("1h"))
    funding: tuple[tuple[int, int, float], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of a run, in the words of the reference's records."""

    fills: list[Filled]
    trades: list[Trade]
    denials: list[Denial]
    trips: list[Trip]
    equity: list[float]


def enter_long(**terms: Any) -> Signal:
    """Return the signal to go long, with the entry's own terms."""
    return Signal(enter_long=True, terms=Decision(**terms))


def enter_short(**terms: Any) -> Signal:
    """Return the signal to go short, with the entry's own terms."""
    return Signal(enter_short=True, terms=Decision(**terms))


EXIT_LONG = Signal(exit_long=True)
EXIT_SHORT = Signal(exit_short=True)


def at_open(row: int) -> int:
    """Return the open time of an hourly row."""
    return START_NS + row * HOUR_NS


def at_close(row: int) -> int:
    """Return the close time of an hourly row."""
    return START_NS + (row + 1) * HOUR_NS


def hourly(*tables: Sequence[Row | None]) -> list[BarGroup]:
    """Return the bar groups of one table of (open, high, low, close) per symbol; None is a missing bar."""
    length = max(len(table) for table in tables)
    groups = []
    for row in range(length):
        bars = {s: BarPrices(*table[row]) for s, table in enumerate(tables) if row < len(table) and table[row]}
        if bars:
            groups.append(BarGroup(at_open(row), bars))
    return groups


def bars_alone(scenario: Scenario) -> Scenario:
    """Return the scenario without its commands, as a backtest plays it."""
    return replace(scenario, events=[event for event in scenario.events if isinstance(event, BarGroup)])


def play_reference(scenario: Scenario) -> Outcome:
    """Play a scenario with the reference simulator."""
    table: dict[int, dict[int, Signal]] = {}
    for (symbol, row), signal in scenario.signals.items():
        table.setdefault(symbol, {})[row] = signal
    sim = Simulator(scenario, SignalPlan(table), scenario.funding).run(scenario.events)
    return Outcome(sim.fills, sim.trades, sim.denials, sim.trips, [equity for _, equity in sim.trace])
