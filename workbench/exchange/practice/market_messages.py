"""What the exchange lists and has printed, as Binance words it in answers to requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.exchange.practice.book import Book
from workbench.exchange.practice.numbers import decimal_of, decimal_text, float_text
from workbench.exchange.practice.order_entry import PERPETUAL_KINDS, SPOT_KINDS

if TYPE_CHECKING:
    from workbench.exchange.practice.listing import Listing
    from workbench.exchange.practice.sources import Rows
    from workbench.exchange.practice.stream_messages import DayFigures
    from workbench.exchange.practice.tape import NumberedPrints, Tape
    from workbench.model.timeframe import Timeframe

__all__ = ["agg_trades_json", "klines_json", "perpetual_symbol_json", "spot_symbol_json", "ticker_json", "trades_json"]

_NS_PER_MS: Final = 1_000_000


def spot_symbol_json(listing: Listing) -> dict[str, object]:
    """Return a spot market as ``exchangeInfo`` lists it."""
    return {
        "symbol": listing.symbol,
        "status": "TRADING",
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(SPOT_KINDS),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            *_filters(listing),
            {
                "filterType": "NOTIONAL",
                "minNotional": decimal_text(listing.min_notional),
                "applyMinToMarket": True,
                "maxNotional": "9000000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }


def perpetual_symbol_json(listing: Listing) -> dict[str, object]:
    """Return a perpetual as ``exchangeInfo`` lists it."""
    instrument = listing.instrument
    return {
        "symbol": listing.symbol,
        "pair": listing.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 1_483_228_800_000,
        "status": "TRADING",
        "maintMarginPercent": f"{instrument.maintenance_margin * 100:.4f}",
        "requiredMarginPercent": f"{100 / instrument.max_leverage:.4f}",
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "marginAsset": listing.quote,
        "pricePrecision": 8,
        "quantityPrecision": 8,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.000000",
        "filters": [
            *_filters(listing),
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": decimal_text(listing.lot),
                "maxQty": decimal_text(listing.max_quantity),
                "stepSize": decimal_text(listing.lot),
            },
            {"filterType": "MIN_NOTIONAL", "notional": decimal_text(listing.min_notional)},
        ],
        "orderTypes": list(PERPETUAL_KINDS),
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def klines_json(rows: Rows, frame: Timeframe, tape: Tape) -> list[list[object]]:
    """Return candles as ``klines`` answers them; the turnover is volume times close, counts are left at 0."""
    length_ms = frame.ns // _NS_PER_MS
    answer: list[list[object]] = []
    for time_ns, opened, high, low, close, volume in zip(rows.time_ns.tolist(), *rows.values.tolist(), strict=True):
        if tape.is_hidden(frame, time_ns):
            continue
        start_ms = time_ns // _NS_PER_MS
        prices = [float_text(price) for price in (opened, high, low, close)]
        end_ms, turnover = start_ms + length_ms - 1, float_text(volume * close)
        answer.append([start_ms, *prices, float_text(volume), end_ms, turnover, 0, "0", "0", "0"])
    return answer


def trades_json(numbered: NumberedPrints) -> list[dict[str, object]]:
    """Return prints as ``trades`` answers them."""
    return [
        {
            "id": number,
            "price": price,
            "qty": volume,
            "quoteQty": turnover,
            "time": time_ms,
            "isBuyerMaker": bool(number % 2),
            "isBestMatch": True,
        }
        for number, price, volume, turnover, time_ms in _prints(numbered)
    ]


def agg_trades_json(numbered: NumberedPrints) -> list[dict[str, object]]:
    """Return prints as ``aggTrades`` answers them, each an aggregate of its own."""
    return [
        {"a": number, "p": price, "q": volume, "f": number, "l": number, "T": time_ms, "m": bool(number % 2), "M": True}
        for number, price, volume, _, time_ms in _prints(numbered)
    ]


def ticker_json(listing: Listing, day: DayFigures) -> dict[str, object]:
    """Return the last 24 hours as ``ticker/24hr`` answers them; that of perpetuals has no bid and ask."""
    change = day.close - day.open
    average = day.quote_volume / day.volume if day.volume else day.close
    answer: dict[str, object] = {
        "symbol": listing.symbol,
        "priceChange": float_text(change),
        "priceChangePercent": f"{change / day.open * 100.0:.3f}",
        "weightedAvgPrice": float_text(average),
        "lastPrice": float_text(day.close),
        "lastQty": "0",
        "openPrice": float_text(day.open),
        "highPrice": float_text(day.high),
        "lowPrice": float_text(day.low),
        "volume": float_text(day.volume),
        "quoteVolume": float_text(day.quote_volume),
        "openTime": day.time_ms - 86_400_000,
        "closeTime": day.time_ms,
        "firstId": -1,
        "lastId": -1,
        "count": day.prints,
    }
    if not listing.is_perpetual:
        book = Book(listing, decimal_of(day.close))
        quantity = decimal_text(book.level_quantity)
        answer |= {
            "prevClosePrice": float_text(day.open),
            "bidPrice": decimal_text(book.best("SELL")),
            "bidQty": quantity,
            "askPrice": decimal_text(book.best("BUY")),
            "askQty": quantity,
        }
    return answer


def _filters(listing: Listing) -> list[dict[str, object]]:
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": decimal_text(listing.tick),
            "maxPrice": decimal_text(listing.max_price),
            "tickSize": decimal_text(listing.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": decimal_text(listing.lot),
            "maxQty": decimal_text(listing.max_quantity),
            "stepSize": decimal_text(listing.lot),
        },
    ]


def _prints(numbered: NumberedPrints) -> list[tuple[int, str, str, str, int]]:
    """Return number, price, volume, turnover and time in ms of each print."""
    columns = (column.tolist() for column in numbered.prints)
    return [
        (number, float_text(price), float_text(volume), float_text(price * volume), time_ns // _NS_PER_MS)
        for number, (time_ns, price, volume) in enumerate(zip(*columns, strict=True), numbered.first_id)
    ]
