"""F12: a strategy asks for an amount or price that is none; ccxt would send -0.5 as it is. Nothing is sent."""

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted_exchange import ORDER, ScriptedExchange, limit_order, run
from workbench.errors import OrderError
from workbench.exchange import CcxtClient, MarketRules, OrderTicket, Refused
from workbench.exchange.ccxt_client.rules import OrderNumbers, order_numbers
from workbench.model.instrument import Instrument

RULES = MarketRules(
    instrument=Instrument("BTC/USDT", lot=0.00001, tick=0.01, min_notional=5.0),
    min_quantity=0.0001,
    max_quantity=9_000.0,
    min_price=0.01,
    max_price=1_000_000.0,
)
IMPOSSIBLE = [math.nan, math.inf, -math.inf, -0.5, 0.0, -0.0, None, "0.5", "", True, [0.5], {}, 1j, Decimal("nan")]


@pytest.mark.parametrize("value", IMPOSSIBLE, ids=repr)
@pytest.mark.parametrize("field", ["quantity", "price"])
def test_ticket_of_an_impossible_number_cannot_be_made(field: str, value: Any) -> None:
    with pytest.raises(OrderError, match=field):
        limit_order(**{field: value})


@given(st.one_of(st.floats(), st.integers(), st.text("0123456789.-e", max_size=5), st.none(), st.booleans()))
def test_whatever_is_asked_for_is_refused_or_a_good_number(quantity: Any) -> None:
    try:
        ticket = limit_order(quantity=quantity)
    except OrderError:
        return
    numbers = order_numbers(ticket, RULES)
    if isinstance(numbers, Refused):
        assert numbers.was_sent is False
        return
    assert isinstance(numbers, OrderNumbers)
    assert Decimal("0.0001") <= Decimal(numbers.quantity) <= Decimal(9_000)
    assert Decimal(numbers.quantity) <= Decimal(repr(float(quantity))) * (1 + Decimal("1e-9"))
    assert Decimal(numbers.quantity) % Decimal("0.00001") == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": 0.000001}, "lot"),
        ({"quantity": 0.00005}, "min_quantity"),
        ({"quantity": 10_000.0}, "max_quantity"),
        ({"quantity": 1e300}, "max_quantity"),
        ({"price": 0.001}, "price"),
        ({"price": 2_000_000.0}, "price"),
        ({"quantity": 0.01, "price": 100.0}, "min_notional"),  # 1 dollar of at least 5
    ],
)
def test_order_against_the_markets_rules_is_refused_and_not_sent(changes: dict[str, float], code: str) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        outcome = await client.place_order(limit_order(**changes))
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.was_sent) == (code, False)
        assert exchange.count("POST", ORDER) == 0

    run(test)


def test_unknown_side_kind_and_name_are_refused_at_once() -> None:
    with pytest.raises(OrderError) as caught:
        OrderTicket(client_order_id="a b", symbol="", side="up", quantity=1.0, kind="magic", price=1.0)
    for field in ("client_order_id", "symbol", "side", "kind"):
        assert field in str(caught.value)
