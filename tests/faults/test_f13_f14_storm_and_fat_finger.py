"""F13, F14: a program that went wild orders without end, far too much, or far from the market; the door counts along.

What the core's review lets through is bounded there (see the properties of the account); this is the last look, at the
exchange's own price, which holds whoever sends.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.real_money import SECOND, Vault, buy
from tests.scripted_exchange import Answer, ScriptedExchange, connected, trade_row
from workbench.exchange import OrderTicket, Refused
from workbench.exchange.real_money import RealTradingPermit


def sent(vault: Vault, tickets: list[OrderTicket], *, apart_s: int = 0) -> tuple[ScriptedExchange, Counter[str]]:
    """Send orders one after the other, on a market at 100; return what was executed, and why the others were not."""
    exchange = ScriptedExchange()
    exchange.trades = [trade_row(1)]
    exchange.will("GET", "/sapi/v1/account/apiRestrictions", Answer(body={"enableWithdrawals": False}))
    reasons: Counter[str] = Counter()

    async def storm() -> None:
        permit = RealTradingPermit(vault.gate(), vault.consent())
        async with connected(exchange, credentials=permit.credentials, permit=permit) as (_, client):
            for ticket in tickets:
                outcome = await client.place_order(ticket)
                if isinstance(outcome, Refused):
                    assert outcome.was_sent is False
                    reasons[outcome.reason.partition(" is ")[0]] += 1
                vault.now_ns += apart_s * SECOND

    asyncio.run(asyncio.wait_for(storm(), 50))
    return exchange, reasons


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path)
    vault.arm()
    return vault


def test_storm_of_orders_is_a_few_orders(vault: Vault) -> None:
    # one a second for 100 s: five in the first minute, five in the second
    exchange, reasons = sent(vault, [buy(0.1, f"wb-{number}") for number in range(100)], apart_s=1)
    assert len(exchange.executed) == 10
    assert reasons == {"max_orders_per_minute": 90}


def test_storm_of_slow_orders_ends_with_the_day(vault: Vault) -> None:
    # a hundred of 100, a minute apart: 1000 is the limit of a day
    exchange, reasons = sent(vault, [buy(1.0, f"wb-{number}") for number in range(100)], apart_s=60)
    assert len(exchange.executed) == 10
    assert reasons == {"max_daily_notional": 90}


def test_fat_fingers_send_nothing(vault: Vault) -> None:
    tickets = [
        buy(10.0, "wb-1"),
        buy(9_000.0, "wb-2"),
        buy(0.5, "wb-3", kind="limit", price=1_000.0),
        buy(0.5, "wb-4", kind="limit", price=10.0),
        buy(0.5, "wb-5", kind="stop", price=200.0),
        buy(0.5, "wb-6", side="sell", kind="limit", price=50.0),
    ]
    exchange, reasons = sent(vault, tickets)
    assert exchange.executed == []
    assert reasons == {"max_order_notional": 2, "price_collar": 4}


def test_price_of_a_decision_is_compared_with_the_market_as_it_is_now(vault: Vault) -> None:
    # decided when the market was at 104; it is at 100 now, and 104 is within 5 percent, but 106 would not be
    exchange, reasons = sent(vault, [buy(0.5, "wb-1", kind="limit", price=104.0)])
    assert len(exchange.executed) == 1
    exchange, reasons = sent(vault, [buy(0.5, "wb-2", kind="limit", price=106.0)])
    assert exchange.executed == []
    assert reasons == {"price_collar": 1}
