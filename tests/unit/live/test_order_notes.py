"""What is noted of orders gives the same again when it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.live.fake_exchange import own_trade, state_of
from tests.unit.live.fake_journal import FakeNote
from tests.unit.live.markets import BTC, MIDNIGHT
from workbench.core.order_state import Ended, Intent
from workbench.live.order_notes import NoteReader, ended_body, intent_body, state_body, trade_body
from workbench.live.report_book import ReportBook
from workbench.model import Instrument

INTENT = Intent(
    number=1, client_order_id="wb-1", symbol=BTC, side="buy", quantity=0.1 + 0.2, kind="limit", price=1 / 3,
    time_in_force="gtc", is_exit=False, time_ns=MIDNIGHT, expires_ns=MIDNIGHT + 1,
)  # fmt: skip


def read(*notes: tuple[str, dict[str, Any]]) -> ReportBook:
    book = ReportBook((Instrument(BTC, lot=0.001),))
    reader = NoteReader(book)
    for kind, body in notes:
        reader.read(FakeNote(kind, MIDNIGHT, json.dumps(body)))
    return book


def status(book: ReportBook) -> str:
    order = book.orders.get(1)
    assert order is not None
    return order.status


def test_an_intent_comes_back_bit_for_bit() -> None:
    order = read(("intent", intent_body(INTENT))).orders.get(1)
    assert order is not None
    assert order.intent == INTENT


@pytest.mark.parametrize(
    ("kind", "body", "then"),
    [
        ("sent", {"client_order_id": "wb-1", "number": 1}, "sent"),
        ("outcome", ended_body(1, "wb-1", "unknown", "no answer"), "unknown"),
        ("outcome", ended_body(1, "wb-1", "never_arrived", "no such order"), "never_arrived"),
        ("refused", ended_body(1, "wb-1", "rejected", "no money"), "rejected"),
        ("order_state", state_body(1, "wb-1", state_of("wb-1", "cancelled", filled=0.0)), "cancelled"),
        ("order_state", state_body(1, "wb-1", state_of("wb-1", "partly_filled", filled=0.1)), "partially_filled"),
        ("trade", {"complete_to_ns": MIDNIGHT}, "intent"),
    ],
)
def test_each_note_moves_an_order_as_what_it_tells_of_did(kind: str, body: dict[str, Any], then: str) -> None:
    assert status(read(("intent", intent_body(INTENT)), (kind, body))) == then


def test_the_same_notes_make_the_same_reports() -> None:
    lived = ReportBook((Instrument(BTC, lot=0.001),))
    lived.expect(INTENT)
    trades = [own_trade("wb-1", 0.1, 100.1, fee=0.0001, fee_currency="BTC") for _ in range(3)]
    state = state_of("wb-1", "filled", quantity=0.3)
    lived.trade(trades[0])  # before it is known whose it is
    lived.state(1, state)
    lived.trade(trades[1])
    lived.trade(trades[2])
    noted = [("trade", trade_body(one)) for one in trades]
    noted.insert(1, ("order_state", state_body(1, "wb-1", state)))
    assert read(("intent", intent_body(INTENT)), *noted).take() == lived.take()


def test_what_ended_is_done() -> None:
    lived = ReportBook((Instrument(BTC),))
    lived.expect(INTENT)
    lived.end(1, Ended("expired", "too old"))
    notes = [("intent", intent_body(INTENT)), ("outcome", ended_body(1, "wb-1", "expired", "too old"))]
    assert read(*notes).take() == lived.take() != []
