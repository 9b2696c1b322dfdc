"""When the account is looked at, which `tests/faults/test_f30_other_holdings.py` tests with a whole session."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from workbench.live.account_watch import AccountWatch
from workbench.live.clock import ManualClock
from workbench.live.spool import EventSpool
from workbench.model import Instrument

SECOND = 1_000_000_000


class Orders(SimpleNamespace):
    """An order line of which only what the watch asks is there."""

    outstanding = 0
    asked = 0
    unbooked: Any = None

    @property
    def holdings(self) -> Orders:
        return self

    def ask(self) -> dict[str, float]:
        return {}

    def take(self, *, is_busy: bool) -> Any:
        return None if is_busy else self.__dict__.pop("held", None)

    def look(self) -> None:
        self.asked += 1


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(0)


def test_a_look_is_due_every_half_minute(clock: ManualClock) -> None:
    orders = Orders()
    watch = AccountWatch(cast("Any", orders), (), EventSpool(), clock)
    assert watch.next_ns() == 30 * SECOND
    clock.advance(20 * SECOND)
    watch.look(cast("Any", None), 0)
    assert (orders.asked, watch.next_ns()) == (0, 10 * SECOND)  # 30 - 20
    clock.advance(10 * SECOND)
    watch.look(cast("Any", None), 0)
    assert (orders.asked, watch.next_ns()) == (1, 30 * SECOND)


def test_while_an_order_is_open_nobody_waits_for_a_look_that_is_not_taken(clock: ManualClock) -> None:
    orders = Orders(outstanding=1)
    watch = AccountWatch(cast("Any", orders), (), EventSpool(), clock)
    clock.advance(300 * SECOND)
    watch.look(cast("Any", None), 0)
    # A session that waits for 0 s turns without a pause until the order's fate is known.
    assert (orders.asked, watch.next_ns()) == (0, 30 * SECOND)
    orders.outstanding = 0
    watch.look(cast("Any", None), 0)
    assert orders.asked == 1


def test_a_difference_is_certain_only_after_longer_than_an_exchange_s_lists_lag(clock: ManualClock) -> None:
    orders = Orders(unbooked={}, held=None)
    orders.look = lambda: setattr(orders, "held", {"BTC/USDT": 1.0})
    watch = AccountWatch(cast("Any", orders), (Instrument.of("BTC/USDT"),), EventSpool(), clock)
    account = cast("Any", SimpleNamespace(positions=()))
    clock.advance(30 * SECOND)
    waits = []
    while not watch.differences:
        waits.append(watch.next_ns())
        clock.advance(waits[-1])
        watch.look(account, 0)
        watch.look(account, 0)
    # Seen, 8 s later, and 8 s later again: 16 s, and lists lag by 10 at most.
    assert waits == [0, 8 * SECOND, 8 * SECOND]
