"""What an order line keeps, and what it does with the orders of a process that is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.manual_timing import ManualTiming
from tests.unit.live.fake_exchange import FakeExchange, SteppedLine, own_trade, state_of
from tests.unit.live.fake_journal import FakeJournal, FakeNote
from tests.unit.live.markets import BTC, MIDNIGHT, SECOND
from tests.unit.live.test_order_line import cancel, request, unknown
from workbench.core.reports import DONE
from workbench.errors import AuthError, ExchangeTimeoutError, JournalError
from workbench.exchange import Accepted, Refused, Unknown
from workbench.live.order_line import OrderLine
from workbench.model import ExchangeRequest, Instrument

Start = Callable[[], "Life"]


class Life:
    """One process of a session, with the exchange and the journal that outlive it."""

    def __init__(self, exchange: FakeExchange, journal: FakeJournal, timing: ManualTiming) -> None:
        self.exchange = exchange
        self.journal = journal
        self.timing = timing
        self.line = SteppedLine(exchange, timing)
        self.orders = OrderLine(self.line, (Instrument(BTC),), "session")  # type: ignore[arg-type]  # stands in for the real line
        self.orders.record(journal)
        self.line.settle()

    def name(self, number: int) -> str:
        return self.orders.client_order_id(number)

    def send(self, *requests: ExchangeRequest) -> None:
        self.orders.send(requests)
        self.line.settle()

    def restore(self, *requests: ExchangeRequest) -> None:
        self.orders.restore(self.journal.notes, requests, self.journal.reports())
        self.line.settle()

    def book(self) -> list[tuple[float, int, int]]:
        """Do as a session does: book what came in one transaction; return (signed quantity, number, flags)."""
        rows = self.orders.take()
        self.journal.append(rows)
        self.orders._record.commit()  # noqa: SLF001  as the session's loop does
        return [(row[3], int(row[6]), int(row[7])) for row in rows.tolist()]

    def placed(self) -> list[str]:
        return [ticket.client_order_id for (ticket,) in self.exchange.asked("place")]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process; the one before it is killed, and what it did not commit is lost."""
    exchange, journal, timing = FakeExchange(), FakeJournal(), ManualTiming(MIDNIGHT)
    lives: list[Life] = []

    def begin() -> Life:
        if lives:
            lives[-1].line.close()
            journal.crash()
            exchange.streams.clear()
        lives.append(Life(exchange, journal, timing))
        return lives[-1]

    yield begin
    lives[-1].line.close()


# ---- what is kept ----


def test_an_intent_is_durable_when_its_order_leaves(start: Start) -> None:
    life = start()
    kept: list[list[Any]] = []

    def place(ticket: Any) -> Any:
        kept.append([note.body for note in life.journal.notes])
        return Accepted(state_of(ticket.client_order_id))

    life.exchange.answer("place", place)
    life.send(request(1), request(2, "limit", may_rest=True))
    # Both in one transaction, before either leaves.
    assert [[body["number"] for body in bodies] for bodies in kept] == [[1, 2], [1, 2]]
    one, two = kept[0]
    assert one == {
        "number": 1, "client_order_id": life.name(1), "symbol": BTC, "side": "buy", "quantity": 1.0, "kind": "market",
        "price": None, "time_in_force": "gtc", "is_exit": False, "time_ns": MIDNIGHT,
        "expires_ns": MIDNIGHT + 10 * SECOND,
    }  # fmt: skip
    assert (two["kind"], two["price"]) == ("limit", 100.0)


def test_a_commit_that_fails_lets_no_order_leave(start: Start) -> None:
    life = start()
    life.journal.is_full = True
    life.send(request(1))
    assert life.placed() == []
    assert life.book() == [(0.0, 1, DONE)]
    life.book()
    notices = life.orders.notices()
    assert any(one.needs_person and "the disk is full" in one.text for one in notices)
    assert "order 1 was not sent: it could not be recorded" in [one.text for one in notices]
    life.journal.is_full = False
    life.send(request(2))
    assert life.placed() == [life.name(2)]
    assert life.journal.kinds() == ["intent", "outcome", "intent"]


def test_an_exit_that_cannot_be_recorded_is_not_asked_for_again_at_once(start: Start) -> None:
    life = start()
    life.journal.is_full = True
    life.send(request(1, is_exit=True, side="sell"))
    assert life.book() == []
    life.line.pass_time(1.0)
    assert life.book() == [(0.0, 1, DONE)]


def test_a_cancel_goes_out_although_nothing_can_be_recorded(start: Start) -> None:
    life = start()
    life.exchange.answer("place", Accepted(state_of(life.name(1), "accepted", filled=0.0)))
    life.send(request(1, "limit", may_rest=True))
    life.book()
    life.journal.is_full = True
    life.send(cancel(1))
    assert life.exchange.asked("cancel") == [[life.name(1)]]


def test_a_number_that_was_used_before_is_never_sent(start: Start) -> None:
    life = start()
    life.send(request(1))
    life.send(request(1))
    assert (len(life.placed()), life.book()) == (1, [])
    assert "order 1 was asked for twice; it is not sent again" in [one.text for one in life.orders.notices()]
    life.line.put("own", own_trade(life.name(1), 1.0))
    assert life.book() == [(1.0, 1, DONE)]


def test_an_intent_that_the_journal_has_already_is_not_sent(start: Start) -> None:
    life = start()
    life.send(request(1))
    life = start()  # and nothing is restored
    life.send(request(1))
    assert len(life.placed()) == 1
    assert any("has an intent already" in one.text for one in (life.book(), life.orders.notices())[1])


def test_an_order_that_could_not_leave_in_time_is_not_sent(start: Start) -> None:
    life = start()
    life.orders.send([request(1)])
    life.timing.advance(10.0)  # the line stands still
    life.line.settle()
    assert life.placed() == []
    assert life.book() == [(0.0, 1, DONE)]


def test_what_an_exchange_says_is_noted_once_with_the_reports_made_of_it(start: Start) -> None:
    life = start()
    life.exchange.answer("place", Accepted(state_of(life.name(1), "accepted", filled=0.0)))
    life.send(request(1))
    trade = own_trade(life.name(1), 1.0)
    for _ in range(2):
        life.line.put("own", trade, state_of(life.name(1)))
    assert life.book() == [(1.0, 1, DONE)]
    assert life.journal.kinds() == ["intent", "sent", "order_state", "trade"]
    assert (len(life.journal.rows), life.journal.notes[3].body["trade_id"]) == (1, trade.trade_id)


def test_refusals_and_doubts_are_noted(start: Start) -> None:
    life = start()
    life.exchange.answer("place", unknown(life.timing), Refused("too little money", "-2010"))
    life.send(request(1), request(2))
    life.book()
    told = [(one.kind, one.body["number"], one.body["status"]) for one in life.journal.notes if "status" in one.body]
    assert sorted(told) == [("outcome", 1, "unknown"), ("refused", 2, "rejected")]


def test_an_exchange_call_that_breaks_leaves_a_doubt(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    life = start()
    life.exchange.answer("place", KeyError("lot"))
    life.exchange.answer("order", state_of(life.name(1)))
    life.send(request(1))
    life.line.put("own", own_trade(life.name(1), 1.0))
    assert life.book() == [(1.0, 1, DONE)]
    assert "sending order" in caplog.text


# ---- what a process that is gone has left ----


def lost(start: Start, *requests: ExchangeRequest) -> Life:
    """Return a new process after one that died when its orders had left."""
    life = start()
    life.exchange.answer("place", unknown(life.timing))
    life.send(*requests or (request(1),))
    return start()


def test_an_order_without_an_end_is_found_and_not_sent_again(start: Start) -> None:
    life = lost(start)
    life.exchange.answer("order", state_of(life.name(1)))
    life.exchange.answer("own_trades", (own_trade(life.name(1), 1.0),))
    life.restore(request(1))
    assert life.book() == [(1.0, 1, DONE)]
    assert (life.placed(), life.orders.recovering) == ([life.name(1)], 0)


def test_an_order_that_is_not_found_never_arrived_once_the_window_has_closed_and_not_before(start: Start) -> None:
    life = lost(start)
    life.timing.advance(100.0)  # the window is counted from the recovery on: the clock of the dead may have been wrong
    life.restore(request(1))
    for _ in range(11):
        life.line.pass_time(0.5)
    assert (life.book(), life.orders.recovering, life.orders.outstanding) == ([], 1, 1)  # 5.5 s < 6 s
    life.line.pass_time(0.5)
    assert (life.book(), life.orders.recovering) == ([(0.0, 1, DONE)], 0)
    assert life.orders.outstanding == 0


def test_without_a_rule_at_the_exchange_a_person_decides(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeExchange, "request_closes_ns", lambda _self, _sent_ns: None)
    life = lost(start)
    life.restore(request(1))
    for _ in range(118):
        life.line.pass_time(0.5)
    assert (life.book(), life.orders.recovering) == ([], 1)
    life.line.pass_time(0.5)
    # A session must not wait for that: its other positions would have no exits. The order stays unknown.
    assert (life.book(), life.orders.recovering, life.orders.outstanding) == ([], 0, 1)
    assert [one.needs_person for one in life.orders.notices()] == [True]


def test_the_clock_is_measured_before_a_window_is_counted(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[bool] = []

    async def measure(exchange: FakeExchange) -> None:
        measured.append(exchange.asked("order") == [])
        if len(measured) < 3:
            raise ExchangeTimeoutError("no answer", exchange="fake", retryable=True)

    life = lost(start)
    monkeypatch.setattr(FakeExchange, "measure_clock", measure)
    asked = len(life.exchange.asked("order"))
    life.exchange.calls = [call for call in life.exchange.calls if call[0] != "order"]
    life.restore(request(1))
    assert (asked, life.exchange.asked("order")) == (1, [])
    for _ in range(3):
        life.line.pass_time(1.0)
    assert all(measured[:2])
    assert life.exchange.asked("order") != []


@pytest.mark.parametrize("problem", [AuthError("no", exchange="fake", retryable=False)])
def test_a_clock_that_cannot_be_measured_stops_nothing(
    start: Start, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    async def measure(_exchange: FakeExchange) -> None:
        raise problem

    life = lost(start)
    monkeypatch.setattr(FakeExchange, "measure_clock", measure)
    life.exchange.answer("order", state_of(life.name(1), "cancelled", filled=0.0))
    life.restore(request(1))
    assert life.book() == [(0.0, 1, DONE)]


def test_a_trade_is_booked_once_over_any_number_of_processes(start: Start) -> None:
    life = start()
    life.exchange.answer("place", Accepted(state_of(life.name(1), "accepted", filled=0.0)))
    life.send(request(1, "limit", may_rest=True))
    first, second = own_trade(life.name(1), 0.25), own_trade(life.name(1), 0.5)
    life.line.put("own", first)
    assert life.book() == [(0.25, 1, 0)]
    life = start()
    life.exchange.answer("own_trades", (first, second))
    life.exchange.answer("order", state_of(life.name(1), "partly_filled", filled=0.75))
    life.restore(request(1))
    assert life.book() == [(0.5, 1, 0)]
    life = start()
    life.restore(request(1))
    assert life.book() == []
    life.line.put("own", own_trade(life.name(1), 0.25))
    assert life.book() == [(0.25, 1, DONE)]


def test_own_trades_are_fetched_from_before_the_oldest_order_that_is_open(start: Start) -> None:
    life = lost(start, request(1, time_ns=MIDNIGHT - 50 * SECOND), request(2))
    life.timing.advance(1_000.0)
    life.restore()
    ((symbol, since_ns),) = life.exchange.asked("own_trades")
    # Nothing was ever known to be complete, so from before the first order; lists lag by 10 s at most.
    assert (symbol, since_ns) == (BTC, MIDNIGHT - 50 * SECOND - 10 * SECOND)


def test_own_trades_are_fetched_from_where_they_were_complete(start: Start) -> None:
    life = start()
    life.send(request(1))
    life.line.put("own", own_trade(life.name(1), 1.0))
    life.line.pass_time(60.0)
    life.book()
    assert life.journal.notes[-1].body == {"complete_to_ns": MIDNIGHT + 50 * SECOND}  # lists lag by 10 s at most
    life = start()
    life.restore(request(1))
    assert life.exchange.asked("own_trades")[-1] == [BTC, MIDNIGHT + 40 * SECOND]


def test_own_trades_are_asked_for_each_minute_while_an_order_is_open_and_not_longer(start: Start) -> None:
    life = start()
    life.exchange.answer("place", Accepted(state_of(life.name(1), "accepted", filled=0.0)))
    life.exchange.answer("order", state_of(life.name(1), "accepted", filled=0.0))
    life.send(request(1, "limit", may_rest=True))
    life.exchange.answer("own_trades", ExchangeTimeoutError("no", exchange="fake", retryable=True), ())
    asked = []
    for minute in range(6):
        if minute == 3:
            life.exchange.answer("order", state_of(life.name(1), "cancelled", filled=0.0))
        for _ in range(2):
            life.line.pass_time(30.0)
        asked.append(len(life.exchange.asked("own_trades")))
    assert asked == [1, 2, 3, 4, 5, 5]
    # What could not be had after a minute is asked for again soon, here after 30 s, and then each minute.
    since = [since_ns for _, since_ns in life.exchange.asked("own_trades")]
    assert since == [MIDNIGHT + after * SECOND for after in (-10, -10, 80, 140, 200)]
    assert life.book() == [(0.0, 1, DONE)]


def test_what_was_noted_and_not_booked_is_booked_now(start: Start) -> None:
    life = start()
    life.send(request(1))
    life.line.put("own", own_trade(life.name(1), 1.0))
    life.orders.take()
    life.journal.commit()  # the process dies before the reports are recorded
    life = start()
    life.restore(request(1))
    assert life.book() == [(1.0, 1, DONE)]
    life = start()
    life.restore(request(1))
    assert life.book() == []


def test_notes_that_contradict_what_was_booked_are_refused(start: Start) -> None:
    life = start()
    life.send(request(1))
    life.line.put("own", own_trade(life.name(1), 1.0))
    life.book()
    del life.journal.notes[-1]  # the trade
    with pytest.raises(JournalError, match="0 reports by the notes, 1 booked"):
        start().restore(request(1))


def test_a_note_that_is_not_as_it_was_written_is_refused(start: Start) -> None:
    life = start()
    life.journal.notes.append(FakeNote("order_state", 1, '{"number": 1}'))
    with pytest.raises(JournalError, match="note of kind 'order_state' is not about an order"):
        life.restore()


def test_notes_of_other_kinds_are_left_out(start: Start) -> None:
    life = start()
    life.journal.notes.append(FakeNote("command", 1, '{"name": "pause"}'))
    life.restore()
    assert (life.book(), life.exchange.asked("own_trades")) == ([], [])


def test_a_request_that_was_never_recorded_was_never_sent(start: Start) -> None:
    life = start()
    life.restore(request(1))
    assert life.book() == [(0.0, 1, DONE)]
    assert life.journal.kinds() == ["intent", "outcome"]
    life = start()
    life.restore(request(1))
    assert (life.book(), life.placed()) == ([], [])


@pytest.mark.parametrize("was_recorded", [True, False])
def test_a_cancel_that_was_wanted_goes_on(start: Start, *, was_recorded: bool) -> None:
    life = start()
    life.exchange.answer("place", Accepted(state_of(life.name(1), "accepted", filled=0.0)))
    life.send(request(1, "limit", may_rest=True))
    life.book()
    life.exchange.answer("order", state_of(life.name(1), "accepted", filled=0.0))
    if was_recorded:
        life.exchange.answer("cancel", ExchangeTimeoutError("no", exchange="fake", retryable=True))
        life.send(cancel(1))
    life = start()
    life.exchange.answer("cancel", Accepted(state_of(life.name(1), "cancelled", filled=0.0)))
    life.restore(request(1), cancel(1))
    assert life.book() == [(0.0, 1, DONE)]
    assert life.orders.outstanding == 0


def test_an_order_of_an_older_version_keeps_the_name_with_which_it_was_sent(start: Start) -> None:
    life = start()
    name = life.name(1)
    life.exchange.answer("place", Accepted(state_of(name, "accepted", filled=0.0)))
    life.send(request(1, "limit", may_rest=True))
    life.book()
    older = name.replace("n", "-")
    life.journal.notes = [note._replace(text=note.text.replace(name, older)) for note in life.journal.notes]
    life = start()
    life.exchange.answer("order", state_of(older, "accepted", filled=0.0))
    life.exchange.answer("cancel", Accepted(state_of(older, "cancelled", filled=0.25)))
    life.restore(request(1), cancel(1))
    assert (life.exchange.asked("order"), life.exchange.asked("cancel")) == ([[older]], [[older]])
    life.line.put("own", own_trade(older, 0.25))
    assert life.book() == [(0.25, 1, DONE)]
    named = {note.body["client_order_id"] for note in life.journal.notes if note.kind in ("sent", "order_state")}
    assert named == {older}
    # What is sent from now on has a name of the new kind.
    life.send(request(2))
    assert life.placed()[-1] == f"{older.partition('-')[0]}n2"


def test_an_order_that_lives_after_its_end_is_cancelled(start: Start) -> None:
    life = start()
    life.exchange.answer("place", Refused("too little money", "-2010"))
    life.send(request(1))
    assert life.book() == [(0.0, 1, DONE)]
    life.line.put("own", state_of(life.name(1), "accepted", filled=0.0))
    assert life.book() == []
    life.line.settle()
    assert life.exchange.asked("cancel") == [[life.name(1)]]
    assert "order 1 (buy 1 BTC/USDT) is open although it had ended; cancelling it" in [
        one.text for one in life.orders.notices()
    ]


def test_an_end_that_the_stream_did_not_tell_is_found_by_asking(start: Start) -> None:
    life = start()
    life.exchange.answer("place", Accepted(state_of(life.name(1), "accepted", filled=0.0)))
    life.exchange.answer("order", state_of(life.name(1), "expired", filled=0.0))
    life.send(request(1, "limit", may_rest=True))
    assert life.book() == []
    life.line.pass_time(30.0)
    assert life.book() == [(0.0, 1, DONE)]


def test_exits_refused_in_a_row_are_counted_on_by_the_next_process(start: Start) -> None:
    life = start()
    life.exchange.answer("place", Refused("too small", "-1013"))
    life.send(request(1, is_exit=True, side="sell"))
    life.line.pass_time(1.0)
    assert life.book() == [(0.0, 1, DONE)]
    life = start()
    life.restore(request(1, is_exit=True, side="sell"))
    life.send(request(2, is_exit=True, side="sell"))
    # The second refusal is held back for 2 s, as in the process that knew of the first.
    life.line.pass_time(1.5)
    assert life.book() == []
    life.line.pass_time(0.5)
    assert life.book() == [(0.0, 2, DONE)]


# ---- what a stop withdraws ----


def test_a_stop_withdraws_an_order_that_shows_up_after_the_first_looks(start: Start) -> None:
    life = lost(start, request(1, "limit", may_rest=True))
    life.restore(request(1, "limit", may_rest=True))
    life.orders.withdraw()
    for _ in range(10):
        life.line.pass_time(0.5)
    assert (life.exchange.asked("cancel"), life.orders.outstanding) == ([], 2)  # the order and its cancel; 5 s < 6 s
    life.exchange.answer("order", state_of(life.name(1), "accepted", filled=0.0))
    life.line.pass_time(0.5)
    assert life.exchange.asked("cancel") == [[life.name(1)]]
    assert (life.book(), life.orders.outstanding) == ([(0.0, 1, DONE)], 0)


def test_a_stop_withdraws_an_order_whose_cancel_came_to_a_person(start: Start) -> None:
    life = start()
    resting = Accepted(state_of(life.name(1), "accepted", filled=0.0))
    life.exchange.answer("place", resting)
    life.send(request(1, "limit", may_rest=True))
    life.exchange.answer("order", resting.order)
    life.exchange.answer("cancel", ExchangeTimeoutError("no", exchange="fake", retryable=True))
    life.send(cancel(1))
    for wait_s in (1.0, 2.0, 5.0, 10.0, 30.0):
        life.line.pass_time(wait_s)
    assert (life.book(), life.orders.outstanding) == ([], 0)
    assert any(
        "could not be cancelled: it is still open; look at the exchange" in one.text for one in life.orders.notices()
    )
    life.exchange.answer("cancel", Accepted(state_of(life.name(1), "cancelled", filled=0.0)))
    life.orders.withdraw()
    assert life.orders.outstanding == 1
    life.line.settle()
    assert (life.book(), life.orders.outstanding) == ([(0.0, 1, DONE)], 0)


def test_a_stop_withdraws_no_exit_and_nothing_that_cannot_rest(start: Start) -> None:
    life = start()
    life.exchange.answer("place", lambda ticket: Accepted(state_of(ticket.client_order_id, "accepted", filled=0.0)))
    life.send(request(1), request(2, "limit", is_exit=True, side="sell"))
    life.book()
    life.orders.withdraw()
    life.line.settle()
    assert life.exchange.asked("cancel") == []


# ---- what takes a person ----


def unknown_for_good(life: Life) -> None:
    """Let an order be unknown for so long that a person is told; the exchange has no rule by which that ends."""
    life.exchange.answer("place", Unknown("timeout", "no answer", MIDNIGHT, None))
    life.send(request(1))
    for _ in range(130):
        life.line.pass_time(0.5)
    assert life.book() == []


def test_an_order_that_stays_unknown_is_ended_by_a_person_and_stays_so_after_a_restart(start: Start) -> None:
    life = start()
    unknown_for_good(life)
    (told,) = [one for one in life.orders.notices() if one.needs_person]
    assert "resolve(1, 'never_arrived') or `workbench resolve NAME 1 never_arrived` ends it" in told.text
    assert life.orders.resolve(1) == "order 1 counts as never arrived"
    assert life.book() == [(0.0, 1, DONE)]
    assert life.orders.outstanding == 0
    after = start()
    after.restore()
    assert (after.orders.recovering, after.orders.outstanding, after.book()) == (0, 0, [])
    assert after.orders.resolve(1) == "order 1 is known: never arrived"


def test_an_order_that_shows_up_after_a_person_has_ended_it_is_cancelled_and_its_fill_is_booked(start: Start) -> None:
    life = start()
    unknown_for_good(life)
    life.orders.resolve(1)
    assert life.book() == [(0.0, 1, DONE)]
    life.line.put("own", state_of(life.name(1), "partially_filled", filled=0.4), own_trade(life.name(1), 0.4))
    assert life.book() == [(0.4, 1, 0)]
    life.line.settle()
    assert life.exchange.asked("cancel") == [[life.name(1)]]


def test_a_person_cannot_end_what_is_known_or_on_its_way(start: Start) -> None:
    life = start()
    assert life.orders.resolve(7) == "order 7 is none of this session"
    life.exchange.answer("place", Unknown("timeout", "no answer", MIDNIGHT, None))
    life.send(request(1))
    life.line.pass_time(2.0)
    assert life.orders.resolve(1) == "order 1 may be on its way: it is asked for since 2 s, wait for 60 s"
    life.line.put("own", state_of(life.name(1), "accepted", filled=0.0))
    life.book()
    assert life.orders.resolve(1) == "order 1 is known: acknowledged"


# ---- a journal that cannot be read for a moment ----


def test_an_order_whose_intent_could_not_be_noted_ends_only_with_a_note_of_it(start: Start) -> None:
    life = start()
    life.journal.is_unreadable = True
    life.send(request(1))
    assert life.placed() == []
    life.line.pass_time(1.0)
    assert life.book() == []
    life.journal.is_unreadable = False
    assert life.book() == [(0.0, 1, DONE)]
    assert [note.kind for note in life.journal.notes] == ["intent", "outcome"]
    after = start()
    after.restore()
    assert after.book() == []
