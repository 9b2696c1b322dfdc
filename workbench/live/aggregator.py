"""From single prices to bars: right-open intervals labelled by their open, made of valid prices in order of time."""

from __future__ import annotations

import math
import threading
from dataclasses import asdict, dataclass
from datetime import datetime
from numbers import Real
from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError, DataError
from workbench.model import Bar, Timeframe, is_plausible_time_ns, parse_time_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["BarAggregator", "TickCounts"]

# A price beyond this is a broken feed, not a market; sums of such prices times quantities also stay finite.
_HIGHEST_PRICE: Final = 1e15
_HIGHEST_VOLUME: Final = 1e18
_NO_TIME: Final = -1


@dataclass(frozen=True, slots=True)
class TickCounts:
    """What became of the prices that an aggregator was given.

    Attributes
    ----------
    accepted : int
        Prices that are part of a bar.
    bars : int
        Closed bars, a partial first one included.
    late : int
        Older than a price seen before, and so dropped: a bar is never rewound.
    future : int
        Later than the clock allows.
    bad_time, bad_price, bad_volume : int
        Not a whole number of nanoseconds in the years 2009 to 2099; not a price in (0, 1e15]; not a volume in
        [0, 1e18].
    """

    accepted: int = 0
    bars: int = 0
    late: int = 0
    future: int = 0
    bad_time: int = 0
    bad_price: int = 0
    bad_volume: int = 0

    @property
    def rejected(self) -> int:
        """Prices that were dropped, for whatever reason."""
        return self.late + self.future + self.bad_time + self.bad_price + self.bad_volume

    def as_dict(self) -> dict[str, int]:
        """Return the counters by name."""
        return asdict(self)


class BarAggregator:
    """Makes bars of one symbol and timeframe from its prices; thread-safe, and never raises into a feed.

    A bar covers ``[open, open + timeframe)`` and is labelled by its open, so a price at exactly the end of a bar
    belongs to the next one. The first price of a later interval closes the bar; an interval without prices has no bar.
    Prices of equal time are kept in the order in which they came, older ones are dropped. A bar whose beginning may
    have been missed is marked ``is_partial``.

    Parameters
    ----------
    symbol : str
        Symbol of the bars.
    timeframe : Timeframe or str
        Length of a bar.
    since_ns : int, optional
        Time from which on every price is known to come, ns UTC. The first bar is partial if it opens before. Default:
        the first bar is whole only if its first price comes exactly at its open.
    latest_ns : callable, optional
        Returns the latest time in ns UTC that a price may carry, for example the time of a clock plus a margin. One
        wrong time in the future would otherwise make every later price look late. Default: no limit.

    Raises
    ------
    ConfigError
        The symbol is no name, or there is no such timeframe.

    Examples
    --------
    >>> aggregator = BarAggregator("BTC/USDT", "1m", since_ns=0)
    >>> midnight, second = 1_735_689_600_000_000_000, 1_000_000_000
    >>> for at, price in ((0, 100.0), (20, 105.0), (59, 95.0)):
    ...     bar = aggregator.add_price(midnight + at * second, price, 1.0)
    >>> bar is None
    True
    >>> bar = aggregator.add_price(midnight + 60 * second, 96.0, 1.0)
    >>> bar.open, bar.high, bar.low, bar.close, bar.volume
    (100.0, 105.0, 95.0, 95.0, 3.0)
    """

    def __init__(
        self,
        symbol: str,
        timeframe: Timeframe | str,
        *,
        since_ns: int | None = None,
        latest_ns: Callable[[], int] | None = None,
    ) -> None:
        if not isinstance(symbol, str) or not symbol:
            raise ConfigError(f"symbol must be a name, was {symbol!r}")
        self.symbol = symbol
        self.timeframe = Timeframe.of(timeframe)
        self._since_ns = since_ns
        self._latest_ns = latest_ns
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(TickCounts.__slots__, 0)
        self._last_rejection: str | None = None
        self._last_ns = _NO_TIME
        self._end_ns = _NO_TIME
        self._open_ns = _NO_TIME
        self._lost_ns: int | None = None
        self._prices = (math.nan,) * 4
        self._volume = 0.0
        self._is_partial = False
        self._has_hole = False

    @property
    def forming(self) -> Bar | None:
        """The bar that is not closed yet, as it stands; None before the first price."""
        with self._lock:
            return self._bar() if self._open_ns >= 0 else None

    @property
    def next_open_ns(self) -> int | None:
        """Open of the first bar that is not closed, ns UTC; None when nobody knows."""
        with self._lock:
            if self._lost_ns is not None:
                return self._lost_ns
            return self._open_ns if self._open_ns >= 0 else self._since_ns

    @property
    def has_lost_bar(self) -> bool:
        """Whether a bar before the open one had prices and was neither closed as whole nor mended."""
        with self._lock:
            return self._lost_ns is not None

    @property
    def counts(self) -> TickCounts:
        """The counters at this moment."""
        with self._lock:
            return TickCounts(**self._counts)

    @property
    def last_ns(self) -> int:
        """Time of the newest price taken, ns UTC; -1 before the first."""
        return self._last_ns

    @property
    def last_rejection(self) -> str | None:
        """Why the last dropped price was dropped; None while none was."""
        with self._lock:
            return self._last_rejection

    def add_price(self, timestamp: datetime | int, price: float, volume: float = 0.0) -> Bar | None:
        """Take one price and return the bar that it closed.

        Parameters
        ----------
        timestamp : datetime or int
            Aware datetime or nanoseconds UTC.
        price : float
            Price in quote currency.
        volume : float, default 0.0
            Traded quantity in base units.

        Returns
        -------
        Bar or None
            The bar before this price's interval, if it was open. A price that is late or bad is counted and dropped,
            whatever it is.

        Raises
        ------
        DataError
            The timestamp is a naive datetime: an error of the program, not of the feed.
        """
        return self.take_price(timestamp, price, volume)[1]

    def take_price(self, timestamp: datetime | int, price: float, volume: float) -> tuple[bool, Bar | None]:
        """Take `price` and `volume` of `timestamp` as `add_price`; return whether it did, and the bar it closed."""
        time_ns = _time_ns(timestamp)
        number = _finite(price)
        size = _finite(volume)
        with self._lock:
            fault = self._fault(time_ns, number, size)
            if fault is not None:
                self._counts[fault] += 1
                self._last_rejection = f"{fault}: time {timestamp!r}, price {price!r}, volume {volume!r}"[:200]
                return False, None
            self._counts["accepted"] += 1
            self._last_ns = time_ns
            if time_ns < self._end_ns:
                self._extend(number, size)
                return True, None
            closed = self._close()
            self._begin(time_ns, number, size)
            return True, closed

    def restore(self, prices: Iterable[tuple[int, float, float]], *, closed_to_ns: int | None) -> None:
        """Take up where another one left off: `prices` it took (time, price, volume) since it last closed a whole bar.

        They were checked then. `closed_to_ns` is the end of that bar, ns UTC: what comes before it is late, even when
        no price after it was taken. None when it closed none.
        """
        with self._lock:
            if closed_to_ns is not None:
                self._since_ns = self._last_ns = closed_to_ns
            for time_ns, price, volume in prices:
                self._last_ns = time_ns
                if time_ns < self._end_ns:
                    self._extend(price, volume)
                else:
                    if self._lost_ns is None and self._open_ns >= 0:
                        self._lost_ns = self._open_ns
                    self._begin(time_ns, price, volume)

    def mark_hole(self) -> None:
        """Mark as partial the bars that a hole touches: the one before the next price, and the one of that price."""
        with self._lock:
            self._is_partial = self._open_ns >= 0
            self._has_hole = True

    def _fault(self, time_ns: int, price: float, volume: float) -> str | None:
        """Return the counter of what is wrong with a price, or None; comparisons are written so that nan fails."""
        if time_ns == _NO_TIME:
            return "bad_time"
        if not 0.0 < price <= _HIGHEST_PRICE:
            return "bad_price"
        if not 0.0 <= volume <= _HIGHEST_VOLUME:
            return "bad_volume"
        if time_ns < self._last_ns:
            return "late"
        if self._latest_ns is not None and time_ns > self._latest_ns():
            return "future"
        return None

    def _begin(self, time_ns: int, price: float, volume: float) -> None:
        is_first = self._open_ns < 0
        self._open_ns = self.timeframe.floor(time_ns)
        self._end_ns = self._open_ns + self.timeframe.ns
        known_from = time_ns if self._since_ns is None else self._since_ns
        self._is_partial = self._has_hole or (is_first and known_from > self._open_ns)
        self._has_hole = False
        self._prices = (price, price, price, price)
        self._volume = volume

    def _extend(self, price: float, volume: float) -> None:
        open_, high, low, _ = self._prices
        self._has_hole = False
        self._prices = (open_, max(high, price), min(low, price), price)
        self._volume += volume

    def _close(self) -> Bar | None:
        if self._open_ns < 0:
            return None
        self._counts["bars"] += 1
        self._lost_ns = None
        return self._bar()

    def _bar(self) -> Bar:
        open_, high, low, close = self._prices
        return Bar(
            symbol=self.symbol,
            time_ns=self._open_ns,
            open=open_,
            high=high,
            low=low,
            close=close,
            volume=self._volume,
            is_partial=self._is_partial,
        )


def _time_ns(timestamp: object) -> int:
    """Return a time as nanoseconds UTC, `_NO_TIME` when it is none; raise DataError for a naive datetime."""
    if not isinstance(timestamp, datetime):
        return int(timestamp) if is_plausible_time_ns(timestamp) else _NO_TIME  # type: ignore[call-overload]  # an int
    try:
        return parse_time_ns(timestamp, "timestamp")
    except DataError:
        # A missing time is a datetime too (pandas' NaT), without a zone and unequal to itself: a fault of the feed.
        if timestamp.tzinfo is None and timestamp == timestamp:  # noqa: PLR0124  see above
            raise
        return _NO_TIME


def _finite(value: object) -> float:
    """Return a number as a float, nan when it is none or too large for one."""
    if type(value) is float:
        return value
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan
