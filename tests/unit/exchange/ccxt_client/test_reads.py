"""Reads over REST: pages, order, and what the market's rules are."""

import asyncio
from typing import Any

import pytest

from tests.manual_timing import NS_PER_S, ManualTiming
from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, limit_order, run, trade_row
from workbench.errors import BarError, ConfigError, DataError
from workbench.exchange import Accepted, Balance, CcxtClient, ClientSettings, OrderTicket, Refused
from workbench.exchange.ccxt_client.rules import market_rules
from workbench.model.instrument import Instrument
from workbench.model.timeframe import Timeframe

SYMBOL = "BTC/USDT"
START_MS = 1_735_689_600_000
MS = 1_000_000


def own_row(number: int) -> dict[str, Any]:
    money = {"price": "100.0", "qty": "0.25", "commission": "0.025", "commissionAsset": "USDT"}
    flags = {"isBuyer": number % 2 == 0, "isMaker": True}
    return {"symbol": "BTCUSDT", "id": number, "orderId": 7, "time": START_MS + number, **flags, **money}


def candle_row(minute: int, close: float = 10.0) -> list[Any]:
    start = START_MS + minute * 60_000
    return [start, "10.0", "12.0", "9.0", str(close), "5.0", start + 59_999, "50", 1, "0", "0", "0"]


def test_a_candle_that_was_open_when_it_was_asked_for_is_open_however_late_the_answer_comes() -> None:
    timing = ManualTiming(START_MS * MS + 59 * NS_PER_S)

    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        may_answer = asyncio.Event()
        exchange.will("GET", "/api/v3/klines", Answer(body=[candle_row(0)], wait=may_answer))
        await client.market_rules(SYMBOL)
        asking = asyncio.create_task(client.candles(SYMBOL, Timeframe("1m"), START_MS * MS))
        while not exchange.count("GET", "/api/v3/klines"):
            await client.order(SYMBOL, "mine")
        timing.advance(2)
        may_answer.set()
        assert [one.is_closed for one in await asking] == [False]
        exchange.klines = [candle_row(0)]
        assert [one.is_closed for one in await client.candles(SYMBOL, Timeframe("1m"), START_MS * MS)] == [True]

    run(test, timing=timing)


def test_rules_are_the_exchanges_and_asked_for_once() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        rules = await client.market_rules(SYMBOL)
        assert rules.instrument == Instrument(
            SYMBOL, lot=0.00001, tick=0.01, min_notional=5.0, taker_fee=0.001, maker_fee=0.001
        )
        assert (rules.min_quantity, rules.max_quantity, rules.max_notional) == (0.0001, 9_000.0, 9_000_000.0)
        assert rules.is_active
        assert await client.market_rules(SYMBOL) is rules
        assert exchange.count("GET", "/api/v3/exchangeInfo") == 1
        await client.refresh_markets()
        assert await client.market_rules(SYMBOL) == rules
        assert exchange.count("GET", "/api/v3/exchangeInfo") == 2

    run(test)


def test_market_that_counts_in_contracts_is_refused() -> None:
    market = {"swap": True, "linear": True, "contractSize": 0.01, "base": "BTC", "precision": {}, "limits": {}}
    with pytest.raises(ConfigError, match=r"a contract of 'BTC/USDT:USDT' of okx is 0\.01 BTC"):
        market_rules("okx", "BTC/USDT:USDT", market, 4)
    with pytest.raises(ConfigError, match="neither spot nor a linear perpetual"):
        market_rules("okx", "BTC/USD:BTC", {"swap": True, "linear": False}, 4)


def test_precisions_that_count_digits_become_steps() -> None:
    market = {"spot": True, "precision": {"amount": 5, "price": 2}, "limits": {}}
    instrument = market_rules("x", SYMBOL, market, 2).instrument
    assert (instrument.lot, instrument.tick) == (0.00001, 0.01)
    # Significant digits are no step at all.
    assert market_rules("x", SYMBOL, market, 3).instrument.lot is None


def test_candles_are_closed_once_the_exchanges_clock_says_so() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        minute = exchange.now_ms() // 60_000 - START_MS // 60_000
        exchange.klines = [candle_row(minute - 2), candle_row(minute - 1), candle_row(minute)]
        since_ns = (START_MS + (minute - 1) * 60_000) * MS
        found = await client.candles(SYMBOL, Timeframe("1m"), since_ns)
        assert [one.is_closed for one in found] == [True, False]
        assert found[0].time_ns == since_ns
        with pytest.raises(ConfigError, match="has no candles of 9m"):
            await client.candles(SYMBOL, Timeframe("9m"), since_ns)

    run(test)


@pytest.mark.parametrize("bad", [candle_row(1, 99.0), [*candle_row(1)[:4], None, "5.0"]])
def test_candle_that_cannot_be_is_an_error(bad: list[Any]) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.klines = [candle_row(0), bad]
        with pytest.raises((BarError, DataError)):
            await client.candles(SYMBOL, Timeframe("1m"), START_MS * MS)

    run(test)


def test_trades_are_found_by_the_ids_of_the_stream() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.trades = [trade_row(number) for number in range(1, 31)]
        assert [one.trade_id for one in await client.trades(SYMBOL, after_id="27")] == ["28", "29", "30"]
        assert exchange.requests[-1][1] == "/api/v3/historicalTrades"
        assert [one.trade_id for one in await client.trades(SYMBOL, limit=2)] == ["29", "30"]
        since_ns = (START_MS + 29) * MS
        assert [one.trade_id for one in await client.trades(SYMBOL, since_ns=since_ns)] == ["29", "30"]
        # Binance's default, aggregated trades, has ids of its own.
        assert exchange.count("GET", "/api/v3/aggTrades") == 0

    run(test)


def test_own_trades_are_read_page_after_page() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.own_trades = [own_row(number) for number in range(1, 2_502)]
        found = await client.own_trades(SYMBOL, after_id="1")
        assert [one.trade_id for one in found] == [str(number) for number in range(2, 2_502)]
        assert exchange.count("GET", "/api/v3/myTrades") == 3
        since = await client.own_trades(SYMBOL, since_ns=(START_MS + 400) * MS)
        assert [one.trade_id for one in since] == [str(number) for number in range(400, 2_502)]
        one = found[0]
        assert (one.side, one.quantity, one.price, one.fee, one.fee_currency, one.is_maker) == (
            "buy",
            0.25,
            100.0,
            0.025,
            "USDT",
            True,
        )

    run(test)


def test_balances_are_what_there_is() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        body = {"balances": [{"asset": "USDT", "free": "1.5", "locked": "0.5"}, {"asset": "BTC", "free": "0"}]}
        exchange.will("GET", "/api/v3/account", Answer(body=body))
        assert await client.balances() == {"USDT": Balance(1.5, 0.5)}
        assert Balance(1.5, 0.5).total == 2.0
        assert await client.positions() == ()

    run(test)


@pytest.mark.parametrize(
    ("ticket", "sent"),
    [
        ({"kind": "market"}, {"type": "MARKET"}),
        ({"kind": "limit", "price": 100.0}, {"type": "LIMIT", "timeInForce": "GTC", "price": "100"}),
        ({"kind": "limit", "price": 100.0, "time_in_force": "ioc"}, {"type": "LIMIT", "timeInForce": "IOC"}),
        ({"kind": "limit", "price": 100.0, "time_in_force": "fok"}, {"type": "LIMIT", "timeInForce": "FOK"}),
        ({"kind": "limit", "price": 100.0, "time_in_force": "post_only"}, {"type": "LIMIT_MAKER", "price": "100"}),
        ({"kind": "stop", "price": 100.0}, {"type": "STOP_LOSS", "stopPrice": "100"}),
        ({"kind": "market", "reduce_only": True}, {"type": "MARKET"}),
    ],
)
def test_order_goes_out_as_the_exchange_wants_it(ticket: dict[str, Any], sent: dict[str, str]) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        order = OrderTicket(client_order_id="mine", symbol=SYMBOL, side="sell", quantity=0.5, **ticket)
        outcome = await client.place_order(order)
        assert isinstance(outcome, Accepted)
        params = exchange.requests[-1][2]
        common = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.5", "newClientOrderId": "mine"}
        assert common.items() | sent.items() <= params.items()
        assert params["recvWindow"] == "2000"
        assert "reduceOnly" not in params

    run(test)


@pytest.mark.parametrize(
    ("ticket", "feature"),
    [
        ({"kind": "stop", "price": 100.0}, {"stopLossPrice": False}),
        ({"kind": "limit", "price": 100.0, "time_in_force": "post_only"}, {"timeInForce": {"PO": False, "IOC": True}}),
        ({"kind": "limit", "price": 100.0, "time_in_force": "ioc"}, {"timeInForce": None}),
    ],
)
def test_order_of_a_kind_that_ccxt_would_pass_over_is_not_sent(ticket: dict[str, Any], feature: dict[str, Any]) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        hidden: Any = client._exchange  # noqa: SLF001 - takes the ability away
        hidden.features["spot"]["createOrder"] |= feature
        order = OrderTicket(client_order_id="mine", symbol=SYMBOL, side="sell", quantity=0.5, **ticket)
        outcome = await client.place_order(order)
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.was_sent) == ("order_kind", False)
        assert exchange.count("POST", ORDER) == 0

    run(test)


def test_states_of_an_order_are_the_models() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        await client.place_order(limit_order(quantity=1.0))
        document = exchange.orders["wb-1"]
        for word, filled, status in (
            ("NEW", "0", "accepted"),
            ("PARTIALLY_FILLED", "0.4", "partly_filled"),
            ("FILLED", "1.0", "filled"),
            ("CANCELED", "0.4", "cancelled"),
            ("EXPIRED", "0", "expired"),
            ("EXPIRED_IN_MATCH", "0", "expired"),
            ("REJECTED", "0", "rejected"),
            ("SOMETHING_NEW", "0.4", "unknown"),
        ):
            document.update(status=word, executedQty=filled, cummulativeQuoteQty=str(float(filled) * 99))
            state = await client.order(SYMBOL, "wb-1")
            assert state is not None
            assert (state.status, state.filled) == (status, float(filled))
            assert state.is_open == (status in {"accepted", "partly_filled", "unknown"})
            assert state.average_price == (None if filled == "0" else 99.0)
            assert state.remaining == 1.0 - float(filled)

    run(test)


def test_without_credentials_there_is_market_data_only() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        await client.market_rules(SYMBOL)
        asked = len(exchange.requests)
        for call in (client.balances(), client.place_order(limit_order()), client.cancel_order(SYMBOL, "x")):
            with pytest.raises(ConfigError, match="practice needs credentials"):
                await call
        with pytest.raises(ConfigError, match="practice needs credentials"):
            client.watch_own([SYMBOL])
        assert len(exchange.requests) == asked

    run(test, credentials=None)


def test_own_stream_of_no_market_is_refused() -> None:
    async def test(_: ScriptedExchange, client: CcxtClient) -> None:
        with pytest.raises(ConfigError, match="symbols must name at least one market"):
            client.watch_own([])

    run(test)


def test_client_of_a_market_type_knows_no_other() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        await client.market_rules(SYMBOL)
        assert {path for _, path, _ in exchange.requests} == {"/api/v3/exchangeInfo"}

    run(test)


def test_calls_after_closing_fail_and_open_nothing() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        await client.market_rules(SYMBOL)
        await client.close()
        asked = len(exchange.requests)
        with pytest.raises(Exception, match="practice did not tell balances"):
            await client.balances()
        assert len(exchange.requests) == asked
        assert client._exchange.session is None  # noqa: SLF001 - nothing may be left open

    run(test)


def test_settings_name_every_bad_field() -> None:
    with pytest.raises(ConfigError) as caught:
        ClientSettings(
            exchange="", kind="option", timeout_s=0.0, recv_window_ms=-1, max_body_bytes=0, max_clock_offset_s=-1.0
        )
    for field in ("exchange", "kind", "timeout_s", "recv_window_ms", "max_body_bytes", "max_clock_offset_s"):
        assert field in str(caught.value)


def test_exchange_that_ccxt_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no exchange 'binanse'; did you mean 'binance"):
        CcxtClient(ClientSettings(exchange="binanse"))


def test_answers_do_not_mix_between_calls_at_once() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        await client.market_rules(SYMBOL)
        await client.measure_clock()
        gate = asyncio.Event()
        exchange.will("POST", ORDER, Answer(status=503, body="busy", wait=gate))
        slow = asyncio.create_task(client.place_order(limit_order("slow")))
        while exchange.count("POST", ORDER) == 0:
            await client.balances()
        assert isinstance(await client.place_order(limit_order("quick")), Accepted)
        gate.set()
        assert (await slow).cause == "server_error"

    run(test)
