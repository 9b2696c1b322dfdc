"""The thread of an inline session: prices from the feed, commands from people, steps to the readers."""

from __future__ import annotations

import logging
import math
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from workbench.errors import SessionClosedError
from workbench.live.clock import ReplayClock
from workbench.live.left_orders import left_orders
from workbench.live.live_core import compile_core
from workbench.live.mender import Mender
from workbench.live.order_notes import KINDS
from workbench.live.records import ErrorRecord
from workbench.live.session_config import stale_limit_ns
from workbench.live.session_desk import SessionDesk
from workbench.live.session_opening import open_session
from workbench.live.states import SessionState
from workbench.model import Command

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SessionLoop"]

_log = logging.getLogger(__name__)

# A step may take this share of a bar's real length before people are told.
_SLOW_SHARE: Final = 0.25
_NS_PER_S: Final = 1_000_000_000
_LONGEST_WAIT_S: Final = 3_600.0
# Of a session that may never enter again.
_WAY_OUT: Final = "stops and exits go on; flatten() closes its position and stop() ends it, then start a new session"
# A stop that waits for an exchange that cannot be reached has little time.
_TRY_AGAIN_S: Final = 1.0


class _Due(Enum):
    """What a look at commands, reports and prices found."""

    MORE = auto()
    NOTHING = auto()
    THE_END = auto()


class SessionLoop(SessionDesk):
    """Runs one session from its warm-up to its end; `run` is the target of its thread.

    The loop owns everything that changes while it runs. Other threads ask through the mailbox and read what `Readings`
    publishes. It sleeps only on the mailbox's event, so a command is obeyed at once at any speed.
    """

    @property
    def now_ns(self) -> int:
        """Time of the market on the session's clock, ns UTC."""
        return self._clock.now_ns()

    def run(self) -> None:
        """Run to the end, whatever happens; the last thing is a finished state."""
        try:
            self._start()
            while self._go_on():
                pass
        except SessionClosedError:
            # Killed or given up in the middle of a step: the engine refused the next one.
            self._abandoned.set()
        except Exception as error:  # noqa: BLE001  logged with its traceback, and the state says FAILED
            # The border of the session's thread: without it the session would look alive and do nothing.
            _log.exception("session %s failed", self._config.name)
            self._engine.guard.record(ErrorRecord.of(error, "session", self._engine.time_ns))
            self._end(SessionState.FAILED, f"{type(error).__name__}: {error}")
        finally:
            self._end(SessionState.STOPPED, "killed by the user")
            self._keeper.finish(self._engine)
            self._parts.mailbox.close()
            self._feed.close()

    def latest_ns(self) -> int:
        """Return the latest time that a price may carry: a bar ahead of the clock, ns UTC."""
        return self._clock.now_ns() + self._config.timeframe.ns

    def _start(self) -> None:
        """Feed the history, or run the record again; the clock starts only then."""
        compile_core()
        opened = open_session(self._parts, self._is_called_off)
        if opened is None:
            return
        self._market, self._orders, self._watch, missing_from, reason, doubt = opened
        self._mender = Mender(self._market, self._engine, self._status, missing_from)
        self._feed = self._market.feed
        self._stale_after_ns = stale_limit_ns(self._config, self._market.speed)
        self._pause_reason = reason or self._pause_reason
        self._failed_in_a_row = self._engine.guard.failed_in_a_row
        if self._market.clock is None:
            self._clock = ReplayClock(self._feed.start_ns, speed=self._config.speed, base=self._parts.base_clock)
        else:
            self._clock = self._market.clock
        self._feed.listen(self._parts.mailbox.wake)
        self._close_entries(doubt)
        # Before any price that was missed is run: what was decided before them may be old by now.
        self._drop_if_stale()
        self._judge(is_idle=True)
        self._commit(matters=True)

    def _close_entries(self, doubt: str | None) -> None:
        """Pause entries from the first moment on where nothing may enter, and say why and what a person can do."""
        host, closed_reason = self._parts.host, self._market.closed_reason
        if doubt is not None:
            self._barred = f"{doubt}; {_WAY_OUT}"
            self._pause(self._barred, by="replay")
        elif host.is_muted:
            self._barred = f"the strategy did not return from its last bar and is not asked again; {_WAY_OUT}"
            self._pause(self._barred, by="hang")
        elif closed_reason is not None:
            self._pause(f"only exits are sent: {closed_reason}", by="gate")
        elif host.is_paused and not self._readings.account.is_paused:
            self._pause("it was started again only to close its position or to end", by="user")
        if host.is_muted:
            self._publish(self._engine.command(Command("mute")))
        is_closed = self._barred is not None or closed_reason is not None or host.is_paused
        if is_closed and not self._readings.account.is_paused:
            self._publish(self._engine.command(Command("pause")))

    def _is_called_off(self, wait_s: float) -> bool:
        """Wait, and return whether somebody asked the session to end meanwhile; what else was asked waits."""
        mailbox = self._parts.mailbox
        mailbox.wake.clear()
        if mailbox.has_any("stop", "stop_flat"):
            if not self._has_work() or not self._may_wait():
                self._end(SessionState.STOPPED, "stopped by the user before its market could be reached")
            wait_s = min(wait_s, _TRY_AGAIN_S)
        if not self._abandoned.is_set() and not self._status.is_finished:
            self._parts.base_clock.wait(mailbox.wake, wait_s)
        return self._abandoned.is_set() or self._status.is_finished

    def _has_work(self) -> bool:
        """Return whether a session that is to stop has left something at the exchange that it should see to first."""
        flattens = self._parts.mailbox.has_any("stop_flat") and bool(self._readings.account.positions)
        return flattens or bool(left_orders(self._parts.host.record.notes(*KINDS)))

    def _go_on(self) -> bool:
        """Do what is due and wait for more; return whether there is more to do."""
        mailbox = self._parts.mailbox
        # Cleared before the look at the mailbox: what comes after the look ends the wait at once.
        mailbox.wake.clear()
        if self._abandoned.is_set() or self._status.is_finished:
            return False
        self._parts.host.pulse.begin()
        try:
            state = self._do_what_is_due()
        finally:
            self._parts.host.pulse.end()
        if state is _Due.NOTHING:
            self._wait()
        return state is not _Due.THE_END

    def _do_what_is_due(self) -> _Due:
        """Obey, book and trade; return whether there may be more at once."""
        clock, feed = self._clock, self._feed
        self._heed_clock()
        for ask in self._parts.mailbox.take():
            self._obey(ask)
            self._commit(matters=True)
            ask.is_done.set()
        if self._status.is_finished or self._has_stopped_flat():
            return _Due.THE_END
        self._book_reports()
        if self._is_resolving:
            # No new order before it is known what became of the old ones.
            self._drop_if_stale()
            self._judge(is_idle=True)
            return _Due.NOTHING
        batch = feed.poll(clock.now_ns())
        self._heed(feed.notices())
        if len(batch):
            self._trade(batch)
            return _Due.MORE
        if feed.is_ended:
            self._end_with_feed(feed.failure)
            return _Due.THE_END
        self._drop_if_stale()
        self._look_at_account()
        self._judge(is_idle=True)
        self._commit(matters=False)
        return _Due.NOTHING

    def _wait(self) -> None:
        """Wait for the next row, for the moment at which the data is stale, or for a command."""
        clock, wake = self._clock, self._parts.mailbox.wake
        stale_ns = self._stale_at_ns()
        moments = [stale_ns] if stale_ns > clock.now_ns() else []
        due_ns = self._feed.next_due_ns()
        if due_ns is not None:
            moments.append(due_ns)
        if moments:
            clock.wait_until(wake, min(moments))
        else:
            clock.wait(wake, _LONGEST_WAIT_S if self._watch is None else self._watch.next_ns() / _NS_PER_S)

    def _trade(self, batch: NDArray[np.void]) -> None:
        """Run a batch step by step; commands that come meanwhile are obeyed after it."""
        base, market = self._parts.base_clock, self._market
        if market.clock is not None and not self._feed.is_bar_only:
            late_ns = self._clock.now_ns() - int(batch["time_ns"][-1])
            self._readings.feed.record(max(0, round(late_ns / market.speed)))
        steps = self._engine.run(batch)
        started_ns = base.monotonic_ns()
        for step in steps:
            if self._abandoned.is_set():
                return
            self._publish(step)
            # What the next step does is another piece of work.
            self._parts.host.pulse.begin()
            ended_ns = base.monotonic_ns()
            self._time(ended_ns - started_ns)
            started_ns = ended_ns

    def _time(self, duration_ns: int) -> None:
        self._readings.steps.record(duration_ns)
        config = self._config
        if math.isinf(config.speed) or duration_ns * config.speed < _SLOW_SHARE * config.timeframe.ns:
            return
        self._readings.slow_steps += 1
        if self._readings.slow_steps == 1:
            took, bar = duration_ns / _NS_PER_S, config.timeframe.seconds / config.speed
            text = f"a step took {took:.3g} s of the {bar:.3g} s that a bar lasts at speed {config.speed:g}"
            self._status.note(self._engine.time_ns, "warning", text)
