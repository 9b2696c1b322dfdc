"""The markets of a simulated exchange on one axis of time: the next print of any, and what each has printed so far."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from workbench.errors import ConfigError
from workbench.exchange.market_data import Candle, MarketTrade
from workbench.exchange.practice.listing import Listing
from workbench.exchange.practice.tape import Tape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.exchange.practice.sources import MarketSource
    from workbench.exchange.practice.tape import NumberedPrints
    from workbench.model.instrument import Instrument
    from workbench.model.timeframe import Timeframe

__all__ = ["SimulatedMarket", "number_of"]


class SimulatedMarket:
    """Some markets, played print by print in the order of time; of one moment, in the order of the markets.

    Parameters
    ----------
    sources : sequence of MarketSource
        Where the prints come from, one for each symbol.
    start_ns : int
        Everything before is history, ns UTC.
    """

    def __init__(self, sources: Sequence[MarketSource], start_ns: int) -> None:
        self.instruments: tuple[Instrument, ...] = tuple(source.instrument for source in sources)
        self.start_ns = start_ns
        self._tapes = {
            source.instrument.symbol: Tape(Listing(source.instrument), source, start_ns) for source in sources
        }
        self._waiting: deque[MarketTrade] = deque()
        # What is printed in the first moment is still to come.
        self._seen_ns = start_ns - 1

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, in the order in which they were given."""
        return tuple(self._tapes)

    def tape(self, symbol: str) -> Tape:
        """Return the tape of a `symbol`; raises ConfigError for an unknown one."""
        tape = self._tapes.get(symbol)
        if tape is None:
            raise ConfigError(f"symbol must be one of {', '.join(self._tapes)}, was {symbol!r}")
        return tape

    def next_due_ns(self) -> int | None:
        """Return when the next print is due, ns UTC; None when all markets have ended."""
        if self._waiting:
            return self._waiting[0].time_ns
        due = (tape.next_due_ns() for tape in self._tapes.values())
        return min((one for one in due if one is not None), default=None)

    def take(self) -> MarketTrade | None:
        """Return the next print, None when all markets have ended."""
        due_ns = self.next_due_ns()
        if due_ns is None:
            return None
        if not self._waiting:
            for symbol, tape in self._tapes.items():
                prints = tape.take_due(due_ns)
                if prints is not None:
                    self._waiting.extend(_trades(symbol, prints))
        self._seen_ns = due_ns
        return self._waiting.popleft()

    def trades(self, symbol: str, *, since_ns: int | None, after_id: str | None, limit: int) -> tuple[MarketTrade, ...]:
        """Return up to `limit` trades so far, oldest first: behind `after_id`, else since a time, else the latest."""
        tape = self.tape(symbol)
        # Of one moment, some prints may still be to come.
        coming = {trade.trade_id for trade in self._waiting if trade.symbol == symbol}
        if after_id is None and since_ns is None:
            latest = _trades(symbol, tape.recent(self._seen_ns, limit + len(coming)))
            return tuple(one for one in latest if one.trade_id not in coming)[-limit:]
        found: list[MarketTrade] = []
        number = None if after_id is None else number_of(after_id) + 1
        while len(found) < limit:
            count = limit - len(found)
            if number is None:
                prints = tape.between(since_ns or 0, self._seen_ns + 1, count)
            else:
                prints = tape.from_number(number, self._seen_ns, count)
            if not len(prints):
                break
            found.extend(_trades(symbol, prints))
            number = prints.first_id + len(prints)
        return tuple(one for one in found if one.trade_id not in coming)

    def candles(self, symbol: str, timeframe: Timeframe, since_ns: int, now_ns: int, limit: int) -> tuple[Candle, ...]:
        """Return up to `limit` candles that open at `since_ns` or later; those that end by `now_ns` are closed."""
        rows = self.tape(symbol).candles(timeframe, since_ns, self._seen_ns, limit)
        columns = (rows.time_ns.tolist(), *rows.values.tolist())
        return tuple(
            Candle(symbol, time_ns, open_, high, low, close, volume, is_closed=time_ns + timeframe.ns <= now_ns)
            for time_ns, open_, high, low, close, volume in zip(*columns, strict=True)
        )


def _trades(symbol: str, prints: NumberedPrints) -> list[MarketTrade]:
    columns = zip(*(column.tolist() for column in prints.prints), strict=True)
    return [
        MarketTrade(symbol, str(number), time_ns, price, volume, side=None)
        for number, (time_ns, price, volume) in enumerate(columns, prints.first_id)
    ]


def number_of(trade_id: str) -> int:
    """Return the number that a trade is named by; raises ConfigError for another name."""
    if not trade_id.isdecimal():
        raise ConfigError(f"after_id must be the id of a trade, a whole number, was {trade_id!r}")
    return int(trade_id)
