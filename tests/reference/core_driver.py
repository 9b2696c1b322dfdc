"""Play a scenario with the compiled core, through every door it has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.decisions import Signal
from tests.reference.records import BarGroup, Closed, CommandEvent, Denial, Filled, TickPrice, Trade, Trip
from tests.reference.scenario import Key, Outcome, Scenario
from workbench.core import DENIAL_RULES, EXIT_REASONS, DecisionPlan, Engine, EngineConfig, Ledger
from workbench.core import run_backtest as core_backtest
from workbench.core import run_events as core_events
from workbench.core.intents import SIZINGS
from workbench.model import BAR, BAR_CLOSED, COMMAND, COMMANDS, EVENT, TICK, Bars

Levels = tuple[float, ...]


class TablePlan(DecisionPlan):
    """A plan that reads its decision from the volume of the bar: the number of a row in a table of signals."""

    kind = "rules"

    def __init__(self, signals: Sequence[Signal]) -> None:
        super().__init__("table", {}, None, 0)
        self._codes = [code_of(signal) for signal in signals]
        self._levels = [levels_of(signal) for signal in signals]

    def batch(
        self,
        ohlcv: NDArray[np.float64],
        row_index: NDArray[np.int64] | None = None,  # noqa: ARG002  the table is found by volume, not by row
        cache: Any = None,  # noqa: ARG002  nothing is computed that could be kept
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Return codes and levels of all bars."""
        rows = ohlcv[4].astype(int)
        codes = np.array([self._codes[row] for row in rows], np.uint8)
        levels = np.array([self._levels[row] for row in rows]).reshape(-1, 8).T
        return codes, np.ascontiguousarray(levels)

    def stream(self) -> TableStream:
        """Return the step form."""
        return TableStream(self._codes, self._levels)


class TableStream:
    """The step form of a `TablePlan`."""

    def __init__(self, codes: list[int], levels: list[Levels]) -> None:
        self._codes, self._levels = codes, levels

    def step(self, *bar: float) -> tuple[int, Levels]:
        """Return code and levels of one bar."""
        row = int(bar[4])
        return self._codes[row], self._levels[row]


def code_of(signal: Signal) -> int:
    """Return the rule code of a signal."""
    return signal.enter_long | signal.exit_long << 1 | signal.enter_short << 2 | signal.exit_short << 3


def levels_of(signal: Signal) -> Levels:
    """Return the eight levels of a signal, nan for unset."""
    terms = signal.terms
    numbers = (
        terms.size,
        terms.limit,
        terms.stop,
        terms.stop_loss,
        terms.take_profit,
        terms.trailing_stop,
        terms.max_holding_s,
    )
    return (*(math.nan if number is None else number for number in numbers), float(SIZINGS.index(terms.sizing)))


def plan_of(scenario: Scenario) -> tuple[TablePlan, dict[Key, int]]:
    """Return a plan, and the volume that each (symbol, own row) needs for it."""
    volumes = {key: number for number, key in enumerate(scenario.signals, start=1)}
    return TablePlan([Signal(), *scenario.signals.values()]), volumes


def config_of(scenario: Scenario) -> EngineConfig:
    """Return the core's form of the rules."""
    return EngineConfig(
        instruments=scenario.instruments,
        timeframe=scenario.timeframe,
        cash=scenario.cash,
        risk=scenario.risk,
        costs=scenario.costs,
        path=scenario.path,
    )


def bars_of(scenario: Scenario, volumes: dict[Key, int]) -> Bars:
    """Return the bar groups of a scenario as columns."""
    groups = [event for event in scenario.events if isinstance(event, BarGroup)]
    columns = np.full((5, len(scenario.instruments), len(groups)), np.nan)
    own_row = [0] * len(scenario.instruments)
    for i, group in enumerate(groups):
        for s, bar in group.bars.items():
            columns[:, s, i] = (bar.open, bar.high, bar.low, bar.close, volumes.get((s, own_row[s]), 0))
            own_row[s] += 1
    times = np.array([group.time_ns for group in groups], np.int64)
    symbols = [instrument.symbol for instrument in scenario.instruments]
    return Bars.from_arrays(symbols, scenario.timeframe, times, *columns, instruments=scenario.instruments)


def event_rows(scenario: Scenario, volumes: dict[Key, int]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the recorded sequence."""
    own_row = [0] * len(scenario.instruments)
    last = [1.0] * len(scenario.instruments)
    for event in scenario.events:
        if isinstance(event, TickPrice):
            last[event.symbol] = event.price
            yield (TICK, event.symbol, event.time_ns, event.price, 1.0, 0.0, 0.0, 0.0, 0)
        elif isinstance(event, CommandEvent):
            yield (COMMAND, -1, event.time_ns, COMMANDS.index(event.name), 0.0, 0.0, 0.0, 0.0, 0)
        elif isinstance(event, Closed):
            s, price = event.symbol, last[event.symbol]
            volume = volumes.get((s, own_row[s]), 0)
            own_row[s] += 1
            yield (BAR_CLOSED, s, event.open_time_ns, price, price, price, price, volume, 0)
        else:
            for remaining, (s, bar) in zip(range(len(event.bars) - 1, -1, -1), event.bars.items(), strict=True):
                volume = volumes.get((s, own_row[s]), 0)
                own_row[s] += 1
                yield (BAR, s, event.time_ns, bar.open, bar.high, bar.low, bar.close, volume, remaining)


def events_of(scenario: Scenario, volumes: dict[Key, int]) -> NDArray[np.void]:
    """Return the recorded sequence of a scenario."""
    return np.array(list(event_rows(scenario, volumes)), EVENT)


def is_history(scenario: Scenario) -> bool:
    """Return whether a scenario is bars alone, which the backtest can run."""
    return bool(scenario.events) and all(isinstance(event, BarGroup) for event in scenario.events)


def backtest(scenario: Scenario, *, is_exact: bool = False) -> Ledger:
    """Run a scenario of bars alone through the batch driver."""
    plan, volumes = plan_of(scenario)
    funding: dict[str, tuple[list[int], list[float]]] = {}
    for s, time_ns, rate in sorted(scenario.funding, key=lambda row: row[1]):
        times, rates = funding.setdefault(scenario.instruments[s].symbol, ([], []))
        times.append(time_ns)
        rates.append(rate)
    bars = bars_of(scenario, volumes)
    return core_backtest(plan, bars, config_of(scenario), funding=funding or None, is_exact=is_exact)


def replay(scenario: Scenario) -> Ledger:
    """Run the recorded sequence of a scenario through the batch driver; funding is not part of it."""
    plan, volumes = plan_of(scenario)
    return core_events(plan, events_of(scenario, volumes), config_of(scenario))


def live(scenario: Scenario, pieces: Sequence[int] | None = None) -> Ledger:
    """Run the recorded sequence through an engine, cut after these numbers of events (None: one by one)."""
    plan, volumes = plan_of(scenario)
    events = events_of(scenario, volumes)
    engine = Engine(plan, config_of(scenario))
    cuts = range(1, len(events)) if pieces is None else pieces
    for part in np.split(events, sorted({cut for cut in cuts if 0 < cut < len(events)})):
        engine.process(part)
    return engine.ledger


def outcome_of(ledger: Ledger) -> Outcome:
    """Return a ledger in the words of the reference's records."""
    return Outcome(
        fills=[
            Filled(
                symbol=int(row["symbol"]),
                time_ns=int(row["time_ns"]),
                side=int(row["side"]),
                quantity=float(row["quantity"]),
                price=float(row["price"]),
                fee=float(row["fee"]),
                reason=EXIT_REASONS[row["reason"]],
                is_maker=bool(row["is_maker"]),
            )
            for row in ledger.fills
        ],
        trades=[
            Trade(
                exit_reason=EXIT_REASONS[row["reason"]],
                **{
                    name: row[name].item()
                    for name in row.dtype.names
                    if name not in {"reason", "funding", "stop_level", "target"}
                },
            )
            for row in ledger.trades
        ],
        denials=[
            Denial(
                rule=DENIAL_RULES[row["rule"]], **{name: row[name].item() for name in row.dtype.names if name != "rule"}
            )
            for row in ledger.denials
        ],
        trips=[
            Trip(
                rule=EXIT_REASONS[row["rule"]], **{name: row[name].item() for name in row.dtype.names if name != "rule"}
            )
            for row in ledger.trips
        ],
        equity=[float(value) for value in ledger.equity],
    )


def play_core(scenario: Scenario) -> Outcome:
    """Play a scenario with the core: bars alone as a backtest, everything else as a recorded sequence."""
    return outcome_of(backtest(scenario) if is_history(scenario) else replay(scenario))
