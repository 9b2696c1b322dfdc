"""The candle stream of one market and frame: updates while it is open, one last message when it closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.exchange.practice.stream_messages import Candle, kline

if TYPE_CHECKING:
    from workbench.exchange.practice.faults import FaultPlan
    from workbench.exchange.practice.tape import NumberedPrints, Tape
    from workbench.model.timeframe import Timeframe

__all__ = ["CandleStream"]

_NS_PER_MS: Final = 1_000_000
# How far a candle that is to be revised closes from where it should.
_WRONG_BY: Final = 1.0005


class CandleStream:
    """A candle that is built print by print.

    Parameters
    ----------
    tape : Tape
        The market; what was printed before the stream began is part of its first candle.
    frame : Timeframe
        Length of a candle.
    now_ns : int
        When the stream begins, ns UTC.
    """

    def __init__(self, tape: Tape, frame: Timeframe, now_ns: int) -> None:
        self._tape = tape
        self._symbol = tape.listing.symbol
        self._frame = frame
        self._candle: Candle | None = None
        forming = tape.forming(frame, now_ns)
        if len(forming.time_ns):
            opened, high, low, close, volume = (float(value) for value in forming.values[:, 0])
            self._candle = Candle(int(forming.time_ns[0]), opened, high, low, close, volume, 1)

    @property
    def is_begun(self) -> bool:
        """Whether a candle is open that has a print."""
        return self._candle is not None

    @property
    def end_ns(self) -> int:
        """When the open candle closes, ns UTC; 0 when there is none."""
        return 0 if self._candle is None else self._candle.label_ns + self._frame.ns

    def on_prints(self, taken: NumberedPrints, faults: FaultPlan, stream: str) -> list[str]:
        """Return the messages that prints make: closes as they fall due, and one update of the candle left open."""
        texts: list[str] = []
        candle = self._candle
        for time_ns, price, volume in zip(*(column.tolist() for column in taken.prints), strict=True):
            if candle is not None and time_ns >= candle.label_ns + self._frame.ns:
                texts += self._closing(candle, faults, stream)
                candle = None
            if candle is None:
                candle = Candle(self._frame.floor(time_ns), price, price, price, price, volume, 1)
            else:
                candle.high = max(candle.high, price)
                candle.low = min(candle.low, price)
                candle.close = price
                candle.volume += volume
                candle.count += 1
        self._candle = candle
        if candle is not None:
            is_closed = faults.strike("unfinished_candle", stream) is not None
            time_ms = int(taken.prints.time_ns[-1]) // _NS_PER_MS
            texts.append(kline(self._symbol, self._frame, candle, time_ms, is_closed=is_closed))
        return texts

    def on_time(self, now_ns: int, faults: FaultPlan, stream: str) -> list[str]:
        """Return the last message of a candle whose end has come."""
        if self._candle is None or now_ns < self.end_ns:
            return []
        texts = self._closing(self._candle, faults, stream)
        self._candle = None
        return texts

    def _closing(self, candle: Candle, faults: FaultPlan, stream: str) -> list[str]:
        """Return the last message of a candle; none, or a wrong one before it, when a fault wants it so."""
        end_ms = (candle.label_ns + self._frame.ns) // _NS_PER_MS
        if faults.strike("skipped_candle", stream) is not None:
            self._tape.hide(self._frame, candle.label_ns, candle.label_ns + 1)
        if self._tape.is_hidden(self._frame, candle.label_ns):
            return []
        texts = []
        if faults.strike("revised_candle", stream) is not None:
            wrong = candle.closing_at(candle.close * _WRONG_BY)
            texts.append(kline(self._symbol, self._frame, wrong, end_ms, is_closed=True))
        texts.append(kline(self._symbol, self._frame, candle, end_ms, is_closed=True))
        return texts
