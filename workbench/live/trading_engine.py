"""The engine of a session: bars or ticks in, the core's decisions and fills out, every input recorded for its replay."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workbench.errors import BarError, ConfigError, DataError, SessionClosedError, SessionError
from workbench.live.aggregator import BarAggregator
from workbench.live.callbacks import EngineCallbacks, Guard
from workbench.live.live_core import open_core
from workbench.live.records import LiveStep
from workbench.live.spool import EventSpool
from workbench.model import BAR, BAR_CLOSED, COMMAND, EVENT, TICK, Bar, Command, StepResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from numpy.typing import NDArray

    from workbench.core import DecisionPlan, EngineConfig, Ledger
    from workbench.live.live_core import CoreFactory
    from workbench.model import AccountState, Bars

__all__ = ["EngineCut", "LiveTradingEngine"]


class EngineCut(NamedTuple):
    """The recorded inputs and the outcome at one and the same moment."""

    history: Bars | None
    events: NDArray[np.void]
    ledger: Ledger


class LiveTradingEngine:
    """Runs a strategy on what comes: whole bars with `run_once`, or single prices with `on_tick`, never both.

    Prices become bars here: the first price of a new interval closes the bar before, on which the strategy decides, and
    is then itself the next price, which fills that decision. A partial first bar is shown and never decided on. A
    strategy that raises skips its bar; after several bars in a row entries are paused, and stops go on.

    One thread feeds; `snapshot` and the counters may be read from any.

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
    open_core : callable, optional
        Makes the core; another one is for tests.

    Raises
    ------
    ConfigError
        The plan is not proven causal, such as one from arrays, or `max_strategy_errors` is below 1.
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
        open_core: CoreFactory = open_core,
    ) -> None:
        _check(plan, max_strategy_errors)
        self.config = config
        self.symbols = tuple(instrument.symbol for instrument in config.instruments)
        self.guard = Guard(callbacks or EngineCallbacks(), max_strategy_errors)
        self._lock = threading.RLock()
        self._core = open_core(plan, config, self.guard.strategy_failed)
        self._spool = EventSpool()
        self._history: Bars | None = None
        self._is_bar_only: bool | None = None
        self._is_closed = False
        self._time_ns = 0
        self._last_bar_ns = [-1] * len(self.symbols)
        self._counts = dict.fromkeys(("bars", "ticks", "late_bars", "bad_bars", "unknown_symbol"), 0)
        self._aggregators = tuple(
            BarAggregator(symbol, config.timeframe, since_ns=since_ns, latest_ns=latest_ns) for symbol in self.symbols
        )

    @property
    def time_ns(self) -> int:
        """Time of the market after the last event, ns UTC; 0 before the first."""
        return self._time_ns

    @property
    def counts(self) -> dict[str, int]:
        """What came and what was dropped, by name; dropped prices are summed over the symbols."""
        counts = dict(self._counts)
        for aggregator in self._aggregators:
            for name, number in aggregator.counts.as_dict().items():
                if name not in ("accepted", "bars"):
                    counts[f"{name}_ticks"] = counts.get(f"{name}_ticks", 0) + number
        return counts | self.guard.counts

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
        if bars.symbols != self.symbols or bars.timeframe != self.config.timeframe:
            raise DataError(
                f"warm-up bars must be {self.config.timeframe} of {', '.join(self.symbols)}, "
                f"were {bars.timeframe} of {', '.join(bars.symbols)}"
            )
        with self._lock:
            if len(self._spool) or self._history is not None:
                raise SessionError("warm-up must come once and before the first price")
            self._core.warm_up(bars)
            self._history = bars

    def run_once(self, bar: Bar | Sequence[Bar]) -> StepResult | None:
        """Run one closed bar, or the bars of several symbols with one time, through the core.

        Parameters
        ----------
        bar : Bar or sequence of Bar
            The next bar of its symbol. It stands for four prices and the decision on them.

        Returns
        -------
        StepResult or None
            What happened; None when every bar was partial, or not newer than the last one of its symbol.

        Raises
        ------
        DataError
            An unknown symbol, bars of different times, or prices came before.
        SessionClosedError
            The engine is closed.
        """
        bars = [bar] if isinstance(bar, Bar) else list(bar)
        unknown = [one.symbol for one in bars if one.symbol not in self.symbols]
        if unknown or len({one.time_ns for one in bars}) != 1:
            raise DataError(f"bars must be of one time and of {', '.join(self.symbols)}, unknown: {', '.join(unknown)}")
        rows = [_row(BAR, self.symbols.index(one.symbol), one) for one in bars if not one.is_partial]
        steps = list(self.run(np.array(sorted(rows, key=lambda row: row[1]), dtype=EVENT)))
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
        if symbol not in self.symbols:
            raise DataError(f"symbol must be one of {', '.join(self.symbols)}, was {symbol!r}")
        self._check_source(is_bar_only=False)
        index = self.symbols.index(symbol)
        is_taken, closed = self._aggregators[index].take_price(timestamp, price, volume)
        if not is_taken:
            return None
        last = self._aggregators[index].last_ns
        tick = np.array([(TICK, index, last, float(price), float(volume), 0.0, 0.0, 0.0, 0)], dtype=EVENT)
        if closed is None or closed.is_partial:
            return self._step(tick, () if closed is None else (closed,)).result
        return _joined(self._step(_closing_row(index, closed), (closed,)).result, self._step(tick, ()).result)

    def run(self, events: NDArray[np.void]) -> Iterator[LiveStep]:
        """Run a feed's batch, one step up to each closed bar or group of bars, and yield what each step did.

        The batch holds ticks or whole bars. Rows that are late, bad or of an unknown symbol are counted and dropped.
        """
        is_known = (events["symbol"] >= 0) & (events["symbol"] < len(self.symbols))
        if not is_known.all():
            self._counts["unknown_symbol"] += int(np.count_nonzero(~is_known))
            events = events[is_known]
        if not len(events):
            return iter(())
        is_bar_only = int(events["kind"][0]) == BAR
        self._check_source(is_bar_only=is_bar_only)
        return self._run_bars(events) if is_bar_only else self._run_ticks(events)

    def command(self, command: Command) -> LiveStep:
        """Put a person's command into the recorded sequence, at the time of the last event."""
        row = (COMMAND, -1, self._time_ns, float(command.code), 0.0, 0.0, 0.0, 0.0, 0)
        return self._step(np.array([row], dtype=EVENT), ())

    def resume(self) -> LiveStep:
        """Allow entries again, also after a strategy that failed several times."""
        self.guard.forgive()
        return self.command(Command("resume"))

    def cut(self) -> EngineCut:
        """Return the recorded inputs and the ledger of one moment; from any thread."""
        with self._lock:
            return EngineCut(self._history, self._spool.read(), self._core.ledger)

    def close(self, *, keep_record: bool = False) -> None:
        """Refuse everything from now on, and remove the recorded events unless they are kept for a replay."""
        # Without the lock: an engine that hangs in a strategy holds it, and must still refuse what comes after.
        self._is_closed = True
        if not keep_record:
            self._spool.close()

    def _check_source(self, *, is_bar_only: bool) -> None:
        if self._is_bar_only is None:
            self._is_bar_only = is_bar_only
        if self._is_bar_only is not is_bar_only:
            was, now = ("bars", "prices") if self._is_bar_only else ("prices", "bars")
            raise DataError(f"this engine was fed {was} before, and cannot take {now}: a session has one source")

    def _run_bars(self, events: NDArray[np.void]) -> Iterator[LiveStep]:
        start = 0
        times = events["time_ns"].tolist()
        for end in range(1, len(events) + 1):
            if end < len(events) and times[end] == times[start]:
                continue
            rows, bars = self._usable(events[start:end])
            start = end
            if bars:
                yield self._step(rows, bars)

    def _usable(self, group: NDArray[np.void]) -> tuple[NDArray[np.void], tuple[Bar, ...]]:
        """Return the good and new bars of one time, numbered anew when some were dropped."""
        keep, bars = [], []
        for position, row in enumerate(group.tolist()):
            _, symbol, time_ns, *prices, _ = row
            try:
                bar = Bar(self.symbols[symbol], time_ns, *prices)
            except BarError:
                self._counts["bad_bars"] += 1
                continue
            if time_ns <= self._last_bar_ns[symbol]:
                self._counts["late_bars"] += 1
                continue
            self._last_bar_ns[symbol] = time_ns
            keep.append(position)
            bars.append(bar)
        rows = group[keep]
        rows["remaining"] = np.arange(len(keep))[::-1]
        return rows, tuple(bars)

    def _run_ticks(self, events: NDArray[np.void]) -> Iterator[LiveStep]:
        columns = (events[name].tolist() for name in ("symbol", "time_ns", "a", "b"))
        taken: list[int] = []
        partial: tuple[Bar, ...] = ()
        for position, (symbol, time_ns, price, volume) in enumerate(zip(*columns, strict=True)):
            is_taken, closed = self._aggregators[symbol].take_price(time_ns, price, volume)
            if closed is not None and closed.is_partial:
                partial = (*partial, closed)
            elif closed is not None:
                rows = np.concatenate([events[taken], _closing_row(symbol, closed)])
                yield self._step(rows, (*partial, closed))
                taken, partial = [], ()
            if is_taken:
                taken.append(position)
        if taken:
            yield self._step(events[taken], partial)

    def _step(self, rows: NDArray[np.void], closed: tuple[Bar, ...]) -> LiveStep:
        with self._lock:
            if self._is_closed:
                raise SessionClosedError("the session has ended and takes no more prices, bars or commands")
            # Recorded first: an event that cannot be recorded must not trade.
            self._spool.append(rows)
            result = self._core.process(rows)
            self._note(rows, closed)
        step = LiveStep(result, closed, self._forming(), self._time_ns)
        if self.guard.tell(step):
            paused = self.command(Command("pause")).result
            step = replace(step, result=_joined(result, paused))
        return step

    def _note(self, rows: NDArray[np.void], closed: tuple[Bar, ...]) -> None:
        last = int(rows["time_ns"].max())
        kind = int(rows["kind"][0])
        self._time_ns = max(self._time_ns, last + self.config.timeframe.ns if kind == BAR else last)
        self._counts["bars"] += len(closed)
        self._counts["ticks"] += int(np.count_nonzero(rows["kind"] == TICK))

    def _forming(self) -> tuple[Bar, ...]:
        if self._is_bar_only:
            return ()
        return tuple(bar for bar in (aggregator.forming for aggregator in self._aggregators) if bar is not None)


def _check(plan: DecisionPlan, max_strategy_errors: int) -> None:
    if not plan.is_causal:
        raise ConfigError(
            f"{plan.name} is made of arrays: nothing proves that they look back only, so they cannot run live; "
            "write the rules as a strategy"
        )
    if max_strategy_errors < 1:
        raise ConfigError(f"max_strategy_errors must be >= 1, was {max_strategy_errors}")


def _row(kind: int, symbol: int, bar: Bar) -> tuple[float, ...]:
    return (kind, symbol, bar.time_ns, bar.open, bar.high, bar.low, bar.close, bar.volume, 0)


def _closing_row(symbol: int, bar: Bar) -> NDArray[np.void]:
    return np.array([_row(BAR_CLOSED, symbol, bar)], dtype=EVENT)


def _joined(first: StepResult, second: StepResult) -> StepResult:
    return StepResult(
        first.fills + second.fills,
        first.closed_trades + second.closed_trades,
        first.denials + second.denials,
        first.trips + second.trips,
        second.snapshot,
    )
