"""F89: a test or an example reaches a real exchange: every address is turned, every other one is refused."""

import asyncio
import re
import socket
from typing import Any

import ccxt
import pytest

from tests.scripted_exchange import KEY, SECRET, ScriptedExchange, connected
from workbench.errors import ConfigError
from workbench.exchange import ClientSettings, Credentials, exchange_names
from workbench.exchange.ccxt_client.build import build_async_exchange, build_sync_exchange
from workbench.exchange.ccxt_client.repoint import check_loopback, outside_addresses

BASE = "http://127.0.0.1:9"


# Pages for people, which ccxt never calls.
PAGES = {"www", "doc", "docs", "referral", "logo", "api_management", "fees"}


def addresses(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [found for value in node.values() for found in addresses(value)]
    if isinstance(node, list):
        return [found for value in node for found in addresses(value)]
    return [node] if isinstance(node, str) else []


@pytest.mark.parametrize("name", exchange_names())
def test_no_address_of_any_exchange_is_left_out(name: str) -> None:
    exchange = build_async_exchange(ClientSettings(exchange=name, base_url=BASE))
    assert outside_addresses(exchange) == []
    called = [one for group, node in exchange.urls.items() if group not in PAGES for one in addresses(node)]
    assert [one for one in called if not re.match(r"((http|ws)://)?127\.0\.0\.1:9(/|$)", one)] == []
    assert exchange.has["fetchCurrencies"] is False
    assert exchange.hostname == "127.0.0.1:9"
    assert BASE in str(exchange.urls["api"]) or "ws://127.0.0.1:9" in str(exchange.urls["api"])


@pytest.mark.parametrize("name", ["binance", "kraken", "okx", "bybit"])
def test_exchange_of_its_own_has_addresses_to_find(name: str) -> None:
    assert outside_addresses(getattr(ccxt, name)()) != []
    assert outside_addresses(build_sync_exchange(name, base_url=BASE)) == []


def test_streams_of_spot_keep_the_word_by_which_ccxt_knows_them() -> None:
    exchange = build_async_exchange(ClientSettings(exchange="binance", base_url=BASE))
    streams = exchange.urls["api"]["ws"]
    assert "/stream" in streams["spot"]
    assert "/stream" not in streams["linear"]
    assert streams["linear"].endswith("/ws")


@pytest.mark.parametrize(
    "address",
    [
        "https://api.binance.com",
        "http://127.0.0.1.example.com:80",
        "http://127.0.0.1@example.com",
        "http://example.com/127.0.0.1",
        "http://127.0.0.1:80/path",
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "",
    ],
)
def test_address_that_is_not_on_this_machine_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="base_url must be an address of this machine"):
        check_loopback(address)
    with pytest.raises(ConfigError):
        ClientSettings(exchange="practice", base_url=address)


def test_keys_go_only_where_they_belong() -> None:
    practice, real = Credentials(KEY, SECRET), Credentials("vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv", SECRET)
    with pytest.raises(ConfigError, match="is for a practice exchange, not for binance"):
        ClientSettings(exchange="binance", credentials=practice)
    for name in ("practice", "binance"):
        with pytest.raises(ConfigError, match="a real key belongs to its exchange alone"):
            ClientSettings(exchange=name, base_url=BASE, credentials=real)
    with pytest.raises(ConfigError, match="base_url is missing"):
        ClientSettings(exchange="practice", credentials=practice)
    assert ClientSettings(exchange="binance", credentials=real).credentials is real


def test_everything_with_a_key_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def recorded(host: str, *rest: object, **more: object) -> object:
        asked.append(str(host))
        return resolve(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", recorded)

    async def test() -> None:
        async with connected() as (exchange, client):
            await client.market_rules("BTC/USDT")
            await client.balances()
            await client.open_orders()
            stream = client.watch_own(["BTC/USDT"], poll_s=0.05)
            listening = asyncio.ensure_future(anext(stream))
            await exchange.subscribed("user")
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await stream.aclose()
            # With a key, ccxt's own way leads through currencies, margin pairs and networks at addresses of their own.
            paths = {path for method, path, _ in exchange.requests if method == "GET"}
            assert paths <= {
                f"/api/v3/{name}" for name in ("exchangeInfo", "time", "account", "openOrders", "myTrades")
            }

    asyncio.run(asyncio.wait_for(test(), 20))
    assert set(asked) <= {"127.0.0.1"}


def test_exchange_that_is_not_there_is_not_replaced_by_a_real_one() -> None:
    async def test() -> None:
        exchange = ScriptedExchange()
        async with exchange.running():
            settings = ClientSettings(exchange="practice", base_url=exchange.base_url)
        hidden = build_async_exchange(settings)
        try:
            with pytest.raises(ccxt.NetworkError):
                await hidden.load_markets()
        finally:
            await hidden.close()

    asyncio.run(asyncio.wait_for(test(), 20))


def test_exchange_of_which_an_address_could_not_be_turned_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.exchange.ccxt_client.repoint._moved", lambda node, *_: node)
    with pytest.raises(ConfigError, match=r"these addresses of binance would leave this machine: .*api\.binance\.com"):
        build_sync_exchange("binance", base_url=BASE)
