"""One market as it plays: which prints are due, what was printed last, and the candles up to now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.errors import MissingDataError
from workbench.exchange.practice.refusals import RefusalError
from workbench.exchange.practice.sources import (
    NS_PER_DAY,
    Prints,
    Rows,
    joined_prints,
    joined_rows,
    merged_rows,
    rows_of_prints,
)
from workbench.model.timeframe import Timeframe
from workbench.model.times import utc_text

if TYPE_CHECKING:
    from workbench.exchange.practice.listing import Listing
    from workbench.exchange.practice.sources import MarketSource

__all__ = ["NumberedPrints", "Tape"]

#: Number of the first print of the day on which a tape starts; earlier days count down from it.
_FIRST_ID: Final = 1_000_000_000
_MINUTE: Final = Timeframe("1m")
_DAYS_KEPT: Final = 2
# Prints are numbered through, so that reaching a day means counting those in between: 10 ms a day.
_DAYS_BACK: Final = 30


class NumberedPrints(NamedTuple):
    """Prints with the number of the first; the others follow without a gap."""

    first_id: int
    prints: Prints

    def __len__(self) -> int:
        """Return how many prints there are."""
        return len(self.prints.time_ns)


class Tape:
    """A market from a start on.

    Parameters
    ----------
    listing : Listing
        The market.
    source : MarketSource
        Where its prints come from.
    start_ns : int
        Time of the exchange at its start, ns UTC: everything before is history.

    Raises
    ------
    MissingDataError
        The source has no print before the start, so that the market would have no price.
    """

    def __init__(self, listing: Listing, source: MarketSource, start_ns: int) -> None:
        self.listing = listing
        self.source = source
        self._start_day = start_ns // NS_PER_DAY
        self._first_ids = {self._start_day: _FIRST_ID}
        self._hidden: list[tuple[int, int, int]] = []
        self._due_day = self._start_day
        self._days: dict[int, Prints] = {}
        self._prints = self._day(self._start_day)
        self._at = int(np.searchsorted(self._prints.time_ns, start_ns))

    def next_due_ns(self) -> int | None:
        """Return when the next print is due, ns UTC; None when the market has ended."""
        while self._at >= len(self._prints.time_ns):
            if (self._due_day + 1) * NS_PER_DAY >= self.source.span_ns[1]:
                return None
            self._turn_to(self._due_day + 1)
        return int(self._prints.time_ns[self._at])

    def take_due(self, now_ns: int) -> NumberedPrints | None:
        """Return the prints of one day that are due and were not taken yet; None when there are none."""
        due = self.next_due_ns()
        if due is None or due > now_ns:
            return None
        end = int(np.searchsorted(self._prints.time_ns, now_ns, side="right"))
        first_id = self._first_id(self._due_day) + self._at
        taken = NumberedPrints(first_id, self._prints.part(self._at, end))
        self._at = end
        return taken

    def skip_to(self, now_ns: int) -> None:
        """Let the prints up to a time go by."""
        day = min(now_ns, self.source.span_ns[1] - 1) // NS_PER_DAY
        if day != self._due_day:
            self._turn_to(day)
        self._at = int(np.searchsorted(self._prints.time_ns, now_ns, side="right"))

    def last(self, now_ns: int) -> tuple[int, float, float]:
        """Return time, price and volume of the last print at or before a time.

        Raises
        ------
        MissingDataError
            There is none: the source starts later.
        """
        recent = self.recent(now_ns, 1)
        if not len(recent):
            raise MissingDataError(f"{self.listing.instrument.symbol} has no print before {utc_text(now_ns)}")
        return int(recent.prints.time_ns[0]), float(recent.prints.price[0]), float(recent.prints.volume[0])

    def recent(self, now_ns: int, count: int) -> NumberedPrints:
        """Return the last prints at or before a time, at most `count`, from at most two days."""
        day = now_ns // NS_PER_DAY
        pieces: list[Prints] = []
        first_id, have = 0, 0
        first_day = self.source.span_ns[0] // NS_PER_DAY
        while day >= first_day and have < count:
            prints = self._day(day)
            end = int(np.searchsorted(prints.time_ns, now_ns, side="right"))
            start = max(0, end - (count - have))
            if end > start:
                pieces.insert(0, prints.part(start, end))
                have += end - start
                first_id = self._first_id(day) + start
            day -= 1
        if not pieces:
            return NumberedPrints(first_id, self._prints.part(0, 0))
        return NumberedPrints(first_id, joined_prints(pieces))

    def between(self, start_ns: int, end_ns: int, count: int) -> NumberedPrints:
        """Return the first prints of ``[start_ns, end_ns)``, at most `count`, all of one day.

        Raises
        ------
        RefusalError
            The start is more than 30 days before that of the exchange.
        """
        first_day, last_day = (moment // NS_PER_DAY for moment in (max(start_ns, self.source.span_ns[0]), end_ns - 1))
        for day in range(first_day, last_day + 1):
            prints = self._day(day)
            first, last = (int(at) for at in np.searchsorted(prints.time_ns, (start_ns, end_ns)))
            if first < last:
                last = min(last, first + count)
                return NumberedPrints(self._first_id(day) + first, prints.part(first, last))
        return NumberedPrints(0, self._prints.part(0, 0))

    def from_number(self, number: int, now_ns: int, count: int) -> NumberedPrints:
        """Return the prints from a number on, at most `count`, up to a time and all of one day.

        Raises
        ------
        RefusalError
            The number was printed more than 30 days before the start of the exchange.
        """
        today = now_ns // NS_PER_DAY
        day, first_day = today, max(self.source.span_ns[0] // NS_PER_DAY, self._start_day - _DAYS_BACK - 1)
        while day > first_day and self._first_id(day) > number:
            day -= 1
        prints, first_id = self._day(day), self._first_id(day)
        first = max(0, number - first_id)
        if first >= len(prints.time_ns) and day < today:
            day, first = day + 1, 0
            prints, first_id = self._day(day), self._first_id(day)
        last = min(first + count, int(np.searchsorted(prints.time_ns, now_ns, side="right")))
        return NumberedPrints(first_id + first, prints.part(first, max(first, last)))

    def candles(self, frame: Timeframe, start_ns: int | None, now_ns: int, count: int) -> Rows:
        """Return candles up to now, the last of them still open.

        Parameters
        ----------
        frame : Timeframe
            Length of a candle.
        start_ns : int or None
            Label from which to begin; None for the last `count`.
        now_ns : int
            Up to when, ns UTC.
        count : int
            Most candles.
        """
        open_label = frame.floor(now_ns)
        if start_ns is None:
            # One more than asked for, because the open candle may have no print yet.
            first = open_label - count * frame.ns
        else:
            floor = frame.floor(start_ns)
            first = floor if floor == start_ns else floor + frame.ns
        # A source that starts later has no candles before.
        first = max(first, frame.floor(self.source.span_ns[0]))
        stop = min(open_label, first + count * frame.ns)
        rows = self.source.rows(frame, first, stop) if stop > first else joined_rows([])
        if first <= open_label and (stop == open_label or start_ns is None):
            rows = joined_rows([rows, self.forming(frame, now_ns)])
        part = slice(-count, None) if start_ns is None else slice(0, count)
        return Rows(rows.time_ns[part], rows.values[:, part])

    def hide(self, frame: Timeframe, start_ns: int, end_ns: int) -> None:
        """Leave the candles with labels in ``[start_ns, end_ns)`` out of every answer and stream."""
        self._hidden.append((frame.ns, start_ns, end_ns))

    def is_hidden(self, frame: Timeframe, label_ns: int) -> bool:
        """Return whether a candle is left out."""
        return any(ns == frame.ns and start <= label_ns < end for ns, start, end in self._hidden)

    def forming(self, frame: Timeframe, now_ns: int) -> Rows:
        """Return the candle that is open now: one row, or none when nothing was printed in it yet."""
        label, minute = frame.floor(now_ns), max(frame.floor(now_ns), _MINUTE.floor(now_ns))
        pieces = []
        if minute > label:
            pieces.append(self.source.rows(_MINUTE, label, minute))
        prints = self._day(now_ns // NS_PER_DAY)
        first, last = np.searchsorted(prints.time_ns, (minute, now_ns + 1))
        pieces.append(rows_of_prints(prints.part(int(first), int(last)), min(frame, _MINUTE)))
        return merged_rows(joined_rows(pieces), frame)

    def _day(self, day: int) -> Prints:
        """Return the prints of a day, kept for as long as it is one of the last asked for."""
        prints = self._days.get(day)
        if prints is None:
            prints = self.source.day(day)
            kept = list(self._days.items())[1 - _DAYS_KEPT :]
            # Replaced as a whole: candles are read on another thread.
            self._days = dict([*kept, (day, prints)])
        return prints

    def _turn_to(self, day: int) -> None:
        self._due_day, self._at = day, 0
        self._prints = self._day(day)

    def _first_id(self, day: int) -> int:
        """Return the number of a day's first print, counting from the nearest day whose number is known."""
        if day in self._first_ids:
            return self._first_ids[day]
        if day < self._start_day - _DAYS_BACK:
            raise RefusalError(-1127, f"Prints are kept for {_DAYS_BACK} days before the start of the exchange.")
        known = min(self._first_ids, key=lambda other: abs(other - day))
        number = self._first_ids[known]
        for passed in range(known, day):
            number += len(self._day(passed).time_ns)
        for passed in range(day, known):
            number -= len(self._day(passed).time_ns)
        self._first_ids[day] = number
        return number
