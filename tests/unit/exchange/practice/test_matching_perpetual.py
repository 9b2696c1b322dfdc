"""What becomes of orders in perpetuals: margin, positions, profit. Last price 100, leverage 10 unless it is set."""

import pytest

from tests.unit.exchange.practice.engines import CONTRACT, Desk, d
from workbench.exchange.practice.refusals import RefusalError


def desk(cash: str = "10000") -> Desk:
    return Desk(CONTRACT, cash=cash)


def test_position_averages_its_entry_and_realises_what_it_closes() -> None:
    one = desk()
    one.place("BUY", "MARKET", "1")  # at 100.01
    one.see(110)
    one.place("BUY", "MARKET", "1")  # at 110.01
    position = one.account.position(one.listing)
    assert (position.amount, position.entry_price) == (2, d("105.01"))
    one.see(120)
    sale = one.place("SELL", "MARKET", "1")  # at 119.99
    assert sale.fills[0].realized_pnl == d("14.98")  # 119.99 - 105.01
    fees = d("0.10001") + d("0.11001") + d("0.11999")
    assert one.account.wallets["USDT"] == 10_000 + d("14.98") - fees


def test_order_through_zero_turns_the_position() -> None:
    one = desk()
    one.place("BUY", "MARKET", "1")
    one.place("SELL", "MARKET", "3")  # at 99.99
    position = one.account.position(one.listing)
    assert (position.amount, position.entry_price) == (-2, d("99.99"))


def test_margin_bounds_what_can_be_opened() -> None:
    one = desk(cash="100")
    one.account.position(one.listing).leverage = 2
    with pytest.raises(RefusalError, match="-2019 Margin is insufficient"):
        one.place("BUY", "LIMIT", "2", "100")  # 200/2 + 0.2 of fee
    order = one.place("BUY", "LIMIT", "1.9", "100")
    assert order.locked == d("95.19")  # 190/2 + 0.19
    assert one.account.available("USDT") == d("4.81")


def test_order_that_closes_needs_no_margin() -> None:
    one = desk(cash="10.2")
    one.place("BUY", "MARKET", "1")
    assert one.place("SELL", "MARKET", "1").status == "FILLED"


def test_reduce_only_without_a_position_to_reduce_is_refused() -> None:
    one = desk()
    with pytest.raises(RefusalError, match="-2022 ReduceOnly Order is rejected"):
        one.place("SELL", "MARKET", "1", reduceOnly="true")
    one.place("BUY", "MARKET", "1")
    with pytest.raises(RefusalError, match="-2022"):
        one.place("BUY", "MARKET", "1", reduceOnly="true")


def test_reduce_only_beyond_the_position_closes_it_and_expires() -> None:
    one = desk()
    one.place("BUY", "MARKET", "1")
    order = one.place("SELL", "MARKET", "3", reduceOnly="true")
    assert (order.filled, order.status) == (1, "EXPIRED")
    assert one.account.position(one.listing).amount == 0


def test_resting_reduce_only_order_expires_when_its_position_is_gone() -> None:
    one = desk()
    one.place("BUY", "MARKET", "1")
    target = one.place("SELL", "LIMIT", "1", "110", reduceOnly="true")
    one.place("SELL", "MARKET", "1")
    one.see(110)
    assert (target.status, target.filled) == ("EXPIRED", 0)


def test_position_holds_its_margin_and_the_order_lets_go_of_it() -> None:
    one = desk()
    order = one.place("BUY", "LIMIT", "4", "99")
    one.see(99, volume=1)
    assert order.locked == d("29.997")  # 3*99/10 + 3*99*0.001: what is still open
    one.see(99, volume=3)
    assert one.account.order_margin["USDT"] == 0
    assert one.account.position_margin("USDT") == d("39.6")
