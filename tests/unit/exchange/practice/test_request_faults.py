"""Every fault of a request, as the real ccxt client meets it and as the exchange's books show it."""

import ccxt
import numpy as np
import pytest

from tests.unit.exchange.practice.ccxt_clients import sync_client
from workbench.errors import ConfigError
from workbench.exchange.practice import FaultPlan, PracticeConfig, PracticeExchange, SteppedClock, TickSource
from workbench.model.instrument import Instrument
from workbench.model.practice import PRACTICE_LIVE_START

SYMBOL = "BTC/USDT"
MARKET_BUY = (SYMBOL, "market", "buy", 0.01)


@pytest.mark.parametrize(
    ("kind", "error", "executed"),
    [
        ("executed_then_dropped", ccxt.NetworkError, 1),
        ("dropped", ccxt.NetworkError, 0),
        ("executed_then_504", ccxt.RequestTimeout, 1),
        ("truncated_body", ccxt.BaseError, 1),
        ("rate_limited", ccxt.DDoSProtection, 0),
        ("banned", ccxt.DDoSProtection, 0),
        ("html_page", ccxt.BaseError, 0),
        ("maintenance", ccxt.ExchangeError, 0),
        ("maintenance_text", ccxt.OnMaintenance, 0),
    ],
)
def test_order_whose_answer_is_no_answer(
    exchange: PracticeExchange, kind: str, error: type[Exception], executed: int
) -> None:
    client = sync_client(exchange)
    fault = exchange.faults.add(kind, where="POST /api/v3/order")
    with pytest.raises(error):
        client.create_order(*MARKET_BUY)
    assert len(exchange.trades()) == executed
    assert (fault.hits, fault.times) == (1, 0)
    assert client.create_order(*MARKET_BUY)["status"] == "closed"


@pytest.mark.parametrize("kind", ["garbage_body", "no_order_id"])
def test_order_that_was_executed_comes_back_without_an_id(exchange: PracticeExchange, kind: str) -> None:
    client = sync_client(exchange)
    exchange.faults.add(kind)
    assert client.create_order(*MARKET_BUY)["id"] is None
    assert len(exchange.trades()) == 1


def test_fault_waits_for_an_order_that_is_executed(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    fault = exchange.faults.add("executed_then_dropped")
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "market", "buy", 10)
    assert fault.hits == 0
    with pytest.raises(ccxt.NetworkError):
        client.create_order(*MARKET_BUY)
    assert fault.hits == 1


def test_order_that_was_executed_gets_no_answer_until_the_client_gives_up(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    client.timeout = 600
    exchange.faults.add("executed_then_silent", seconds=1.0)
    with pytest.raises(ccxt.RequestTimeout):
        client.create_order(*MARKET_BUY)
    assert len(exchange.trades()) == 1


def test_huge_body_reaches_the_client_whole(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    exchange.faults.add("huge_body", where="GET /api/v3/klines")
    client.fetch_ohlcv(SYMBOL, "1m", limit=1)
    assert len(client.last_http_response) > 30_000_000


def test_late_order_is_not_found_first_and_executed_afterwards(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    exchange.faults.add("accepted_late", seconds=0.6)
    with pytest.raises(ccxt.NetworkError):
        client.create_order(*MARKET_BUY, None, {"newClientOrderId": "late-1", "recvWindow": 1_000})
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order(None, SYMBOL, {"origClientOrderId": "late-1"})
    exchange.advance(0.59)
    assert exchange.orders() == []
    exchange.advance(0.01)
    assert client.fetch_order(None, SYMBOL, {"origClientOrderId": "late-1"})["status"] == "closed"


def test_late_order_whose_window_has_closed_is_never_executed(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    exchange.faults.add("accepted_late", seconds=1.001)
    with pytest.raises(ccxt.NetworkError):
        client.create_order(*MARKET_BUY, None, {"recvWindow": 1_000})
    exchange.advance(60)
    assert exchange.orders() == []


def test_late_order_meets_the_price_of_its_own_moment() -> None:
    instrument = Instrument(SYMBOL, lot=0.001, tick=0.01, min_notional=5.0)
    times = PRACTICE_LIVE_START + np.array([0, 3, 10, 30]) * 1_000_000_000
    source = TickSource(instrument, times, [100.0, 60.0, 40.0, 30.0], [9.0, 9.0, 9.0, 9.0])
    with PracticeExchange([source], clock=SteppedClock()) as exchange:
        exchange.faults.add("accepted_late", seconds=5)
        with pytest.raises(ccxt.NetworkError):
            sync_client(exchange).create_order(SYMBOL, "market", "buy", 1, None, {"recvWindow": 60_000})
        exchange.advance(25)
        assert [str(fill.price) for fill in exchange.trades()] == ["60.01"]


def test_second_order_with_the_id_of_an_open_one_is_refused(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    exchange.faults.add("executed_then_dropped")
    order = (SYMBOL, "limit", "buy", 0.01, 90_000, {"newClientOrderId": "twice"})
    with pytest.raises(ccxt.NetworkError):
        client.create_order(*order)
    with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
        client.create_order(*order)
    assert len(exchange.orders()) == 1


def test_second_order_with_the_id_of_a_filled_one_is_executed_again(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    for _ in range(2):
        client.create_order(*MARKET_BUY, None, {"newClientOrderId": "twice"})
    assert len(exchange.trades()) == 2


def test_rate_limit_says_when_to_come_back(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    exchange.faults.add("rate_limited", seconds=7)
    with pytest.raises(ccxt.DDoSProtection, match="-1003"):
        client.fetch_ticker(SYMBOL)
    assert client.last_response_headers["Retry-After"] == "7"


def test_fault_strikes_only_where_it_was_ordered_and_as_often(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    fault = exchange.faults.add("rate_limited", where="GET /api/v3/klines", times=2)
    client.fetch_ticker(SYMBOL)
    for _ in range(2):
        with pytest.raises(ccxt.DDoSProtection):
            client.fetch_ohlcv(SYMBOL)
    client.fetch_ohlcv(SYMBOL)
    assert fault.hits == 2


def test_fault_without_end_strikes_until_it_is_taken_back(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    fault = exchange.faults.add("maintenance", times=None)
    for _ in range(3):
        with pytest.raises(ccxt.ExchangeError, match="-1016"):
            client.fetch_ticker(SYMBOL)
    exchange.faults.clear(fault)
    assert client.fetch_ticker(SYMBOL)["last"] > 0


@pytest.mark.parametrize("skew_ms", [-12_000, 1_500])
def test_request_beyond_the_window_of_a_skewed_clock_is_refused(exchange: PracticeExchange, skew_ms: int) -> None:
    client = sync_client(exchange)
    # A client that is slow finds the exchange ahead; one that is fast finds it behind.
    exchange.set_skew(-skew_ms)
    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
        client.fetch_balance()
    assert client.fetch_time() - client.milliseconds() == -skew_ms
    client.options["timeDifference"] = skew_ms
    assert client.fetch_balance()["free"]["USDT"] == 10_000.0


def test_revoked_key_is_refused_until_it_is_given_back(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    exchange.revoke_key()
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        client.fetch_balance()
    exchange.revoke_key(is_revoked=False)
    client.fetch_balance()
    exchange.faults.add("key_revoked", where="/api/v3/account")
    # After one good answer ccxt takes the same refusal for a temporary ban.
    with pytest.raises(ccxt.DDoSProtection, match="-2015"):
        client.fetch_balance()


def test_wrong_key_and_wrong_secret_are_refused(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    client.secret = "0" * 64
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        client.fetch_balance()
    client.apiKey = "wrong"
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        client.fetch_balance()


def test_somebody_else_trades_the_account(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    number = exchange.trade_as_other(SYMBOL, "buy", 0.02)
    fills = client.fetch_my_trades(SYMBOL)
    assert [(fill["order"], fill["amount"]) for fill in fills] == [(str(number), 0.02)]
    assert client.fetch_order(str(number), SYMBOL)["clientOrderId"].startswith("somebody-else")


def test_balance_changes_behind_the_client(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    exchange.set_balance("BTC", 0.5)
    exchange.set_balance("USDT", 1)
    assert client.fetch_balance()["free"] == {"BTC": 0.5, "USDT": 1.0}


def test_old_candles_are_served_for_new_ones(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    fresh = client.fetch_ohlcv(SYMBOL, "1m", limit=1)[0][0]
    exchange.faults.add("stale_candles")
    assert fresh - client.fetch_ohlcv(SYMBOL, "1m", limit=1)[0][0] == 100 * 60_000
    assert client.fetch_ohlcv(SYMBOL, "1m", limit=1)[0][0] == fresh


def test_hidden_candles_are_a_hole_in_the_history(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    whole = [row[0] for row in client.fetch_ohlcv(SYMBOL, "1m", limit=10)]
    exchange.hide_candles(SYMBOL, "1m", whole[3] * 1_000_000, whole[6] * 1_000_000)
    assert [row[0] for row in client.fetch_ohlcv(SYMBOL, "1m", limit=10)] == whole[:3] + whole[6:]


def test_order_fills_while_its_cancellation_is_on_the_way(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    order = client.create_order(SYMBOL, "limit", "buy", 0.01, 90_000)
    exchange.faults.add("filled_before_cancel")
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        client.cancel_order(order["id"], SYMBOL)
    after = client.fetch_order(order["id"], SYMBOL)
    assert (after["status"], after["filled"], after["average"]) == ("closed", 0.01, 90_000)


def test_key_that_may_withdraw_says_so(exchange: PracticeExchange) -> None:
    client = sync_client(exchange)
    assert client.sapi_get_account_apirestrictions()["enableWithdrawals"] is False
    exchange.faults.add("key_may_withdraw")
    assert client.sapi_get_account_apirestrictions()["enableWithdrawals"] is True


def struck(seed: int) -> list[bool]:
    plan = FaultPlan(seed)
    plan.add("dropped", times=None, probability=0.3)
    return [plan.strike("dropped", "POST /api/v3/order") is not None for _ in range(1_000)]


def test_fault_by_chance_strikes_as_often_as_it_is_likely_and_the_same_by_the_same_seed() -> None:
    # 1 000 * 0.3 = 300, and four deviations of sqrt(1 000 * 0.3 * 0.7) = 14.5.
    assert sum(struck(1)) == pytest.approx(300, abs=58)
    assert struck(1) == struck(1) != struck(2)


def test_fault_by_chance_that_does_not_strike_leaves_others_their_turn() -> None:
    plan = FaultPlan()
    plan.add("dropped", times=None, probability=1e-12)
    certain = plan.add("rate_limited", times=None)
    assert all(plan.strike_any(("dropped", "rate_limited"), "POST /api/v3/order") is certain for _ in range(100))


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.1, float("nan")])
def test_fault_by_no_chance_is_refused(probability: float) -> None:
    with pytest.raises(ConfigError, match=r"probability must be in \(0, 1\]"):
        FaultPlan().add("dropped", probability=probability)


def test_each_request_for_an_order_is_told_before_anything_is_done() -> None:
    told: list[str] = []
    exchange = PracticeExchange([SYMBOL], clock=SteppedClock(), config=PracticeConfig(on_order=told.append))
    with exchange:
        client = sync_client(exchange)
        exchange.faults.add("dropped", where="POST /api/v3/order")
        with pytest.raises(ccxt.NetworkError):
            client.create_order(*MARKET_BUY, None, {"newClientOrderId": "one"})
        with pytest.raises(ccxt.InsufficientFunds):
            client.create_order(SYMBOL, "market", "buy", 10, None, {"newClientOrderId": "two"})
        client.create_order(*MARKET_BUY, None, {"newClientOrderId": "three"})
        client.fetch_open_orders(SYMBOL)
        assert told == ["one", "two", "three"]
        assert [order.wanted.client_order_id for order in exchange.orders()] == ["three"]
