"""Where a session's prices come from: one interface for replayed bars, replayed ticks and the practice market.

A feed is asked what is due at a time of the market and never pushes: a slow session makes its next batch larger, up to
a bound, and no queue grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from workbench.errors import DataError
from workbench.model import BAR, EVENT, TICK, parse_time_ns
from workbench.model.practice import PRACTICE_END, PRACTICE_LIVE_START, PRACTICE_SEED, practice_ticks

if TYPE_CHECKING:
    import datetime as dt
    import threading
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from workbench.live.notices import Notice
    from workbench.model import Bar, Bars

__all__ = ["Feed", "ScheduledFeed", "bar_replay", "ended_feed", "olhc_tick_replay", "practice_feed", "tick_replay"]

BATCH_ROWS: Final = 512
_CHUNK_BARS: Final = 4_096
_NS_PER_DAY: Final = 86_400_000_000_000
_PATH: Final = ("open", "low", "high", "close")


class Feed(Protocol):
    """A source of event batches for one session; used by the session's thread alone."""

    @property
    def is_bar_only(self) -> bool:
        """Whether the rows are of kind ``BAR`` (whole bars) and not of kind ``TICK`` (single prices)."""

    @property
    def start_ns(self) -> int:
        """Time of the market at which the feed begins, ns UTC."""

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will ever come."""

    @property
    def failure(self) -> str | None:
        """Why nothing more will come although the market goes on; None for a feed that has not broken."""

    def next_due_ns(self) -> int | None:
        """Return when the next rows are due, ns UTC; None when that is not known, or nothing more comes."""

    def poll(self, now_ns: int) -> NDArray[np.void]:
        """Return the next rows of `EVENT` that are due at `now_ns`: at most a batch, none when nothing is due."""

    def listen(self, wake: threading.Event) -> None:
        """Set `wake` from now on whenever something comes that no `next_due_ns` told of."""

    def notices(self) -> tuple[Notice, ...]:
        """Return what people should know of the feed since the last call, oldest first."""

    def closed_bars(self, symbol: str, start_ns: int, end_ns: int) -> tuple[Bar, ...]:
        """Return the closed bars of a `symbol` in ``[start_ns, end_ns)`` from elsewhere; none where there is none."""

    def close(self) -> None:
        """Give back what the feed holds: lines, threads."""


class Chunk(NamedTuple):
    """A part of a feed: when each row is due (never falling), and the rows."""

    due_ns: NDArray[np.int64]
    events: NDArray[np.void]


class ScheduledFeed:
    """A feed whose rows and times are known beforehand, or can be computed as they are needed.

    Parameters
    ----------
    chunks : iterator of Chunk
        The rows in order of time, asked for one chunk at a time.
    start_ns : int
        Time of the market at which the feed begins, ns UTC.
    is_bar_only : bool
        Whether the rows are whole bars; bars of one time are never cut apart.
    batch_rows : int, default 512
        Most rows of one `poll`, but for a longer group of bars of one time.
    """

    def __init__(
        self, chunks: Iterator[Chunk], *, start_ns: int, is_bar_only: bool, batch_rows: int = BATCH_ROWS
    ) -> None:
        self.start_ns = start_ns
        self.is_bar_only = is_bar_only
        self._chunks = chunks
        self._batch_rows = batch_rows
        self._due_ns = np.empty(0, dtype=np.int64)
        self._events = np.empty(0, dtype=EVENT)
        self._at = 0
        self._is_ended = False

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will ever come."""
        return not self._fill()

    @property
    def failure(self) -> str | None:
        """None: what is at hand does not break."""
        return None

    def next_due_ns(self) -> int | None:
        """Return when the next rows are due, ns UTC; None at the end."""
        return int(self._due_ns[self._at]) if self._fill() else None

    def poll(self, now_ns: int) -> NDArray[np.void]:
        """Return the next rows of `EVENT` that are due at a time, at most a batch of them."""
        if not self._fill():
            return self._events[:0]
        due = int(np.searchsorted(self._due_ns, now_ns, side="right"))
        end = min(due, self._at + self._batch_rows)
        if end <= self._at:
            return self._events[:0]
        end += int(self._events["remaining"][end - 1])
        batch = self._events[self._at : end]
        self._at = end
        return batch

    def listen(self, wake: threading.Event) -> None:
        """Do nothing: when each row is due is known."""

    def notices(self) -> tuple[Notice, ...]:
        """Return nothing: what is replayed is whole."""
        return ()

    def closed_bars(self, symbol: str, start_ns: int, end_ns: int) -> tuple[Bar, ...]:  # noqa: ARG002  see above
        """Return nothing: what is replayed is whole."""
        return ()

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def _fill(self) -> bool:
        """Make sure that there is a row to come, and return whether there is one."""
        while self._at >= len(self._events) and not self._is_ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._is_ended = True
            else:
                self._due_ns, self._events = chunk
                self._at = 0
        return not self._is_ended


def bar_replay(bars: Bars) -> ScheduledFeed:
    """Return a feed of whole bars, each due when it closes.

    Parameters
    ----------
    bars : Bars
        One or several symbols; a symbol's missing bar is left out.

    Returns
    -------
    ScheduledFeed
        Rows of kind ``BAR``; the bars of one time are one group, in the order of the symbols.

    Raises
    ------
    DataError
        There are no bars.
    """
    _check_any(len(bars))
    chunks = (_bar_chunk(bars[at : at + _CHUNK_BARS]) for at in range(0, len(bars), _CHUNK_BARS))
    return ScheduledFeed(chunks, start_ns=int(bars.time_ns[0]), is_bar_only=True)


def olhc_tick_replay(bars: Bars) -> ScheduledFeed:
    """Return a feed of four ticks for each bar: open, low, high and close, in this order whatever the bar was like.

    The open comes at the bar's open time, the close in its last nanosecond, the extremes after one and two thirds. The
    volume is halved between open and close, so that a bar made of the ticks is the bar they came from, to the last bit.

    Raises
    ------
    DataError
        There are no bars.
    """
    _check_any(len(bars))
    chunks = (_olhc_chunk(bars[at : at + _CHUNK_BARS]) for at in range(0, len(bars), _CHUNK_BARS))
    return ScheduledFeed(chunks, start_ns=int(bars.time_ns[0]), is_bar_only=False)


def tick_replay(
    time_ns: ArrayLike, price: ArrayLike, volume: ArrayLike, *, symbol_index: ArrayLike = 0
) -> ScheduledFeed:
    """Return a feed of recorded ticks, as they came: also out of order, and with bad prices.

    Parameters
    ----------
    time_ns : array of int64, shape (n,)
        Nanoseconds UTC. A tick that is older than one before it is due together with that one.
    price, volume : array of float64, shape (n,)
        In quote currency, and in base units.
    symbol_index : array of int64, shape (n,), or int, default 0
        Position of each tick's symbol in the session's symbols.

    Raises
    ------
    DataError
        There are no ticks, or the arrays are of different lengths.
    """
    times = np.asarray(time_ns, dtype=np.int64)
    _check_any(times.size)
    events = np.zeros(times.size, dtype=EVENT)
    events["kind"] = TICK
    columns = {"time_ns": times, "a": price, "b": volume, "symbol": symbol_index}
    for name, column in columns.items():
        values = np.asarray(column)
        if values.shape not in ({(), times.shape} if name == "symbol" else {times.shape}):
            raise DataError(f"time_ns, price and volume must have one length, had {times.shape} and {values.shape}")
        events[name] = values
    chunk = Chunk(np.maximum.accumulate(times), events)
    return ScheduledFeed(iter([chunk]), start_ns=int(times[0]), is_bar_only=False)


def practice_feed(
    symbols: Sequence[str],
    *,
    start: int | str | dt.datetime = PRACTICE_LIVE_START,
    seed: int = PRACTICE_SEED,
) -> ScheduledFeed:
    """Return the ticks of the practice market from an instant on, computed day by day, for as long as the market goes.

    Parameters
    ----------
    symbols : sequence of str
        Symbols of the session.
    start : int, str or datetime, default `PRACTICE_LIVE_START`
        First instant: ns UTC, ISO text or an aware datetime.
    seed : int, default `PRACTICE_SEED`
        Which world.

    Raises
    ------
    ConfigError
        A symbol is not ``BASE/QUOTE`` or ``BASE/QUOTE:QUOTE``.
    DataError
        The start is not a time, or outside the practice market.
    """
    start_ns = parse_time_ns(start, "start")
    # Computed now, so that a bad symbol or day is the caller's error and not one of the session's thread.
    first = _practice_chunk(symbols, start_ns // _NS_PER_DAY, seed)
    keep = int(np.searchsorted(first.due_ns, start_ns))
    later = range(start_ns // _NS_PER_DAY + 1, PRACTICE_END // _NS_PER_DAY)

    def chunks() -> Iterator[Chunk]:
        yield Chunk(first.due_ns[keep:], first.events[keep:])
        for day in later:
            yield _practice_chunk(symbols, day, seed)

    return ScheduledFeed(chunks(), start_ns=start_ns, is_bar_only=False)


def ended_feed(start_ns: int, *, is_bar_only: bool) -> ScheduledFeed:
    """Return a feed that has ended at `start_ns`, ns UTC."""
    return ScheduledFeed(iter(()), start_ns=start_ns, is_bar_only=is_bar_only)


def _check_any(count: int) -> None:
    if not count:
        raise DataError("a replay needs at least one row, had none")


def _bar_chunk(bars: Bars) -> Chunk:
    # Rows of the transposed mask come in order of time, and of symbols within one time.
    row, symbol = np.nonzero(bars.valid.T)
    events = np.zeros(row.size, dtype=EVENT)
    events["kind"] = BAR
    events["symbol"] = symbol
    events["time_ns"] = bars.time_ns[row]
    for name, values in zip("abcde", bars.values, strict=True):
        events[name] = values[symbol, row]
    group_end = np.cumsum(bars.valid.sum(axis=0))[row]
    events["remaining"] = group_end - 1 - np.arange(row.size)
    return Chunk(bars.time_ns[row] + bars.timeframe.ns, events)


def _olhc_chunk(bars: Bars) -> Chunk:
    length_ns = bars.timeframe.ns
    after_ns = np.array([0, length_ns // 3, 2 * (length_ns // 3), length_ns - 1])
    open_, high, low, close, volume = bars.values
    shape = (len(bars), len(_PATH), bars.n_symbols)
    events = np.zeros(shape, dtype=EVENT)
    events["kind"] = TICK
    events["symbol"] = np.arange(bars.n_symbols)
    events["time_ns"] = (bars.time_ns[:, np.newaxis] + after_ns)[:, :, np.newaxis]
    for step, prices in enumerate((open_, low, high, close)):
        events["a"][:, step] = prices.T
    events["b"][:, 0] = events["b"][:, -1] = 0.5 * volume.T
    is_there = np.broadcast_to(bars.valid.T[:, np.newaxis], shape)
    rows = events[is_there]
    return Chunk(rows["time_ns"], rows)


def _practice_chunk(symbols: Sequence[str], day: int, seed: int) -> Chunk:
    days = [practice_ticks(symbol, day, seed=seed) for symbol in symbols]
    events = np.zeros(sum(len(ticks.time_ns) for ticks in days), dtype=EVENT)
    events["kind"] = TICK
    events["symbol"] = np.repeat(np.arange(len(days)), [len(ticks.time_ns) for ticks in days])
    for name, column in (("time_ns", "time_ns"), ("a", "price"), ("b", "volume")):
        events[name] = np.concatenate([getattr(ticks, column) for ticks in days])
    if len(days) > 1:
        events = events[np.argsort(events["time_ns"], kind="stable")]
    return Chunk(events["time_ns"], events)
