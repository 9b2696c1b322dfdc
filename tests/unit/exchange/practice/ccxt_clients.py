"""The real ccxt client, pointed at a practice exchange."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import ccxt
import ccxt.pro

from workbench.exchange.practice import PracticeAddress, PracticeExchange

TIMEOUT_MS = 5_000


def point(client: Any, address: PracticeAddress) -> Any:
    """Turn every address of a Binance client to the practice exchange and give it the exchange's key."""

    def turned(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: turned(value) for name, value in node.items()}
        return re.sub(r"^\w+://[^/]+", address.url, node)

    for group in ("api", "test", "demo"):
        has_streams = "ws" in client.urls[group]
        client.urls[group] = turned(client.urls[group])
        if has_streams:
            streams = dict.fromkeys(client.urls[group]["ws"], address.spot_stream_url)
            interface = dict.fromkeys(("spot", "linear", "inverse"), address.spot_interface_url)
            client.urls[group]["ws"] = streams | {"linear": address.perpetual_stream_url, "ws-api": interface}
    client.options |= {"fetchMargins": False, "fetchMarkets": {"types": ["spot", "linear"]}}
    client.has["fetchCurrencies"] = False
    client.apiKey, client.secret = address.key, address.secret
    return client


def sync_client(exchange: PracticeExchange, **options: Any) -> Any:
    """Return a synchronous client that has loaded the markets and signs with the exchange's time."""
    settings = {"enableRateLimit": False, "timeout": TIMEOUT_MS, "options": {"maxRetriesOnFailure": 0}}
    client = point(ccxt.binance(settings), exchange.address)
    client.options |= options
    client.milliseconds = milliseconds_of(exchange)
    client.load_markets()
    return client


@asynccontextmanager
async def live_client(exchange: PracticeExchange) -> AsyncIterator[Any]:
    """Yield a client with websockets that has loaded the markets, and close it."""
    client = point(ccxt.pro.binance({"enableRateLimit": False, "timeout": TIMEOUT_MS}), exchange.address)
    client.milliseconds = milliseconds_of(exchange)
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


def milliseconds_of(exchange: PracticeExchange) -> Callable[[], int]:
    return lambda: exchange.clock.now_ns() // 1_000_000
