"""ccxt's caches, which keep to themselves what is new in them: a change of theirs shows here first."""

from ccxt.async_support.base.ws.cache import ArrayCache, ArrayCacheBySymbolById, ArrayCacheByTimestamp

from workbench.exchange.ccxt_client.unread import changed_candles, unread_rows

BTC, ETH = "BTC/USDT", "ETH/USDT"


def test_trades_are_unread_until_they_are_read() -> None:
    cache = ArrayCache(100)
    cache.append({"symbol": BTC, "id": "1"})
    cache.append({"symbol": BTC, "id": "2"})
    assert [row["id"] for row in unread_rows(cache, BTC)] == ["1", "2"]
    assert unread_rows(cache, BTC) == []
    cache.append({"symbol": BTC, "id": "3"})
    assert [row["id"] for row in unread_rows(cache, BTC)] == ["3"]


def test_what_ccxt_told_itself_is_read() -> None:
    cache = ArrayCache(100)
    cache.append({"symbol": BTC, "id": "1"})
    assert cache.getLimit(BTC, None) == 1
    assert unread_rows(cache, BTC) == []


def test_orders_of_another_symbol_stay_unread() -> None:
    cache = ArrayCacheBySymbolById(100)
    for symbol, number in ((BTC, "1"), (ETH, "1"), (BTC, "2"), (ETH, "2"), (BTC, "1")):
        cache.append({"symbol": symbol, "id": number})
    assert [row["id"] for row in unread_rows(cache, BTC)] == ["2", "1"]
    assert [row["id"] for row in unread_rows(cache, ETH)] == ["1", "2"]
    assert unread_rows(cache, BTC) == unread_rows(cache, ETH) == []


def test_candle_that_changed_is_told_wherever_it_stands() -> None:
    cache = ArrayCacheByTimestamp(100)
    for minute in (1, 2, 3):
        cache.append([minute, 10.0])
    assert [row[0] for row in unread_rows(cache, BTC)] == [1, 2, 3]
    cache.append([1, 11.0])
    # ccxt counts one change and takes one from the end.
    told = unread_rows(cache, BTC)
    assert told == [[3, 10.0]]
    assert changed_candles(cache, told) == [[1, 11.0]]


def test_cache_that_is_not_there_has_nothing_new() -> None:
    assert unread_rows(None, BTC) == []
    assert changed_candles(None, [[1, 10.0]]) == [[1, 10.0]]
