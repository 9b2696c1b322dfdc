"""The simulated exchange: the core's account and fill rules behind the interface of a real one, with no network.

>>> import asyncio
>>> from workbench.exchange import OrderTicket
>>> from workbench.exchange.simulated import SimulatedClient
>>> async def buy() -> str:
...     client = SimulatedClient("BTC/USDT")
...     client.step()  # the first price
...     outcome = await client.place_order(
...         OrderTicket(client_order_id="first", symbol="BTC/USDT", side="buy", quantity=0.01)
...     )
...     return outcome.order.status
>>> asyncio.run(buy())
'filled'
"""

from __future__ import annotations

from workbench.exchange.simulated.client import SimulatedClient
from workbench.exchange.simulated.timing import MarketTiming

__all__ = ["MarketTiming", "SimulatedClient"]
