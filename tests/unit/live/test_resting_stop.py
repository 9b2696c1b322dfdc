"""Which stop is wanted, when one makes way, and how an order line keeps it, gives it up and books it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.live.fake_exchange import own_trade, state_of
from tests.unit.live.markets import BTC, MIDNIGHT
from tests.unit.live.protected_account import FLAT, RULES, account, position
from tests.unit.live.test_order_line import Desk, request
from tests.unit.live.test_order_recovery import Start, start  # noqa: F401  a fixture
from workbench.core.order_state import Intent, LiveOrder
from workbench.core.reports import DONE, RESTING_STOPS
from workbench.errors import ConfigError
from workbench.exchange import Accepted, Refused
from workbench.live.resting_stop import WantedStop, must_go, wanted_stop
from workbench.model import AccountState

FIRST = RESTING_STOPS


def stop_order(quantity: float = 1.0, price: float = 95.0, side: str = "sell", told: float = 0.0) -> LiveOrder:
    intent = Intent(
        number=FIRST, client_order_id="stop", symbol=BTC, side=side, quantity=quantity, kind="stop", price=price,  # type: ignore[arg-type]  # a side
        time_in_force="gtc", is_exit=True, time_ns=MIDNIGHT, expires_ns=MIDNIGHT,
    )  # fmt: skip
    return LiveOrder(intent, status="acknowledged", told=told)


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (None, None),
        (position(stop=None), None),
        (position(0.0009), None),  # less than a lot of 0.001
        (position(2.0, 95.0), WantedStop("sell", 2.0, 95.0)),
        (position(2.0, 95.0, 97.0), WantedStop("sell", 2.0, 97.0)),
        (position(2.0, None, 97.0), WantedStop("sell", 2.0, 97.0)),
        (position(-2.0, 105.0, 103.0), WantedStop("buy", 2.0, 103.0)),
    ],
)
def test_wanted_is_the_whole_position_at_its_nearest_level(held: Any, wanted: WantedStop | None) -> None:
    assert wanted_stop(held, RULES) == wanted


@pytest.mark.parametrize(
    ("order", "wanted", "goes"),
    [
        (stop_order(), None, True),
        (stop_order(), WantedStop("buy", 1.0, 105.0), True),
        (stop_order(), WantedStop("sell", 1.0, 95.0), False),
        (stop_order(), WantedStop("sell", 1.0005, 95.0), False),  # half a lot cannot be ordered
        (stop_order(), WantedStop("sell", 1.001, 95.0), True),
        (stop_order(), WantedStop("sell", 0.5, 95.0), True),
        (stop_order(), WantedStop("sell", 1.0, 95.01), False),  # one tick
        (stop_order(), WantedStop("sell", 1.0, 95.02), True),
        (stop_order(), WantedStop("sell", 1.0, 90.0), False),  # a level does not go back
        (stop_order(price=105.0, side="buy"), WantedStop("buy", 1.0, 104.98), True),
        (stop_order(price=105.0, side="buy"), WantedStop("buy", 1.0, 105.5), False),
        (stop_order(told=0.25), WantedStop("sell", 0.75, 96.0), False),  # it is being executed
    ],
)
def test_stop_goes_when_it_protects_another_position_or_from_too_far_away(
    order: LiveOrder,
    wanted: WantedStop | None,
    goes: bool,
) -> None:
    assert must_go(order, wanted, RULES, may_follow=True) == goes


def test_level_that_moves_waits_for_its_time_and_a_quantity_does_not() -> None:
    assert not must_go(stop_order(), WantedStop("sell", 1.0, 97.0), RULES, may_follow=False)
    assert must_go(stop_order(), WantedStop("sell", 2.0, 95.0), RULES, may_follow=False)


# ---- an order line that keeps it ----


class StopDesk(Desk):
    """An order line whose stops rest."""

    def __init__(self) -> None:
        super().__init__()
        self.exchange.answer("place", rests)

    def protect(self, one: AccountState) -> None:
        self.orders.protect(one)
        self.line.settle()

    def look(self, one: AccountState) -> list[tuple[float, float, int, int]]:
        """Do as a session does: book what has come, then protect what is held."""
        rows = self.reports()
        self.protect(one)
        return rows

    def placed(self) -> list[tuple[int, str, float, float | None]]:
        tickets = [ticket for (ticket,) in self.exchange.asked("place")]
        return [(self.number(one.client_order_id), one.kind, one.quantity, one.price) for one in tickets]

    def number(self, name: str) -> int:
        return int(name.rpartition("n")[2])


def rests(ticket: Any) -> Accepted:
    """Answer as an exchange does that fills what is sent at market and lets stops rest."""
    filled = 0.0 if ticket.kind == "stop" else ticket.quantity
    status = "accepted" if ticket.kind == "stop" else "filled"
    return Accepted(state_of(ticket.client_order_id, status, quantity=ticket.quantity, filled=filled))


@pytest.fixture
def desk() -> Iterator[StopDesk]:
    made = StopDesk()
    yield made
    made.line.close()


def test_one_stop_is_placed_and_stays(desk: StopDesk) -> None:
    for _ in range(3):
        assert desk.look(account()) == []
    assert desk.placed() == [(FIRST, "stop", 1.0, 95.0)]
    ((ticket,),) = desk.exchange.asked("place")
    assert (ticket.side, ticket.is_exit, ticket.reduce_only) == ("sell", True, True)
    assert desk.orders.resting_stops == ("a stop of 1 BTC/USDT at 95",)
    assert desk.orders.outstanding == 0
    assert [text for text in desk.texts() if "rests" in text] == ["a stop of 1 BTC/USDT at 95 rests at the exchange"]


def test_stop_is_cancelled_before_another_is_placed(desk: StopDesk) -> None:
    desk.look(account())
    desk.look(account(2.0))
    assert desk.exchange.asked("cancel") == [[desk.name(FIRST)]]
    assert len(desk.placed()) == 1  # not before the end of the first is known to the session
    assert desk.look(account(2.0)) == [(0.0, 0.0, FIRST, DONE)]
    assert desk.placed() == [(FIRST, "stop", 1.0, 95.0), (FIRST + 1, "stop", 2.0, 95.0)]


def test_trailing_level_is_followed_every_five_seconds(desk: StopDesk) -> None:
    desk.look(account())
    for second in range(1, 5):
        desk.line.pass_time(1.0)
        desk.look(account(trailing=95.0 + second))
    assert desk.exchange.asked("cancel") == []
    desk.line.pass_time(1.0)
    desk.look(account(trailing=100.0))
    desk.look(account(trailing=100.0))
    assert [one[3] for one in desk.placed()] == [95.0, 100.0]


def test_stop_goes_with_its_position(desk: StopDesk) -> None:
    desk.look(account())
    desk.look(FLAT)
    desk.look(FLAT)
    assert desk.exchange.asked("cancel") == [[desk.name(FIRST)]]
    assert desk.orders.resting_stops == ()
    assert len(desk.placed()) == 1


def test_its_fill_is_a_report_with_its_own_number(desk: StopDesk) -> None:
    desk.look(account())
    desk.line.put("own", own_trade(desk.name(FIRST), 1.0, 94.9, side="sell"))
    assert desk.look(account()) == [(-1.0, 94.9, FIRST, DONE)]


# ---- never two exits ----


def test_exit_waits_until_the_stop_has_ended(desk: StopDesk) -> None:
    gone = asyncio.Event()
    desk.exchange.answer("cancel", gone, lambda name: Accepted(state_of(name, "cancelled", filled=0.0)))
    desk.look(account())
    desk.send(request(1, is_exit=True, side="sell"))
    desk.look(account())
    desk.look(account())
    assert [one[1] for one in desk.placed()] == ["stop"]
    assert desk.orders.outstanding == 2  # the exit that waits, and the cancel
    gone.set()
    desk.line.settle()
    desk.look(account())
    assert desk.placed()[1:] == [(1, "market", 1.0, None)]
    desk.line.put("own", own_trade(desk.name(1), 1.0, side="sell"))
    assert desk.look(account())[-1] == (-1.0, 100.0, 1, DONE)


def test_exit_whose_stop_has_closed_everything_is_not_sent(desk: StopDesk) -> None:
    desk.look(account())
    desk.exchange.answer("cancel", lambda name: Accepted(state_of(name, "filled")))
    desk.send(request(1, is_exit=True, side="sell"))
    desk.look(account())
    # It is filled, and its trade has not come: nobody knows yet for how much.
    assert desk.look(account()) == []
    desk.line.put("own", own_trade(desk.name(FIRST), 1.0, 94.0, side="sell"))
    assert desk.look(FLAT) == [(-1.0, 94.0, FIRST, DONE)]
    assert desk.look(FLAT) == [(0.0, 0.0, 1, DONE)]
    assert len(desk.placed()) == 1


@pytest.mark.parametrize(("asked", "left"), [(1.0, 0.75), (0.5, 0.25), (0.25, None)])
def test_exit_sells_only_what_the_stop_has_left(desk: StopDesk, asked: float, left: float | None) -> None:
    desk.look(account())
    # A quarter is executed before the cancel comes.
    desk.exchange.answer("cancel", lambda name: Accepted(state_of(name, "cancelled", filled=0.25)))
    desk.send(request(1, is_exit=True, side="sell", quantity=asked))
    desk.look(account())
    desk.line.put("own", own_trade(desk.name(FIRST), 0.25, 94.0, side="sell"))
    assert desk.look(account(0.75)) == [(-0.25, 94.0, FIRST, DONE)]
    exits = [(kind, quantity) for number, kind, quantity, _ in desk.placed() if number == 1]
    assert exits == ([] if left is None else [("market", left)])


def test_exit_is_not_larger_than_what_is_left_of_the_position(desk: StopDesk) -> None:
    desk.look(account())
    desk.send(request(1, is_exit=True, side="sell"))
    desk.look(account())
    desk.look(account(0.6))
    assert [quantity for number, _, quantity, _ in desk.placed() if number == 1] == [0.6]


def test_no_stop_is_placed_while_an_exit_is_under_way(desk: StopDesk) -> None:
    desk.send(request(1, is_exit=True, side="sell"))
    desk.look(account())
    assert [one[0] for one in desk.placed()] == [1]


# ---- a stop that is refused ----


def test_refused_stop_is_tried_again_later_and_later_and_then_a_person_is_asked(desk: StopDesk) -> None:
    desk.exchange.answer("place", Refused("too little money", "-2010"))
    for wait_s in (1.0, 5.0, 10.0, 30.0, 60.0):
        desk.look(account())
        count = len(desk.placed())
        desk.look(account())
        desk.line.pass_time(wait_s - 0.5)
        desk.look(account())
        assert len(desk.placed()) == count
        desk.line.pass_time(0.5)
    desk.look(account())
    assert [number for number, *_ in desk.placed()] == [FIRST + number for number in range(6)]
    assert {kind for _, kind, *_ in desk.placed()} == {"stop"}  # the ladder is for those who want to leave
    notices = [one for one in desk.orders.notices() if one.kind == "stop"]
    assert [one.needs_person for one in notices] == [False] * 4 + [True]
    assert "BTC/USDT has no stop at the exchange: too little money; it is tried again in 1 s" in notices[0].text


def test_refusals_of_a_stop_do_not_climb_the_ladder_of_exits(desk: StopDesk) -> None:
    desk.exchange.answer("place", Refused("too little money", "-2010"), Refused("no", "-2010"))
    desk.look(account())
    desk.look(account())
    desk.exchange.calls.clear()
    desk.send(request(1, "limit", is_exit=True, side="sell"))
    assert [name for name, *_ in desk.exchange.calls] == ["place"]  # neither rules nor holdings are asked for


def test_exchange_without_stops_is_tried_once(desk: StopDesk) -> None:
    desk.exchange.answer("place", Refused("ccxt sends fake no stops", "order_kind", was_sent=False))
    for _ in range(3):
        desk.look(account())
        desk.line.pass_time(100.0)
    assert len(desk.placed()) == 1
    assert [one.needs_person for one in desk.orders.notices() if one.kind == "stop"] == [False]


# ---- what is kept ----


def test_stop_is_taken_up_by_the_next_process(start: Start) -> None:  # noqa: F811  the fixture
    life = start()
    life.exchange.answer("place", rests)
    life.orders.protect(account())
    life.line.settle()
    life.book()
    (note,) = [note for note in life.journal.notes if note.kind == "intent"]
    assert (note.body["number"], note.body["kind"], note.body["price"]) == (FIRST, "stop", 95.0)
    life = start()
    life.exchange.answer("order", lambda name: state_of(name, "accepted", filled=0.0))
    life.restore()
    life.book()
    life.orders.protect(account())
    life.line.settle()
    assert life.placed() == [life.name(FIRST)]
    life.orders.protect(account(2.0))
    life.line.settle()
    life.book()
    life.orders.protect(account(2.0))
    life.line.settle()
    assert life.placed() == [life.name(FIRST), life.name(FIRST + 1)]


def test_stop_whose_answer_was_lost_is_asked_for_and_not_placed_again(start: Start) -> None:  # noqa: F811  the fixture
    life = start()
    life.exchange.answer("place", asyncio.Event())
    life.orders.protect(account())
    life.line.settle()
    life = start()
    life.exchange.answer("order", None)
    life.restore()
    life.orders.protect(account())
    life.line.settle()
    assert len(life.placed()) == 1
    life.timing.advance(7.0)  # the request's window has closed, 6 s
    life.line.settle()
    assert life.book() == [(0.0, FIRST, DONE)]


def test_stop_that_cannot_be_recorded_is_not_sent(start: Start) -> None:  # noqa: F811  the fixture
    life = start()
    life.journal.is_full = True
    life.orders.protect(account())
    life.line.settle()
    assert life.placed() == []


@pytest.mark.parametrize(("rests_stop", "execution"), [(True, "simulated"), (1, "exchange")])
def test_wish_must_make_sense(rests_stop: Any, execution: str) -> None:
    from tests.unit.live.markets import session_config

    with pytest.raises(ConfigError, match="rests_stop must be a bool, and True only when execution is 'exchange'"):
        session_config(rests_stop=rests_stop, execution=execution)
