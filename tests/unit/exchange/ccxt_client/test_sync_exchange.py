"""Downloading history through the real synchronous ccxt."""

import asyncio
from collections.abc import Callable
from typing import Any

import ccxt
import pytest

from tests.scripted_exchange import Answer, ScriptedExchange
from workbench.errors import ConfigError, ExchangeError, ExchangeUnavailableError, RateLimitError
from workbench.exchange import fetch_ohlcv_history
from workbench.exchange.ccxt_client.build import build_sync_exchange
from workbench.exchange.practice import PracticeExchange, SteppedClock
from workbench.model.practice import PRACTICE_LIVE_START, practice_bars

KLINES = "/api/v3/klines"
START_NS = 1_735_689_600_000_000_000


def download(exchange: ScriptedExchange) -> Any:
    client = build_sync_exchange("binance", base_url=exchange.base_url)
    client.options["fetchMarkets"] = {"types": ["spot"]}
    try:
        return fetch_ohlcv_history("binance", "BTC/USDT", "1m", START_NS, START_NS + 180 * 10**9, client=client)
    finally:
        client.close()


def on_scripted(test: Callable[[ScriptedExchange], Any]) -> None:
    async def whole() -> None:
        async with ScriptedExchange().running() as exchange:
            await asyncio.wait_for(asyncio.to_thread(test, exchange), 20)

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 503, "body": {"code": -1, "msg": "Busy."}}, ExchangeUnavailableError),
        ({"status": 429, "body": {"code": -1003, "msg": "Too many."}}, RateLimitError),
        ({"body": "<html>Welcome</html>"}, ExchangeUnavailableError),
        ({"drop": True}, ExchangeUnavailableError),
    ],
)
def test_download_that_may_be_tried_again_says_so(answer: dict[str, Any], kind: type[ExchangeError]) -> None:
    def test(exchange: ScriptedExchange) -> None:
        exchange.will("GET", KLINES, Answer(**answer))
        with pytest.raises(kind) as caught:
            download(exchange)
        assert type(caught.value) is kind
        assert caught.value.retryable
        assert caught.value.__cause__ is caught.value.__context__ is None

    on_scripted(test)


def test_download_without_a_hitch_has_the_exchanges_candles() -> None:
    def test(exchange: ScriptedExchange) -> None:
        start_ms = START_NS // 1_000_000
        exchange.klines = [
            [start_ms + minute * 60_000, "10.0", "12.0", "9.0", "11.0", "5.0", 0, "0", 1, "0", "0", "0"]
            for minute in range(5)
        ]
        bars = download(exchange)
        assert len(bars) == 3
        assert bars.instruments[0].lot == 0.00001

    on_scripted(test)


def test_practice_exchange_has_the_history_of_the_practice_market() -> None:
    with PracticeExchange(["BTC/USDT", "BTC/USDT:USDT"], clock=SteppedClock()) as exchange:
        client = build_sync_exchange("binance", base_url=exchange.url)
        start_ns = PRACTICE_LIVE_START - 3_600 * 10**9
        try:
            for symbol in ("BTC/USDT", "BTC/USDT:USDT"):
                bars = fetch_ohlcv_history("binance", symbol, "1m", start_ns, PRACTICE_LIVE_START, client=client)
                expected = practice_bars(symbol, "1m", start_ns, PRACTICE_LIVE_START)
                assert bars.values.tobytes() == expected.values.tobytes()
        finally:
            client.close()


def test_sync_exchange_is_hooked_and_turned() -> None:
    client = build_sync_exchange("binance", base_url="http://127.0.0.1:9")
    assert isinstance(client, ccxt.binance)
    with pytest.raises(ConfigError, match="verbose must be off"):
        client.verbose = True
    with pytest.raises(ConfigError, match="base_url must be an address of this machine"):
        build_sync_exchange("binance", base_url="https://api.binance.com")
