"""A feed for a session that goes on: what its record holds already does not come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.model import BAR, TICK

if TYPE_CHECKING:
    import threading

    from numpy.typing import NDArray

    from workbench.live.feeds import Feed
    from workbench.live.notices import Notice
    from workbench.model import Bar

__all__ = ["ResumedFeed", "last_seen_ns"]

# Of each symbol: the time of its newest recorded price or bar, and how many were recorded of just that time.
Seen = dict[int, tuple[int, int]]


class ResumedFeed:
    """Leaves out of a feed that begins in the past what was recorded.

    Prices of one symbol come in order of time, so older ones than the newest recorded are known; of those with its very
    time as many are left out as were recorded.

    Parameters
    ----------
    feed : Feed
        Opened at `last_seen_ns` or before.
    events : ndarray of `EVENT`
        What was recorded.
    """

    def __init__(self, feed: Feed, events: NDArray[np.void]) -> None:
        self._feed = feed
        self._seen = _seen(events)

    @property
    def is_bar_only(self) -> bool:
        """Whether the rows are whole bars."""
        return self._feed.is_bar_only

    @property
    def start_ns(self) -> int:
        """Time of the market at which the feed begins, ns UTC."""
        return self._feed.start_ns

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will ever come."""
        return self._feed.is_ended

    @property
    def failure(self) -> str | None:
        """Why the feed behind it broke; None when it did not."""
        return self._feed.failure

    def next_due_ns(self) -> int | None:
        """Return when the next rows are due, ns UTC, known ones too."""
        return self._feed.next_due_ns()

    def poll(self, now_ns: int) -> NDArray[np.void]:
        """Return the next new rows of `EVENT` that are due."""
        while self._seen:
            batch = self._feed.poll(now_ns)
            if not len(batch):
                return batch
            is_new = np.array([self._is_new(*row) for row in zip(*_columns(batch), strict=True)])
            if is_new.any():
                return _numbered(batch, is_new) if self.is_bar_only else batch[is_new]
        return self._feed.poll(now_ns)

    def listen(self, wake: threading.Event) -> None:
        """Set `wake` whenever something comes."""
        self._feed.listen(wake)

    def notices(self) -> tuple[Notice, ...]:
        """Return what people should know of the feed."""
        return self._feed.notices()

    def closed_bars(self, symbol: str, start_ns: int, end_ns: int) -> tuple[Bar, ...]:
        """Return the closed bars of a `symbol` in ``[start_ns, end_ns)`` from elsewhere."""
        return self._feed.closed_bars(symbol, start_ns, end_ns)

    def close(self) -> None:
        """Give back what the feed holds."""
        self._feed.close()

    def _is_new(self, symbol: int, time_ns: int) -> bool:
        if symbol not in self._seen:
            return True
        last_ns, count = self._seen[symbol]
        if time_ns > last_ns:
            # From here on everything is new of this symbol, and no row of it needs a look.
            del self._seen[symbol]
            return True
        if time_ns == last_ns:
            if not count:
                return True
            self._seen[symbol] = (last_ns, count - 1)
        return False


def last_seen_ns(events: NDArray[np.void], symbols: int, begun_ns: int) -> int:
    """Return the time from which on a feed has to be asked again, ns UTC: of the symbol whose prices end first.

    Parameters
    ----------
    events : ndarray of `EVENT`
        What was recorded.
    symbols : int
        How many symbols the session has.
    begun_ns : int
        Where its feed began, ns UTC: from there on are missing those of a symbol of which none was recorded.
    """
    seen = _seen(events)
    return min(seen[symbol][0] if symbol in seen else begun_ns for symbol in range(symbols))


def _seen(events: NDArray[np.void]) -> Seen:
    rows = events[(events["kind"] == TICK) | (events["kind"] == BAR)]
    seen: Seen = {}
    for symbol in np.unique(rows["symbol"]):
        times = rows["time_ns"][rows["symbol"] == symbol]
        seen[int(symbol)] = (int(times.max()), int((times == times.max()).sum()))
    return seen


def _columns(batch: NDArray[np.void]) -> tuple[list[int], list[int]]:
    return batch["symbol"].tolist(), batch["time_ns"].tolist()


def _numbered(bars: NDArray[np.void], is_new: NDArray[np.bool_]) -> NDArray[np.void]:
    """Return the new ones of whole bars, whose ``remaining`` counts down within each group to its end at 0 again."""
    # Not by their times: candles of one symbol stand before those of another, each a group of its own.
    ends = bars["remaining"] == 0
    groups = (np.cumsum(ends) - ends)[is_new]
    fresh = bars[is_new]
    fresh["remaining"] = np.searchsorted(groups, groups, side="right") - 1 - np.arange(len(fresh))
    return fresh
