"""A record that is run again and asks for something else than it did: nothing is opened on it any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.live.fake_journal import FakeNote
from tests.unit.live.markets import MIDNIGHT
from tests.unit.live.test_order_line import cancel, request
from workbench.core.reports import RESTING_STOPS
from workbench.errors import JournalError
from workbench.live.journal.note import canonical_text
from workbench.live.order_effects import intent_of
from workbench.live.order_notes import cancel_body, intent_body
from workbench.live.replay_check import doubt_of
from workbench.model import ExchangeRequest

ENTRY = request(1, "limit", may_rest=True)
EXIT = request(3, side="sell", is_exit=True)
ALL = (request(0), ENTRY, replace(cancel(1), number=2), EXIT)


def note(one: ExchangeRequest, **changes: Any) -> FakeNote:
    body = cancel_body(one, "wb") if one.cancels is not None else intent_body(intent_of(one, "wb", MIDNIGHT))
    return FakeNote("intent", MIDNIGHT, canonical_text({**body, **changes}, "body"))


def test_a_replay_that_asks_for_what_was_recorded_is_beyond_doubt() -> None:
    assert doubt_of([note(one) for one in ALL], ALL) is None
    # The last two were asked for, and not recorded: the process died before.
    assert doubt_of([note(one) for one in ALL[:2]], ALL) is None
    assert doubt_of([], ()) is None


def test_an_exit_of_which_a_stop_has_closed_a_part_is_no_difference() -> None:
    assert doubt_of([note(EXIT, quantity=0.25)], ALL) is None
    assert doubt_of([note(EXIT, quantity=1.5)], ALL) is not None


def test_stops_that_rest_at_the_exchange_are_not_the_core_s() -> None:
    stop = replace(EXIT, number=RESTING_STOPS)
    assert doubt_of([note(one) for one in (*ALL, stop)], ALL) is None


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "ETH/USDT"},
        {"side": "sell"},
        {"quantity": 0.5},
        {"kind": "stop"},
        {"price": 99.0},
        {"time_in_force": "ioc"},
        {"is_exit": True, "quantity": 2.0},
        {"is_exit": True},
        {"time_ns": MIDNIGHT + 1},
    ],
)
def test_an_order_that_was_another_one_is_a_doubt(change: dict[str, Any]) -> None:
    doubt = doubt_of([note(ALL[0]), note(ENTRY, **change)], ALL)
    assert doubt is not None
    assert "order 1 was " in doubt


def test_a_doubt_says_what_was_and_what_would_be() -> None:
    doubt = doubt_of([note(ENTRY), note(ALL[2], number=3, cancels=1)], ALL)
    assert doubt is not None
    assert "order 3 was the cancel of order 1 and would be market sell 1 BTC/USDT now" in doubt
    doubt = doubt_of([note(ENTRY, number=2)], ALL)
    assert doubt is not None
    assert "order 2 was limit buy 1 BTC/USDT and would be the cancel of order 1 now" in doubt
    assert doubt_of([note(ALL[2], cancels=0)], ALL) is not None


def test_a_replay_with_fewer_orders_can_send_nothing_for_want_of_free_names() -> None:
    with pytest.raises(JournalError, match="order 3 was market sell 1 BTC/USDT and would be nothing now"):
        doubt_of([note(one) for one in ALL], ALL[:3])
