"""Where in a recorded sequence something came from: the event, the account before it, and the decision behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.core.deciders import live_decider, warm_up
from workbench.core.engine import EventRun
from workbench.core.records import NO_ROW

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.core.book import EngineConfig
    from workbench.core.intents import Intent, PositionView
    from workbench.core.memory import Memory
    from workbench.core.plan import DecisionPlan
    from workbench.core.records import Book
    from workbench.model import Bars

__all__ = ["MadeDecision", "Origin", "find_origin"]

# Rows that are run at once while nothing is found yet.
_PIECE: Final = 1_024


@dataclass(frozen=True, slots=True, eq=False)
class MadeDecision:
    """A decision that changed what waits for the next price of its symbol.

    Attributes
    ----------
    symbol : int
        Row of the symbol.
    bar_count : int
        How many bars of the symbol had been seen, warm-up and the one that decided included.
    time_ns : int
        Open time of the bar that decided, ns UTC.
    entry_side : int
        1 when a purchase waits, -1 when a sale does, 0 when only an exit or nothing does.
    now, position, intent
        What ``on_bar`` was asked with and answered; None of rules.
    """

    symbol: int
    bar_count: int
    time_ns: int
    entry_side: int
    now: Any
    position: PositionView | None
    intent: Intent | None


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The step in which something happened.

    Attributes
    ----------
    row : int
        Place of the event in the sequence.
    log : ndarray of `LOG`
        All that the event made happen.
    place : int
        Place in ``log`` of what was looked for.
    before : Book
        Account and positions before the event, with everything that had happened by then as its log.
    earlier, made : tuple of (MadeDecision or None)
        Of each symbol the last decision before the event, and the one in its step.
    bars : tuple of ndarray of float64, shape (5, n)
        Of each symbol the bars that had been seen by then, warm-up first.
    """

    row: int
    log: NDArray[np.void]
    place: int
    before: Book
    earlier: tuple[MadeDecision | None, ...]
    made: tuple[MadeDecision | None, ...]
    bars: tuple[NDArray[np.float64], ...]


def find_origin(
    plan: Callable[[], DecisionPlan],
    config: EngineConfig,
    events: NDArray[np.void],
    warmup: Bars | None,
    find: Callable[[NDArray[np.void]], int | None],
) -> Origin | None:
    """Run a recorded sequence again, and return where something in its log came from; None when it is not there.

    The sequence is run twice: to find about where it is, and to look closely there.

    Parameters
    ----------
    plan : callable
        Returns the strategy, lowered anew each time.
    config : EngineConfig
        As the session's.
    events : ndarray of `workbench.model.EVENT`
        Everything that the session was fed, in order.
    warmup : Bars or None
        What the session was warmed up with.
    find : callable
        Called with rows of the log; returns the place of what is looked for among them, or None.
    """
    begin = _piece_of(_run(plan(), config, warmup)[0], events, find)
    if begin is None:
        return None
    run, watch = _run(plan(), config, warmup)
    run.run(events[:begin])
    watch.take()
    for row in range(begin, min(begin + _PIECE, len(events))):
        account, symbols = run.book.account.copy(), run.book.symbols.copy()
        earlier, rows = tuple(watch.last), run.log_rows
        log = _happened(run.run(events[row : row + 1]))
        made = watch.take()
        place = find(log)
        if place is not None:
            happened = run.log()[:rows]
            before = run.book._replace(account=account, symbols=symbols, log=happened)
            return Origin(row, log, place, before, earlier, made, watch.bars)
    return None


class _Watch:
    """Decides as a session does, and keeps each symbol's last decision that changed anything."""

    def __init__(self, plan: DecisionPlan, config: EngineConfig) -> None:
        self._asked: tuple[Any, Any, Any] = (None, None, None)
        if plan.kind == "callable":
            plan.decide = self._watched(plan.decide)  # type: ignore[attr-defined]  # callable plans have it
        symbols = len(config.symbols)
        self._decider = live_decider(plan, symbols, _hold)
        self._bars: list[list[tuple[float, ...]]] = [[] for _ in range(symbols)]
        self.last: list[MadeDecision | None] = [None] * symbols
        self._made: list[MadeDecision | None] = [None] * symbols
        self.book: Book

    def see(self, s: int, bar: tuple[float, ...]) -> None:
        self._bars[s].append(bar)
        self._decider.see(s, bar)

    def decide(self, memory: Memory, s: int, time_ns: int, bar: tuple[float, ...]) -> int:
        self._bars[s].append(bar)
        self._asked = (None, None, None)
        waiting = self.book.symbols[s].tobytes()
        answer = self._decider.decide(memory, s, time_ns, bar)
        record = self.book.symbols[s]
        if record.tobytes() != waiting:
            side = int(record["entry_side"])
            self.last[s] = self._made[s] = MadeDecision(s, len(self._bars[s]), time_ns, side, *self._asked)
        return answer

    @property
    def bars(self) -> tuple[NDArray[np.float64], ...]:
        """Of each symbol the bars that were seen, shape (5, n)."""
        return tuple(np.array(bars, dtype=np.float64).reshape(-1, 5).T for bars in self._bars)

    def take(self) -> tuple[MadeDecision | None, ...]:
        """Return what was decided since the last call."""
        made = tuple(self._made)
        self._made = [None] * len(made)
        return made

    def _watched(self, decide: Callable[..., Intent]) -> Callable[..., Intent]:
        def watched(params: Any, now: Any, position: Any) -> Intent:
            intent = decide(params, now, position)
            self._asked = (now, position, intent)
            return intent

        return watched


def _hold(_error: Exception, _symbol: int, _time_ns: int) -> None:
    """Do nothing: the session recorded the error when it happened."""


def _run(plan: DecisionPlan, config: EngineConfig, warmup: Bars | None) -> tuple[EventRun, _Watch]:
    watch = _Watch(plan, config)
    run = EventRun(config, watch)
    watch.book = run.book
    if warmup is not None:
        warm_up(watch, warmup)
    return run, watch


def _piece_of(run: EventRun, events: NDArray[np.void], find: Callable[[NDArray[np.void]], int | None]) -> int | None:
    """Return where the piece begins in which something is found."""
    for begin in range(0, len(events), _PIECE):
        if find(_happened(run.run(events[begin : begin + _PIECE]))) is not None:
            return begin
    return None


def _happened(log: NDArray[np.void]) -> NDArray[np.void]:
    rows: NDArray[np.void] = log[log["kind"] != NO_ROW]
    return rows
