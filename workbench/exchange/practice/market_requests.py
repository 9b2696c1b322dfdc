"""Answers about the markets, which spot and perpetuals give alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from workbench.exchange.practice import market_messages as messages
from workbench.exchange.practice.day_statistics import DayStatistics
from workbench.exchange.practice.depth import DEPTH_LEVELS, side_of_book, update_id
from workbench.exchange.practice.feed import read_interval
from workbench.exchange.practice.numbers import decimal_of, decimal_text, float_text, read_integer
from workbench.exchange.practice.refusals import missing_parameter
from workbench.exchange.practice.routes import Request, Route, RouteTable
from workbench.exchange.practice.sources import Rows

if TYPE_CHECKING:
    from workbench.exchange.practice.section import Section
    from workbench.exchange.practice.tape import NumberedPrints, Tape
    from workbench.exchange.practice.venue import Venue

__all__ = ["SectionName", "market_routes", "section_of"]

SectionName = Literal["spot", "perpetual"]

_NS_PER_MS: Final = 1_000_000
_MOST_ROWS: Final = 1_000
_USUAL_ROWS: Final = 500
# Stale candles end this many candles before now.
_STALE_CANDLES: Final = 100


def market_routes(prefix: str, name: SectionName) -> RouteTable:
    """Return the routes of one half of the exchange, such as of ``/api/v3`` or ``/fapi/v1``."""

    def route(answer: Any) -> Route:  # noqa: ANN401 -- one of the functions below
        return Route(lambda venue, request: answer(section_of(venue, name), venue, request))

    return {
        f"GET {prefix}/ping": Route(lambda _venue, _request: {}),
        f"GET {prefix}/time": Route(lambda venue, _request: {"serverTime": venue.guard.now_ms()}),
        f"GET {prefix}/exchangeInfo": route(_exchange_info),
        # A year of daily candles of the practice market takes seconds when it is asked for the first time.
        f"GET {prefix}/klines": route(_klines)._replace(is_slow=True),
        f"GET {prefix}/trades": route(_trades),
        f"GET {prefix}/historicalTrades": route(_trades),
        f"GET {prefix}/aggTrades": route(_agg_trades),
        f"GET {prefix}/depth": route(_depth),
        f"GET {prefix}/ticker/24hr": route(_ticker),
        f"GET {prefix}/ticker/bookTicker": route(_book_ticker),
        f"GET {prefix}/ticker/price": route(_price),
    }


def section_of(venue: Venue, name: SectionName) -> Section:
    """Return one half of the exchange."""
    return venue.spot if name == "spot" else venue.perpetual


def _exchange_info(section: Section, venue: Venue, request: Request) -> dict[str, Any]:
    wanted = request.params.get("symbol")
    listings = section.listings.values() if wanted is None else [section.listing(wanted)]
    render = messages.perpetual_symbol_json if section is venue.perpetual else messages.spot_symbol_json
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6_000},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
    ]
    return {
        "timezone": "UTC",
        "serverTime": venue.guard.now_ms(),
        "rateLimits": limits,
        "exchangeFilters": [],
        "assets": [{"asset": asset} for asset in sorted({listing.quote for listing in listings})],
        "symbols": [render(listing) for listing in listings],
    }


def _klines(section: Section, venue: Venue, request: Request) -> list[list[object]]:
    tape, now_ns, count = _tape(section, request), venue.clock.now_ns(), _count(request)
    frame = read_interval(request.params.get("interval"))
    if venue.faults.strike("stale_candles", "klines") is not None:
        now_ns -= _STALE_CANDLES * frame.ns
    start, end = _start_ns(request), _end_ns(request)
    if start is None and end is not None:
        start = frame.floor(end) - (count - 1) * frame.ns
    rows = tape.candles(frame, start, now_ns, count)
    if end is not None:
        kept = int(rows.time_ns.searchsorted(end, side="right"))
        rows = Rows(rows.time_ns[:kept], rows.values[:, :kept])
    return messages.klines_json(rows, frame, tape)


def _trades(section: Section, venue: Venue, request: Request) -> list[dict[str, object]]:
    from_id = read_integer(request.params, "fromId")
    tape, now_ns = _tape(section, request), venue.clock.now_ns()
    count = _count(request)
    found = tape.recent(now_ns, count) if from_id is None else tape.from_number(from_id, now_ns, count)
    return messages.trades_json(found)


def _agg_trades(section: Section, venue: Venue, request: Request) -> list[dict[str, object]]:
    tape, now_ns, count = _tape(section, request), venue.clock.now_ns(), _count(request)
    from_id, start, end = read_integer(request.params, "fromId"), _start_ns(request), _end_ns(request)
    found: NumberedPrints
    if from_id is not None:
        found = tape.from_number(from_id, now_ns, count)
    elif start is not None:
        stop = now_ns + 1 if end is None else min(end + _NS_PER_MS, now_ns + 1)
        found = tape.between(start, stop, count)
    else:
        found = tape.recent(now_ns if end is None else min(end, now_ns), count)
    return messages.agg_trades_json(found)


def _depth(section: Section, venue: Venue, request: Request) -> dict[str, object]:
    tape = _tape(section, request)
    time_ns, price, _ = tape.last(venue.clock.now_ns())
    count = min(read_integer(request.params, "limit", DEPTH_LEVELS) or DEPTH_LEVELS, DEPTH_LEVELS)
    time_ms = time_ns // _NS_PER_MS
    return {
        "lastUpdateId": update_id(time_ms),
        "E": time_ms,
        "T": time_ms,
        "bids": side_of_book(tape.listing, decimal_of(price), "SELL", count),
        "asks": side_of_book(tape.listing, decimal_of(price), "BUY", count),
    }


def _ticker(section: Section, venue: Venue, request: Request) -> Any:  # noqa: ANN401 -- one or a list, as asked
    now_ns = venue.clock.now_ns()
    return _for_each(
        section,
        request,
        lambda tape: messages.ticker_json(tape.listing, DayStatistics(tape).at(now_ns)),
    )


def _book_ticker(section: Section, venue: Venue, request: Request) -> Any:  # noqa: ANN401 -- as above
    def answer(tape: Tape) -> dict[str, object]:
        book = section.book(tape.listing.symbol)
        quantity = decimal_text(book.level_quantity)
        quotes = {
            "symbol": tape.listing.symbol,
            "bidPrice": decimal_text(book.best("SELL")),
            "bidQty": quantity,
            "askPrice": decimal_text(book.best("BUY")),
            "askQty": quantity,
        }
        return quotes | _time(tape, venue)

    return _for_each(section, request, answer)


def _price(section: Section, venue: Venue, request: Request) -> Any:  # noqa: ANN401 -- as above
    now_ns = venue.clock.now_ns()

    def answer(tape: Tape) -> dict[str, object]:
        price = float_text(tape.last(now_ns)[1])
        return {"symbol": tape.listing.symbol, "price": price} | _time(tape, venue)

    return _for_each(section, request, answer)


def _time(tape: Tape, venue: Venue) -> dict[str, object]:
    """Return the time of a quote, which only those of perpetuals have: ccxt tells the two apart by it."""
    return {"time": venue.guard.now_ms()} if tape.listing.is_perpetual else {}


def _for_each(section: Section, request: Request, answer: Any) -> Any:  # noqa: ANN401 -- as above
    """Return the answer for the market that was asked for, or a list for all of them."""
    if "symbol" in request.params:
        return answer(_tape(section, request))
    return [answer(tape) for tape in section.tapes.values()]


def _tape(section: Section, request: Request) -> Tape:
    symbol = request.params.get("symbol")
    if not symbol:
        raise missing_parameter("symbol")
    return section.tapes[section.listing(symbol).symbol]


def _count(request: Request) -> int:
    return max(1, min(read_integer(request.params, "limit", _USUAL_ROWS) or _USUAL_ROWS, _MOST_ROWS))


def _start_ns(request: Request) -> int | None:
    start_ms = read_integer(request.params, "startTime")
    return None if start_ms is None else start_ms * _NS_PER_MS


def _end_ns(request: Request) -> int | None:
    end_ms = read_integer(request.params, "endTime")
    return None if end_ms is None else end_ms * _NS_PER_MS
