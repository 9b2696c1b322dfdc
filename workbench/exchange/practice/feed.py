"""The streams of one market: which are listened to, and their messages as the prints come."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError
from workbench.exchange.practice import stream_messages as messages
from workbench.exchange.practice.candles import CandleStream
from workbench.exchange.practice.day_statistics import DayStatistics
from workbench.exchange.practice.depth import DepthStream
from workbench.exchange.practice.numbers import float_text
from workbench.exchange.practice.refusals import RefusalError
from workbench.model.timeframe import Timeframe

if TYPE_CHECKING:
    from workbench.exchange.practice.faults import FaultPlan
    from workbench.exchange.practice.outbox import Outbox
    from workbench.exchange.practice.tape import NumberedPrints, Tape

__all__ = ["INTERVALS", "SymbolFeed", "read_interval"]

_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000

INTERVALS: Final = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")
"""Binance's candles, but for the month, which has no fixed length."""

_DEPTH: Final = re.compile(r"depth(5|10|20)?(@(100|250|500|1000)ms)?")
_PLAIN: Final = frozenset({"trade", "aggTrade", "ticker", "miniTicker", "bookTicker"})
_MARK: Final = re.compile(r"markPrice(@1s)?")


def read_interval(name: str | None) -> Timeframe:
    """Return the frame of a candle.

    Raises
    ------
    RefusalError
        There are no such candles.
    """
    if name not in INTERVALS:
        raise RefusalError(-1120, "Invalid interval.")
    try:
        return Timeframe(name)
    except ConfigError as error:
        raise RefusalError(-1120, "Invalid interval.") from error


class SymbolFeed:
    """Messages of one market's streams.

    Parameters
    ----------
    tape : Tape
        The market.
    outbox : Outbox
        Where messages are put.
    faults : FaultPlan
        What is to go wrong with candles.
    """

    def __init__(self, tape: Tape, outbox: Outbox, faults: FaultPlan) -> None:
        self._tape = tape
        self._symbol = tape.listing.symbol
        self._outbox = outbox
        self._section = "perpetual" if tape.listing.is_perpetual else "spot"
        self._faults = faults
        self._listeners: dict[str, int] = {}
        self._candles: dict[str, CandleStream] = {}
        self._depth: dict[str, DepthStream] = {}
        self._statistics = DayStatistics(tape)
        self._ticker_s = -1

    @property
    def is_watched(self) -> bool:
        """Whether anybody listens to any stream."""
        return bool(self._listeners)

    def add(self, stream: str, now_ns: int) -> None:
        """Count a listener in.

        Raises
        ------
        RefusalError
            There is no such stream.
        """
        channel = stream.partition("@")[2]
        depth = _DEPTH.fullmatch(channel)
        if channel.startswith("kline_"):
            if stream not in self._candles:
                frame = read_interval(channel.removeprefix("kline_"))
                self._candles[stream] = CandleStream(self._tape, frame, now_ns)
        elif depth is not None:
            time_ns, price, _ = self._tape.last(now_ns)
            partial = int(depth[1] or 0)
            self._depth.setdefault(stream, DepthStream(self._tape.listing, price, time_ns // _NS_PER_MS, partial))
        elif channel not in _PLAIN and not (self._tape.listing.is_perpetual and _MARK.fullmatch(channel)):
            raise RefusalError(2, "Invalid request: invalid stream")
        self._listeners[stream] = self._listeners.get(stream, 0) + 1

    def remove(self, stream: str) -> None:
        """Count a listener out."""
        left = self._listeners.get(stream, 0) - 1
        if left > 0:
            self._listeners[stream] = left
            return
        for streams in (self._listeners, self._candles, self._depth):
            streams.pop(stream, None)

    def next_close_ns(self) -> int | None:
        """Return when a candle that somebody listens to closes next, ns UTC."""
        return min((candle.end_ns for candle in self._candles.values() if candle.is_begun), default=None)

    def on_prints(self, taken: NumberedPrints) -> None:
        """Tell of prints."""
        if not self._listeners:
            return
        self._tell_trades(taken)
        for stream, candle in self._candles.items():
            for text in candle.on_prints(taken, self._faults, stream):
                self._put(stream, text)
        time_ns = int(taken.prints.time_ns[-1])
        self._tell_tickers(time_ns)
        price = float(taken.prints.price[-1])
        for stream, depth in self._depth.items():
            self._put(stream, depth.move(price, time_ns // _NS_PER_MS))
        for stream in self._listeners:
            channel = stream.partition("@")[2]
            if channel == "bookTicker":
                self._put(stream, messages.book_ticker(self._tape.listing, price, time_ns // _NS_PER_MS))
            elif channel.startswith("markPrice"):
                self._put(stream, messages.mark_price(self._symbol, price, time_ns // _NS_PER_MS))

    def on_time(self, now_ns: int) -> None:
        """Close the candles whose end has come, though nothing was printed since."""
        for stream, candle in self._candles.items():
            for text in candle.on_time(now_ns, self._faults, stream):
                self._put(stream, text)

    def _put(self, stream: str, text: str) -> None:
        self._outbox.put_market(self._section, stream, text)

    def _tell_trades(self, taken: NumberedPrints) -> None:
        prefix = self._symbol.lower()
        names = [name for name in (f"{prefix}@trade", f"{prefix}@aggTrade") if name in self._listeners]
        if not names:
            return
        put, symbol = self._put, self._symbol
        number = taken.first_id
        for time_ns, price, volume in zip(*(column.tolist() for column in taken.prints), strict=True):
            price_text, volume_text, time_ms = float_text(price), float_text(volume), time_ns // _NS_PER_MS
            for name in names:
                kind = messages.trade if name.endswith("@trade") else messages.agg_trade
                put(name, kind(symbol, number, price_text, volume_text, time_ms))
            number += 1

    def _tell_tickers(self, time_ns: int) -> None:
        """Tell the day's figures, at most once in a second of the exchange."""
        second = time_ns // _NS_PER_S
        prefix = self._symbol.lower()
        names = [name for name in (f"{prefix}@ticker", f"{prefix}@miniTicker") if name in self._listeners]
        if not names or second == self._ticker_s:
            return
        self._ticker_s = second
        figures = self._statistics.at(time_ns)
        for name in names:
            render = messages.ticker if name.endswith("@ticker") else messages.mini_ticker
            self._put(name, render(self._tape.listing, figures))
