from __future__ import annotations

import asyncio

import pytest

from workbench.errors import RealTradingDisabledError
from workbench.exchange import CcxtClient, ClientSettings, Credentials, OrderTicket
from workbench.exchange.ccxt_client.build import build_async_exchange
from workbench.exchange.ccxt_client.guarded_calls import GUARDED_CALLS


def test_no_order_leaves_for_a_real_exchange_even_with_its_key() -> None:
    async def order() -> None:
        client = CcxtClient(ClientSettings(exchange="binance", credentials=Credentials("key-of-nobody", "its-secret")))
        try:
            ticket = OrderTicket(client_order_id="wb-1", symbol="BTC/USDT", side="buy", quantity=0.01)
            await client.place_order(ticket)
        finally:
            await client.close()

    with pytest.raises(RealTradingDisabledError, match=r"no order is sent to binance: real trading is off"):
        asyncio.run(order())


@pytest.mark.parametrize("name", GUARDED_CALLS)
def test_way_around_the_client_is_shut(name: str) -> None:
    async def call() -> None:
        exchange = build_async_exchange(
            ClientSettings(exchange="binance", credentials=Credentials("key-of-nobody", "its-secret"))
        )
        try:
            await getattr(exchange, name)("BTC/USDT", "market", "buy", 0.01)
        finally:
            await exchange.close()

    with pytest.raises(RealTradingDisabledError, match=f"{name} of ccxt is shut"):
        asyncio.run(call())
