from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from tests.unit.core.order_state.order_reports import Report, Trade, intent
from workbench.core.order_state import LIVE_ORDER_STATUSES, Ended, LiveOrder, LiveOrders

ENDS = ("rejected", "never_arrived", "expired")


def orders(*numbers: int, is_exit: bool = False) -> LiveOrders[Trade]:
    made: LiveOrders[Trade] = LiveOrders()
    for number in numbers or (1,):
        made.intend(intent(number, is_exit=is_exit))
    return made


def booked(bookings: list[Any]) -> list[tuple[str | None, bool]]:
    return [(trade and trade.trade_id, is_done) for _, trade, is_done in bookings]


def status(of: LiveOrders[Trade], number: int = 1) -> str:
    order = of.get(number)
    assert order is not None
    return order.status


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ([Report("accepted")], "acknowledged"),
        ([Report("pending")], "acknowledged"),
        ([Report("unknown")], "acknowledged"),
        ([Report("accepted"), Report("partly_filled", 0.5)], "partially_filled"),
        ([Report("filled", 1.0)], "filled"),
        ([Report("expired", 0.5)], "cancelled"),
        ([Report("rejected")], "rejected"),
        ([Report("accepted"), Report("rejected")], "rejected"),
        # Old news, told late.
        ([Report("filled", 1.0), Report("partly_filled", 0.5)], "filled"),
        ([Report("filled", 1.0), Report("cancelled", 0.0)], "filled"),
        ([Report("partly_filled", 0.5), Report("accepted")], "partially_filled"),
        ([Report("cancelled", 0.5), Report("partly_filled", 0.5)], "cancelled"),
        ([Report("cancelled", 0.5), Report("accepted")], "cancelled"),
        # A fill that crossed the cancel.
        ([Report("cancelled", 0.0), Report("filled", 1.0)], "filled"),
        ([Report("cancelled", 0.2), Report("partly_filled", 0.5)], "partially_filled"),
        # Whatever was concluded before: the exchange shows it.
        ([Ended("never_arrived", ""), Report("filled", 1.0)], "filled"),
        ([Ended("rejected", ""), Report("accepted")], "acknowledged"),
    ],
)
def test_what_an_exchange_says_moves_an_order_in_any_order(said: list[Any], then: str) -> None:
    made = orders()
    for one in said:
        made.end(1, one) if isinstance(one, Ended) else made.report(1, one)
    assert status(made) == then


def test_every_status_is_reached_and_only_filled_is_final() -> None:
    assert set(LIVE_ORDER_STATUSES) == {
        "intent", "sent", "unknown", "acknowledged", "partially_filled", "filled", "cancelled", *ENDS,
    }  # fmt: skip
    for last in LIVE_ORDER_STATUSES:
        order = LiveOrder(intent(), status=last)
        moves = [one for one in LIVE_ORDER_STATUSES if LiveOrder(intent(), status=last).move(one)]
        assert ("filled" in moves) == (last != "filled"), last
        assert not order.move("intent")
        assert last == "intent" or not order.move("sent")


def test_totals_never_go_back() -> None:
    made = orders()
    made.report(1, Report("partly_filled", 0.7))
    made.report(1, Report("cancelled", 0.2))
    assert booked(made.trade(Trade("a", 0.2))) == [("a", False)]  # 0.7 was told before
    assert booked(made.trade(Trade("b", 0.5))) == [("b", True)]


@pytest.mark.parametrize(
    "said",
    list(permutations([Report("accepted"), Report("filled", 1.0), Trade("a", 0.4), Trade("b", 0.6), Trade("a", 0.4)])),
)
def test_an_order_is_booked_once_and_done_once_in_whatever_order_it_is_told(said: tuple[Any, ...]) -> None:
    made = orders()
    made.sent(1)
    bookings = [one for what in said for one in (made.trade(what) if isinstance(what, Trade) else made.report(1, what))]
    assert sorted(trade.trade_id for _, trade, _ in bookings if trade is not None) == ["a", "b"]
    assert [is_done for _, _, is_done in bookings] == [False, True]
    assert (status(made), made.outstanding, made.unfinished()) == ("filled", 0, ())


def test_a_trade_that_names_our_order_is_booked_before_anything_else_is_known() -> None:
    made = orders()
    made.sent(1)
    assert booked(made.trade(Trade("a", 0.5, client_order_id="wb-1"))) == [("a", False)]
    assert (status(made), made.outstanding) == ("partially_filled", 0)
    assert booked(made.trade(Trade("b", 0.5))) == [("b", True)]


def test_a_trade_of_nobody_waits_and_is_booked_with_the_name_of_its_order() -> None:
    made = orders()
    assert made.trade(Trade("a", 1.0)) == []
    assert made.trade(Trade("other", 1.0, order_id="y")) == []
    assert booked(made.report(1, Report("accepted"))) == [("a", True)]


def test_a_late_trade_of_a_cancelled_order_is_booked_and_opens_nothing() -> None:
    made = orders()
    assert booked(made.report(1, Report("cancelled", 0.0))) == [(None, True)]
    assert booked(made.trade(Trade("a", 0.5))) == [("a", True)]
    assert (status(made), made.take_doubtful()) == ("cancelled", ())
    made.trade(Trade("b", 0.5))
    assert status(made) == "filled"


def test_an_order_that_is_open_again_after_its_end_is_handed_out_to_be_ended() -> None:
    made = orders()
    made.report(1, Report("cancelled", 0.0))
    made.report(1, Report("partly_filled", 0.5))
    assert [order.intent.number for order in made.take_doubtful()] == [1]
    assert made.take_doubtful() == ()


def test_an_end_that_the_exchange_contradicts_ends_nothing() -> None:
    made = orders()
    made.trade(Trade("a", 0.5, client_order_id="wb-1"))
    assert made.end(1, Ended("never_arrived", "")) == []
    assert status(made) == "partially_filled"
    assert [order.intent.number for order in made.take_doubtful()] == [1]


@pytest.mark.parametrize("end", ENDS)
def test_an_order_that_never_was_is_done_with_nothing(end: Any) -> None:
    made = orders()
    made.sent(1)
    made.doubt(1)
    assert made.outstanding == 1
    assert booked(made.end(1, Ended(end, "why"))) == [(None, True)]
    assert (status(made), made.outstanding) == (end, 0)


def test_one_that_is_filled_is_filled_as_a_whole_whatever_its_total_says() -> None:
    made = orders()
    assert made.report(1, Report("filled", 0.0)) == []
    assert made.outstanding == 1
    assert booked(made.trade(Trade("a", 1.0))) == [("a", True)]


def test_refused_exits_are_counted_until_one_is_taken() -> None:
    made = orders(1, 2, 3, 4, is_exit=True)
    made.end(1, Ended("rejected", ""))
    made.report(2, Report("rejected", order_id="x2"))
    made.report(2, Report("rejected", order_id="x2"))
    assert made.refused_exits("BTC/USDT") == 2
    made.end(3, Ended("never_arrived", ""))
    assert made.refused_exits("BTC/USDT") == 2
    made.report(4, Report("accepted", order_id="x4"))
    assert made.refused_exits("BTC/USDT") == 0


def test_only_what_tells_something_new_is_news() -> None:
    made = orders()
    made.report(1, Report("partly_filled", 0.5))
    made.report(1, Report("partly_filled", 0.5))
    made.report(1, Report("accepted", 0.0))
    assert made.news == 1
    for _ in range(2):
        made.trade(Trade("a", 0.5))
        made.trade(Trade("stranger", 0.5, order_id="y"))
    assert made.news == 3  # each trade once, waiting or booked
    made.end(1, Ended("rejected", ""))
    assert made.news == 3


def test_done_orders_are_forgotten_oldest_first_and_unknown_ones_are_left_alone() -> None:
    made = orders(*range(1_002))
    for number in range(1_001):
        made.end(number, Ended("rejected", ""))
    assert (made.get(0), made.number_of("wb-0")) == (None, None)
    assert made.get(1) is not None
    assert made.report(0, Report("accepted")) == []
    assert made.end(0, Ended("rejected", "")) == []
    made.sent(0)
    made.doubt(0)
    assert [order.intent.number for order in made.unfinished()] == [1_001]


def test_a_late_state_of_a_late_trade_opens_nothing_either() -> None:
    made = orders()
    made.report(1, Report("cancelled", 0.0))
    made.trade(Trade("a", 0.5))
    made.report(1, Report("partly_filled", 0.5))  # no more than the trade has told
    assert (status(made), made.take_doubtful()) == ("cancelled", ())
