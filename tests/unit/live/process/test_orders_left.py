"""What a session without a process may have left at the exchange, by its journal, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.process_sessions import process_config
from tests.unit.live.fake_exchange import state_of
from tests.unit.live.markets import BTC, MIDNIGHT
from workbench.core.order_state import Intent
from workbench.core.reports import RESTING_STOPS
from workbench.errors import SessionError
from workbench.live.journal import Journal
from workbench.live.order_notes import ended_body, intent_body, state_body
from workbench.live.process.folders import SessionFolder
from workbench.live.process.orders_left import has_traded, orders_left
from workbench.live.process.record import FINISHED, read_record
from workbench.live.process.registry import SessionRegistry
from workbench.live.process.session_info import look_at
from workbench.live.process.stopping import end_sessions

Write = Callable[..., SessionFolder]


def intent(number: int, **changes: Any) -> Intent:
    settings: dict[str, Any] = {
        "number": number, "client_order_id": f"wb-{number}", "symbol": BTC, "side": "buy", "quantity": 1.0,
        "kind": "limit", "price": 90.0, "time_in_force": "gtc", "is_exit": False, "time_ns": MIDNIGHT,
        "expires_ns": MIDNIGHT,
    }  # fmt: skip
    return Intent(**{**settings, **changes})


def state(number: int, status: str) -> tuple[str, dict[str, Any]]:
    return "order_state", state_body(number, f"wb-{number}", state_of(f"wb-{number}", status, filled=0.0))


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Write the folder of a session whose process died before it was ready, with notes of the kind and body given."""

    def write(*notes: tuple[str, dict[str, Any]]) -> SessionFolder:
        folder = SessionFolder(tmp_path, "one").make()
        folder.config.write_text('{"session_id": "the-one"}')
        with Journal.create(folder.journal, session_id="the-one", header={}, has_ballast=False) as journal:
            for kind, body in notes:
                journal.note(kind, MIDNIGHT, body)
            journal.commit()
        return folder

    return write


WANTED = ("intent", intent_body(intent(1)))


@pytest.mark.parametrize(
    ("notes", "is_left"),
    [
        ([], True),
        ([state(1, "accepted")], True),
        ([state(1, "cancelled")], False),
        ([("outcome", ended_body(1, "wb-1", "unknown", "no answer"))], True),
        ([("outcome", ended_body(1, "wb-1", "never_arrived", "it is too late"))], False),
    ],
)
def test_an_order_is_left_until_its_end_is_known(
    written: Write, notes: list[tuple[str, dict[str, Any]]], *, is_left: bool
) -> None:
    folder = written(WANTED, *notes)
    assert orders_left(folder) == (("limit buy 1 BTC/USDT at 90 (wb-1)",) if is_left else ())


def test_an_order_that_was_seen_open_after_its_end_is_left_until_it_is_cancelled(written: Write) -> None:
    ended = ("outcome", ended_body(1, "wb-1", "never_arrived", "a person has looked at the exchange"))
    folder = written(WANTED, ended, state(1, "accepted"))
    assert orders_left(folder) == ("limit buy 1 BTC/USDT at 90 (wb-1)",)
    with Journal.open(folder.journal, has_ballast=False) as journal:
        kind, body = state(1, "cancelled")
        journal.note(kind, MIDNIGHT, body)
        journal.commit()
    assert orders_left(folder) == ()


def test_a_stop_that_rests_is_not_left(written: Write) -> None:
    stop = intent(RESTING_STOPS, kind="stop", side="sell", is_exit=True)
    assert orders_left(written(("intent", intent_body(stop)), state(RESTING_STOPS, "accepted"))) == ()


def test_a_journal_that_is_damaged_hides_what_was_left(written: Write) -> None:
    folder = written()
    assert not has_traded(folder)
    folder.journal.write_bytes(b"no journal at all")
    assert has_traded(folder)
    (text,) = orders_left(folder)
    assert "nobody knows" in text


def test_a_note_that_is_not_as_it_was_written_hides_what_was_left(written: Write) -> None:
    body = {"client_order_id": "wb-1", "number": 1, "kind": "limit"}
    (text,) = orders_left(written(("intent", body)))
    assert "nobody knows" in text


# ---- a process that died before it was ready, and after it began to trade ----


def test_a_session_that_sent_an_order_before_it_was_ready_is_no_unborn_one(written: Write) -> None:
    info = look_at(written(WANTED))
    assert info.state == "CRASHED"
    assert "died just as it began to trade; position unmanaged; `workbench resume one`" in info.reason


def test_a_session_that_sent_nothing_before_it_was_ready_is_unborn(written: Write) -> None:
    assert look_at(written()).state == "UNBORN"


def test_a_stop_of_a_session_that_died_before_it_was_ready_starts_it_to_cancel(
    written: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(WANTED)
    begun: list[str] = []

    def begin(folder: SessionFolder, _timeout_s: float) -> str:
        begun.append(folder.name)
        return "the exchange is away"

    monkeypatch.setattr("workbench.live.process.stopping._begin", begin)
    end_sessions([look_at(folder)], "stop", timeout_s=3.0)
    info = look_at(folder)
    assert (begun, info.state, info.is_finished) == (["one"], "CRASHED", False)
    assert info.reason.startswith("not stopped yet (")
    assert "the exchange is away" in info.reason
    assert "limit buy 1 BTC/USDT at 90 (wb-1)" in info.reason
    end_sessions([info], "kill")
    record = read_record(folder)
    assert record is not None
    assert (record.phase, record.session_id) == (FINISHED, "the-one")


def test_a_start_that_fails_puts_no_session_aside_that_has_sent_an_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = SessionRegistry(tmp_path)

    def dies(_self: SessionRegistry, folder: SessionFolder, _mode: str) -> None:
        with Journal.create(folder.journal, session_id="the-one", header={}, has_ballast=False) as journal:
            journal.note(WANTED[0], MIDNIGHT, WANTED[1])
            journal.commit()
        raise SessionError("its process died before it was ready")

    monkeypatch.setattr(SessionRegistry, "_ask", dies)
    with pytest.raises(SessionError, match="died before it was ready"):
        registry.start(process_config("one"))
    assert [(info.name, info.state) for info in registry.list()] == [("one", "CRASHED")]
