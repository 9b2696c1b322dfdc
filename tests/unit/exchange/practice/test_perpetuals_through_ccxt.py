"""Perpetuals as the real ccxt client sees them: positions, leverage, funding, liquidation, the account's events."""

import asyncio

import aiohttp
import ccxt
import numpy as np
import pytest

from tests.unit.exchange.practice.ccxt_clients import live_client, sync_client
from workbench.exchange.practice import PracticeConfig, PracticeExchange, SteppedClock, TickSource
from workbench.model.instrument import Instrument
from workbench.model.practice import PRACTICE_LIVE_START

SYMBOL = "BTC/USDT:USDT"
SECOND = 1_000_000_000
HOUR_S = 3_600
WAIT_S = 90.0


def falling_market() -> PracticeExchange:
    """Return a market that stands at 100 and falls to 80 after ten seconds; 100 USDT of margin."""
    instrument = Instrument(SYMBOL, "linear_perpetual", lot=0.001, tick=0.01, min_notional=5.0, max_leverage=20.0)
    times = PRACTICE_LIVE_START + np.array([0, 10, 20, 40_000]) * SECOND
    source = TickSource(instrument, times, [100.0, 80.0, 79.0, 79.0], [50.0, 50.0, 50.0, 50.0])
    return PracticeExchange([source], clock=SteppedClock(), config=PracticeConfig(wallets={"USDT": 100.0}))


def test_order_opens_a_position_that_is_marked_and_closed(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    order = client.create_order(SYMBOL, "market", "sell", 0.01)
    assert (order["status"], order["filled"]) == ("closed", 0.01)
    position = client.fetch_positions([SYMBOL])[0]
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("short", 0.01, order["average"])
    balance = client.fetch_balance({"type": "swap"})["USDT"]
    assert balance["total"] == pytest.approx(10_000 - 0.01 * order["average"] * 0.001)
    client.create_order(SYMBOL, "market", "buy", 0.01, None, {"reduceOnly": True})
    assert client.fetch_positions([SYMBOL]) == []
    fills = client.fetch_my_trades(SYMBOL)
    assert [fill["side"] for fill in fills] == ["sell", "buy"]
    assert exchange.positions() == []


@pytest.mark.parametrize("method", ["positionRisk", "account"])
def test_position_shows_its_profit_and_where_it_is_liquidated(method: str) -> None:
    instrument = Instrument(SYMBOL, "linear_perpetual", lot=0.001, tick=0.01, min_notional=5.0, max_leverage=10.0)
    times = PRACTICE_LIVE_START + np.array([0, 10, 90_000]) * SECOND
    source = TickSource(instrument, times, [100.0, 95.0, 95.0], [50.0, 50.0, 50.0])
    config = PracticeConfig(wallets={"USDT": 100.0})
    with PracticeExchange([source], clock=SteppedClock(), config=config) as exchange:
        client = sync_client(exchange)
        client.create_order(SYMBOL, "market", "buy", 5)  # at 100.01, fee 0.50005
        exchange.advance(10)
        position = client.fetch_positions([SYMBOL], {"method": method})[0]
        assert position["unrealizedPnl"] == pytest.approx(-25.05)  # 5*(95 - 100.01)
        assert position["notional"] == pytest.approx(475)
        # wallet + 5*(p - 100.01) = 5*p*0.005 with 99.49995 in the wallet
        raw = client.fapiprivatev3_get_positionrisk({"symbol": "BTCUSDT"})[0]
        assert float(raw["liquidationPrice"]) == pytest.approx((5 * 100.01 - 99.49995) / (5 * 0.995))


def test_leverage_is_set_within_what_the_contract_allows(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    assert str(client.set_leverage(5, SYMBOL)["leverage"]) == "5"
    with pytest.raises(ccxt.ExchangeError, match="-4028"):
        client.set_leverage(21, SYMBOL)
    client.create_order(SYMBOL, "market", "buy", 0.01)
    assert client.fetch_positions([SYMBOL])[0]["initialMarginPercentage"] == pytest.approx(0.2, rel=1e-3)


def test_margin_mode_is_cross_and_says_so(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    with pytest.raises(ccxt.MarginModeAlreadySet):
        client.set_margin_mode("cross", SYMBOL)
    with pytest.raises(ccxt.ExchangeError, match="not offered"):
        client.set_margin_mode("isolated", SYMBOL)


def test_stop_is_a_conditional_order_that_is_found_and_cancelled(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    client.create_order(SYMBOL, "market", "buy", 0.01)
    stop = client.create_order(
        SYMBOL, "market", "sell", 0.01, None, {"stopLossPrice": 90_000, "reduceOnly": True, "clientOrderId": "stop-1"}
    )
    assert [one["id"] for one in client.fetch_open_orders(SYMBOL, params={"trigger": True})] == [stop["id"]]
    assert client.fetch_open_orders(SYMBOL) == []
    assert client.fetch_order(stop["id"], SYMBOL, {"trigger": True})["triggerPrice"] == 90_000
    assert client.cancel_order(stop["id"], SYMBOL, {"trigger": True})["status"] == "canceled"


def test_stop_fires_when_the_price_falls_through_it() -> None:
    with falling_market() as exchange:
        client = sync_client(exchange)
        client.create_order(SYMBOL, "market", "buy", 1)
        client.create_order(SYMBOL, "market", "sell", 1, None, {"stopLossPrice": 90, "reduceOnly": True})
        exchange.advance(10)
        assert exchange.positions() == []
        assert [str(fill.price) for fill in exchange.trades("perpetual")] == ["100.01", "79.99"]


def test_position_whose_margin_is_gone_is_liquidated() -> None:
    with falling_market() as exchange:
        client = sync_client(exchange)
        client.create_order(SYMBOL, "market", "buy", 10)  # 1000 of notional on 100
        exchange.advance(10)  # loses 200
        assert exchange.positions() == []
        assert exchange.wallets() == {"USDT": 0}
        last = exchange.orders("perpetual")[-1]
        assert last.wanted.client_order_id.startswith("autoclose-")
        assert last.wanted.reduce_only


def test_long_pays_funding_every_eight_hours() -> None:
    with falling_market() as exchange:
        client = sync_client(exchange)
        client.create_order(SYMBOL, "market", "buy", 1)
        exchange.advance(20)
        before = exchange.wallets()["USDT"]
        exchange.advance(8 * HOUR_S - 21)
        assert exchange.wallets()["USDT"] == before
        exchange.advance(1)
        assert float(exchange.wallets()["USDT"] - before) == pytest.approx(-0.0079)  # 1*79*0.0001
        paid = client.fetch_funding_history(SYMBOL)
        assert [row["amount"] for row in paid] == [pytest.approx(-0.0079)]


def test_funding_rate_and_its_next_time_are_told(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    rate = client.fetch_funding_rate(SYMBOL)
    assert rate["fundingRate"] == 0.0001
    assert rate["fundingTimestamp"] == PRACTICE_LIVE_START // 1_000_000 + 8 * HOUR_S * 1_000
    history = client.fetch_funding_rate_history(SYMBOL, limit=3)
    assert [row["fundingRate"] for row in history] == [0.0001] * 3


def test_live_client_hears_prices_orders_and_positions(exchange: PracticeExchange) -> None:
    async def hear() -> None:
        async with live_client(exchange) as client:
            client.options["watchPositions"] = {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False}
            trades = asyncio.ensure_future(client.watch_trades(SYMBOL))
            marks = asyncio.ensure_future(client.watch_mark_price(SYMBOL))
            while not (trades.done() and marks.done()):
                await asyncio.to_thread(exchange.advance, 1)
            positions = asyncio.ensure_future(client.watch_positions([SYMBOL]))
            orders = asyncio.ensure_future(client.watch_orders(SYMBOL))
            while not exchange._venue.outbox.is_heard("perpetual"):  # noqa: SLF001 - nothing else tells of a listener
                await asyncio.to_thread(exchange.balances)
            placed = await client.create_order(SYMBOL, "market", "buy", 0.01)
            assert (await orders)[-1]["id"] == placed["id"]
            assert (await positions)[-1]["contracts"] == 0.01

    asyncio.run(asyncio.wait_for(hear(), WAIT_S))


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (("limit", "buy", 0.00001, 100_000), "amount"),
        (("limit", "buy", 0.01, 4_000), "-4016"),
        (("limit", "buy", 0.01, 110_000, {"timeInForce": "GTX"}), "-5022"),
        (("market", "sell", 0.01, None, {"stopLossPrice": 200_000}), "-2021"),
        (("market", "sell", 0.01, None, {"reduceOnly": True}), "-2022"),
        (("market", "buy", 10), "-2019"),
    ],
)
def test_refusals_have_the_codes_of_perpetuals(exchange: PracticeExchange, order: tuple, code: str) -> None:
    with pytest.raises(ccxt.BaseError, match=code):
        sync_client(exchange).create_order(SYMBOL, *order)
    assert exchange.orders("perpetual") == []


def test_listen_key_that_was_never_given_is_refused(exchange: PracticeExchange) -> None:
    async def listen() -> None:
        url = f"{exchange.url}/linear/private/ws?listenKey=guessed"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            assert (await socket.receive()).type == aiohttp.WSMsgType.CLOSE

    asyncio.run(asyncio.wait_for(listen(), WAIT_S))


def test_client_id_of_an_open_order_is_refused(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    order = (SYMBOL, "limit", "buy", 0.01, 90_000, {"clientOrderId": "twice"})
    client.create_order(*order)
    with pytest.raises(ccxt.ExchangeError, match="-4116"):
        client.create_order(*order)


def test_dust_of_a_position_can_be_closed() -> None:
    with falling_market() as exchange:
        client = sync_client(exchange)
        client.create_order(SYMBOL, "market", "buy", 0.051)  # 5.1 USDT
        with pytest.raises(ccxt.BaseError, match="-4164"):
            client.create_order(SYMBOL, "market", "sell", 0.001)
        client.create_order(SYMBOL, "market", "sell", 0.001, None, {"reduceOnly": True})
        assert [str(one.amount) for one in exchange.positions()] == ["0.050"]
