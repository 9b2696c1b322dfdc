"""One history of a session's orders, from a seed: it wants orders, crashes, recovers, and must have what it wanted.

``python -m tests.simulation.order_history FIRST COUNT`` runs many; a failure names the seed that repeats it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Generator, Iterable
from functools import partial
from heapq import heappop
from typing import Any

from tests.simulation.decider import Decider, Disk, Want
from tests.simulation.fake_market import MARGIN, RECV_WINDOW, SECOND, FakeMarket, Report, Trade
from workbench.core.order_state import (
    Booking,
    Cancel,
    Ended,
    Found,
    Intent,
    Journal,
    LiveOrders,
    Now,
    Placed,
    Procedures,
    Query,
    Send,
    Sleep,
    Tell,
    Told,
)

WANTED = 3
LIFETIME = 3 * SECOND
POLL = 5 * SECOND
END = 3_600 * SECOND
# Own trades are asked for from this long before what was missing at the last time on.
OVERLAP = SECOND
BUY = "BTC/USDT"


class CrashError(Exception):
    """The process is gone."""


class ViolationError(AssertionError):
    """An invariant does not hold."""


class History:
    """A world in which a session lives, dies and is started again, until all is done.

    Parameters
    ----------
    seed : int
        Decides everything.
    procedures, orders : callable, optional
        Make what is tested.
    crash_at : int, optional
        Crash exactly before this effect, and nowhere else; effects count in halves, so that an odd number means after.
    """

    def __init__(
        self,
        seed: int,
        procedures: Callable[[], Procedures] = Procedures,
        orders: Callable[[], LiveOrders[Trade]] = LiveOrders,
        *,
        crash_at: int | None = None,
    ) -> None:
        self.dice = random.Random(seed)
        self.market = FakeMarket(self.dice)
        self.disk = Disk()
        self.make_procedures = procedures
        self.make_orders = orders
        self.crash_at = crash_at
        self.crash_chance = self.dice.choice((0.0, 0.01, 0.03)) if crash_at is None else 0.0
        self.fail_chance = self.dice.choice((0.0, 0.1))
        self.most_crashes = 8
        self.halves = self.crashes = self.epoch = 0
        self.sent: set[str] = set()
        self.session: Session | None = None

    def run(self) -> History:
        """Let time pass until all is done, and a while longer; then check."""
        market = self.market
        self.boot()
        quiet_since: int | None = None
        while market.agenda:
            time, _, action = heappop(market.agenda)
            market.now = max(market.now, time)
            try:
                action()
            except CrashError:
                self.crash()
            session = self.session
            if session is None or not session.is_finished:
                quiet_since = None
            elif quiet_since is None:
                quiet_since = market.now
            elif market.now > quiet_since + 8 * POLL:
                break
            if market.now > END:
                self.fail("an order never ended")
        self.check()
        return self

    def boot(self) -> None:
        try:
            self.session = Session(self)
            self.session.start()
        except CrashError:
            self.crash()

    def crash(self) -> None:
        self.crashes += 1
        self.epoch += 1
        self.session = None
        self.market.listener = lambda _event: None
        self.market.at(int(self.dice.random() * 3 * SECOND), self.boot)

    def may_crash(self) -> None:
        """Pass a point at which the process may die: there is one before and one after each effect."""
        half, self.halves = self.halves, self.halves + 1
        if self.crash_at is not None:
            if half == self.crash_at:
                raise CrashError
        elif self.crashes < self.most_crashes and self.dice.random() < self.crash_chance:
            raise CrashError

    def check(self) -> None:
        market, session = self.market, self.session
        if session is None or not session.is_finished:
            self.fail("an order never ended")
        executed = dict.fromkeys(range(WANTED), 0)
        wants = session.decider.wants
        of_number = {number: wants.index(want) for number, want in session.decider.of_number.items()}
        for order in market.orders:
            executed[of_number[int(order.client_order_id)]] += order.filled
        for index, want in enumerate(wants):
            if executed[index] != want.booked:
                self.fail(f"want {index}: {executed[index]} executed, {want.booked} booked")
            if want.must and executed[index] != want.quantity:
                self.fail(f"want {index}: {executed[index]} executed, {want.quantity} wanted")
        if len(market.latest) != len(market.orders):
            self.fail("an order is at the exchange twice")
        if any(order.report().is_open for order in market.orders):
            self.fail("an order was left open")

    def fail(self, what: str) -> None:
        raise ViolationError(what)


class Session:
    """One life of the session: what a line to an exchange does, in a world whose every effect may be the last."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.market = history.market
        self.epoch = history.epoch
        self.procedures = history.make_procedures()
        self.orders = history.make_orders()
        self.decider = Decider()
        self.buffer: list[tuple[Any, ...]] = []
        self._wanted: list[tuple[int, Want]] = []
        self.cancelling: set[int] = set()
        self.since = 0

    @property
    def is_finished(self) -> bool:
        wants = self.decider.wants
        return len(wants) == WANTED and all(want.in_flight is None for want in wants) and not self.cancelling

    # ---- life ----

    def start(self) -> None:
        missing = self._replay()
        closes = self.market.now + RECV_WINDOW + MARGIN
        self.market.listener = self._heard
        for order in self.orders.unfinished():
            self._run(self.procedures.recover(order.intent, None if order.is_answered else closes), order.intent)
            self._tire_of(order.intent)
        for number in missing:
            # Wanted, and not recorded: it was never sent.
            intent = self._intent(number, self.decider.of_number[number])
            self.orders.intend(intent)
            self._note("intent", intent)
            self._end(number, Ended("expired", "the session ended before it was recorded"))
        self._carry_on()
        for number in sorted(self.cancelling):
            self._cancel(number)
        self._poll()
        self._next_input()

    def _replay(self) -> list[int]:
        """Rebuild everything from the notes; return the requests that were never recorded."""
        rows: list[Any] = []
        booked: list[Booking[Trade]] = []
        for kind, *what in self.history.disk.notes:
            if kind == "row":
                rows.append(tuple(what))
            booked += self._replayed(kind, what)
        if rows != [(one.order.intent.number, one.trade.quantity if one.trade else 0, one.is_done) for one in booked]:
            self.history.fail("what the notes say is not what was booked")
        unfinished = {one.intent.number: one.intent.time_ns for one in self.orders.unfinished()}
        self.cancelling &= unfinished.keys()
        self.since = min([self.since, *unfinished.values()]) - OVERLAP
        in_flight = (want.in_flight for want in self.decider.wants)
        return [number for number in in_flight if number is not None and self.orders.get(number) is None]

    def _replayed(self, kind: str, what: list[Any]) -> list[Booking[Trade]]:
        """Feed a note to what it came from."""
        if kind == "decision":
            self.decider.decide(what[0], must=what[1])
        elif kind == "row":
            self.decider.book(what[0], what[1], is_done=what[2])
        elif kind == "intent":
            self.orders.intend(what[0])
        elif kind == "cancel":
            self.cancelling.add(what[0])
        elif kind == "complete":
            self.since = what[0]
        elif kind == "report":
            return self.orders.report(what[0], what[1])
        elif kind == "ended":
            return self.orders.end(what[0], what[1])
        else:
            return self.orders.trade(what[0])
        return []

    def _next_input(self) -> None:
        """Take the next input, or decide that what still waits is not wanted any more."""
        dice, made = self.history.dice, len(self.decider.wants)
        if made < WANTED:
            self._later(int(dice.random() * 3 * SECOND), self._decide)

    def _decide(self) -> None:
        dice = self.history.dice
        quantity, must = dice.randint(1, 5), dice.random() < 0.6
        self._note("decision", quantity, must)
        self._begin([self.decider.decide(quantity, must=must)])
        self._next_input()

    # ---- what is wanted ----

    def _begin(self, requests: list[tuple[int, Want]]) -> None:
        """Record intents in one transaction and only then let their procedures go on."""
        begun = []
        for number, want in requests:
            intent = self._intent(number, want)
            self.orders.intend(intent)
            placing = self.procedures.place(intent, self.orders.refused_exits(BUY))
            effect = next(placing)
            if isinstance(effect, Journal):
                self._note("intent", effect.intent)
            begun.append((placing, intent, effect))
        is_durable = self._commit()
        for placing, intent, effect in begun:
            self._perform(placing, intent, effect, is_durable=is_durable)
            self._tire_of(intent)

    def _intent(self, number: int, want: Want) -> Intent:
        now = self.market.now
        return Intent(
            number=number, client_order_id=str(number), symbol=BUY, side="buy", quantity=want.quantity - want.booked,
            kind="market" if want.must else "limit", price=None, time_in_force="gtc", is_exit=want.must,
            time_ns=now, expires_ns=now + LIFETIME,
        )  # fmt: skip

    def _tire_of(self, intent: Intent) -> None:
        """Cancel later what need not be had."""
        if intent.kind == "limit":
            self._later(int(self.history.dice.random() * 8 * SECOND), partial(self._want_cancel, intent.number))

    def _want_cancel(self, number: int) -> None:
        order = self.orders.get(number)
        if order is not None and not order.is_reported and number not in self.cancelling:
            self._note("cancel", number)
            self._commit()
            self.cancelling.add(number)
            self._cancel(number)

    def _cancel(self, number: int) -> None:
        """Cancel an order once it is known that the exchange has it."""
        order = self.orders.get(number)
        if order is not None and order.is_answered:
            if order.is_open:
                self._run(self.procedures.cancel(order.intent), order.intent)
            else:
                self.cancelling.discard(number)

    # ---- effects ----

    def _run(self, procedure: Generator[Any, Any, Any], intent: Intent) -> None:
        self._go_on(procedure, intent, None)

    def _go_on(self, procedure: Generator[Any, Any, Any], intent: Intent, answer: Any) -> None:
        try:
            effect = procedure.send(answer)
        except StopIteration as end:
            self._ended(procedure, intent, end.value)
            return
        self._perform(procedure, intent, effect)

    def _perform(
        self, procedure: Generator[Any, Any, Any], intent: Intent, effect: Any, *, is_durable: bool = True
    ) -> None:
        history = self.history
        if isinstance(effect, Journal):
            if effect.intent.client_order_id not in history.disk.intents and is_durable:
                self._note("intent", effect.intent)
                is_durable = self._commit()
            self._go_on(procedure, intent, is_durable)
            return
        history.may_crash()

        def reply(answer: Any) -> None:
            if self.epoch == history.epoch:
                history.may_crash()
                self._go_on(procedure, intent, answer)

        if isinstance(effect, Told):
            self._take_report(effect.report)
            self._go_on(procedure, intent, None)
        elif isinstance(effect, Tell):
            self._go_on(procedure, intent, None)
        else:
            self._begin_effect(effect, reply)

    def _begin_effect(self, effect: Any, reply: Callable[[Any], None]) -> None:
        """Let an effect happen in the world, which answers it later or never."""
        history, market = self.history, self.market
        if isinstance(effect, Send):
            if effect.intent.client_order_id not in history.disk.intents:
                history.fail("an order was sent without a durable intent")
            market.send(effect.intent, reply)
        elif isinstance(effect, Query):
            market.query(effect.client_order_id, reply)
        elif isinstance(effect, Cancel):
            market.cancel(effect.client_order_id, reply)
        elif isinstance(effect, Sleep):
            market.at(int(effect.duration_s * SECOND), lambda: reply(None))
        elif isinstance(effect, Now):
            # The line is slow now and then.
            late = 4 * SECOND if history.dice.random() < 0.05 else 0
            market.at(late, lambda: reply(market.now))

    def _ended(self, procedure: Generator[Any, Any, Any], intent: Intent, placed: Placed | None) -> None:
        number = intent.number
        if isinstance(placed, Found):
            self._take_report(placed.report)
            order = self.orders.get(number)
            if order is not None and order.is_open:
                self._run(self.procedures.follow(intent), intent)
        elif isinstance(placed, Ended):
            self._end(number, placed)
        if number in self.cancelling:
            is_cancel = getattr(procedure, "__name__", "") == "cancel"
            order = self.orders.get(number)
            if is_cancel or order is None or not order.is_open:
                self.cancelling.discard(number)
            else:
                self._cancel(number)

    # ---- what is heard ----

    def _heard(self, event: Report | Trade) -> None:
        if self.epoch != self.history.epoch:
            return
        self.history.may_crash()
        if isinstance(event, Trade):
            self._take_trade(event)
        else:
            self._take_report(event)

    def _take_report(self, report: Report) -> None:
        number = self.orders.number_of(report.client_order_id)
        if number is not None:
            before = self.orders.news
            bookings = self.orders.report(number, report)
            if self.orders.news != before:
                self._note("report", number, report)
            self._book(bookings)

    def _end(self, number: int, ended: Ended) -> None:
        self._note("ended", number, ended)
        self._book(self.orders.end(number, ended))

    def _take_trade(self, trade: Trade) -> None:
        before = self.orders.news
        bookings = self.orders.trade(trade)
        if self.orders.news != before:
            self._note("trade", trade)
        self._book(bookings)

    def _poll(self) -> None:
        self.history.may_crash()
        asked = self.market.now

        def take(trades: Iterable[Trade] | None) -> None:
            if self.epoch == self.history.epoch:
                if trades is not None:
                    for trade in trades:
                        self._take_trade(trade)
                    self._note("complete", asked)
                self._later(POLL, self._poll)

        self.market.own_trades(self.since, take)

    def _book(self, bookings: list[Booking[Trade]]) -> None:
        for order, trade, is_done in bookings:
            self._row(order.intent.number, 0 if trade is None else trade.quantity, is_done=is_done)
        for order in self.orders.take_doubtful():
            self.cancelling.add(order.intent.number)
            self._cancel(order.intent.number)
        if bookings:
            self._carry_on()

    def _row(self, number: int, quantity: int, *, is_done: bool) -> None:
        self._note("row", number, quantity, is_done)
        again = self.decider.book(number, quantity, is_done=is_done)
        if again is not None:
            self._wanted.append(again)

    def _carry_on(self) -> None:
        """Commit what was booked, now or with what comes next, and send what is wanted again."""
        requests, self._wanted = self._wanted, []
        if requests:
            self._begin(requests)
        elif self.history.dice.random() < 0.5:
            self._commit()

    # ---- the process ----

    def _note(self, kind: str, *what: Any) -> None:
        self.buffer.append((kind, *what))

    def _commit(self) -> bool:
        """Make durable what is buffered; a commit that fails keeps the buffer."""
        history = self.history
        history.may_crash()
        if history.dice.random() < history.fail_chance:
            return False
        history.disk.write(self.buffer)
        self.buffer = []
        history.may_crash()
        return True

    def _later(self, delay: int, action: Callable[[], None]) -> None:
        def act() -> None:
            if self.epoch == self.history.epoch:
                action()

        self.market.at(delay, act)


def main(first: int, count: int) -> int:
    """Run histories; return 1 and print the seed of the first that violates an invariant."""
    crashes = effects = 0
    for seed in range(first, first + count):
        try:
            history = History(seed).run()
        except Exception as error:  # noqa: BLE001  whatever it is, its seed repeats it
            sys.stdout.write(f"{seed}  # {type(error).__name__}: {error}\n")
            return 1
        crashes += history.crashes
        effects += history.halves // 2
    sys.stdout.write(f"{count} histories, {effects} effects, {crashes} crashes: nothing doubled, nothing lost\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
