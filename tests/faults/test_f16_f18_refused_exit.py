"""F16, F18: the exchange refuses an exit: a fixed ladder is climbed, never more is sold than there is, then it is told.

The ladder: as wanted, with fresh rules, no more than is held, at market; six tries in all, and then the position is
called unprotected, entries are halted, and a person has to look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.live.fake_exchange import FakeExchange, own_trade, state_of
from tests.unit.live.markets import BTC
from tests.unit.live.test_order_line import REFUSED, WAITS_S, Desk, request
from workbench.core.reports import DONE
from workbench.errors import AuthError, ConfigError, ExchangeUnavailableError, OrderError, RealTradingDisabledError
from workbench.exchange import Accepted, Balance, ExchangePosition, OrderTicket, Refused
from workbench.live.exit_ladder import climbed

PERPETUAL = "BTC/USDT:USDT"
DOWN = ExchangeUnavailableError("maintenance", exchange="fake", retryable=True)


def exit_ticket(**changes: Any) -> OrderTicket:
    settings: dict[str, Any] = {
        "client_order_id": "wb-1",
        "symbol": BTC,
        "side": "sell",
        "quantity": 1.0,
        "kind": "limit",
        "price": 100.0,
        "time_in_force": "ioc",
        "reduce_only": True,
        "is_exit": True,
    }
    return OrderTicket(**settings | changes)


def step(refused_before: int, exchange: FakeExchange | None = None, **changes: Any) -> OrderTicket | None:
    client: Any = exchange or FakeExchange()
    return asyncio.run(climbed(exit_ticket(**changes), refused_before, client))


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.line.close()


def holding(free: float) -> FakeExchange:
    exchange = FakeExchange()
    exchange.answer("balances", {"BTC": Balance(free, 5.0)})
    return exchange


def test_ladder_goes_step_by_step() -> None:
    wanted = exit_ticket()
    exchange = holding(0.75)
    assert step(0, exchange) == wanted
    assert exchange.calls == []
    assert step(1, exchange) == wanted
    assert exchange.calls == [("refresh_markets",)]
    reduced = step(2, exchange)
    assert reduced == exit_ticket(quantity=0.75)  # what is locked by others, 5, is not ours to sell
    for count in (3, 4, 5):
        assert step(count, exchange) == exit_ticket(quantity=0.75, kind="market", price=None, time_in_force="gtc")


def test_exit_never_grows_to_what_is_held() -> None:
    assert step(5, holding(40.0), kind="market", price=None, time_in_force="gtc") == exit_ticket(
        kind="market", price=None, time_in_force="gtc"
    )


def test_account_without_the_coin_is_sent_nothing() -> None:
    assert step(2, holding(0.0)) is None
    exchange = FakeExchange()
    exchange.answer("balances", {})
    assert step(2, exchange) is None


@pytest.mark.parametrize(
    ("side", "held", "quantity"),
    [("sell", 0.4, 0.4), ("sell", 9.0, 1.0), ("buy", -0.4, 0.4), ("sell", -0.4, None), ("buy", 0.4, None)],
)
def test_exit_of_a_perpetual_is_bound_by_the_position(side: str, held: float, quantity: float | None) -> None:
    exchange = FakeExchange()
    exchange.answer("positions", (ExchangePosition(symbol=PERPETUAL, quantity=held, entry_price=100.0),))
    ticket = step(2, exchange, symbol=PERPETUAL, side=side)
    assert (None if ticket is None else ticket.quantity) == quantity


@pytest.mark.parametrize("error", [DOWN, ConfigError("no such thing"), AuthError("no", exchange="f", retryable=False)])
def test_holding_that_nobody_tells_changes_nothing(error: Exception) -> None:
    exchange = FakeExchange()
    exchange.answer("balances", error)
    ticket = step(3, exchange)
    assert ticket is not None
    assert (ticket.quantity, ticket.kind) == (1.0, "market")


def test_entry_is_left_as_it_is() -> None:
    exchange = holding(0.0)
    assert step(5, exchange, is_exit=False, reduce_only=False) == exit_ticket(is_exit=False, reduce_only=False)
    assert exchange.calls == []


REFUSALS = [
    Refused("too little money", "-2010"),
    Refused("quantity must be at least one lot", "lot", was_sent=False),
    Refused("min_notional is 5", "min_notional", was_sent=False),
    DOWN,
    OrderError("quantity must be in (0, inf), was nan"),
    RealTradingDisabledError("no order is sent"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: type(one).__name__ + str(one)[:24])
def test_exit_that_is_always_refused_is_tried_six_times_and_then_told(desk: Desk, refusal: Any) -> None:
    desk.exchange.answer("place", refusal)
    for number, wait_s in enumerate(WAITS_S):
        desk.send(request(number, "limit", is_exit=True, side="sell"))
        assert desk.orders.unprotected == ()
        desk.line.pass_time(wait_s)
        desk.reports()
    desk.send(request(5, is_exit=True, side="sell"))
    desk.line.pass_time(3_600.0)
    assert desk.reports() == []  # it stays in flight, so that the core asks for no other
    assert desk.orders.unprotected == (BTC,)
    kinds = [ticket.kind for (ticket,) in desk.exchange.asked("place")]
    assert kinds == ["limit", "limit", "limit", "market", "market", "market"]
    alarm = desk.orders.notices()[-1]
    assert alarm.needs_person
    assert "BTC/USDT is UNPROTECTED: its exit was refused 6 times, last: " in alarm.text


def test_person_lets_it_be_tried_again_from_the_foot_of_the_ladder(desk: Desk) -> None:
    desk.exchange.answer("place", REFUSED)
    for number, wait_s in enumerate((*WAITS_S, 3_600.0)):
        desk.send(request(number, is_exit=True, side="sell"))
        desk.line.pass_time(wait_s)
        desk.reports()
    assert desk.orders.unprotected == (BTC,)
    desk.orders.retry_exits()
    assert desk.orders.unprotected == ()
    assert desk.reports() == [(0.0, 0.0, 5, DONE)]
    desk.exchange.calls.clear()
    desk.send(request(6, "limit", is_exit=True, side="sell"))
    assert [name for name, *_ in desk.exchange.calls] == ["place"]  # neither rules nor holdings are asked for
    desk.line.pass_time(WAITS_S[0])
    assert desk.reports() == [(0.0, 0.0, 6, DONE)]
    desk.orders.retry_exits()
    assert desk.reports() == []


def test_coin_that_is_short_is_sold_as_far_as_it_is_there(desk: Desk) -> None:
    desk.exchange.answer("balances", {"BTC": Balance(0.999, 0.0)})

    def enough(ticket: OrderTicket) -> Any:
        filled = state_of(ticket.client_order_id, quantity=ticket.quantity)
        return REFUSED if ticket.quantity > 0.999 else Accepted(filled)

    desk.exchange.answer("place", enough)
    for number, wait_s in enumerate(WAITS_S[:2]):
        desk.send(request(number, is_exit=True, side="sell"))
        desk.line.pass_time(wait_s)
        assert desk.reports() == [(0.0, 0.0, number, DONE)]
    desk.send(request(2, is_exit=True, side="sell"))
    desk.line.put("own", own_trade(desk.name(2), 0.999, side="sell"))
    assert desk.reports() == [(-0.999, 100.0, 2, DONE)]
    assert desk.orders.unprotected == ()
