from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tests.unit.core.order_state.order_reports import Report, intent
from workbench.core.order_state import (
    RETRIES_S,
    Cancel,
    Doubted,
    Ended,
    Failed,
    Found,
    Journal,
    Looked,
    Now,
    Procedures,
    Query,
    Refused,
    Send,
    Sleep,
    Tell,
    Told,
)

ACCEPTED = Found(Report("accepted"))
ONE = Procedures()


def play(procedure: Generator[Any, Any, Any], *answers: Any, most: int = 1_000) -> tuple[list[Any], Any]:
    """Answer a procedure's questions in turn, and nothing to the rest; return its effects and what it came to."""
    left = list(answers)
    effects: list[Any] = []
    answer: Any = None
    while len(effects) < most:
        try:
            effects.append(procedure.send(answer))
        except StopIteration as end:
            assert not left
            return effects, end.value
        is_asked = not isinstance(effects[-1], Sleep | Tell | Told)
        if is_asked and not left:
            return effects, "asks on"
        answer = left.pop(0) if is_asked else None
    return effects, "goes on"


def kinds(effects: list[Any]) -> list[str]:
    return [type(one).__name__ for one in effects]


def test_an_order_is_recorded_then_sent_once() -> None:
    effects, placed = play(ONE.place(intent()), True, 0, ACCEPTED)
    assert effects == [Journal(intent()), Now(), Send(intent())]
    assert placed == ACCEPTED


def test_an_intent_that_cannot_be_recorded_is_not_sent() -> None:
    effects, placed = play(ONE.place(intent()), False)
    assert (kinds(effects), placed) == (["Journal"], Ended("expired", "it could not be recorded"))


@pytest.mark.parametrize(("now_ns", "is_sent"), [(99, True), (100, False)])
def test_an_intent_that_is_too_old_is_not_sent(now_ns: int, *, is_sent: bool) -> None:
    effects, placed = play(ONE.place(intent(expires_ns=100)), True, now_ns, *([ACCEPTED] if is_sent else []))
    assert (Send(intent()) in effects) == is_sent
    assert placed == (ACCEPTED if is_sent else Ended("expired", "it was too old to be sent"))


def test_an_exit_that_was_not_sent_waits_before_the_next_one() -> None:
    effects, _ = play(ONE.place(intent(is_exit=True)), False)
    assert effects[1:] == [Sleep(1.0)]


def test_a_doubt_is_asked_for_and_never_sent_again() -> None:
    doubt = Doubted("no answer", closes_ns=50)
    looks = [Looked(None, 10), Failed("no answer"), Looked(Report("filled", 1.0), 20)]
    effects, placed = play(ONE.place(intent()), True, 0, doubt, *looks)
    assert kinds(effects) == ["Journal", "Now", "Send", "Tell", "Query", "Sleep", "Query", "Sleep", "Query"]
    assert placed == Found(Report("filled", 1.0))


def test_not_found_counts_only_when_it_was_asked_after_the_window_closed() -> None:
    doubt = Doubted("no answer", closes_ns=50)
    effects, placed = play(ONE.resolve(intent(), doubt), Looked(None, 49), Looked(None, 50))
    assert kinds(effects) == ["Query", "Sleep", "Query"]
    assert isinstance(placed, Ended)
    assert placed.status == "never_arrived"


def test_without_a_window_not_found_never_counts() -> None:
    never = [Looked(None, 10**18)] * 200
    effects, placed = play(ONE.resolve(intent(), Doubted("no answer", None)), *never)
    assert placed == "asks on"
    (told,) = (one for one in effects if isinstance(one, Tell))
    assert told == Tell(
        "wb-1 stays unknown: no answer; look at the exchange, nothing was sent again", needs_person=True
    )
    waits = [one.duration_s for one in effects if isinstance(one, Sleep)]
    assert waits == [0.5] * 119 + [30.0] * 81  # a minute, then now and then


def test_an_answer_that_asking_cannot_get_is_told_at_once_and_asked_for_slowly() -> None:
    refused = [Failed("the key is not accepted", may_repeat=False)] * 3
    effects, _ = play(ONE.resolve(intent(), Doubted("no answer", 50)), *refused)
    assert kinds(effects) == ["Query", "Tell", "Sleep", "Query", "Sleep", "Query", "Sleep", "Query"]
    assert {one.duration_s for one in effects if isinstance(one, Sleep)} == {30.0}


def test_an_order_of_a_process_that_is_gone_is_asked_for_and_not_sent() -> None:
    effects, placed = play(ONE.recover(intent(), 50), Looked(None, 49), Looked(None, 51))
    assert kinds(effects) == ["Query", "Sleep", "Query"]
    assert isinstance(placed, Ended)


def test_a_refused_entry_ends_at_once() -> None:
    effects, placed = play(ONE.place(intent()), True, 0, Refused("no money"))
    assert (kinds(effects)[-1], placed) == ("Send", Ended("rejected", "no money"))


@pytest.mark.parametrize("answer", [Refused("no money"), Found(Report("rejected"))])
def test_a_refused_exit_is_held_back_longer_each_time_and_then_for_good(answer: Any) -> None:
    for before, wait_s in enumerate(RETRIES_S):
        effects, placed = play(ONE.place(intent(is_exit=True), before), True, 0, answer)
        assert effects[3:] == [Sleep(wait_s)]
        assert placed in (Ended("rejected", "no money"), answer)
    effects, placed = play(ONE.place(intent(is_exit=True), 5), True, 0, answer)
    assert placed is None
    (told,) = effects[3:]
    assert told.needs_person
    assert "BTC/USDT is UNPROTECTED: its exit was refused 6 times" in told.text


def test_a_cancel_ends_with_a_state_of_the_order_and_with_nothing_else() -> None:
    looks = [Failed("?"), Looked(None, 0), Failed("?"), Failed("line down"), Found(Report("accepted"))]
    effects, _ = play(ONE.cancel(intent()), *looks, Found(Report("cancelled", 0.5)))
    assert effects == [
        Cancel("BTC/USDT", "wb-1"), Query("BTC/USDT", "wb-1"),
        Sleep(1.0), Cancel("BTC/USDT", "wb-1"), Query("BTC/USDT", "wb-1"),
        Sleep(2.0), Cancel("BTC/USDT", "wb-1"), Told("wb-1", Report("accepted")),
        Sleep(5.0), Cancel("BTC/USDT", "wb-1"), Told("wb-1", Report("cancelled", 0.5)),
    ]  # fmt: skip


def test_a_cancel_that_crosses_a_fill_tells_of_the_fill() -> None:
    effects, _ = play(ONE.cancel(intent()), Failed("no such order"), Looked(Report("filled", 1.0), 0))
    assert effects[-1] == Told("wb-1", Report("filled", 1.0))


def test_a_cancel_that_never_comes_to_an_end_needs_a_person() -> None:
    effects, _ = play(ONE.cancel(intent()), *[Failed("line down")] * 12)
    assert effects[-1] == Tell(
        "order 1 (buy 1 BTC/USDT) could not be cancelled: line down; look at the exchange, and cancel it there",
        needs_person=True,
    )


def test_an_open_order_is_asked_for_now_and_then_until_it_is_not() -> None:
    looks = [Failed("?"), Looked(None, 0), Looked(Report("accepted"), 0), Looked(Report("expired"), 0)]
    effects, _ = play(ONE.follow(intent()), *looks)
    assert kinds(effects) == ["Sleep", "Query"] * 3 + ["Told", "Sleep", "Query", "Told"]
