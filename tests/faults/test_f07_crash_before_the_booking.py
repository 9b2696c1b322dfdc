"""F07: the process dies when what became of an order is in the journal, and the report that books it is not yet.

Notes and reports are one transaction, with one exception: what a person decides is noted at once, and with the next
commit, whosever it is. Guards that the report is made anew from the note, so that the core knows that its exit is no
longer on its way: it would wait for it for ever, and leave the position as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.manual_timing import ManualTiming
from tests.unit.live.fake_exchange import FakeExchange, own_trade
from tests.unit.live.fake_journal import FakeJournal
from tests.unit.live.markets import MIDNIGHT
from tests.unit.live.test_order_line import REFUSED, WAITS_S, request
from tests.unit.live.test_order_recovery import Life
from workbench.core.reports import DONE

EXIT = 5


class Lives:
    """A session that is killed again and again; what it did not commit is lost, what it sent is not."""

    def __init__(self) -> None:
        self.exchange, self.journal, self.timing = FakeExchange(), FakeJournal(), ManualTiming(MIDNIGHT)
        self.now = Life(self.exchange, self.journal, self.timing)

    def begin_anew(self) -> Life:
        self.now.line.close()
        self.journal.crash()
        self.exchange.streams.clear()
        self.now = Life(self.exchange, self.journal, self.timing)
        return self.now

    def refuse_until_a_person_looks(self) -> Life:
        """Have the exchange refuse an exit as often as it is tried; the last try stays in flight."""
        self.exchange.answer("place", REFUSED)
        for number, wait_s in enumerate((*WAITS_S, 3_600.0)):
            self.now.send(request(number, is_exit=True, side="sell"))
            self.now.line.pass_time(wait_s)
            self.now.book()
        assert len(self.now.placed()) == EXIT + 1
        return self.now


@pytest.fixture
def lives() -> Iterator[Lives]:
    made = Lives()
    yield made
    made.now.line.close()


def test_exit_that_a_person_let_go_is_not_waited_for_after_the_crash(lives: Lives) -> None:
    life = lives.refuse_until_a_person_looks()
    life.orders.retry_exits()
    # The next commit, as that of any order, has the note; the report would come with the next turn of the loop.
    life.journal.commit()
    assert life.journal.notes[-1].body["number"] == EXIT
    life = lives.begin_anew()
    life.restore(request(EXIT, is_exit=True, side="sell"))
    assert life.book() == [(0.0, EXIT, DONE)]
    assert len(life.placed()) == EXIT + 1  # nothing was sent again
    # Once, over any number of lives.
    life = lives.begin_anew()
    life.restore()
    assert life.book() == []


def test_exit_that_a_person_let_go_before_a_crash_without_a_commit_is_asked_for_as_before(lives: Lives) -> None:
    life = lives.refuse_until_a_person_looks()
    life.orders.retry_exits()
    life = lives.begin_anew()
    life.restore(request(EXIT, is_exit=True, side="sell"))
    assert life.book() == []
    assert life.orders.recovering == 1


def test_reports_that_were_noted_come_before_what_the_exchange_tells_now(lives: Lives) -> None:
    life = lives.now
    life.send(request(1))
    first = own_trade(life.name(1), 0.25)
    life.line.put("own", first)
    life.orders.take()
    life.journal.commit()
    life = lives.begin_anew()
    life.restore(request(1))
    life.line.put("own", first)  # the stream tells it again
    life.line.put("own", own_trade(life.name(1), 0.75, 101.0))
    assert life.book() == [(0.25, 1, 0), (0.75, 1, DONE)]
