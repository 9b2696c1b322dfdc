"""What a session does with steps, reports, commands and notices, on its own thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.errors import ExchangeError
from workbench.live.clock import ManualClock
from workbench.live.clock_watch import ClockWatch, jump_text
from workbench.live.keeper import RecordKeeper
from workbench.live.loss_text import loss_text
from workbench.live.mender import Mender
from workbench.live.recovery import FAILED_IN_A_ROW, HOLE, PAUSED
from workbench.live.session_config import stale_limit_ns
from workbench.live.sources import no_market
from workbench.live.states import SessionState
from workbench.live.verdict import Standing
from workbench.model import Command, utc_text

if TYPE_CHECKING:
    from workbench.live.account_watch import AccountWatch
    from workbench.live.clock import Clock
    from workbench.live.mailbox import Ask
    from workbench.live.notices import Notice
    from workbench.live.order_line import OrderLine
    from workbench.live.records import LiveStep
    from workbench.live.session_opening import SessionParts

__all__ = ["RECONCILE", "RESOLVE", "SessionDesk"]

RESOLVE: Final = "resolve order "
"""How a request begins that names an order of which nobody can tell, as a person has looked."""

RECONCILE: Final = "reconcile by "
"""How a request begins that names a person's answer to a difference."""

_NS_PER_S: Final = 1_000_000_000
# How long a stop waits for what the exchange says of orders, real seconds; well within the 30 s of a stop.
_ANSWERS_S: Final = 15


class SessionDesk:
    """What a session does when something comes: steps, reports, commands, notices; `SessionLoop` says when.

    Everything here runs on the session's thread. What it publishes, `Readings` hands to others.
    """

    def __init__(self, parts: SessionParts) -> None:
        self._parts = parts
        self._config = parts.config
        self._engine = parts.engine
        self._status = parts.status
        self._readings = parts.readings
        self._abandoned = parts.abandoned
        self._keeper = RecordKeeper(parts.host.record, parts.base_clock, parts.readings.journal)
        self._market = parts.market or no_market()
        self._feed = self._market.feed
        self._stale_after_ns = stale_limit_ns(parts.config, self._market.speed)
        self._orders: OrderLine | None = None
        self._watch: AccountWatch | None = None
        self._mender = Mender(self._market, self._engine, self._status, {})
        self._clock_watch = ClockWatch(parts.base_clock)
        self._is_stopping = False
        self._failed_in_a_row = 0
        self._waits_until_ns: int | None = None
        self._dropped_ns: int | None = None
        self._pause_reason = "paused by the user"
        # Why entries stay paused for as long as the session lives, whatever a person says.
        self._barred: str | None = None
        # Stands still until the loop starts: history is fed outside of the market's time.
        self._clock: Clock = ManualClock(self._feed.start_ns)
        if parts.market is not None:
            self._readings.data_ns = self._feed.start_ns

    @property
    def stale_after_ns(self) -> int:
        """Silence of the market that makes the session stale, in ns of its time."""
        return self._stale_after_ns

    def _keep_failing(self) -> None:
        """Keep how often the strategy failed, and, once, that the engine paused by itself as that was too often."""
        count, failing = self._engine.guard.failed_in_a_row, self._engine.guard.failing_reason
        if count != self._failed_in_a_row:
            self._failed_in_a_row = count
            self._keeper.note("breaker", self._engine.time_ns, {FAILED_IN_A_ROW: count})
        if failing is not None and failing != self._pause_reason:
            self._pause(failing, by="strategy")

    def _commit(self, *, matters: bool) -> None:
        """Make the record safe when it is time, and say when that cannot be done."""
        before = self._keeper.fault
        self._keeper.commit_if_due(self._engine, matters=matters)
        fault = self._keeper.fault
        if fault is not None and before is None:
            if not self._readings.account.is_paused:
                self._pause(f"the journal cannot be written: {fault}", by="journal")
                self._publish(self._engine.command(Command("pause")))
            self._status.note(self._engine.time_ns, "journal", f"nothing can be recorded, so nothing is sent: {fault}")
        elif fault is None and before is not None:
            self._status.note(
                self._engine.time_ns, "journal", "the journal can be written again; resume() allows entries"
            )

    def _pause(self, reason: str, *, by: str) -> None:
        """Keep why entries are paused."""
        self._pause_reason = reason
        self._keeper.note(PAUSED, self._engine.time_ns, {"reason": reason, "by": by})

    def _heed(self, notices: tuple[Notice, ...]) -> None:
        """Tell people what a feed or an order line says, and remember where prices are missing."""
        for notice in notices:
            self._status.note(notice.time_ns or self._engine.time_ns, notice.kind, notice.text)
            if notice.hole_in is not None:
                self._keeper.note("notice", notice.time_ns, {HOLE: notice.hole_in})
                self._engine.mark_hole(notice.hole_in)
            if notice.needs_person and not self._readings.account.is_paused:
                # What cannot be closed must not grow: entries stop, and exits that are not in flight go on.
                told = notice.text
                way_out = "" if "resume()" in told else "; once that is mended, resume() allows entries again"
                self._pause(told + way_out, by="order")
                self._publish(self._engine.command(Command("pause")))
            symbol = notice.turned_away
            if symbol is not None and self._engine.guard.turned_away(symbol, self._engine.time_ns):
                self._publish(self._engine.command(Command("pause")))

    def _heed_clock(self) -> None:
        """After a jump of the clock let nothing enter that was decided before, and measure the exchange anew."""
        jump_ns = self._clock_watch.jump_ns()
        if not jump_ns or self._market.clock is None:
            return
        self._status.note(self._engine.time_ns, "clock", jump_text(jump_ns))
        self._publish(self._engine.drop_entries())
        if self._market.measure_clock is not None:
            try:
                self._market.measure_clock()
            except ExchangeError as error:
                text = f"the clock of the exchange could not be measured anew: {error}"
                self._status.note(self._engine.time_ns, "clock", text)

    def _look_at_account(self) -> None:
        """Halt entries when the exchange holds something else than was booked: a person decides what that is."""
        if self._watch is None:
            return
        for text in self._watch.look(self._readings.account, self._engine.time_ns):
            self._status.note(self._engine.time_ns, "account", text)
            if not self._readings.account.is_paused:
                self._pause(text, by="account")
                self._publish(self._engine.command(Command("pause")))

    def _reconcile(self, answer: str) -> None:
        """Carry out what a person decided of a difference to the exchange."""
        if self._watch is None:
            return
        rows = self._watch.decide(answer, self._readings.account, self._engine.prices, self._engine.time_ns)
        for one in self._watch.differences:
            text = f"{one.symbol} stays undecided: it had no price yet at which it could be booked"
            self._status.note(self._engine.time_ns, "account", text)
        if len(rows):
            self._publish(self._engine.report(rows))
        for held in self._readings.account.positions:
            if self._market.adopt is not None:
                self._market.adopt(held.symbol, abs(held.quantity))
        if answer == "flatten" and len(rows):
            self._publish(self._engine.command(Command("flatten")))

    def _book_reports(self) -> None:
        """Book what the exchange said of our orders."""
        if self._orders is None:
            return
        reports = self._orders.take()
        # Before anything else is sent, which makes durable what was noted: notes and reports are one transaction.
        if len(reports):
            self._publish(self._engine.report(reports))
            self._commit(matters=True)
        self._protect()
        self._readings.open_orders = self._orders.open_orders
        self._heed(self._orders.notices())

    def _protect(self) -> None:
        """Keep a stop at the exchange for each position, when the session wants that."""
        if self._orders is not None and self._config.rests_stop:
            self._orders.protect(self._readings.account)

    def _publish(self, step: LiveStep) -> None:
        self._readings.take(step)
        # Before anything is sent: with the orders what was decided becomes durable, and this with it.
        self._keep_failing()
        if self._orders is not None:
            self._orders.send(step.result.requests)
            self._protect()
            self._readings.open_orders = self._orders.open_orders
        for trip in step.result.trips:
            text = f"{trip.rule} tripped: {loss_text(trip.value, trip.limit)}; entries are halted"
            self._status.note(trip.time_ns, "breaker", text)
        updates = self._parts.charts.add(step)
        self._judge(is_idle=False)
        self._commit(matters=_matters(step))
        self._parts.charts.tell(updates)
        for bar in step.closed:
            if bar.is_partial:
                forming = [one.time_ns for one in step.forming if one.symbol == bar.symbol]
                forming_ns = forming[0] if forming else bar.time_ns + self._config.timeframe.ns
                if bars := self._mender.bars(bar, forming_ns):
                    self._publish(self._engine.catch_up(bars))
        if step.closed and self._market.clock is not None:
            self._drop_if_old(max(bar.time_ns for bar in step.closed) + self._config.timeframe.ns)

    def _drop_if_old(self, closed_ns: int) -> None:
        """Drop what was decided on bars that closed too long ago: the prices that follow would be another market's."""
        age_ns = self._clock.now_ns() - closed_ns
        if age_ns <= self._stale_after_ns:
            return
        self._dropped_ns = self._readings.data_ns
        text = f"the bar that closed at {utc_text(closed_ns)} is {age_ns / _NS_PER_S:.3g} s old: nothing enters on it"
        self._status.note(closed_ns, "stale", text)
        self._publish(self._engine.drop_entries())

    def _drop_if_stale(self) -> None:
        """Drop entries that wait, once, when no price has come for too long; a replay is never stale in its prices."""
        data_ns = self._readings.data_ns
        is_live = self._market.clock is not None
        if is_live and self._dropped_ns != data_ns and self._clock.now_ns() >= self._stale_at_ns():
            self._dropped_ns = data_ns
            self._publish(self._engine.drop_entries())

    def _obey(self, ask: Ask) -> None:
        self._status.note(self._engine.time_ns, "command", f"{ask.name.replace('_', ' ')} was asked")
        account = self._readings.account
        if self._orders is not None and ask.name in ("resume", "flatten", "stop_flat"):
            self._orders.retry_exits()
        if ask.name == "resume" and self._keeps_paused():
            pass
        elif ask.name == "resume" and (account.is_paused or self._engine.guard.failing_reason is not None):
            self._publish(self._engine.resume())
        elif ask.name == "pause" and not account.is_paused:
            self._pause("paused by the user", by="user")
            self._publish(self._engine.command(Command("pause")))
        elif ask.name == "clear_breaker" and account.halted:
            self._publish(self._engine.command(Command("clear_breaker")))
        elif ask.name in ("flatten", "stop_flat"):
            self._is_stopping = self._is_stopping or ask.name == "stop_flat"
            self._pause("flattened by the user: positions close at their next price, entries are paused", by="user")
            if self._is_stopping:
                self._status.move(SessionState.STOPPING, "flattening before the stop", self._engine.time_ns)
            self._publish(self._engine.command(Command("flatten")))
        elif ask.name == "stop":
            self._stop()
        else:
            self._decide(ask.name)

    def _keeps_paused(self) -> bool:
        """Return whether entries stay paused although a person wants them, and say why."""
        if self._watch is not None and self._watch.differences:
            text = "entries stay paused until reconcile() decides what becomes of the difference"
            self._status.note(self._engine.time_ns, "account", text)
            return True
        if self._barred is not None:
            self._status.note(self._engine.time_ns, "order", f"entries stay paused: {self._barred}")
            return True
        if (reason := self._market.closed_reason) is not None:
            text = f"entries stay paused in this process: {reason}; stop it, and start it when it may enter again"
            self._status.note(self._engine.time_ns, "order", text)
            return True
        return False

    def _decide(self, name: str) -> None:
        """Carry out what a person has decided of what nobody else can."""
        if name.startswith(RECONCILE):
            self._reconcile(name.removeprefix(RECONCILE))
        elif name.startswith(RESOLVE) and self._orders is not None:
            text = self._orders.resolve(int(name.removeprefix(RESOLVE).split()[0]))
            self._status.note(self._engine.time_ns, "order", text)

    def _has_stopped_flat(self) -> bool:
        if self._is_stopping and not self._readings.account.positions:
            self._stop()
        return self._status.is_finished

    def _stop(self) -> None:
        self._withdraw()
        self._end(SessionState.STOPPED, "stopped by the user")

    def _withdraw(self) -> None:
        """Cancel entries, and wait for what the exchange says of them."""
        self._is_stopping = True
        self._publish(self._engine.command(Command("stop")))
        self._await_answers()

    def _end_with_feed(self, failure: str | None) -> None:
        """End as no price comes any more; a stop that rests at the exchange protects on."""
        if failure is None:
            if self._orders is not None:
                self._withdraw()
            self._end(SessionState.STOPPED, "the feed ended")
            return
        reason = f"the prices broke for good: {failure}"
        # A process that follows goes on without entries, until a person has looked.
        self._pause(reason, by="feed")
        self._withdraw()
        self._end(SessionState.FAILED, reason)

    def _may_wait(self) -> bool:
        """Return whether a stop may wait on for the exchange; its time begins with the first question."""
        now_ns = self._parts.base_clock.monotonic_ns()
        if self._waits_until_ns is None:
            self._waits_until_ns = now_ns + _ANSWERS_S * _NS_PER_S
        return now_ns < self._waits_until_ns

    def _await_answers(self) -> None:
        """Wait, not for long, until no entry rests and it is known what became of every order that was sent."""
        if self._orders is None:
            return
        base, wake = self._parts.base_clock, self._parts.mailbox.wake
        while not self._abandoned.is_set():
            wake.clear()
            self._book_reports()
            # Each time: what nobody could tell of, or could not be cancelled before, may show up only now.
            self._orders.withdraw()
            if not self._orders.outstanding or not self._may_wait():
                break
            base.wait(wake, 1.0)
        if self._orders.outstanding:
            text = f"orders that are still unknown at the end: {self._orders.outstanding}; look at the exchange"
            self._status.note(self._engine.time_ns, "order", text)

    def _end(self, state: SessionState, reason: str) -> None:
        if self._status.is_finished:
            return
        held = ", ".join(f"{one.quantity:g} {one.symbol}" for one in self._readings.account.positions)
        stops = "" if self._orders is None else "; ".join(self._orders.resting_stops)
        reason += f"; still held: {held}" if held else ""
        reason += f"; {stops} rests at the exchange" if stops else ""
        self._status.move(state, reason, self._engine.time_ns)

    def _stale_at_ns(self) -> int:
        return (self._readings.data_ns or 0) + self._stale_after_ns

    @property
    def _is_resolving(self) -> bool:
        """Whether orders of an earlier process are not resolved yet."""
        return self._orders is not None and self._orders.recovering > 0

    def _judge(self, *, is_idle: bool) -> None:
        """Bring the state to what account, strategy and data say."""
        if self._is_stopping or self._status.is_finished:
            return
        if self._orders is not None and self._is_resolving:
            text = f"asking the exchange for {self._orders.recovering} orders that were sent before"
            self._status.move(SessionState.RECOVERING, text, self._engine.time_ns)
            return
        state, reason = self._verdict(is_idle=is_idle)
        if state != self._status.state or reason != self._status.reason:
            self._status.move(state, reason, self._engine.time_ns)

    def _verdict(self, *, is_idle: bool) -> tuple[SessionState, str]:
        """Return the state that limits most, and why."""
        silence = None
        # Only when nothing waits to be run: in a session that is behind, the data is not old, the session is.
        if is_idle and self._clock.now_ns() >= self._stale_at_ns():
            limit_s = self._stale_after_ns / _NS_PER_S
            since = utc_text((self._readings.data_ns or 0) // _NS_PER_S * _NS_PER_S)
            silence = f"no data since {since}, the limit is {limit_s:g} s; nothing enters, no stop of its own can act"
        standing = Standing(
            account=self._readings.account,
            journal_fault=self._keeper.fault,
            differences=() if self._watch is None else self._watch.differences,
            unprotected=() if self._orders is None else self._orders.unprotected,
            failing=self._engine.guard.failing_reason,
            silence=silence,
            pause_reason=self._pause_reason,
        )
        return standing.verdict()


def _matters(step: LiveStep) -> bool:
    """Return whether a step did something that a crash must not undo."""
    result = step.result
    return bool(result.fills or result.requests or result.denials or result.trips)
