from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.manual_timing import ManualTiming
from tests.unit.live.fake_exchange import FakeExchange, SteppedLine, own_trade, state_of
from tests.unit.live.markets import BTC, MIDNIGHT, SECOND
from workbench.core.reports import DONE
from workbench.errors import AuthError, ExchangeTimeoutError
from workbench.exchange import Accepted, BadRecord, Refused, StreamInterrupted, Unknown
from workbench.live.order_line import OrderLine
from workbench.model import ExchangeRequest, Instrument

REFUSED = Refused("too little money", "-2010")
WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0)


def request(number: int = 1, kind: str = "market", **changes: Any) -> ExchangeRequest:
    settings: dict[str, Any] = {"quantity": 1.0, "price": 100.0, "is_exit": False, "may_rest": False, "side": "buy"}
    fixed: dict[str, Any] = {"symbol": BTC, "time_ns": MIDNIGHT, "reason": "signal"}
    return ExchangeRequest(number=number, kind=kind, **{**settings, **fixed, **changes})  # type: ignore[arg-type]  # a kind


def cancel(number: int) -> ExchangeRequest:
    return request(99, "cancel", price=float(number))


def unknown(timing: ManualTiming, closes_after_s: float = 6.0) -> Unknown:
    return Unknown("timeout", "no answer in time", timing.now_ns(), timing.now_ns() + round(closes_after_s * SECOND))


class Desk:
    """An order line to a scripted exchange."""

    def __init__(self) -> None:
        self.exchange = FakeExchange()
        self.timing = ManualTiming(MIDNIGHT)
        self.line = SteppedLine(self.exchange, self.timing)
        self.orders = OrderLine(self.line, (Instrument(BTC),), "session")  # type: ignore[arg-type]  # stands in for the real line
        self.line.settle()

    def name(self, number: int) -> str:
        return self.orders.client_order_id(number)

    def send(self, *requests: ExchangeRequest) -> None:
        self.orders.send(requests)
        self.line.settle()

    def reports(self) -> list[tuple[float, float, int, int]]:
        """Return (signed quantity, price, number, flags) of what came."""
        return [(row[3], row[4], int(row[6]), int(row[7])) for row in self.orders.take().tolist()]

    def waits(self) -> list[float]:
        """Return the waits but those of what comes round every minute."""
        return [wait_s for wait_s in self.timing.slept_s if wait_s != 60.0]

    def texts(self) -> list[str]:
        self.orders.take()
        return [notice.text for notice in self.orders.notices()]


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.line.close()


def test_a_request_becomes_one_order_and_its_trades_become_reports(desk: Desk) -> None:
    desk.send(request(1))
    assert (len(desk.exchange.asked("place")), desk.orders.outstanding) == (1, 1)
    assert desk.reports() == []
    desk.line.put("own", own_trade(desk.name(1), 1.0, 101.0))
    assert desk.reports() == [(1.0, 101.0, 1, DONE)]
    assert desk.orders.outstanding == 0


def test_a_trade_that_overtakes_its_answer_is_booked_when_the_answer_comes(desk: Desk) -> None:
    answered = asyncio.Event()
    desk.exchange.answer("place", answered, Accepted(state_of(desk.name(1))))
    desk.send(request(1))
    desk.line.put("own", own_trade(desk.name(1), 1.0))
    assert desk.reports() == []
    answered.set()
    desk.line.settle()
    assert desk.reports() == [(1.0, 100.0, 1, DONE)]


@pytest.mark.parametrize(
    ("wanted", "kind", "price", "time_in_force"),
    [
        (request(1, "market"), "market", None, "gtc"),
        (request(1, "limit"), "limit", 100.0, "ioc"),
        (request(1, "limit", may_rest=True), "limit", 100.0, "gtc"),
        (request(1, "limit", is_exit=True, side="sell"), "limit", 100.0, "ioc"),
        (request(1, "stop", may_rest=True), "stop", 100.0, "gtc"),
        # A stop of an exit has been crossed already.
        (request(1, "stop", is_exit=True, side="sell"), "market", None, "gtc"),
    ],
)
def test_only_an_entry_that_may_rest_waits_in_the_book(
    desk: Desk, wanted: ExchangeRequest, kind: str, price: float | None, time_in_force: str
) -> None:
    desk.send(wanted)
    ((ticket,),) = desk.exchange.asked("place")
    assert (ticket.kind, ticket.price, ticket.time_in_force) == (kind, price, time_in_force)
    assert (ticket.side, ticket.is_exit, ticket.reduce_only) == (wanted.side, wanted.is_exit, wanted.is_exit)


def test_names_of_orders_differ_between_sessions_and_are_short_enough(desk: Desk) -> None:
    other = OrderLine(desk.line, (Instrument(BTC),), "other")  # type: ignore[arg-type]  # stands in for the real line
    assert other.client_order_id(1) != desk.name(1)
    assert len(desk.name(10**14)) <= 32
    # OKX takes nothing else; and where the number begins must be plain.
    assert re.fullmatch(r"wb[0-9a-f]{14}n12", desk.name(12))


def test_states_and_trades_of_strangers_are_left_alone(desk: Desk) -> None:
    desk.send(request(1))
    desk.line.put("own", state_of("theirs-1"), own_trade("theirs-1", 1.0), state_of(f"{desk.name(1)}x"))
    assert desk.reports() == []


def test_a_request_that_makes_no_order_is_refused_and_sent_nowhere(desk: Desk) -> None:
    desk.send(request(1, quantity=0.0))
    assert desk.exchange.asked("place") == []
    assert desk.reports() == [(0.0, 0.0, 1, DONE)]
    assert "order 1 was refused: quantity must be" in desk.texts()[0]


def test_a_refused_entry_ends_and_is_told(desk: Desk) -> None:
    desk.exchange.answer("place", REFUSED)
    desk.send(request(1))
    assert desk.reports() == [(0.0, 0.0, 1, DONE)]
    assert desk.texts() == ["order 1 was refused: too little money"]
    assert desk.waits() == []


def test_rules_that_cannot_be_read_refuse_an_order(desk: Desk) -> None:
    desk.exchange.answer("place", ExchangeTimeoutError("no rules", exchange="fake", retryable=True))
    desk.send(request(1))
    assert desk.reports() == [(0.0, 0.0, 1, DONE)]


# ---- orders of which nobody can tell ----


def test_an_unknown_order_is_asked_for_and_never_sent_again(desk: Desk) -> None:
    desk.exchange.answer("place", unknown(desk.timing))
    desk.exchange.answer("order", None, None, state_of(desk.name(1)))
    desk.send(request(1))
    assert (desk.reports(), desk.orders.outstanding) == ([], 1)
    assert desk.texts() == [
        "nobody can tell yet what became of order 1 (buy 1 BTC/USDT): no answer in time; asking the exchange"
    ]
    for _ in range(4):
        desk.line.pass_time(0.5)
    desk.line.put("own", own_trade(desk.name(1), 1.0))
    assert desk.reports() == [(1.0, 100.0, 1, DONE)]
    assert len(desk.exchange.asked("place")) == 1


def test_an_order_that_can_no_longer_arrive_is_refused_and_not_before(desk: Desk) -> None:
    desk.exchange.answer("place", unknown(desk.timing, closes_after_s=2.0))
    desk.send(request(1))
    for _ in range(3):
        desk.line.pass_time(0.5)
    assert (desk.reports(), desk.orders.outstanding) == ([], 1)  # 1.5 s < 2 s
    desk.line.pass_time(0.5)
    assert (desk.reports(), desk.orders.outstanding) == ([(0.0, 0.0, 1, DONE)], 0)


def test_an_order_that_stays_unknown_stays_in_flight_and_is_told(desk: Desk) -> None:
    desk.exchange.answer("place", Unknown("timeout", "no answer", 0, None))
    desk.send(request(1))
    for _ in range(130):
        desk.line.pass_time(0.5)
    assert (desk.reports(), desk.orders.outstanding) == ([], 1)


# ---- cancels ----


def test_a_cancel_waits_for_its_order_and_then_ends_it(desk: Desk) -> None:
    answered = asyncio.Event()
    desk.exchange.answer("place", answered, Accepted(state_of(desk.name(1), "accepted", filled=0.0)))
    desk.send(request(1, "limit", may_rest=True), cancel(1))
    assert desk.exchange.asked("cancel") == []
    answered.set()
    desk.line.settle()
    assert desk.exchange.asked("cancel") == [[desk.name(1)]]
    assert desk.reports() == [(0.0, 0.0, 1, DONE)]


def test_a_cancel_that_is_under_way_is_outstanding(desk: Desk) -> None:
    desk.exchange.answer("place", Accepted(state_of(desk.name(1), "accepted", filled=0.0)))
    desk.send(request(1, "limit", may_rest=True))
    desk.reports()
    assert desk.orders.outstanding == 0
    answered = asyncio.Event()
    desk.exchange.answer("cancel", answered, Accepted(state_of(desk.name(1), "cancelled", filled=0.0)))
    desk.send(cancel(1))
    assert desk.orders.outstanding == 1
    answered.set()
    desk.line.settle()
    desk.reports()
    assert desk.orders.outstanding == 0


def test_a_cancel_of_an_unknown_order_proves_nothing_before_the_order_may_no_longer_arrive(desk: Desk) -> None:
    desk.exchange.answer("place", unknown(desk.timing, closes_after_s=2.0))
    desk.exchange.answer("cancel", Refused("no such order", "not_found"))
    desk.send(request(1, "limit", may_rest=True), cancel(1))
    desk.line.pass_time(0.5)
    assert desk.reports() == []  # a report that it is done would let the core send another one
    desk.exchange.answer("order", state_of(desk.name(1), "accepted", filled=0.0))
    desk.exchange.answer("cancel", Accepted(state_of(desk.name(1), "cancelled", filled=0.0)))
    desk.line.pass_time(0.5)
    assert desk.reports() == [(0.0, 0.0, 1, DONE)]


def test_a_cancel_that_comes_to_nothing_is_sent_again_while_the_order_is_open(desk: Desk) -> None:
    desk.exchange.answer("place", Accepted(state_of(desk.name(1), "accepted", filled=0.0)))
    desk.exchange.answer("order", state_of(desk.name(1), "accepted", filled=0.0))
    desk.exchange.answer("cancel", unknown(desk.timing), Accepted(state_of(desk.name(1), "cancelled", filled=0.0)))
    desk.send(request(1, "limit", may_rest=True), cancel(1))
    assert desk.reports() == []
    desk.line.pass_time(1.0)
    assert desk.reports() == [(0.0, 0.0, 1, DONE)]
    assert len(desk.exchange.asked("cancel")) == 2


def test_a_cancel_that_never_succeeds_ends_with_a_word_to_a_person(desk: Desk) -> None:
    desk.exchange.answer("place", Accepted(state_of(desk.name(1), "accepted", filled=0.0)))
    desk.exchange.answer("cancel", ExchangeTimeoutError("no answer", exchange="fake", retryable=True))
    desk.send(request(1, "limit", may_rest=True), cancel(1))
    for wait_s in WAITS_S:
        desk.line.pass_time(wait_s)
    assert len(desk.exchange.asked("cancel")) == 1 + len(WAITS_S)
    assert desk.texts() == [
        "order 1 (buy 1 BTC/USDT) could not be cancelled: no answer; look at the exchange, and cancel it there"
    ]
    assert desk.orders.outstanding == 0


def test_a_cancel_that_crosses_a_fill_tells_of_the_fill(desk: Desk) -> None:
    desk.exchange.answer("place", Accepted(state_of(desk.name(1), "accepted", filled=0.0)))
    desk.exchange.answer("cancel", Refused("no such order", "not_found"))
    desk.exchange.answer("order", state_of(desk.name(1), "filled"))
    desk.send(request(1, "limit", may_rest=True), cancel(1))
    desk.line.put("own", own_trade(desk.name(1), 1.0))
    assert desk.reports() == [(1.0, 100.0, 1, DONE)]


# ---- exits ----


def test_a_refused_exit_may_be_tried_again_after_its_wait_and_not_before(desk: Desk) -> None:
    desk.exchange.answer("place", REFUSED)
    for number, wait_s in enumerate(WAITS_S):
        desk.send(request(number, is_exit=True, side="sell"))
        desk.line.pass_time(wait_s - 0.25)
        assert desk.reports() == []
        desk.line.pass_time(0.25)
        assert desk.reports() == [(0.0, 0.0, number, DONE)]
    assert desk.waits() == list(WAITS_S)


def test_after_the_last_refusal_an_exit_is_not_tried_again_and_a_person_is_told(desk: Desk) -> None:
    desk.exchange.answer("place", REFUSED)
    for number, wait_s in enumerate(WAITS_S):
        desk.send(request(number, is_exit=True, side="sell"))
        desk.line.pass_time(wait_s)
    desk.texts()
    desk.send(request(9, is_exit=True, side="sell"))
    desk.line.pass_time(3_600.0)
    assert desk.reports() == []
    (text,) = desk.texts()
    assert text.startswith(f"{BTC} is UNPROTECTED: its exit was refused 6 times, last: too little money; look at")
    assert text.endswith("then resume() tries it again")


def test_an_accepted_exit_forgets_the_refusals_before_it(desk: Desk) -> None:
    desk.exchange.answer("place", REFUSED, Accepted(state_of(desk.name(2))), REFUSED)
    for number in (1, 2, 3):
        desk.send(request(number, is_exit=True, side="sell"))
        desk.line.pass_time(1.0)
    assert desk.waits() == [1.0, 1.0]


# ---- the stream of own orders ----


def test_interruptions_and_bad_records_are_told(desk: Desk) -> None:
    desk.line.put(
        "own", StreamInterrupted("", "disconnected", "the line broke", 0, 0, 0.1), BadRecord(BTC, "no order id")
    )
    assert desk.texts() == [
        f"the stream of own orders was disturbed: {reason}" for reason in ("the line broke", "no order id")
    ]


def test_a_stream_that_dies_for_good_is_told(desk: Desk) -> None:
    desk.line.put("own", AuthError("the key is not accepted", exchange="fake", retryable=False))
    assert desk.texts() == ["own orders and fills are not told: the key is not accepted"]


def test_notices_that_nobody_reads_do_not_pile_up(desk: Desk) -> None:
    desk.line.put("own", *[BadRecord(BTC, f"bad {number}") for number in range(1_100)])
    texts = desk.texts()
    assert (len(texts), texts[-1]) == (1_000, "the stream of own orders was disturbed: bad 1099")


def test_a_cancel_of_what_is_refused_or_done_is_not_sent(desk: Desk) -> None:
    desk.exchange.answer("place", REFUSED, Accepted(state_of(desk.name(2))))
    desk.send(request(1, "limit", may_rest=True), cancel(1))
    desk.send(request(2, "limit", may_rest=True))
    desk.line.put("own", own_trade(desk.name(2), 1.0))
    desk.reports()
    desk.send(cancel(2), cancel(77))
    desk.reports()
    assert desk.exchange.asked("cancel") == []
    assert desk.orders.outstanding == 0


def test_a_cancel_that_is_under_way_is_not_sent_twice(desk: Desk) -> None:
    desk.exchange.answer("place", Accepted(state_of(desk.name(1), "accepted", filled=0.0)))
    answered = asyncio.Event()
    desk.exchange.answer("cancel", answered, Accepted(state_of(desk.name(1), "cancelled", filled=0.0)))
    desk.send(request(1, "limit", may_rest=True), cancel(1))
    desk.send(cancel(1))
    answered.set()
    desk.line.settle()
    assert len(desk.exchange.asked("cancel")) == 2  # the one that hung and went on is counted twice
    assert desk.reports() == [(0.0, 0.0, 1, DONE)]
