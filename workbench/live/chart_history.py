"""What a chart needs of a session: the newest bars and equity points, marks, level lines, and numbered updates."""

from __future__ import annotations

import threading
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.charts.live_source import HeldSide
from workbench.live.bounded import BoundedLog
from workbench.live.records import BAR_COLUMNS, EQUITY_COLUMNS, ChartState, StepUpdate
from workbench.model import BAR, BAR_CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from workbench.core import LedgerTail
    from workbench.live.records import LiveStep, Mark
    from workbench.model import AccountState, Bar, Bars, Fill, StepResult, Timeframe

__all__ = ["ChartHistory", "Rows", "Subscribers"]

_NS_PER_MS: Final = 1_000_000
_MARKS: Final = 2_000
_TIME: Final = 0


class Rows:
    """The newest rows of a growing table, kept in one piece; not thread-safe.

    Parameters
    ----------
    capacity : int
        Rows to keep.
    columns : int
        Numbers in a row; the first is a time by which a row is replaced.

    Examples
    --------
    >>> rows = Rows(2, 2)
    >>> for time, value in ((1, 10), (2, 20), (2, 21), (3, 30)):
    ...     rows.put([time, value])
    >>> rows.view().tolist(), rows.dropped
    ([[2.0, 21.0], [3.0, 30.0]], 1)
    """

    def __init__(self, capacity: int, columns: int) -> None:
        self._capacity = capacity
        # Twice the room: rows move to the front once in `capacity` additions, and a view is always one piece.
        self._table = np.empty((2 * capacity, columns))
        self._begin = 0
        self._end = 0
        self.dropped = 0

    def put(self, row: Sequence[float] | NDArray[np.float64], *, inserts: bool = False) -> None:
        """Add a row, or replace the one of its time; an older one that is not there is left out unless it `inserts`."""
        if self._end > self._begin and row[_TIME] < self._table[self._end - 1, _TIME]:
            times = self._table[self._begin : self._end, _TIME]
            place = int(np.searchsorted(times, row[_TIME]))
            if times[place] == row[_TIME]:
                self._table[self._begin + place] = row
            elif inserts:
                later = self._table[self._begin + place : self._end].copy()
                self._end = self._begin + place
                for one in (row, *later):
                    self.put(one)
            return
        if self._end > self._begin and self._table[self._end - 1, _TIME] == row[_TIME]:
            self._table[self._end - 1] = row
            return
        if self._end == len(self._table):
            self._table[: self._end - self._begin] = self._table[self._begin : self._end]
            self._end -= self._begin
            self._begin = 0
        self._table[self._end] = row
        self._end += 1
        if self._end - self._begin > self._capacity:
            self._begin += 1
            self.dropped += 1

    def extend(self, rows: NDArray[np.float64]) -> None:
        """Add rows, each in the place of its time."""
        times = rows[:, _TIME]
        surplus = len(rows) - self._capacity
        is_last = self._end == self._begin or bool((self._table[self._end - 1, _TIME] < times[:1]).all())
        if surplus > 0 and is_last and bool((np.diff(times) > 0.0).all()):
            # All that is here and the first of these would only fall out again, one after another.
            self.dropped += self._end - self._begin + surplus
            self._begin = self._end
            rows = rows[surplus:]
        for row in rows:
            self.put(row, inserts=True)

    def view(self) -> NDArray[np.float64]:
        """Return the rows, oldest first; valid until the next `put`."""
        return self._table[self._begin : self._end]


class ChartHistory:
    """Collects one symbol's steps for charts; the session's thread adds, any thread takes snapshots.

    Parameters
    ----------
    symbol : str
        Symbol of the bars, marks and lines.
    timeframe : Timeframe
        Length of a bar.
    number : int, default 0
        Place of the symbol among those of the session, by which recorded events name it.
    capacity : int, default 5000
        Bars and equity points to keep.
    """

    def __init__(self, symbol: str, timeframe: Timeframe, *, number: int = 0, capacity: int = 5_000) -> None:
        self.symbol = symbol
        self.timeframe = timeframe
        self._number = number
        self._lock = threading.Lock()
        self._bars = Rows(capacity, BAR_COLUMNS)
        self._equity = Rows(capacity, EQUITY_COLUMNS)
        self._marks: BoundedLog[Mark] = BoundedLog(_MARKS)
        self._account: AccountState | None = None
        self._held = HeldSide()
        self._sequence = 0

    @property
    def dropped(self) -> dict[str, int]:
        """How many old rows were dropped: ``bars``, ``equity``, ``marks``."""
        with self._lock:
            return {"bars": self._bars.dropped, "equity": self._equity.dropped, "marks": self._marks.dropped}

    def add_history(self, bars: Bars) -> None:
        """Add bars from before the session, without equity points."""
        values = bars.one(self.symbol)
        rows = np.column_stack([values.time_ns / _NS_PER_MS, values.values[:, 0].T])
        with self._lock:
            for row in rows:
                self._bars.put(row)

    def restore(self, events: NDArray[np.void], tail: LedgerTail, result: StepResult, forming: Sequence[Bar]) -> None:
        """Show what earlier processes of the session saw and did: recorded `events`, and what came of them.

        Drawdowns are measured between closes here, and between all prices while a session runs.
        """
        kinds, symbols = events["kind"], events["symbol"]
        closed = events[((kinds == BAR) | (kinds == BAR_CLOSED)) & (symbols == self._number)]
        bars = np.column_stack([closed["time_ns"] / _NS_PER_MS, *(closed[name] for name in "abcde")])
        bars = np.concatenate(
            [bars, _table([_bar_row(bar) for bar in forming if bar.symbol == self.symbol], BAR_COLUMNS)]
        )
        trace = tail.newest.trace
        peak = np.maximum(np.maximum.accumulate(trace["equity"]), tail.peak)
        points = np.column_stack([trace["time_ns"] / _NS_PER_MS, trace["equity"], trace["equity"] / peak - 1.0])
        # Of whole bars that close together the trace has one row; of bars made of prices one for each symbol.
        is_shared = bool((kinds == BAR).any())
        is_own = np.isin(trace["time_ns"], closed["time_ns"]) if is_shared else trace["symbol"] == self._number
        points = points[is_own]
        with self._lock:
            for table, values in ((self._bars, bars), (self._equity, points)):
                table.extend(values)
            self._marks.extend(self._mark(fill) for fill in result.fills if fill.symbol == self.symbol)
            self._account = result.snapshot
            self._sequence += 1

    def add(self, step: LiveStep) -> StepUpdate:
        """Take one step and return the update that it makes."""
        sequence, told, equity, marks = self._take(step)
        account = step.result.snapshot
        bars, points = _table(told, BAR_COLUMNS), _table(equity, EQUITY_COLUMNS)
        return StepUpdate(sequence, bars, points, marks, _lines(account, self.symbol), account)

    def keep(self, step: LiveStep) -> None:
        """Take one step of which nobody is told."""
        self._take(step)

    def _take(self, step: LiveStep) -> tuple[int, list[list[float]], list[list[float]], tuple[Mark, ...]]:
        """Take one step; return its number, and the rows of bars, the points and the marks to tell of."""
        closed = [_bar_row(bar) for bar in step.closed if bar.symbol == self.symbol]
        bars = closed + [_bar_row(bar) for bar in step.forming if bar.symbol == self.symbol]
        account = step.result.snapshot
        equity = [[row[_TIME], *_now(account)] for row in closed]
        marks = tuple(self._mark(fill) for fill in step.result.fills if fill.symbol == self.symbol)
        with self._lock:
            known = self._bars.view()
            newest_ms = known[-1, _TIME] if len(known) else 0.0
            for row in bars:
                self._bars.put(row, inserts=True)
            for point in equity:
                self._equity.put(point)
            told = [row for row in bars if row[_TIME] >= newest_ms]
            # An update tells of what is new only: for a bar that was mended after its time it leaves out a number, so
            # that its readers ask for the whole state.
            self._sequence += 1 if len(told) == len(bars) else 2
            self._marks.extend(marks)
            self._account = account
            return self._sequence, told, equity, marks

    def _mark(self, fill: Fill) -> Mark:
        side = 1 if fill.side == "buy" else -1
        text = f"{fill.side.upper()} {fill.quantity:.8g} @ {fill.price:,.8g}, {fill.reason.replace('_', ' ')}"
        return (fill.time_ns, fill.price, side, text, self._held.after(side, fill.quantity))

    def state(self) -> ChartState:
        """Return a snapshot that no longer changes."""
        with self._lock:
            return ChartState(
                sequence=self._sequence,
                symbol=self.symbol,
                timeframe_ns=self.timeframe.ns,
                bars=self._bars.view().copy(),
                equity=self._equity.view().copy(),
                marks=self._marks.newest(),
                lines=_lines(self._account, self.symbol),
                now=None if self._account is None else _now(self._account),
            )


class Subscribers:
    """Callbacks that hear every update, one after another on the session's thread.

    Parameters
    ----------
    on_error : callable
        Called with the exception of a callback; the other callbacks are still called.
    """

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._lock = threading.Lock()
        self._callbacks: tuple[Callable[[StepUpdate], None], ...] = ()
        self._on_error = on_error

    def __len__(self) -> int:
        return len(self._callbacks)

    def add(self, callback: Callable[[StepUpdate], None]) -> Callable[[], None]:
        """Call back from now on, until the returned function is called (more than once is fine)."""

        # A wrapper of its own for each subscription, so that the same callback can be subscribed twice.
        def subscription(update: StepUpdate) -> None:
            callback(update)

        def unsubscribe() -> None:
            with self._lock:
                self._callbacks = tuple(kept for kept in self._callbacks if kept is not subscription)

        with self._lock:
            self._callbacks = (*self._callbacks, subscription)
        return unsubscribe

    def tell(self, update: StepUpdate) -> None:
        """Call every callback."""
        for callback in self._callbacks:
            try:
                callback(update)
            except Exception as error:  # noqa: BLE001  the border to code that is not ours: counted, shown, never fatal
                self._on_error(error)


def _bar_row(bar: Bar) -> list[float]:
    return [bar.time_ns / _NS_PER_MS, bar.open, bar.high, bar.low, bar.close, bar.volume]


def _now(account: AccountState) -> tuple[float, float]:
    return account.equity, -account.drawdown


def _lines(account: AccountState | None, symbol: str) -> Mapping[str, float]:
    position = None if account is None else account.position(symbol)
    if position is None:
        return MappingProxyType({})
    levels: dict[str, float | None] = {
        "entry": position.entry_price,
        "stop": position.stop_level,
        "take profit": position.target_level,
        "trailing": position.trailing_level,
    }
    return MappingProxyType({name: level for name, level in levels.items() if level is not None})


def _table(rows: Iterable[Sequence[float]], columns: int) -> NDArray[np.float64]:
    return np.array(list(rows), dtype=np.float64).reshape(-1, columns)
