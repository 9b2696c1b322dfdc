"""What becomes of spot orders: prices, quantities, balances and refusals, worked out by hand.

The last price is 100, the tick 0.01, and a level of the book holds 5 000 orders of 5 USDT: 250 coins at 100.
"""

import pytest

from tests.unit.exchange.practice.engines import Desk, d
from workbench.exchange.practice.refusals import RefusalError


def test_market_order_walks_the_book_level_by_level() -> None:
    desk = Desk(cash="100000")
    order = desk.place("BUY", "MARKET", "300")
    assert [(fill.price, fill.quantity) for fill in order.fills] == [(d("100.01"), d(250)), (d("100.02"), d(50))]
    cost = d("30003.5")  # 100.01*250 + 100.02*50
    assert desk.total("USDT") == 100_000 - cost - cost / 1000
    assert desk.total("BTC") == 300


def test_market_sale_gets_the_bid() -> None:
    desk = Desk()
    desk.place("BUY", "MARKET", "1")
    order = desk.place("SELL", "MARKET", "1")
    assert order.fills[0].price == d("99.99")
    assert desk.total("USDT") == d("9999.78")  # 10000 - 100.01*1.001 + 99.99*0.999
    assert desk.total("BTC") == 0


def test_order_in_the_quote_buys_whole_lots_for_no_more_than_it_says() -> None:
    order = Desk().place("BUY", "MARKET", None, quoteOrderQty="1000")
    assert order.filled == d("9.999")  # 1000 / 100.01 = 9.9990..., cut to 0.001
    assert order.filled_quote <= 1000


def test_resting_order_fills_at_its_limit_and_never_by_more_than_was_printed() -> None:
    desk = Desk()
    order = desk.place("BUY", "LIMIT", "2", "99")
    assert order.status == "NEW"
    desk.see(98, volume=0.5)
    assert (order.status, order.filled) == ("PARTIALLY_FILLED", d("0.5"))
    desk.see(99.01, volume=10)
    assert order.filled == d("0.5")
    desk.see(99, volume=10)
    assert (order.status, order.filled, order.filled_quote) == ("FILLED", d(2), d(198))
    assert all(fill.is_maker for fill in order.fills)


def test_one_print_is_shared_by_price_and_then_by_age() -> None:
    desk = Desk()
    late_and_better = [desk.place("BUY", "LIMIT", "1", price) for price in ("98", "99", "99")]
    desk.see(97, volume=1.5)
    assert [order.filled for order in late_and_better] == [0, 1, d("0.5")]


def test_limit_beyond_the_market_takes_first_and_rests_with_what_is_left() -> None:
    desk = Desk(cash="100000")
    order = desk.place("BUY", "LIMIT", "400", "100.01")
    assert (order.status, order.filled) == ("PARTIALLY_FILLED", d(250))
    assert not order.fills[0].is_maker
    desk.see("100.01")
    assert order.status == "FILLED"


@pytest.mark.parametrize(("time_in_force", "filled"), [("IOC", 250), ("FOK", 0)])
def test_order_that_may_not_rest_expires(time_in_force: str, filled: int) -> None:
    desk = Desk(cash="100000")
    order = desk.place("BUY", "LIMIT", "400", "100.01", timeInForce=time_in_force)
    assert (order.status, order.filled) == ("EXPIRED", filled)
    assert desk.account.locked["USDT"] == 0


def test_open_order_sets_its_cost_and_fee_aside_and_a_cancellation_sets_them_free() -> None:
    desk = Desk()
    order = desk.place("BUY", "LIMIT", "10", "90")
    assert desk.account.locked["USDT"] == d("900.9")  # 10*90*1.001
    desk.engine.cancel(order, desk.time_ms)
    assert desk.account.free["USDT"] == 10_000
    with pytest.raises(RefusalError, match="-2011"):
        desk.engine.cancel(order, desk.time_ms)


def test_order_beyond_the_balance_is_refused_and_changes_nothing() -> None:
    desk = Desk(cash="1000")
    with pytest.raises(RefusalError, match="-2010 Account has insufficient balance"):
        desk.place("BUY", "LIMIT", "10", "100")  # 1000 + 1 of fee
    with pytest.raises(RefusalError, match="-2010"):
        desk.place("SELL", "LIMIT", "0.1", "101")
    assert desk.engine.orders == {}
    assert desk.account.free == {"USDT": 1000}


def test_client_id_is_refused_while_the_first_order_is_open_and_taken_again_once_it_has_filled() -> None:
    desk = Desk()
    first = desk.place("BUY", "LIMIT", "1", "99", newClientOrderId="mine")
    with pytest.raises(RefusalError, match="-2010 Duplicate order sent"):
        desk.place("BUY", "MARKET", "1", newClientOrderId="mine")
    desk.see(99)
    assert first.status == "FILLED"
    second = desk.place("BUY", "MARKET", "1", newClientOrderId="mine")
    assert second.filled == 1
    assert desk.engine.find("BTCUSDT", None, "mine") is second


def test_stop_waits_for_its_price_and_then_takes_the_market() -> None:
    desk = Desk()
    desk.place("BUY", "MARKET", "1")
    stop = desk.place("SELL", "STOP_LOSS", "1", stopPrice="95")
    desk.see(95.01)
    assert (stop.status, stop.is_working) == ("NEW", False)
    desk.see(94)
    assert stop.fills[0].price == d("93.99")


def test_stop_limit_rests_at_its_limit_once_triggered() -> None:
    desk = Desk()
    desk.place("BUY", "MARKET", "1")
    stop = desk.place("SELL", "STOP_LOSS_LIMIT", "1", "94.5", stopPrice="95")
    desk.see(94)  # jumps past the limit: it rests
    assert (stop.status, stop.is_working) == ("NEW", True)
    desk.see(94.5)
    assert (stop.status, stop.fills[0].price) == ("FILLED", d("94.5"))


@pytest.mark.parametrize(("side", "level"), [("SELL", "105"), ("BUY", "95")])
def test_take_profit_waits_on_the_other_side(side: str, level: str) -> None:
    desk = Desk()
    desk.place("BUY", "MARKET", "1")
    target = desk.place(side, "TAKE_PROFIT", "1", stopPrice=level)
    desk.see(100)
    assert target.status == "NEW"
    desk.see(level)
    assert target.status == "FILLED"


def test_stop_that_would_fire_at_once_is_refused() -> None:
    desk = Desk()
    desk.place("BUY", "MARKET", "1")
    with pytest.raises(RefusalError, match="-2010 Stop price would trigger immediately"):
        desk.place("SELL", "STOP_LOSS", "1", stopPrice="100")


def test_stop_whose_funds_do_not_reach_where_the_price_jumped_expires() -> None:
    desk = Desk(cash="1100")
    stop = desk.place("BUY", "STOP_LOSS", "10", stopPrice="105")  # sets 1051.05 aside
    desk.see(150)
    assert (stop.status, stop.filled) == ("EXPIRED", 0)
    assert desk.account.free["USDT"] == 1100


def test_post_only_order_that_would_take_is_refused() -> None:
    desk = Desk()
    with pytest.raises(RefusalError, match="immediately match and take"):
        desk.place("BUY", "LIMIT_MAKER", "1", "100.01")
    assert desk.place("BUY", "LIMIT_MAKER", "1", "100").status == "NEW"


def test_fee_in_the_received_coin_leaves_less_of_it() -> None:
    desk = Desk(fee_asset="received")
    bought = desk.place("BUY", "MARKET", "1")
    assert desk.total("BTC") == d("0.999")
    assert (bought.fills[0].fee, bought.fills[0].fee_asset) == (d("0.001"), "BTC")
    sold = desk.place("SELL", "MARKET", "0.999")
    assert sold.fills[0].fee_asset == "USDT"


def test_fee_in_a_third_coin_is_taken_from_its_balance_while_it_lasts() -> None:
    desk = Desk(fee_asset="BNB")
    desk.account.set_free("BNB", d("0.0003"))
    first = desk.place("BUY", "MARKET", "1")
    assert (first.fills[0].fee, first.fills[0].fee_asset) == (d("0.00020002"), "BNB")  # 100.01*0.001/500
    second = desk.place("BUY", "MARKET", "1")  # 0.00009998 are left
    assert second.fills[0].fee_asset == "BTC"
    assert desk.total("BNB") == d("0.00009998")


def test_every_step_is_told_in_order() -> None:
    desk = Desk()
    order = desk.place("BUY", "LIMIT", "2", "99")
    desk.see(99, volume=1)
    desk.engine.cancel(order, desk.time_ms)
    assert desk.kinds() == ["NEW", "TRADE", "CANCELED"]
    assert [fill.trade_id for fill in desk.engine.fills] == [1]


def test_better_price_than_the_limit_sets_the_difference_free_at_once() -> None:
    desk = Desk(cash="100000")
    order = desk.place("BUY", "LIMIT", "600", "100.02")  # takes 250 at 100.01 and 250 at 100.02
    assert order.filled == 500
    assert desk.account.locked["USDT"] == d("10012.002")  # 100*100.02*1.001
    assert desk.account.free["USDT"] + desk.account.locked["USDT"] == desk.total("USDT")
