"""The gate of a session's engine: cuts batches of prices or bars into steps, and lets nothing late or bad through."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workbench.errors import BarError, DataError
from workbench.live.aggregator import BarAggregator
from workbench.model import BAR, BAR_CLOSED, EVENT, TICK, Bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from numpy.typing import NDArray

    from workbench.model import Timeframe

__all__ = ["Inlet", "Piece", "bar_rows"]


class Piece(NamedTuple):
    """The events of one step, which ends with the decision on a closed bar or group of bars, if it has one.

    Attributes
    ----------
    rows : ndarray of `EVENT`
        What the core runs.
    closed : tuple of Bar
        Bars that closed; a partial one is not among the rows.
    time_ns : int
        Time of the market after them, ns UTC: of the newest price, or at which the whole bars closed.
    """

    rows: NDArray[np.void]
    closed: tuple[Bar, ...]
    time_ns: int


class Inlet:
    """Makes events of what a source sends: closed bars of prices, groups of whole bars. One thread feeds it.

    Parameters
    ----------
    symbols : tuple of str
        The session's symbols.
    timeframe : Timeframe
        Length of a bar.
    since_ns, latest_ns
        As for `BarAggregator`.
    """

    def __init__(
        self,
        symbols: tuple[str, ...],
        timeframe: Timeframe,
        *,
        since_ns: int | None = None,
        latest_ns: Callable[[], int] | None = None,
    ) -> None:
        self.symbols = symbols
        self._length_ns = timeframe.ns
        self._is_bar_only: bool | None = None
        self._next_bar_ns = [0] * len(symbols)
        self._closes: dict[str, float] = {}
        self._counts = dict.fromkeys(("bars", "ticks", "late_bars", "bad_bars", "unknown_symbol"), 0)
        self._aggregators = tuple(
            BarAggregator(symbol, timeframe, since_ns=since_ns, latest_ns=latest_ns) for symbol in symbols
        )

    @property
    def counts(self) -> dict[str, int]:
        """What came (``bars``, ``ticks``) and what was dropped, by reason; prices are summed over the symbols."""
        counts = dict(self._counts)
        for aggregator in self._aggregators:
            for name, number in aggregator.counts.as_dict().items():
                if name not in ("accepted", "bars"):
                    counts[f"{name}_ticks"] = counts.get(f"{name}_ticks", 0) + number
        return counts

    @property
    def forming(self) -> tuple[Bar, ...]:
        """The open bars; none while no price came."""
        return tuple(bar for bar in (aggregator.forming for aggregator in self._aggregators) if bar is not None)

    @property
    def prices(self) -> dict[str, float]:
        """The last price of each symbol that had one."""
        return self._closes | {bar.symbol: bar.close for bar in self.forming}

    def batch(self, events: NDArray[np.void]) -> Iterator[Piece]:
        """Yield the steps of a batch of ticks or of whole bars, as they are asked for.

        Whole bars of one time count down in ``remaining``, as feeds make them.
        """
        if not len(events):
            return iter(())
        is_bar_only = int(events["kind"][0]) == BAR
        self.check_source(is_bar_only=is_bar_only)
        return self._bars(events) if is_bar_only else self._ticks(events)

    def tick(self, symbol: str, timestamp: datetime | int, price: float, volume: float) -> tuple[Piece, ...]:
        """Return the steps of one price: none when it is dropped, two when it closes a bar."""
        if symbol not in self.symbols:
            raise DataError(f"symbol must be one of {', '.join(self.symbols)}, was {symbol!r}")
        self.check_source(is_bar_only=False)
        index = self.symbols.index(symbol)
        aggregator = self._aggregators[index]
        is_taken, closed = aggregator.take_price(timestamp, price, volume)
        if not is_taken:
            return ()
        self._counts["ticks"] += 1
        row = (TICK, index, aggregator.last_ns, float(price), float(volume), 0.0, 0.0, 0.0, 0)
        rows = np.array([row], dtype=EVENT)
        now_ns = aggregator.last_ns
        if closed is None:
            return (Piece(rows, (), now_ns),)
        self._counts["bars"] += 1
        if closed.is_partial:
            return (Piece(rows, (closed,), now_ns),)
        closing = bar_rows(BAR_CLOSED, self.symbols, [closed])
        return (Piece(closing, (closed,), now_ns), Piece(rows, (), now_ns))

    def restore(self, events: NDArray[np.void]) -> int:
        """Take up where recorded `events` end; return the time of the market then, ns UTC, 0 before the first price."""
        kinds = events["kind"]
        bars, ticks, closed = (np.flatnonzero(kinds == kind) for kind in (BAR, TICK, BAR_CLOSED))
        if len(bars) or len(ticks):
            self._is_bar_only = bool(len(bars))
        self._counts["bars"], self._counts["ticks"] = len(bars) + len(closed), len(ticks)
        for index, aggregator in enumerate(self._aggregators):
            own = [rows[events["symbol"][rows] == index] for rows in (bars, ticks, closed)]
            if len(own[0]):
                last = events[own[0][-1]]
                self._next_bar_ns[index] = int(last["time_ns"]) + self._length_ns
                self._closes[self.symbols[index]] = float(last["d"])
            closed_to_ns = None
            prices = own[1]
            if len(own[2]):
                closed_to_ns = int(events["time_ns"][own[2][-1]]) + self._length_ns
                prices = prices[prices > own[2][-1]]
            columns = (events[name][prices].tolist() for name in ("time_ns", "a", "b"))
            aggregator.restore(zip(*columns, strict=True), closed_to_ns=closed_to_ns)
        ends = [
            events["time_ns"][rows].max() + more for rows, more in ((bars, self._length_ns), (ticks, 0)) if len(rows)
        ]
        return int(max(ends, default=0))

    def mark_hole(self, symbol: str) -> None:
        """Mark the bars as partial that a hole in the prices of a `symbol` touches."""
        self._aggregators[self.symbols.index(symbol)].mark_hole()

    def mark_lost_bars(self) -> dict[str, int]:
        """Mark a hole in each symbol of which a bar was neither whole nor mended; return from when on, ns UTC."""
        lost = [symbol for symbol, one in zip(self.symbols, self._aggregators, strict=True) if one.has_lost_bar]
        for symbol in lost:
            self.mark_hole(symbol)
        missing_from = self.missing_from()
        return {symbol: missing_from[symbol] for symbol in lost}

    def missing_from(self) -> dict[str, int]:
        """Return the open of the first bar that is not closed of each symbol that had prices, ns UTC."""
        return {
            symbol: next_ns
            for symbol, next_ns in zip(self.symbols, (one.next_open_ns for one in self._aggregators), strict=True)
            if next_ns is not None
        }

    def check_source(self, *, is_bar_only: bool) -> None:
        """Raise DataError when bars come after prices or prices after bars."""
        if self._is_bar_only is None:
            self._is_bar_only = is_bar_only
        if self._is_bar_only is not is_bar_only:
            was, now = ("bars", "prices") if self._is_bar_only else ("prices", "bars")
            raise DataError(f"this engine was fed {was} before and cannot take {now}: a session has one source")

    def _bars(self, events: NDArray[np.void]) -> Iterator[Piece]:
        start = 0
        times = events["time_ns"].tolist()
        for end in range(1, len(events) + 1):
            if end < len(events) and times[end] == times[start]:
                continue
            piece = self._usable(events[start:end])
            start = end
            if piece.closed:
                self._counts["bars"] += len(piece.closed)
                yield piece

    def _usable(self, group: NDArray[np.void]) -> Piece:
        """Return the good and new bars of one time, numbered anew."""
        keep: list[int] = []
        bars: list[Bar] = []
        for position, (_, symbol, time_ns, *prices, _) in enumerate(group.tolist()):
            if not 0 <= symbol < len(self.symbols):
                self._counts["unknown_symbol"] += 1
                continue
            try:
                bar = Bar(self.symbols[symbol], time_ns, *prices)
            except BarError:
                self._counts["bad_bars"] += 1
                continue
            # Nor one that begins before the last has ended: time would go back, and no table could hold both.
            if time_ns < self._next_bar_ns[symbol]:
                self._counts["late_bars"] += 1
                continue
            self._next_bar_ns[symbol] = time_ns + self._length_ns
            self._closes[bar.symbol] = bar.close
            keep.append(position)
            bars.append(bar)
        if len(keep) < len(group):
            group = group[keep]
            group["remaining"] = np.arange(len(keep))[::-1]
        return Piece(group, tuple(bars), bars[0].time_ns + self._length_ns if bars else 0)

    def _ticks(self, events: NDArray[np.void]) -> Iterator[Piece]:
        columns = (events[name].tolist() for name in ("symbol", "time_ns", "a", "b"))
        taken: list[int] = []
        now_ns = 0
        for position, (symbol, time_ns, price, volume) in enumerate(zip(*columns, strict=True)):
            if not 0 <= symbol < len(self.symbols):
                self._counts["unknown_symbol"] += 1
                continue
            is_taken, closed = self._aggregators[symbol].take_price(time_ns, price, volume)
            if closed is not None:
                self._counts["bars"] += 1
                # A partial bar ends its step too: what mends it must come before the next price.
                whole = [] if closed.is_partial else [closed]
                rows = np.concatenate([events[taken], bar_rows(BAR_CLOSED, self.symbols, whole)])
                yield Piece(rows, (closed,), time_ns)
                taken = []
            if is_taken:
                now_ns = max(now_ns, time_ns)
                self._counts["ticks"] += 1
                taken.append(position)
        if taken:
            yield Piece(events[taken], (), now_ns)


def bar_rows(kind: int, symbols: tuple[str, ...], bars: list[Bar]) -> NDArray[np.void]:
    """Return one row of `EVENT` for each bar, in the order of the symbols; ``remaining`` counts down to 0."""
    rows = [
        (kind, symbols.index(bar.symbol), bar.time_ns, bar.open, bar.high, bar.low, bar.close, bar.volume, 0)
        for bar in bars
    ]
    table = np.array(sorted(rows, key=lambda row: row[1]), dtype=EVENT)
    if len(rows) > 1:
        table["remaining"] = np.arange(len(rows))[::-1]
    return table
