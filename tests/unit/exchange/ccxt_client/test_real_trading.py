from __future__ import annotations

import asyncio

import pytest

from workbench.errors import RealTradingDisabledError
from workbench.exchange import CcxtClient, ClientSettings, Credentials, OrderTicket


def test_no_order_leaves_for_a_real_exchange_even_with_its_key() -> None:
    async def order() -> None:
        client = CcxtClient(ClientSettings(exchange="binance", credentials=Credentials("key-of-nobody", "its-secret")))
        try:
            ticket = OrderTicket(client_order_id="wb-1", symbol="BTC/USDT", side="buy", quantity=0.01)
            await client.place_order(ticket)
        finally:
            await client.close()

    with pytest.raises(RealTradingDisabledError, match=r"no order is sent to binance: .* play money only"):
        asyncio.run(order())
