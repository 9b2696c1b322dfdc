"""F50: float residue, lots and ticks, parts that do not add up: exact decimals at the door, the last takes the rest."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted_exchange import ORDER, ScriptedExchange, limit_order, run
from workbench.errors import OrderError
from workbench.exchange import Accepted, CcxtClient, MarketRules, OrderTicket, sellable_quantity, split_quantity
from workbench.exchange.ccxt_client.rules import OrderNumbers, order_numbers
from workbench.model.instrument import Instrument

STEPS = st.sampled_from([1.0, 0.5, 0.25, 0.1, 0.05, 0.01, 0.003, 0.001, 0.00001, 1e-8])
QUANTITIES = st.floats(min_value=1e-9, max_value=1e6)


@pytest.mark.parametrize(
    ("quantity", "sent"),
    [
        (0.1 + 0.2, "0.3"),  # 0.30000000000000004
        (0.3 - 0.1, "0.2"),  # 0.19999999999999998
        (0.29, "0.29"),
        (0.123456789, "0.12345"),
        (1e-1 + 1e-17, "0.1"),
        (123.0, "123"),
        (8_999.999999, "8999.99999"),
    ],
)
def test_amount_goes_out_as_exact_text_on_the_lot(quantity: float, sent: str) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        assert isinstance(await client.place_order(limit_order(quantity=quantity)), Accepted)
        assert exchange.requests[-1][2]["quantity"] == sent

    run(test)


@pytest.mark.parametrize(
    ("side", "kind", "price", "sent"),
    [
        ("buy", "limit", 64_000.017, "64000.01"),
        ("sell", "limit", 64_000.017, "64000.02"),
        ("buy", "stop", 64_000.017, "64000.02"),
        ("sell", "stop", 64_000.017, "64000.01"),
        ("buy", "limit", 0.1 + 0.2, "0.3"),
    ],
)
def test_price_goes_out_as_exact_text_on_the_tick(side: str, kind: str, price: float, sent: str) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        ticket = OrderTicket(
            client_order_id="wb-1", symbol="BTC/USDT", side=side, quantity=100.0, kind=kind, price=price
        )
        assert isinstance(await client.place_order(ticket), Accepted)
        params = exchange.requests[-1][2]
        assert params["stopPrice" if kind == "stop" else "price"] == sent
        assert exchange.count("POST", ORDER) == 1

    run(test)


@given(QUANTITIES, STEPS)
def test_amount_is_a_multiple_of_the_lot_and_never_more_than_asked(quantity: float, lot: float) -> None:
    rules = MarketRules(instrument=Instrument("BTC/USDT", lot=lot, tick=0.01))
    numbers = order_numbers(limit_order(quantity=quantity), rules)
    if isinstance(numbers, OrderNumbers):
        step = Decimal(repr(lot))
        exact = Decimal(numbers.quantity)
        assert exact % step == 0
        # A millionth of a lot is what float arithmetic may be off.
        assert exact <= Decimal(repr(quantity)) + step / 1_000_000
        assert "e" not in numbers.quantity.lower()


@given(QUANTITIES, STEPS, st.lists(st.integers(min_value=1, max_value=50), min_size=1, max_size=8))
def test_parts_are_multiples_of_the_lot_and_together_the_whole(quantity: float, lot: float, weights: list[int]) -> None:
    instrument = Instrument("BTC/USDT", lot=lot)
    parts = split_quantity(instrument, quantity, [weight / sum(weights) for weight in weights])
    assert sum(parts) == Decimal(instrument.quantize_quantity(quantity))
    assert all(part >= 0 and part % Decimal(repr(lot)) == 0 for part in parts)


@given(QUANTITIES, STEPS)
def test_sellable_part_and_dust_are_the_holding(quantity: float, lot: float) -> None:
    held = Decimal(repr(quantity))
    part = sellable_quantity(MarketRules(instrument=Instrument("BTC/USDT", lot=lot)), held, 1.0)
    assert part.quantity + part.dust == held
    assert 0 <= part.dust < Decimal(repr(lot))


@pytest.mark.parametrize("fractions", [[], [0.5, 0.6], [0.5, 0.4], [1.5, -0.5], [float("nan"), 1.0], [0.0, 1.0]])
def test_parts_that_are_not_the_whole_are_refused(fractions: list[float]) -> None:
    with pytest.raises(OrderError, match="fractions must"):
        split_quantity(Instrument("BTC/USDT", lot=0.001), 1.0, fractions)
