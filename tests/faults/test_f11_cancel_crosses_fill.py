"""F11: a cancel and a fill cross: whatever is told first, the fill is booked, once, and the order ends."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from tests.unit.live.fake_exchange import own_trade, state_of
from tests.unit.live.test_order_line import Desk, cancel, request
from workbench.core.reports import DONE
from workbench.exchange import Accepted, Refused


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    made.exchange.answer("place", Accepted(state_of(made.name(1), "accepted", filled=0.0)))
    made.send(request(1, "limit", may_rest=True))
    yield made
    made.line.close()


def quantities(reports: list[Any]) -> list[float]:
    return [quantity for quantity, _, _, _ in reports if quantity]


def test_filled_after_cancelled(desk: Desk) -> None:
    desk.send(cancel(1))
    assert desk.reports() == [(0.0, 0.0, 1, DONE)]
    desk.line.put("own", state_of(desk.name(1), "filled"), own_trade(desk.name(1), 1.0))
    assert desk.reports() == [(1.0, 100.0, 1, DONE)]
    assert desk.orders.outstanding == 0


def test_a_cancel_that_comes_too_late_ends_with_the_fill(desk: Desk) -> None:
    desk.exchange.answer("cancel", Refused("no such open order", "not_found"))
    desk.exchange.answer("order", state_of(desk.name(1), "filled"))
    desk.send(cancel(1))
    assert (desk.reports(), desk.orders.outstanding) == ([], 1)
    desk.line.put("own", own_trade(desk.name(1), 1.0))
    assert (desk.reports(), desk.orders.outstanding) == ([(1.0, 100.0, 1, DONE)], 0)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_partial_fill_and_its_cancel_in_any_order(desk: Desk, order: tuple[int, ...]) -> None:
    trade = own_trade(desk.name(1), 0.25)
    told = [
        state_of(desk.name(1), "partly_filled", filled=0.25),
        state_of(desk.name(1), "cancelled", filled=0.25),
        trade,
        trade,
    ]
    for which in order:
        desk.line.put("own", told[which])
    reports = desk.reports()
    assert quantities(reports) == [0.25]
    assert [flags for *_, flags in reports].count(DONE) == 1
    assert desk.exchange.asked("cancel") == []


def test_an_order_that_trades_on_after_its_cancel_is_cancelled_again(desk: Desk) -> None:
    name = desk.name(1)
    desk.line.put("own", state_of(name, "cancelled", filled=0.0))
    assert desk.reports() == [(0.0, 0.0, 1, DONE)]
    # It was not: a part of it is filled later, and the rest still waits at the exchange.
    desk.line.put("own", state_of(name, "partly_filled", filled=0.25), own_trade(name, 0.25))
    assert quantities(desk.reports()) == [0.25]
    desk.line.settle()
    assert [called for (called,) in desk.exchange.asked("cancel")] == [name]
