"""The messages of market streams as Binance words them, put together by hand: nothing is sent more often."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from workbench.exchange.practice.book import Book
from workbench.exchange.practice.numbers import decimal_of, decimal_text, float_text

if TYPE_CHECKING:
    from workbench.exchange.practice.listing import Listing
    from workbench.model.timeframe import Timeframe

__all__ = [
    "FUNDING_RATE",
    "Candle",
    "DayFigures",
    "agg_trade",
    "book_ticker",
    "kline",
    "mark_price",
    "mini_ticker",
    "next_funding_ms",
    "ticker",
    "trade",
]

_NS_PER_MS: Final = 1_000_000
FUNDING_RATE: Final = "0.00010000"
"""What longs pay shorts at each funding, as a fraction of the notional."""
_FUNDING_MS: Final = 8 * 3_600_000


@dataclass(slots=True)
class Candle:
    """A candle that is still being made; `label_ns` is its open label."""

    label_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    count: int

    def closing_at(self, close: float) -> Candle:
        """Return the same candle with another close, its extremes widened to hold it."""
        return replace(self, close=close, high=max(self.high, close), low=min(self.low, close))


class DayFigures(NamedTuple):
    """The last 24 hours of a market; times in ms UTC."""

    time_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    prints: int


def next_funding_ms(time_ms: int) -> int:
    """Return the next time at which funding is paid: 00:00, 08:00 or 16:00 UTC."""
    return (time_ms // _FUNDING_MS + 1) * _FUNDING_MS


def trade(symbol: str, number: int, price: str, volume: str, time_ms: int) -> str:
    """Return a message of the ``trade`` stream."""
    # Every other print is said to be a sale, as the practice market knows no sides.
    is_sale = "true" if number % 2 else "false"
    return (
        f'{{"e":"trade","E":{time_ms},"s":"{symbol}","t":{number},"p":"{price}","q":"{volume}","T":{time_ms},'
        f'"m":{is_sale},"M":true}}'
    )


def agg_trade(symbol: str, number: int, price: str, volume: str, time_ms: int) -> str:
    """Return a message of the ``aggTrade`` stream: each print is an aggregate of its own."""
    is_sale = "true" if number % 2 else "false"
    return (
        f'{{"e":"aggTrade","E":{time_ms},"s":"{symbol}","a":{number},"p":"{price}","q":"{volume}","f":{number},'
        f'"l":{number},"T":{time_ms},"m":{is_sale},"M":true}}'
    )


def kline(symbol: str, frame: Timeframe, candle: Candle, time_ms: int, *, is_closed: bool) -> str:
    """Return a message of a ``kline`` stream."""
    start_ms = candle.label_ns // _NS_PER_MS
    end_ms = start_ms + frame.ns // _NS_PER_MS - 1
    volume = float_text(candle.volume)
    turnover = float_text(candle.volume * candle.close)
    return (
        f'{{"e":"kline","E":{time_ms},"s":"{symbol}","k":{{"t":{start_ms},"T":{end_ms},"s":"{symbol}",'
        f'"i":"{frame.name}","f":-1,"L":-1,"o":"{float_text(candle.open)}","c":"{float_text(candle.close)}",'
        f'"h":"{float_text(candle.high)}","l":"{float_text(candle.low)}","v":"{volume}","n":{candle.count},'
        f'"x":{"true" if is_closed else "false"},"q":"{turnover}","V":"0","Q":"0","B":"0"}}}}'
    )


def mini_ticker(listing: Listing, day: DayFigures) -> str:
    """Return a message of the ``miniTicker`` stream."""
    return (
        f'{{"e":"24hrMiniTicker","E":{day.time_ms},"s":"{listing.symbol}","c":"{float_text(day.close)}",'
        f'"o":"{float_text(day.open)}","h":"{float_text(day.high)}","l":"{float_text(day.low)}",'
        f'"v":"{float_text(day.volume)}","q":"{float_text(day.quote_volume)}"}}'
    )


def ticker(listing: Listing, day: DayFigures) -> str:
    """Return a message of the ``ticker`` stream; that of perpetuals has no bid and ask."""
    change = day.close - day.open
    average = day.quote_volume / day.volume if day.volume else day.close
    quotes = "" if listing.is_perpetual else _quotes(listing, day.close)
    return (
        f'{{"e":"24hrTicker","E":{day.time_ms},"s":"{listing.symbol}","p":"{float_text(change)}",'
        f'"P":"{change / day.open * 100.0:.3f}","w":"{float_text(average)}","x":"{float_text(day.open)}",'
        f'"c":"{float_text(day.close)}","Q":"0",{quotes}"o":"{float_text(day.open)}","h":"{float_text(day.high)}",'
        f'"l":"{float_text(day.low)}","v":"{float_text(day.volume)}","q":"{float_text(day.quote_volume)}",'
        f'"O":{day.time_ms - 86_400_000},"C":{day.time_ms},"F":-1,"L":-1,"n":{day.prints}}}'
    )


def book_ticker(listing: Listing, price: float, time_ms: int) -> str:
    """Return a message of the ``bookTicker`` stream."""
    event = f'"e":"bookTicker","E":{time_ms},"T":{time_ms},' if listing.is_perpetual else ""
    return f'{{{event}"u":{time_ms},"s":"{listing.symbol}",{_quotes(listing, price).rstrip(",")}}}'


def mark_price(symbol: str, price: float, time_ms: int) -> str:
    """Return a message of the ``markPrice`` stream: the mark is the last price."""
    text = float_text(price)
    return (
        f'{{"e":"markPriceUpdate","E":{time_ms},"s":"{symbol}","p":"{text}","i":"{text}","P":"{text}",'
        f'"r":"{FUNDING_RATE}","T":{next_funding_ms(time_ms)}}}'
    )


def _quotes(listing: Listing, price: float) -> str:
    book = Book(listing, decimal_of(price))
    quantity = decimal_text(book.level_quantity)
    bid, ask = decimal_text(book.best("SELL")), decimal_text(book.best("BUY"))
    return f'"b":"{bid}","B":"{quantity}","a":"{ask}","A":"{quantity}",'
