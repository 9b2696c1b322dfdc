"""F49: the fee is taken in the base coin or in a third one, and dust is left over: what is held is what can be sold."""

import asyncio
from decimal import Decimal

import pytest

from workbench.exchange import (
    Accepted,
    MarketRules,
    OrderTicket,
    OwnTrade,
    held_base,
    practice_client,
    sellable_quantity,
)
from workbench.exchange.practice import PracticeConfig, PracticeExchange, SteppedClock
from workbench.model.instrument import Instrument

SYMBOL = "BTC/USDT"
RULES = MarketRules(instrument=Instrument(SYMBOL, lot=0.001, tick=0.01, min_notional=5.0), min_quantity=0.001)


def own_trade(side: str, quantity: float, fee: float, coin: str) -> OwnTrade:
    return OwnTrade(
        symbol=SYMBOL,
        trade_id="1",
        order_id="1",
        client_order_id=None,
        side=side,
        quantity=quantity,
        price=100.0,
        fee=fee,
        fee_currency=coin,
        time_ns=0,
        is_maker=False,
    )


@pytest.mark.parametrize(
    ("fee_asset", "coin", "held"),
    [("quote", "USDT", "0.01"), ("received", "BTC", "0.00999"), ("BNB", "BNB", "0.01")],  # 0.01 * (1 - 0.001)
)
def test_every_coin_of_a_fee_is_told_and_the_holding_is_what_the_exchange_has(
    fee_asset: str, coin: str, held: str
) -> None:
    async def test(exchange: PracticeExchange) -> None:
        client = practice_client(exchange.address, clock=exchange.clock)
        try:
            # The exchange knows the price of the third coin once somebody trades it.
            pay = OrderTicket(client_order_id="pay", symbol="BNB/USDT", side="sell", quantity=0.1)
            assert isinstance(await client.place_order(pay), Accepted)
            buy = OrderTicket(client_order_id="buy", symbol=SYMBOL, side="buy", quantity=0.01)
            assert isinstance(await client.place_order(buy), Accepted)
            trades = await client.own_trades(SYMBOL)
            assert {trade.fee_currency for trade in trades} == {coin}
            assert held_base(trades, "BTC") == Decimal(held)
            assert (await client.balances())["BTC"].total == float(held)
            part = sellable_quantity(await client.market_rules(SYMBOL), held_base(trades, "BTC"), 100_000.0)
            sell = OrderTicket(client_order_id="sell", symbol=SYMBOL, side="sell", quantity=float(part.quantity))
            assert isinstance(await client.place_order(sell), Accepted)
            assert Decimal(str(exchange.balances().get("BTC", 0))) == part.dust
        finally:
            await client.close()

    config = PracticeConfig(balances={"USDT": 10_000.0, "BNB": 10.0}, fee_asset=fee_asset)
    with PracticeExchange([SYMBOL, "BNB/USDT"], clock=SteppedClock(), config=config) as exchange:
        exchange.advance(60)
        asyncio.run(asyncio.wait_for(test(exchange), 30))


def test_sums_of_fees_leave_no_residue_of_floats() -> None:
    trades = [own_trade("buy", 0.1, 0.0001, "BTC")] * 3 + [own_trade("sell", 0.1, 0.01, "USDT")]
    assert held_base(trades, "BTC") == Decimal("0.1997")  # 3 * (0.1 - 0.0001) - 0.1


@pytest.mark.parametrize(
    ("held", "price", "quantity", "dust"),
    [
        ("0.2997", 100.0, "0.299", "0.0007"),
        ("0.0499", 100.0, "0", "0.0499"),  # 0.049 * 100 = 4.9 of at least 5
        ("0.0009", 1e6, "0", "0.0009"),  # less than one lot
        ("-0.5", 100.0, "0", "0"),
    ],
)
def test_what_cannot_be_sold_is_dust(held: str, price: float, quantity: str, dust: str) -> None:
    part = sellable_quantity(RULES, Decimal(held), price)
    assert (part.quantity, part.dust) == (Decimal(quantity), Decimal(dust))
