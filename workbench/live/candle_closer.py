"""Which candles of an exchange are final, and which closed ones came again with other numbers."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from workbench.model import utc_text

if TYPE_CHECKING:
    from workbench.exchange import Candle

__all__ = ["CandleCloser"]

# Closed candles that are remembered, so that a revision of one is seen.
_KEPT: Final = 100


class CandleCloser:
    """Takes the candles of one symbol as they come, the open one again and again, and says which are closed.

    A candle is closed when the exchange says so. Where it does not say, a later candle makes it doubtful, and it is
    closed once the exchange, asked again, gives it with the flag of its clock. Each is closed once and in order; one
    that comes again with other numbers is a revision, which changes nothing of what was decided.

    Parameters
    ----------
    since_ns : int
        Candles that open before are not wanted, ns UTC.

    Examples
    --------
    >>> from workbench.exchange import Candle
    >>> closer = CandleCloser(0)
    >>> closer.take(Candle("BTC/USDT", 60, 1.0, 2.0, 1.0, 2.0, 5.0, None))
    (None, None)
    >>> closer.take(Candle("BTC/USDT", 120, 2.0, 2.0, 2.0, 2.0, 1.0, None)), closer.unconfirmed_ns
    ((None, None), 60)
    >>> closer.take(Candle("BTC/USDT", 60, 1.0, 2.0, 1.0, 1.5, 6.0, True))[0].close
    1.5
    >>> closer.take(Candle("BTC/USDT", 60, 1.0, 2.0, 1.0, 1.6, 6.0, True))[1]
    'the candle of 1970-01-01T00:00Z was revised: close 1.5 -> 1.6'
    """

    def __init__(self, since_ns: int) -> None:
        self._next_ns = since_ns
        self._open_ns: int | None = None
        self._unconfirmed_ns: int | None = None
        self._closed: OrderedDict[int, Candle] = OrderedDict()

    @property
    def unconfirmed_ns(self) -> int | None:
        """Open time of the oldest candle that must be asked for again; None when there is none."""
        return self._unconfirmed_ns

    def take(self, candle: Candle) -> tuple[Candle | None, str | None]:
        """Return the candle if it closed now, and what was revised if it had closed before with other numbers."""
        known = self._closed.get(candle.time_ns)
        if known is not None:
            return None, _revision(known, candle)
        if candle.time_ns < self._next_ns:
            return None, None
        if candle.is_closed:
            return self._close(candle), None
        if candle.is_closed is None:
            if self._open_ns is not None and candle.time_ns > self._open_ns and self._unconfirmed_ns is None:
                self._unconfirmed_ns = self._open_ns
            self._open_ns = max(candle.time_ns, self._open_ns or candle.time_ns)
        return None, None

    def _close(self, candle: Candle) -> Candle:
        self._closed[candle.time_ns] = candle
        if len(self._closed) > _KEPT:
            self._closed.popitem(last=False)
        self._next_ns = candle.time_ns + 1
        if self._unconfirmed_ns is not None and self._unconfirmed_ns <= candle.time_ns:
            self._unconfirmed_ns = None
        return candle


def _revision(known: Candle, candle: Candle) -> str | None:
    if candle.is_closed is False:
        return None
    changes = [
        f"{name} {getattr(known, name):g} -> {getattr(candle, name):g}"
        for name in ("open", "high", "low", "close", "volume")
        if getattr(known, name) != getattr(candle, name)
    ]
    return f"the candle of {utc_text(known.time_ns)} was revised: {', '.join(changes)}" if changes else None
