"""The engine of a live session: any piece of a recorded sequence of events through the shared core.

A session is a backtest in pieces of one event. `Engine` steps the indicators bar by bar where `run_events` computes
them over the whole history; everything else is the same compiled loop, and the two must leave the same bytes.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.book import EngineConfig, open_book, state_bytes
from workbench.core.deciders import RecordedDecider, live_decider, warm_up
from workbench.core.driver import frozen
from workbench.core.event_loop import record_decision, run_rows
from workbench.core.kept import KeptLog, KeptTrace
from workbench.core.ledger import Ledger, LedgerTail, joint_hash, take_log
from workbench.core.log import LOG_ROWS, ROOM_PER_SYMBOL
from workbench.core.memory import memory_of
from workbench.core.records import LOG, NO_ROW
from workbench.core.views import account_state, step_result
from workbench.errors import ConfigError, DataError, LookAheadError
from workbench.model.commands import Command
from workbench.model.events import BAR, BAR_CLOSED, COMMAND, EVENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.core.deciders import Decider
    from workbench.core.plan import DecisionPlan
    from workbench.core.records import Book
    from workbench.model import AccountState, Bars, StepResult

    Floats = NDArray[np.float64]

_NO_CODES = np.zeros(0, np.uint8)
_NO_COLUMNS = np.zeros(0, np.int64)
_MUTE = Command("mute").code
# Turns for which room in the trace is made at once.
_TURNS = 64


class EventRun:
    """One pass of events through a book, in pieces of any size."""

    def __init__(self, config: EngineConfig, decider: Decider | None, *, kept_rows: int | None = None) -> None:
        symbols = len(config.symbols)
        self.book: Book = open_book(config, LOG_ROWS + ROOM_PER_SYMBOL * symbols)
        self._memory = memory_of(self.book)
        self._log, self._trace = KeptLog(kept_rows), KeptTrace(kept_rows)
        self.sequence = 0
        self._decider = decider
        self._bars = np.full((5, symbols, 1), math.nan)
        self._no_funding = np.zeros((2, symbols, 0))
        self._no_levels = frozen(np.full((symbols, 8, 1), math.nan))

    def run(
        self,
        events: NDArray[np.void],
        codes: NDArray[np.uint8] = _NO_CODES,
        levels: Floats | None = None,
        columns: NDArray[np.int64] = _NO_COLUMNS,
    ) -> NDArray[np.void]:
        """Run events and return the rows that they added to the log.

        Without `codes` the decider is asked after each bar or group of bars.
        """
        levels = self._no_levels if levels is None else levels
        mute = _mute_row(events)
        taken = []
        begin = room = 0
        while begin < len(events):
            if not room:
                room = len(events) - begin if len(codes) else min(len(events) - begin, _TURNS)
                self._make_room(room)
            # A turn adds a row to the trace at most, and one with `codes` a row for each event at most.
            room -= 1
            end = run_rows(
                self._memory, events, begin, codes, levels, columns, self._bars, self._no_funding, self._trace.buffer
            )
            if end == begin:
                taken.append(take_log(self.book))
                continue
            if end > mute:
                self._decider = None
            if not len(codes):
                self._decide_after(events[end - 1].item())
            begin = end
        self.sequence += len(events)
        taken.append(take_log(self.book))
        self._log.extend(taken)
        return taken[0] if len(taken) == 1 else np.concatenate(taken)

    def _make_room(self, rows: int) -> None:
        self.book.output["trace_rows"] = self._trace.make_room(int(self.book.output["trace_rows"]), rows)

    def _decide_after(self, event: tuple[Any, ...]) -> None:
        kind, s, time_ns, *bar, remaining = event
        if kind not in (BAR_CLOSED, BAR) or remaining != 0:
            return
        if kind == BAR_CLOSED:
            record_decision(self._memory, self._trace.buffer, time_ns, s, self._decision(s, time_ns, tuple(bar)))
            return
        first = 0
        for s in range(self._bars.shape[1]):
            values = tuple(self._bars[:, s, 0].tolist())
            if not math.isnan(values[0]):
                decision = self._decision(s, time_ns, values)
                first = decision if s == 0 else first
        self._bars[:] = math.nan
        record_decision(self._memory, self._trace.buffer, time_ns, 0, first)

    def _decision(self, s: int, time_ns: int, bar: tuple[float, ...]) -> int:
        """Return what the strategy decides on a bar; one that was muted decides nothing."""
        return 0 if self._decider is None else self._decider.decide(self._memory, s, time_ns, bar)

    @property
    def log_rows(self) -> int:
        """Rows of the log so far."""
        return self._log.rows

    def log(self) -> NDArray[np.void]:
        """Return what is kept of the log."""
        return self._log.table()

    def ledger(self, symbols: tuple[str, ...]) -> Ledger:
        """Return what is kept of all that has happened so far; later events do not change it."""
        book = self.book
        copy = book._replace(
            account=book.account.copy(),
            config=book.config.copy(),
            output=book.output.copy(),
            symbols=book.symbols.copy(),
            log=np.zeros(1, LOG),
        )
        return Ledger.of(symbols, [self._log.table()], self._trace.buffer.copy(), copy)

    def hash(self) -> str:
        """Return the hash of all that has happened so far."""
        trace = self._trace.digest(int(self.book.output["trace_rows"]))
        return joint_hash(self._log.digest(), trace, state_bytes(self.book))

    def tail(self, symbols: tuple[str, ...]) -> LedgerTail:
        """Return the newest part of what has happened so far, and the hash of all; later events do not change it."""
        newest, trace = self.ledger(symbols), self._trace
        rows = trace.dropped + len(newest.trace)
        return LedgerTail(newest, rows, self._log.fills, self.hash(), trace.marks(), trace.peak)


class Engine:
    """Runs a strategy on events as they come; its account is read through snapshots from any thread.

    Parameters
    ----------
    plan : DecisionPlan
        The lowered strategy; it must be causal.
    config : EngineConfig
        Account, risk and costs.
    on_strategy_error : callable, optional
        Called with the exception, the symbol's index and the bar's time in ns UTC when ``on_bar`` raises; the strategy
        then holds for that bar, and stops go on. Without it the exception passes to the caller of `process`.
    kept_rows : int, optional
        How many of the newest rows of log and trace to keep; of older ones the hash is left. Default all.

    Raises
    ------
    ConfigError
        The plan is made of arrays, which end with the past.
    """

    def __init__(
        self,
        plan: DecisionPlan,
        config: EngineConfig,
        *,
        on_strategy_error: Callable[[Exception, int, int], None] | None = None,
        kept_rows: int | None = None,
    ) -> None:
        if not plan.is_causal:
            raise ConfigError(f"{plan.name} is made of arrays and not proven causal: it cannot run live")
        self.config = config
        self._lock = threading.Lock()
        self._decider = live_decider(plan, len(config.symbols), on_strategy_error)
        self._run = EventRun(config, self._decider, kept_rows=kept_rows)
        self._keeps_all = kept_rows is None

    def warm_up(self, bars: Bars) -> None:
        """Feed history to the indicators: nothing is decided or traded on it.

        Raises
        ------
        DataError
            The bars have other symbols or another timeframe, or events came before.
        """
        if bars.symbols != self.config.symbols or bars.timeframe != self.config.timeframe:
            raise DataError(
                f"warm-up bars must be {self.config.timeframe} of {', '.join(self.config.symbols)}, "
                f"were {bars.timeframe} of {', '.join(bars.symbols)}"
            )
        if self._run.sequence:
            raise DataError("warm-up must come before the first event")
        warm_up(self._decider, bars)

    def process(self, events: NDArray[np.void]) -> StepResult:
        """Run events and return what they made happen, with the account afterwards.

        Parameters
        ----------
        events : ndarray of `workbench.model.EVENT`, shape (n,)
            In the order in which they happened. Cutting a sequence into other pieces changes nothing.

        Raises
        ------
        DataError
            The array has another dtype, or names a symbol that is not there.
        """
        _check_events(events, len(self.config.symbols))
        with self._lock:
            log = self._run.run(events)
            snapshot = self._picture()
        return step_result(self.config.symbols, log[log["kind"] != NO_ROW], snapshot)

    def snapshot(self) -> AccountState:
        """Return a frozen, numbered picture of the account; from any thread."""
        with self._lock:
            return self._picture()

    def _picture(self) -> AccountState:
        book = self._run.book
        return account_state(self._run.sequence, self.config.symbols, book.account, book.symbols)

    @property
    def ledger(self) -> Ledger:
        """A copy of everything that has happened so far; from any thread.

        Raises
        ------
        ConfigError
            The engine keeps the newest rows only.
        """
        if not self._keeps_all:
            raise ConfigError("an engine with kept_rows has no whole ledger: ask for its tail, or run its events again")
        with self._lock:
            return self._run.ledger(self.config.symbols)

    @property
    def tail(self) -> LedgerTail:
        """A copy of the newest part of what has happened so far, and the hash of all; from any thread."""
        with self._lock:
            return self._run.tail(self.config.symbols)

    @property
    def hash(self) -> str:
        """The hash of everything that has happened so far, as `Ledger.hash`; from any thread."""
        with self._lock:
            return self._run.hash()


def _mute_row(events: NDArray[np.void]) -> int:
    """Return the first row that mutes the strategy, or the number of rows when none does."""
    rows = np.flatnonzero((events["kind"] == COMMAND) & (events["a"] == _MUTE))
    return int(rows[0]) if rows.size else len(events)


def _check_events(events: NDArray[np.void], symbols: int) -> None:
    if events.dtype != EVENT:
        raise DataError(f"events must have dtype EVENT, had {events.dtype}")
    if len(events) and not -1 <= int(events["symbol"].min()) <= int(events["symbol"].max()) < symbols:
        raise DataError(f"events name a symbol outside 0..{symbols - 1}")


def run_events(
    plan: DecisionPlan,
    events: NDArray[np.void],
    config: EngineConfig,
    *,
    warmup: Bars | None = None,
    on_strategy_error: Callable[[Exception, int, int], None] | None = None,
) -> Ledger:
    """Run a whole recorded sequence through the batch driver: the other side of parity.

    Indicators are computed in one batch over all bars of the sequence, and ``on_bar`` runs compiled where it can.

    Parameters
    ----------
    plan : DecisionPlan
        The lowered strategy.
    events : ndarray of `workbench.model.EVENT`
        Everything that the session was fed, in order.
    config : EngineConfig
        As the session's.
    warmup : Bars, optional
        What the session was warmed up with.
    on_strategy_error : callable, optional
        As for `Engine`.

    Returns
    -------
    Ledger
        Its ``hash`` equals that of the session if and only if both did the same.
    """
    _check_events(events, len(config.symbols))
    histories, warmups, ordinals = _histories(events, len(config.symbols), warmup)
    try:
        run, decisions = _recorded_run(plan, events, config, histories, warmups, ordinals, on_strategy_error)
    except LookAheadError:
        raise
    except Exception:
        # A feature raised, as a stranger's code may: over all bars at once nothing says on which of them. Bar by bar
        # it does, and the others decide as they did live.
        if on_strategy_error is None:
            raise
        decider = live_decider(plan, len(config.symbols), on_strategy_error)
        if warmup is not None:
            warm_up(decider, warmup)
        run, decisions = EventRun(config, decider), ()
    run.run(events, *decisions)
    return run.ledger(config.symbols)


def _recorded_run(
    plan: DecisionPlan,
    events: NDArray[np.void],
    config: EngineConfig,
    histories: list[Floats],
    warmups: list[int],
    ordinals: NDArray[np.int64],
    on_strategy_error: Callable[[Exception, int, int], None] | None,
) -> tuple[EventRun, tuple[Any, ...]]:
    """Compute the indicators of all bars at once; return a run and, of rules, the decisions to run it with."""
    if plan.kind == "callable":
        return EventRun(config, RecordedDecider(plan, histories, warmups, on_strategy_error)), ()
    codes = np.zeros(len(events), np.uint8)
    parts = []
    for s, history in enumerate(histories):
        whole = np.ascontiguousarray(history)
        symbol_codes, levels = plan.batch(whole)  # type: ignore[attr-defined]  # rules do
        mine = (events["symbol"] == s) & (ordinals >= 0)
        codes[mine] = symbol_codes[ordinals[mine]]
        parts.append(levels)
    width = max(levels.shape[1] for levels in parts)
    joint = np.full((len(parts), 8, width), math.nan)
    for s, levels in enumerate(parts):
        joint[s, :, : levels.shape[1]] = levels
        if levels.shape[1] == 1:
            joint[s] = levels
    return EventRun(config, None), (codes, frozen(joint), np.maximum(ordinals, 0))


def _histories(
    events: NDArray[np.void], symbols: int, warmup: Bars | None
) -> tuple[list[Floats], list[int], NDArray[np.int64]]:
    """Return each symbol's bars (5, n_s), warm-up first, how many are warm-up, and each event's place in them."""
    is_bar = (events["kind"] == BAR) | (events["kind"] == BAR_CLOSED)
    # What a strategy that was muted never saw, its indicators are not asked about: they may be what hung.
    is_bar[_mute_row(events) :] = False
    ordinals = np.full(len(events), -1, np.int64)
    histories, warmups = [], []
    for s in range(symbols):
        rows = np.flatnonzero(is_bar & (events["symbol"] == s))
        seen = np.stack([events[name][rows] for name in "abcde"])
        before = np.empty((5, 0)) if warmup is None else warmup.values[:, s, warmup.valid[s]]
        ordinals[rows] = before.shape[1] + np.arange(len(rows))
        histories.append(np.concatenate([before, seen], axis=1))
        warmups.append(before.shape[1])
    return histories, warmups, ordinals
