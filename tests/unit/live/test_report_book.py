from __future__ import annotations

from typing import Any

import pytest

from tests.unit.live.fake_exchange import own_trade, state_of
from tests.unit.live.markets import BTC, ETH, MIDNIGHT
from workbench.core.order_state import Ended, Intent
from workbench.core.reports import DONE, MAKER
from workbench.live.report_book import ReportBook
from workbench.model import REPORT, Instrument


def request(number: int = 7, *, side: str = "buy", quantity: float = 1.0, symbol: str = BTC) -> Intent:
    return Intent(
        number=number, client_order_id=f"wb-{number}", symbol=symbol, side=side, quantity=quantity, kind="market",
        price=None, time_in_force="gtc", is_exit=False, time_ns=MIDNIGHT, expires_ns=0,
    )  # type: ignore[arg-type]  # a side  # fmt: skip


def book(*requests: Intent) -> ReportBook:
    made = ReportBook((Instrument(BTC, lot=0.001), Instrument(ETH)))
    for one in requests or (request(),):
        made.expect(one)
    return made


def short(rows: list[Any]) -> list[tuple[float, float, float, int, int]]:
    """Return (signed quantity, price, fee, request number, flags) of each report."""
    assert all(row[0] == REPORT for row in rows)
    return [(row[3], row[4], row[5], int(row[6]), int(row[7])) for row in rows]


def test_a_whole_fill_is_one_report_that_ends_the_order() -> None:
    reports = book()
    reports.state(7, state_of("a", "accepted", filled=0.0))
    reports.trade(own_trade("a", 1.0, 101.0, fee=0.1))
    assert short(reports.take()) == [(1.0, 101.0, 0.1, 7, DONE)]
    assert reports.take() == []


def test_a_trade_that_comes_before_its_order_is_known_waits_for_it() -> None:
    reports = book()
    reports.trade(own_trade("a", 1.0))
    assert reports.take() == []
    reports.state(7, state_of("a", "filled"))
    assert short(reports.take()) == [(1.0, 100.0, 0.0, 7, DONE)]


def test_a_state_that_says_filled_ends_nothing_before_its_trades_are_booked() -> None:
    reports = book()
    reports.state(7, state_of("a", "filled"))
    assert (reports.take(), reports.outstanding) == ([], 1)
    reports.trade(own_trade("a", 0.4))
    assert (short(reports.take()), reports.outstanding) == ([(0.4, 100.0, 0.0, 7, 0)], 1)
    reports.trade(own_trade("a", 0.6))
    assert (short(reports.take()), reports.outstanding) == ([(0.6, 100.0, 0.0, 7, DONE)], 0)  # 0.4 + 0.6


def test_a_resting_order_is_known_and_a_new_one_is_not() -> None:
    reports = book(request(7), request(8))
    assert reports.outstanding == 2
    reports.state(7, state_of("a", "accepted", filled=0.0))
    assert reports.outstanding == 1


def test_fills_whose_float_sum_falls_short_by_rounding_end_the_order() -> None:
    reports = book(request(quantity=0.3))
    reports.state(7, state_of("a", "partly_filled", quantity=0.3, filled=0.1))
    for _ in range(3):
        reports.trade(own_trade("a", 0.1 - 1e-13))  # 3 * (0.1 - 1e-13) < 0.3
    assert [row[4] for row in short(reports.take())] == [0, 0, DONE]


def test_the_quantity_counts_that_the_exchange_took_after_rounding_to_its_lot() -> None:
    reports = book(request(quantity=1.0009))
    reports.state(7, state_of("a", "accepted", quantity=1.0, filled=0.0))
    reports.trade(own_trade("a", 1.0))
    assert short(reports.take()) == [(1.0, 100.0, 0.0, 7, DONE)]


def test_a_cancel_after_a_partial_fill_ends_the_order_with_an_empty_report() -> None:
    reports = book()
    reports.state(7, state_of("a", "partly_filled", filled=0.4))
    reports.trade(own_trade("a", 0.4))
    reports.state(7, state_of("a", "cancelled", filled=0.4))
    assert short(reports.take()) == [(0.4, 100.0, 0.0, 7, 0), (0.0, 0.0, 0.0, 7, DONE)]


def test_a_cancel_that_is_told_before_the_fill_waits_for_it() -> None:
    reports = book()
    reports.state(7, state_of("a", "cancelled", filled=0.4))
    assert reports.take() == []
    reports.trade(own_trade("a", 0.4))
    assert short(reports.take()) == [(0.4, 100.0, 0.0, 7, DONE)]


def test_a_fill_after_the_end_is_a_fact_and_is_booked() -> None:
    reports = book()
    reports.state(7, state_of("a", "cancelled", filled=0.0))
    reports.trade(own_trade("a", 0.25))
    assert short(reports.take()) == [(0.0, 0.0, 0.0, 7, DONE), (0.25, 100.0, 0.0, 7, DONE)]
    assert reports.outstanding == 0


def test_an_older_state_does_not_reopen_an_order() -> None:
    reports = book()
    reports.state(7, state_of("a", "cancelled", filled=0.0))
    reports.state(7, state_of("a", "accepted", filled=0.0))
    reports.state(7, state_of("a", "cancelled", filled=0.0))
    assert (short(reports.take()), reports.outstanding) == ([(0.0, 0.0, 0.0, 7, DONE)], 0)


def test_a_refused_order_ends_once() -> None:
    reports = book()
    reports.end(7, Ended("rejected", "no money"))
    reports.end(7, Ended("rejected", "no money"))
    assert (short(reports.take()), reports.outstanding) == ([(0.0, 0.0, 0.0, 7, DONE)], 0)


def test_an_order_that_was_refused_and_lives_all_the_same_is_booked() -> None:
    reports = book()
    reports.end(7, Ended("rejected", "no money"))
    reports.take()
    reports.state(7, state_of("a", "filled"))
    reports.trade(own_trade("a", 1.0))
    assert [row[0] for row in short(reports.take())] == [1.0]


def test_a_sale_is_negative() -> None:
    reports = book(request(side="sell"))
    reports.state(7, state_of("a", "filled"))
    reports.trade(own_trade("a", 1.0, side="sell"))
    assert short(reports.take()) == [(-1.0, 100.0, 0.0, 7, DONE)]


def test_each_report_carries_its_own_symbol_and_time() -> None:
    reports = book(request(7), request(8, symbol=ETH))
    reports.state(8, state_of("b", "filled"))
    reports.trade(own_trade("b", 1.0, time_ns=MIDNIGHT + 5))
    (row,) = reports.take()
    assert row[1:3] == (1, MIDNIGHT + 5)


@pytest.mark.parametrize(
    ("side", "coin", "fee", "expected"),
    [
        ("buy", "USDT", 0.2, (2.0, 0.2)),
        ("buy", None, 0.2, (2.0, 0.2)),
        # 2 BTC less 0.002 BTC are kept; 0.002 BTC * 100 = 0.2 USDT. Cash: 1.998 * 100 + 0.2 = 2 * 100.
        ("buy", "BTC", 0.002, (1.998, 0.2)),
        # 2 BTC are sold and 0.002 BTC go besides. Cash: 2.002 * 100 - 0.2 = 2 * 100.
        ("sell", "BTC", 0.002, (-2.002, 0.2)),
        # Another coin is in another account.
        ("buy", "BNB", 0.01, (2.0, 0.0)),
        # A rebate.
        ("sell", "USDT", -0.1, (-2.0, -0.1)),
    ],
)
def test_a_fee_is_booked_in_the_coin_in_which_it_is_taken(
    side: str, coin: str | None, fee: float, expected: tuple[float, float]
) -> None:
    reports = book(request(side=side, quantity=2.0))
    reports.state(7, state_of("a", "filled", quantity=2.0))
    reports.trade(own_trade("a", 2.0, side=side, fee=fee, fee_currency=coin))
    ((quantity, price, booked_fee, _, flags),) = short(reports.take())
    assert (quantity, booked_fee) == pytest.approx(expected)
    cash = -quantity * price - booked_fee
    paid_in_quote = fee if coin in ("USDT", None) else 0.0
    assert cash == pytest.approx((-200.0 if side == "buy" else 200.0) - paid_in_quote)
    assert flags == DONE


def test_dust_below_a_lot_that_a_fee_leaves_is_paid_and_never_held() -> None:
    reports = book(request(quantity=1.5))
    reports.state(7, state_of("a", "filled", quantity=1.5))
    for quantity in (0.5, 0.001, 0.999):
        reports.trade(own_trade("a", quantity, fee=quantity * 0.001, fee_currency="BTC"))
    rows = short(reports.take())
    # Owned: 0.4995, 0.500499, 1.4985; whole lots of 0.001 of it: 0.499, 0.500, 1.498.
    assert [row[0] for row in rows] == pytest.approx([0.499, 0.001, 0.998])
    # Cash goes down by what was paid: 1.5 * 100.
    assert sum(row[0] * row[1] + row[2] for row in rows) == pytest.approx(150.0)


def test_a_fill_of_less_than_a_lot_goes_with_the_next() -> None:
    reports = book(request(quantity=0.501))
    reports.state(7, state_of("a", "filled", quantity=0.501))
    for quantity in (0.001, 0.5):
        reports.trade(own_trade("a", quantity, fee=quantity * 0.001, fee_currency="BTC"))
    first, second = short(reports.take())
    assert (first[0], first[2]) == (0.0, 0.0)
    # Owned 0.500499, so 0.5 lots; paid (0.001 + 0.5) * 100.
    assert (second[0], second[0] * second[1] + second[2]) == pytest.approx((0.5, 50.1))


def test_maker_fills_say_so() -> None:
    reports = book()
    reports.state(7, state_of("a", "filled"))
    trade = own_trade("a", 1.0)
    object.__setattr__(trade, "is_maker", True)
    reports.trade(trade)
    assert short(reports.take())[0][4] == DONE | MAKER


def test_a_strangers_trades_are_never_booked_and_do_not_pile_up() -> None:
    reports = book()
    for number in range(5_000):
        reports.trade(own_trade(f"stranger-{number}", 1.0))
    reports.state(8, state_of("stranger-4999"))
    assert reports.take() == []
    assert len(reports.orders._waiting) <= 1_000  # noqa: SLF001  its bound


def test_orders_that_are_done_do_not_pile_up() -> None:
    reports = ReportBook((Instrument(BTC),))
    for number in range(3_000):
        reports.expect(request(number))
        reports.state(number, state_of(str(number), "filled"))
        reports.trade(own_trade(str(number), 1.0))
    assert len(reports.take()) == 3_000
    assert (len(reports.orders._orders), len(reports.orders._by_id)) == (1_000, 1_000)  # noqa: SLF001  their bound
    assert reports.outstanding == 0


def test_fees_of_orders_that_are_forgotten_do_not_pile_up() -> None:
    reports = ReportBook((Instrument(BTC),))
    for number in range(3_000):
        reports.expect(request(number))
        reports.state(number, state_of(str(number), "filled"))
        reports.trade(own_trade(str(number), 1.0, fee=0.001, fee_currency="BTC"))
    assert len(reports._kept) <= 2_001  # noqa: SLF001  its bound


def test_rows_that_are_put_back_come_first() -> None:
    reports = book(request(7), request(8))
    reports.end(7, Ended("rejected", ""))
    rows = reports.take()
    reports.end(8, Ended("rejected", ""))
    reports.put_back(rows)
    assert [row[3] for row in short(reports.take())] == [7, 8]


def test_dust_of_purchases_adds_up() -> None:
    # Of each 1.0 bought 0.9986 stays, of which 0.998 is whole lots of 0.001: 0.0006 of dust, three times.
    reports = book(*(request(number) for number in (1, 2, 3)))
    for number in (1, 2, 3):
        reports.state(number, state_of(str(number), "filled"))
        reports.trade(own_trade(str(number), 1.0, fee=0.0014, fee_currency="BTC"))
    assert [row[3] for row in reports.take()] == pytest.approx([0.998] * 3)
    assert reports.unbooked == pytest.approx({BTC: 0.0018, ETH: 0.0})


def test_a_fee_in_the_coin_of_another_symbol_is_counted_there() -> None:
    reports = book()
    reports.state(7, state_of("a", "filled"))
    reports.trade(own_trade("a", 1.0, fee=0.02, fee_currency="ETH"))
    assert reports.unbooked == {BTC: 0.0, ETH: -0.02}


def test_a_fee_that_a_sale_takes_in_its_coin_is_booked_as_sold() -> None:
    reports = book(request(side="sell"))
    reports.state(7, state_of("a", "filled"))
    reports.trade(own_trade("a", 1.0, side="sell", fee=0.002, fee_currency="BTC"))
    assert [row[3] for row in reports.take()] == [-1.002]
    assert reports.unbooked[BTC] == pytest.approx(0.0)
