"""The engine of a session: bars or prices in, decisions and fills of the core out, every input recorded for replay."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workbench.errors import ConfigError, DataError, JournalError, SessionClosedError, SessionError
from workbench.live.callbacks import EngineCallbacks, Guard
from workbench.live.inlet import Inlet, Piece, bar_rows
from workbench.live.live_core import open_core
from workbench.live.records import LiveStep
from workbench.live.spool import EventSpool
from workbench.model import BAR, BAR_CLOSED, COMMAND, EVENT, Bar, Command, StepResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from workbench.core import DecisionPlan, EngineConfig, LedgerTail
    from workbench.live.live_core import CoreFactory
    from workbench.live.record import SessionRecord
    from workbench.model import AccountState, Bars

__all__ = ["EngineCut", "LiveTradingEngine"]


class EngineCut(NamedTuple):
    """The recorded inputs and the outcome at one and the same moment."""

    history: Bars | None
    events: NDArray[np.void]
    tail: LedgerTail


class LiveTradingEngine:
    """Runs a strategy on what comes: whole bars with `run_once`, or single prices with `on_tick`, never both.

    Prices become bars here: the first price of a new interval closes the bar before, on which the strategy decides, and
    is then itself the next price, which fills that decision. A partial first bar is shown and never decided on. A
    strategy that raises skips its bar; after several bars in a row entries are paused, and stops go on. They are paused
    too when it wants entries on and on beyond the limit of orders per minute.

    One thread feeds; `snapshot`, `cut` and the counters may be read from any.

    Parameters
    ----------
    plan : DecisionPlan
        The strategy, lowered.
    config : EngineConfig
        Account, instruments, risk and costs.
    callbacks : EngineCallbacks, optional
        Called for each closed bar, executed order and error, on the feeding thread.
    since_ns : int, optional
        Time from which on all prices are known to come; see `BarAggregator`.
    latest_ns : callable, optional
        Returns the latest time that a price may carry; see `BarAggregator`.
    max_strategy_errors : int, default 5
        Bars in a row on which the strategy may fail before entries are paused.
    max_errors : int, default 1000
        Errors to keep.
    open_core : callable, optional
        Makes the core; another one is for tests.
    record : SessionRecord, optional
        Where every input is kept; default one that ends with this process.

    Raises
    ------
    ConfigError
        The plan is none, or not proven causal, such as one from arrays, or a number is below 1.

    Examples
    --------
    >>> from workbench.core import EngineConfig
    >>> from workbench.model import Instrument, Timeframe
    >>> from workbench.strategy import buy_and_hold, plan_of
    >>> config = EngineConfig(instruments=(Instrument("BTC/USDT"),), timeframe=Timeframe("1m"), cash=1_000.0)
    >>> engine = LiveTradingEngine(plan_of(buy_and_hold()), config)
    >>> midnight, second = 1_735_689_600_000_000_000, 1_000_000_000
    >>> for after_s in (0, 60, 120):
    ...     result = engine.on_tick("BTC/USDT", midnight + after_s * second, 100.0, 1.0)
    >>> engine.snapshot().fill_count
    1
    """

    def __init__(  # noqa: PLR0913  all but two are keyword-only and optional
        self,
        plan: DecisionPlan,
        config: EngineConfig,
        *,
        callbacks: EngineCallbacks | None = None,
        since_ns: int | None = None,
        latest_ns: Callable[[], int] | None = None,
        max_strategy_errors: int = 5,
        max_errors: int = 1_000,
        open_core: CoreFactory = open_core,
        record: SessionRecord | None = None,
    ) -> None:
        if not hasattr(plan, "is_causal"):
            raise ConfigError(f"plan must be a lowered strategy, as in plan_of(sma_cross(fast=10)), was {plan!r}")
        if not plan.is_causal:
            raise ConfigError(
                f"{plan.name} is made of arrays: nothing proves that they look back only, so they cannot run live; "
                "write the rules as a strategy"
            )
        self.config = config
        self.symbols = config.symbols
        self.guard = Guard(callbacks or EngineCallbacks(), self.symbols, limit=max_strategy_errors, capacity=max_errors)
        self._inlet = Inlet(self.symbols, config.timeframe, since_ns=since_ns, latest_ns=latest_ns)
        self._lock = threading.RLock()
        self._core = open_core(plan, config, self.guard.strategy_failed)
        self._record: SessionRecord = EventSpool() if record is None else record
        self._is_closed = False
        self._time_ns = 0

    @property
    def time_ns(self) -> int:
        """Time of the market after the last event, ns UTC; 0 before the first."""
        return self._time_ns

    @property
    def forming(self) -> tuple[Bar, ...]:
        """Bars that are open now, one per symbol at most."""
        return self._inlet.forming

    @property
    def prices(self) -> dict[str, float]:
        """The last price of each symbol that had one."""
        return self._inlet.prices

    @property
    def counts(self) -> dict[str, int]:
        """Bars and ticks that came, what was dropped by reason, and the errors of strategy and callbacks."""
        return self._inlet.counts | self.guard.counts

    def snapshot(self) -> AccountState:
        """Return the account at this moment; from any thread."""
        return self._core.snapshot()

    def warm_up(self, bars: Bars) -> None:
        """Feed history to the indicators: nothing is decided or traded on it.

        Raises
        ------
        SessionError
            There was an event or a warm-up already.
        DataError
            The bars have other symbols or another timeframe.
        """
        with self._lock:
            if len(self._record) or self._record.history() is not None:
                raise SessionError("warm-up must come once and before the first price")
            self._core.warm_up(bars)
            self._record.put_history(bars)

    def restore(self) -> tuple[StepResult, EngineCut]:
        """Run what the record holds, as it happened; nothing is recorded anew.

        The core is deterministic: after this it stands where it stood, positions, peaks, tripped breakers and orders in
        flight included. Callbacks are not called again.

        Returns
        -------
        tuple of StepResult and EngineCut
            All that came of it, and what `cut` returns now.

        Raises
        ------
        DataError
            The record is not of these symbols and this timeframe.
        JournalError
            The record cannot be read, or this version of the software does not do with it what the session did.
        """
        with self._lock:
            history, events = self._record.history(), self._record.read()
            if history is not None:
                self._core.warm_up(history)
            checks = self._record.snapshots()
            rows, expected = checks[-1] if checks else (0, None)
            result = self._core.process(events[:rows])
            if expected is not None and self._core.hash != expected:
                raise JournalError(
                    f"the first {rows:,} recorded events, run again, do not give what they gave: the session was run "
                    "by another version of workbench or its packages; go on with that one"
                )
            result = _joined(result, self._core.process(events[rows:]))
            self._time_ns = self._inlet.restore(events)
            self.guard.settle()
            return result, EngineCut(history, events, self._core.tail)

    def run_once(self, bar: Bar | Sequence[Bar]) -> StepResult | None:
        """Run one closed bar, or the bars of several symbols with one time, through the core.

        Parameters
        ----------
        bar : Bar or sequence of Bar
            The next bar of its symbol. It stands for four prices and the decision on them.

        Returns
        -------
        StepResult or None
            What happened; None when every bar was partial, or began before the last one of its symbol had ended.

        Raises
        ------
        DataError
            An unknown symbol, bars of different times, or prices came before.
        SessionClosedError
            The engine is closed.
        """
        bars = [bar] if isinstance(bar, Bar) else list(bar)
        unknown = [one.symbol for one in bars if one.symbol not in self.symbols]
        if unknown:
            raise DataError(f"symbol must be one of {', '.join(self.symbols)}, was {', '.join(unknown)}")
        if len({one.time_ns for one in bars}) != 1:
            raise DataError(f"bars must be of one time, were of {len({one.time_ns for one in bars})}")
        rows = bar_rows(BAR, self.symbols, [one for one in bars if not one.is_partial])
        steps = list(self.run(rows))
        return steps[-1].result if steps else None

    def on_tick(self, symbol: str, timestamp: datetime | int, price: float, volume: float = 0.0) -> StepResult | None:
        """Take one price: it may close a bar and make the strategy decide, and it fills what waits for a price.

        Parameters
        ----------
        symbol : str
            One of the session's symbols.
        timestamp, price, volume
            As for `BarAggregator.add_price`.

        Returns
        -------
        StepResult or None
            What happened; None when the price was late or bad and so was dropped.

        Raises
        ------
        DataError
            An unknown symbol, a naive datetime, or whole bars came before.
        SessionClosedError
            The engine is closed.
        """
        self._check_open()
        results = [self._step(piece).result for piece in self._inlet.tick(symbol, timestamp, price, volume)]
        if not results:
            return None
        return results[0] if len(results) == 1 else _joined(*results)

    def run(self, events: NDArray[np.void]) -> Iterator[LiveStep]:
        """Run the `events` of a feed, one step up to each closed bar or group of bars, and yield what each step did.

        They are ticks or whole bars. Rows that are late, bad or of an unknown symbol are counted and dropped.
        """
        return map(self._step, self._inlet.batch(events))

    def command(self, command: Command) -> LiveStep:
        """Put a person's command into the recorded sequence, at the time of the last event."""
        return self._step(Piece(self._command_row(command), (), self._time_ns))

    def report(self, rows: NDArray[np.void]) -> LiveStep:
        """Put what an exchange reported of orders, rows of kind ``REPORT``, into the recorded sequence.

        The market's time stays that of the last price: a report does not make the prices fresh.
        """
        return self._step(Piece(rows, (), self._time_ns))

    def mark_hole(self, symbol: str) -> None:
        """Mark the bars as partial that a hole in the prices of a `symbol` touches: nothing is decided on them."""
        self._inlet.mark_hole(symbol)

    def mark_all_holes(self) -> dict[str, int]:
        """Mark a hole in the prices of every symbol; return from when on each needs bars, ns UTC."""
        for symbol in self.symbols:
            self._inlet.mark_hole(symbol)
        return self._inlet.missing_from()

    def mark_lost_bars(self) -> dict[str, int]:
        """Mark a hole where a bar was on its way to be mended when the record ended; return as `mark_all_holes`."""
        return self._inlet.mark_lost_bars()

    def catch_up(self, bars: Sequence[Bar]) -> LiveStep:
        """Close `bars` of one symbol that the prices could not make whole, as the exchange gave them, oldest first.

        All feed the indicators; only what the newest decides may enter, for the others are old.
        """
        rows = [bar_rows(BAR_CLOSED, self.symbols, [bar]) for bar in bars]
        if len(bars) > 1:
            rows.insert(-1, self._dropping_rows())
        return self._step(Piece(np.concatenate(rows), tuple(bars), self._time_ns))

    def drop_entries(self) -> LiveStep:
        """Drop entries that wait, for the market has moved on; exits stay, and the next decision may enter again."""
        return self._step(Piece(self._dropping_rows(), (), self._time_ns))

    def _dropping_rows(self) -> NDArray[np.void]:
        """Return the commands that drop entries: a pause leaves exits alone, and one of a person stays."""
        commands = ("pause",) if self.snapshot().is_paused else ("pause", "resume")
        return np.concatenate([self._command_row(Command(name)) for name in commands])

    def _command_row(self, command: Command) -> NDArray[np.void]:
        row = (COMMAND, -1, self._time_ns, float(command.code), 0.0, 0.0, 0.0, 0.0, 0)
        return np.array([row], dtype=EVENT)

    def resume(self) -> LiveStep:
        """Allow entries again, also after a strategy that failed several times or an order storm."""
        self.guard.forgive()
        return self.command(Command("resume"))

    def cut(self) -> EngineCut:
        """Return the recorded inputs and what came of them, of one moment; from any thread.

        Raises
        ------
        SessionClosedError
            The record was removed.
        """
        with self._lock:
            return EngineCut(self._record.history(), self._record.read(), self._core.tail)

    def ledger_hash(self) -> str:
        """Return the hash of everything that the engine did so far; from any thread."""
        return self._core.hash

    def close(self, *, keep_record: bool = False) -> None:
        """Refuse everything from now on, and remove the recorded events unless `keep_record` asks for a replay."""
        # Without the lock: an engine that hangs in a strategy holds it, and must still refuse what comes after.
        self._is_closed = True
        if not keep_record:
            self._record.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise SessionClosedError("the session has ended and takes no more prices, bars or commands")

    def _step(self, piece: Piece) -> LiveStep:
        result = self._process(piece)
        step = LiveStep(result, piece.closed, self._inlet.forming, self._time_ns)
        if self.guard.tell(step):
            step = replace(step, result=_joined(result, self.command(Command("pause")).result))
        return step

    def _process(self, piece: Piece) -> StepResult:
        rows, _, time_ns = piece
        with self._lock:
            self._check_open()
            # Recorded first: an event that cannot be recorded must not trade.
            self._record.append(rows)
            result = self._core.process(rows)
            self._time_ns = max(self._time_ns, time_ns)
        return result


def _joined(first: StepResult, second: StepResult) -> StepResult:
    return StepResult(
        first.fills + second.fills,
        first.closed_trades + second.closed_trades,
        first.denials + second.denials,
        first.trips + second.trips,
        second.snapshot,
        first.requests + second.requests,
    )
