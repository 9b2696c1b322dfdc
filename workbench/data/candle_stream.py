"""One symbol's candles from an exchange into the store, as far as the store lacks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.data.spans import Span, month_of
from workbench.errors import ExchangeError, RateLimitError
from workbench.model.bars import Bars

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from workbench.data.series_writer import SeriesWriter
    from workbench.exchange.history import CandleArchive, CandlePage

__all__ = ["fill_span"]

# A time without candles is remembered as a hole when a later candle proves it, or when it is this long ago: what the
# exchange does not have yet, it may have in a minute.
_SETTLED_NS: Final = 86_400_000_000_000
_PAGES_PER_WRITE: Final = 20
_WAITS_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
_LONGEST_WAIT_S: Final = 120.0  # an exchange that wants to be left alone for longer has banned this address


def fill_span(
    archive: CandleArchive,
    writer: SeriesWriter,
    span: Span,
    stop: threading.Event,
    advance: Callable[[int], None],
) -> int:
    """Download a span and write it, a month or twenty answers at a time.

    What has come is written in any case: also when an error or the `stop` event ends the download.

    Parameters
    ----------
    archive : CandleArchive
        Whom to ask.
    writer : SeriesWriter
        Where to write.
    span : Span
        Open labels to ask for, on the timeframe's grid, none of them covered yet.
    stop : threading.Event
        Set to end the download after the next answer.
    advance : callable
        Told how many candles' time each answer was about.

    Returns
    -------
    int
        How many questions were answered.

    Raises
    ------
    ExchangeError
        The exchange failed six times in a row, or in a way that asking again does not mend, or wants to be left alone
        for more than two minutes.
    BarError
        The exchange sent a candle that cannot be.
    """
    buffer = _Buffer(archive, writer, span)
    at, failures, answers = span.start_ns, 0, 0
    try:
        while at < span.end_ns and not stop.is_set():
            try:
                for page in archive.pages(at, span.end_ns):
                    buffer.add(page)
                    at, failures, answers = page.end_ns, 0, answers + 1
                    advance((page.end_ns - page.start_ns) // archive.timeframe.ns)
                    if stop.is_set():
                        break
                else:
                    at = span.end_ns
            except ExchangeError as error:
                wait_s = _wait_s(error, failures)
                if wait_s is None:
                    raise
                stop.wait(wait_s)
                failures += 1
    finally:
        buffer.write()
    return answers


def _wait_s(error: ExchangeError, failures: int) -> float | None:
    """Return how long to wait before asking again after some failures in a row, or None to give up."""
    if not error.retryable or failures == len(_WAITS_S):
        return None
    # An exchange bans for longer and longer whoever asks before the time that it names.
    named_s = (error.retry_after_s or 0.0) if isinstance(error, RateLimitError) else 0.0
    return max(_WAITS_S[failures], named_s) if named_s <= _LONGEST_WAIT_S else None


class _Buffer:
    """Pages that are not written yet; `_end_ns` is where what is known for certain ends."""

    def __init__(self, archive: CandleArchive, writer: SeriesWriter, span: Span) -> None:
        self._archive = archive
        self._writer = writer
        self._start_ns = self._end_ns = span.start_ns
        self._pages: list[Bars] = []
        self._count = 0

    def add(self, page: CandlePage) -> None:
        """Take a page, after checking its candles."""
        archive = self._archive
        names, rules = (archive.instrument.symbol,), (archive.instrument,)
        bars = Bars(names, archive.timeframe, rules, page.time_ns, page.values[:, np.newaxis])
        if self._count == _PAGES_PER_WRITE or month_of(page.start_ns) != month_of(self._start_ns):
            self.write()
        self._count += 1
        self._pages.append(bars)
        settled_ns = archive.timeframe.floor(archive.now_ns - _SETTLED_NS)
        certain_ns = page.end_ns if len(bars) else min(page.end_ns, settled_ns)
        self._end_ns = max(self._end_ns, certain_ns)

    def write(self) -> None:
        """Write what is certain."""
        if self._end_ns > self._start_ns:
            times = np.concatenate([bars.time_ns for bars in self._pages])
            values = np.concatenate([bars.values[:, 0] for bars in self._pages], axis=1)
            covered = Span(self._start_ns, self._end_ns)
            self._writer.append_arrays(self._archive.instrument, times, values, covered=covered)
        self._start_ns, self._pages, self._count = self._end_ns, [], 0
