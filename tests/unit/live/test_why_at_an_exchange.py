"""Why an order at an exchange happened, and the course that it took there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.live.exchange_story import (
    NAME,
    Dips,
    at,
    exchange_config,
    exchange_record,
    intent_of,
)
from tests.unit.live.markets import BTC, MIDNIGHT, MINUTE
from tests.unit.live.recordings import closed, recorded, report, tick, told
from workbench.live.order_notes import cancel_body, ended_body
from workbench.live.order_story import Execution, Moment
from workbench.live.why import explain_order
from workbench.model import ExchangeRequest, Fill, RiskConfig


def test_an_order_at_an_exchange_is_told_with_its_course_and_the_time_that_each_step_took() -> None:
    story = explain_order(exchange_config(), exchange_record(), 0)
    assert (story.kind, story.number, story.client_order_id, story.order_type) == ("request", 0, NAME, "market")
    assert story.decision is not None
    assert story.decision.bar.time_ns == MIDNIGHT
    # (1 * 101 + 3 * 102) / 4
    assert story.outcome == "filled 4 at 101.75"
    assert story.executions == (Execution(at(62), 1.0, 101.0, 0.1), Execution(at(63), 3.0, 102.0, 0.1))
    assert [(moment.what, moment.time_ns) for moment in story.moments] == [
        ("bar closed", at(60)),
        ("ordered", at(61)),
        ("intent", at(61)),
        ("sent", at(61.125)),
        ("outcome", at(61.1875)),
        ("answer", at(61.25)),
        ("trade", at(62)),
        ("trade", at(63)),
        ("answer", at(63)),
    ]
    text = str(story)
    assert f"request 0 ({NAME}) of test: buy 4 BTC/USDT, market (entry); filled 4 at 101.75" in text
    assert "+125.000 ms sent: left for the exchange" in text
    assert "+62.500 ms outcome: unknown: no answer in 10 s" in text
    assert "+62.500 ms answer: accepted, 0 of 4 filled" in text
    assert "+750.000 ms trade: 1 at 101, fee 0.1 USDT" in text
    assert "intent: market buy 4, gtc, recorded before it left" in text
    assert [check.rule for check in story.checks] == ["max_leverage", "insufficient_funds"]


def test_it_is_found_by_number_by_name_and_by_each_of_its_fills() -> None:
    config, record = exchange_config(), exchange_record()
    story = explain_order(config, record, 0)
    first = Fill(0, BTC, "buy", 1.0, 101.0, 0.1, at(62), "signal", is_maker=False)
    second = Fill(1, BTC, "buy", 3.0, 102.0, 0.1, at(63), "signal", is_maker=False)
    assert [explain_order(config, record, order) for order in (NAME, first, second)] == [story] * 3


def test_without_notes_the_record_tells_what_it_can() -> None:
    rows = exchange_record().read().tolist()
    story = explain_order(exchange_config(), recorded(*rows), 0)
    assert story.client_order_id is None
    assert story.outcome == "filled 4 at 101.75"
    assert [moment.what for moment in story.moments] == ["bar closed", "ordered", "fill", "fill"]


@pytest.mark.parametrize(
    ("kind", "status", "reason", "rows", "outcome"),
    [
        ("refused", "rejected", "not enough", (report(62, 0, 0.0, 0.0, is_done=True),), "rejected: not enough"),
        ("outcome", "never_arrived", "asked until it could not", (), "never arrived: asked until it could not"),
        (None, "", "", (report(62, 0, 0.0, 0.0, is_done=True),), "ended with nothing filled"),
        (None, "", "", (), "the exchange has not said yet what became of it"),
    ],
)
def test_an_order_that_filled_nothing_tells_why(
    kind: str | None, status: str, reason: str, rows: tuple[Any, ...], outcome: str
) -> None:
    record = recorded(tick(0, 101.0), closed(0, 101.0), tick(61, 101.0), *rows)
    record.note("intent", at(61), intent_of())
    if kind is not None:
        record.note(kind, at(62), ended_body(0, NAME, status, reason))
    story = explain_order(exchange_config(), record, 0)
    assert (story.outcome, story.executions) == (outcome, ())


def test_a_protective_exit_at_an_exchange_tells_its_level() -> None:
    # Bought at 101: 2 % below is 98.98, and 98 is the first price beyond.
    record = recorded(
        *exchange_record().read()[:3].tolist(), report(62, 0, 4.0, 101.0, is_done=True), tick(70, 99.0), tick(71, 98.0)
    )
    story = explain_order(exchange_config(risk=RiskConfig(stop_loss=0.02)), record, 1)
    assert (story.is_exit, story.reason, story.time_ns) == (True, "stop_loss", at(71))
    assert story.trigger is not None
    assert (story.trigger.level, story.trigger.price) == (98.98, 98.0)
    assert story.trigger.text.endswith("-2 % from the entry at 101")


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (told(80, "stop"), "stop was asked, which cancels entries that wait"),
        (told(80, "flatten"), "flatten was asked, which cancels entries that wait"),
        (closed(2, 101.0), None),
    ],
)
def test_a_cancel_tells_who_cancelled(row: Any, text: str | None) -> None:
    # The second bar, the first with a mean, rests a purchase at 99; the third renews it, which cancels the first.
    record = recorded(tick(0, 101.0), closed(0, 101.0), tick(61, 101.0), closed(1, 101.0), tick(121, 101.0), row)
    config = exchange_config(strategy=Dips())
    cancel = ExchangeRequest(1, BTC, "buy", 1.0, "cancel", 0.0, at(80), "signal", is_exit=False, may_rest=False)
    if text is None:
        record.append(recorded(tick(181, 101.0)).read())
    record.note("intent", at(121), intent_of(kind="limit", price=99.0))
    record.note("intent", at(122), cancel_body(cancel, "wb0123456789abcdn1"))
    story = explain_order(config, record, 1)
    assert story.order_type == "cancel"
    assert story.checks == ()
    if text is None:
        assert story.trigger is None
        assert story.decision is not None
        assert story.decision.bar.time_ns == MIDNIGHT + 2 * MINUTE
    else:
        assert story.trigger is not None
        assert story.trigger.text == text
    assert "cancels order 0 of BTC/USDT" in str(story)
    assert [moment.text for moment in story.moments if moment.what == "intent"] == ["to cancel order 0"]
    # And the order itself knows of it.
    waiting = explain_order(config, record, 0)
    assert Moment(at(122), "intent", "to cancel order 0") in waiting.moments


def test_what_the_exchange_reported_of_no_order_of_ours_is_said_to_be_so() -> None:
    record = recorded(tick(0, 90.0), report(10, -1, 2.0, 95.0))
    story = explain_order(exchange_config(), record, Fill(0, BTC, "buy", 2.0, 95.0, 0.0, at(10), "signal", False))
    assert story.trigger is not None
    assert "of no order of this session" in story.trigger.text
    assert (story.decision, story.checks) == (None, ())
