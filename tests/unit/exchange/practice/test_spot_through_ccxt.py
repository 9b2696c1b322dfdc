"""Orders, fills and balances of spot as the real ccxt client sees them."""

import asyncio

import ccxt
import pytest

from tests.unit.exchange.practice.ccxt_clients import live_client, sync_client
from workbench.exchange.practice import PracticeConfig, PracticeExchange, SteppedClock

WAIT_S = 90.0


def test_client_reads_lot_tick_and_smallest_order(exchange: PracticeExchange) -> None:
    market = sync_client(exchange).market("BTC/USDT")
    assert market["precision"] | {"base": None, "quote": None} == {
        "amount": 0.00001,
        "price": 0.01,
        "base": None,
        "quote": None,
    }
    assert market["limits"]["cost"]["min"] == 5.0
    assert market["spot"]


def test_market_order_fills_at_the_ask_and_pays_the_fee_in_the_quote(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    ask = client.fetch_ticker("BTC/USDT")["ask"]
    order = client.create_order("BTC/USDT", "market", "buy", 0.01)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.01, ask)
    assert order["fee"]["currency"] == "USDT"
    assert order["fee"]["cost"] == pytest.approx(0.01 * ask * 0.001, abs=1e-8)
    total = client.fetch_balance()["total"]
    assert total["BTC"] == 0.01
    assert total["USDT"] == pytest.approx(10_000 - 0.01 * ask * 1.001, abs=1e-7)


def test_resting_order_is_found_by_number_and_client_id_and_cancelled(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    order = client.create_order("BTC/USDT", "limit", "buy", 0.01, 90_000, {"newClientOrderId": "mine-1"})
    assert client.fetch_order(order["id"], "BTC/USDT")["status"] == "open"
    assert client.fetch_order(None, "BTC/USDT", {"origClientOrderId": "mine-1"})["id"] == order["id"]
    assert [one["id"] for one in client.fetch_open_orders("BTC/USDT")] == [order["id"]]
    assert client.fetch_balance()["used"]["USDT"] == pytest.approx(900 * 1.001)
    assert client.cancel_order(order["id"], "BTC/USDT")["status"] == "canceled"
    assert client.fetch_balance()["free"]["USDT"] == 10_000.0
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(order["id"], "BTC/USDT")


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC/USDT:USDT"])
def test_fees_are_told(exchange: PracticeExchange, symbol: str) -> None:
    fee = sync_client(exchange).fetch_trading_fee(symbol)
    assert (fee["maker"], fee["taker"]) == (0.001, 0.001)


def test_live_client_hears_trades_candles_and_its_own_orders(exchange: PracticeExchange) -> None:
    async def hear() -> None:
        async with live_client(exchange) as client:
            trades = asyncio.ensure_future(client.watch_trades("BTC/USDT"))
            candles = asyncio.ensure_future(client.watch_ohlcv("BTC/USDT", "1m"))
            orders = asyncio.ensure_future(client.watch_orders("BTC/USDT"))
            while not (trades.done() and candles.done()):
                await asyncio.to_thread(exchange.advance, 1)
            assert (await trades)[-1]["price"] > 0
            assert (await candles)[-1][0] == 1_751_328_060_000  # 2025-07-01 00:01
            placed = await client.create_order("BTC/USDT", "market", "buy", 0.01)
            assert (await orders)[-1]["id"] == placed["id"]

    asyncio.run(asyncio.wait_for(hear(), WAIT_S))


def test_fee_in_a_third_coin_follows_that_coins_price() -> None:
    config = PracticeConfig(fee_asset="BNB", balances={"USDT": 10_000.0, "BNB": 1.0})
    with PracticeExchange(["BTC/USDT", "BNB/USDT"], clock=SteppedClock(), config=config) as exchange:
        client = sync_client(exchange)
        for _ in range(2):
            exchange.advance(3_600)
            coin = client.fetch_ticker("BNB/USDT")["last"]
            order = client.create_order("BTC/USDT", "market", "buy", 0.01)
            assert order["fee"]["currency"] == "BNB"
            assert order["fee"]["cost"] == pytest.approx(order["cost"] * 0.001 / coin, abs=1e-8)
        assert client.fetch_balance()["total"]["BTC"] == 0.02
