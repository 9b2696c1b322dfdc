"""Two exchanges that play one and the same market, each with the client that speaks to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import numpy as np

from workbench.exchange import ExchangeClient, OrderTicket, SimulatedClient, practice_client
from workbench.exchange.practice import PracticeConfig, PracticeExchange, SteppedClock, TickSource
from workbench.model import Costs, Instrument

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
MIDNIGHT = 1_735_689_600 * SECOND  # 2025-01-01T00:00Z
SPOT, PERPETUAL = "BTC/USDT", "BTC/USDT:USDT"
FEE = 0.001
TICK = 0.01
CASH = 10_000.0
# Seconds after midnight, and price: two minutes of history, and a minute each at 100, down to 90, and up to 110.
PATH = (
    *((second, 100.0 + second / 10) for second in range(-120, 0, 10)),
    *((second, 100.0) for second in range(0, 60, 10)),
    *((second, price) for second, price in zip(range(60, 120, 10), (98.0, 96.0, 94.0, 92.0, 90.0, 95.0), strict=True)),
    *((second, price) for second, price in zip(range(120, 180, 10), (97, 99, 103, 106, 108, 110), strict=True)),
)


def market(symbol: str) -> TickSource:
    """Return the one market of all these tests."""
    kind: Any = "linear_perpetual" if ":" in symbol else "spot"
    rules = Instrument(symbol, kind, lot=0.001, tick=TICK, min_notional=5.0)
    seconds, prices = zip(*PATH, strict=True)
    return TickSource(rules, MIDNIGHT + np.array(seconds) * SECOND, prices, np.ones(len(prices)))


class Venue(Protocol):
    """An exchange with its client."""

    client: ExchangeClient

    async def play(self, seconds: float) -> None:
        """Let the market go on."""


class PracticeVenue:
    """The practice exchange, and the ccxt client that speaks to it over its sockets."""

    def __init__(self, exchange: PracticeExchange, symbol: str) -> None:
        self.exchange = exchange
        kind: Any = "linear_perpetual" if ":" in symbol else "spot"
        self.client: ExchangeClient = practice_client(exchange.address, kind=kind, clock=exchange.clock)

    async def play(self, seconds: float) -> None:
        await asyncio.to_thread(self.exchange.advance, seconds)


class SimulatedVenue:
    """The simulated client, which is its own exchange."""

    def __init__(self, symbol: str) -> None:
        costs = Costs(taker_fee=FEE, maker_fee=FEE, slippage=0.0)
        self.simulated = SimulatedClient(market(symbol), cash=CASH, costs=costs, start=MIDNIGHT)
        self.client: ExchangeClient = self.simulated

    async def play(self, seconds: float) -> None:
        self.simulated.play(seconds)


@asynccontextmanager
async def practice(symbol: str) -> AsyncIterator[Venue]:
    config = PracticeConfig(
        taker_fee=FEE, maker_fee=FEE, fee_asset="quote", balances={"USDT": CASH}, wallets={"USDT": CASH}
    )
    with PracticeExchange([market(symbol)], clock=SteppedClock(MIDNIGHT), config=config) as exchange:
        venue = PracticeVenue(exchange, symbol)
        try:
            yield venue
        finally:
            await venue.client.close()


@asynccontextmanager
async def simulated(symbol: str) -> AsyncIterator[Venue]:
    venue = SimulatedVenue(symbol)
    try:
        yield venue
    finally:
        await venue.client.close()


class OpenVenue(Protocol):
    def __call__(self, symbol: str) -> AbstractAsyncContextManager[Venue]: ...


def order(name: str, side: str = "buy", quantity: float = 1.0, *, symbol: str = SPOT, **more: Any) -> OrderTicket:
    return OrderTicket(client_order_id=name, symbol=symbol, side=side, quantity=quantity, **more)  # type: ignore[arg-type]  # one of two words
