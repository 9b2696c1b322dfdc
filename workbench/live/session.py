"""A session: one strategy on one account, on its own thread, and the handle by which people and panels hold it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from workbench.errors import ConfigError, SessionClosedError, SessionError
from workbench.live.clock import SystemClock
from workbench.live.live_core import open_core
from workbench.live.order_resolution import check_resolution
from workbench.live.reconciliation import ANSWERS
from workbench.live.recovery import BEGUN, since_of
from workbench.live.session_desk import RECONCILE, RESOLVE
from workbench.live.session_loop import SessionLoop
from workbench.live.session_opening import SessionParts
from workbench.live.session_view import SessionView
from workbench.live.states import FINISHED, SessionState, states_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.live.callbacks import EngineCallbacks
    from workbench.live.clock import Clock
    from workbench.live.host import SessionHost
    from workbench.live.live_core import CoreFactory
    from workbench.live.session_config import LiveSessionConfig
    from workbench.live.session_handle import SessionHandle
    from workbench.live.sources import Market

__all__ = ["LiveSession"]

# A command waits this long for the session's answer; it is carried out later all the same.
_ANSWER_S: Final = 1.0
_KILL_S: Final = 5.0
_LOOK_S: Final = 0.1
_NS_PER_S: Final = 1_000_000_000
# A stop that flattens may wait for prices during this share of its time, and then ends with what is held.
_FLATTEN_SHARE: Final = 0.8


class LiveSession(SessionView):
    """A session in this process, on a thread of its own (never the notebook's event loop).

    Every method may be called from any thread, more than once, and in any state; what makes no sense in a state raises
    `SessionClosedError` or `SessionError` and says why. Everything handed out is frozen or a copy.

    Parameters
    ----------
    config : LiveSessionConfig
        What to run.
    clock : Clock, optional
        Real time; default the computer's. Tests inject one that stands still.
    callbacks : EngineCallbacks, optional
        Called on the session's thread for each closed bar, executed order and error.
    open_core : callable, optional
        Makes the core; another one is for tests.
    host : SessionHost, optional
        What lets the session outlive its process. One whose record was begun is gone on with.

    Raises
    ------
    ConfigError, DataError
        The strategy cannot run live, or the source does not know a symbol.
    """

    panel_factory: ClassVar[Callable[[SessionHandle, str | None], Any] | None] = None
    """Makes what `panel` returns; set by the facade, because panels stand above sessions."""

    def __init__(
        self,
        config: LiveSessionConfig,
        *,
        clock: Clock | None = None,
        callbacks: EngineCallbacks | None = None,
        open_core: CoreFactory = open_core,
        host: SessionHost | None = None,
    ) -> None:
        super().__init__(config, callbacks=callbacks, open_core=open_core, host=host)
        self._base_clock = SystemClock() if clock is None else clock
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    def configure(self, **parameters: object) -> None:
        """Change parameters of the strategy before the start.

        Raises
        ------
        ConfigError
            A parameter is unknown or out of its range; nothing changes.
        SessionError
            The session was started.
        """
        with self._lock:
            self._check_open("configure")
            if self._thread is not None:
                raise SessionError(f"session {self.name!r} was started: its parameters are fixed; make a new session")
            before = self._config
            self._config = replace(before, strategy=before.strategy.with_parameters(**parameters))
            try:
                self._engine = self._new_engine()
            except Exception:
                self._config = before
                raise

    def start(self) -> LiveSession:
        """Start trading and return the session; a session that runs already goes on.

        Raises
        ------
        ConfigError, DataError
            The source cannot be opened as the session wants it; the session can be configured and started again.
        SessionClosedError
            The session has ended.
        """
        with self._lock:
            self._check_open("start")
            if self._thread is not None:
                return self
            if self._host.record.notes(BEGUN):
                self._begin(None, since_of(self._host.record))
                return self
            config, source = self._config, self._config.source
            needed = config.plan().warmup
            warmup = source.usual_warmup(needed) if config.warmup_bars is None else config.warmup_bars
            market = source.open(config.symbols, config.timeframe, warmup)
            try:
                self._begin(market, market.since_ns)
            except BaseException:
                market.feed.close()
                raise
        return self

    def _begin(self, market: Market | None, since_ns: int | None) -> None:
        """Start the thread that trades on an opened market, or goes on where its record ends and opens it then."""
        self._engine = self._new_engine(since_ns=since_ns)
        self._loop = SessionLoop(
            SessionParts(
                config=self._config,
                engine=self._engine,
                market=market,
                host=self._host,
                base_clock=self._base_clock,
                status=self._status,
                mailbox=self._mailbox,
                readings=self._readings,
                charts=self._charts,
                abandoned=self._abandoned,
                restored=self._restored,
            )
        )
        is_first = market is not None
        self._status.move(SessionState.STARTING, "started by the user" if is_first else "started again", 0)
        # A daemon: a strategy that never returns must not keep the interpreter from ending.
        self._thread = threading.Thread(target=self._loop.run, name=f"workbench-session-{self.name}", daemon=True)
        self._thread.start()

    def wait_restored(self, timeout_s: float) -> bool:
        """Return whether a session that goes on shows, within `timeout_s` real seconds, what it did before."""
        until_ns = self._base_clock.monotonic_ns() + round(timeout_s * _NS_PER_S)
        while not self._restored.wait(_LOOK_S):
            if self.is_finished or self._base_clock.monotonic_ns() >= until_ns:
                return False
        return True

    def pause(self) -> bool:
        """Let no new entries through; exits and stops go on. Return whether the session has obeyed already."""
        return self._command("pause")

    def resume(self) -> bool:
        """Let entries through again after `pause`, `flatten` or a failing strategy; see `pause` for the answer."""
        return self._command("resume")

    def flatten(self) -> bool:
        """Close all positions at their next price, then pause; see `pause` for the answer."""
        return self._command("flatten")

    def clear_breaker(self) -> bool:
        """Allow entries again after a breaker tripped, and measure losses from now; see `pause` for the answer."""
        return self._command("clear_breaker")

    def reconcile(self, answer: str) -> bool:
        """Decide what becomes of a difference between the exchange and what was booked; see `pause` for the answer.

        Parameters
        ----------
        answer : {"adopt", "flatten", "ignore"}
            Take it into the session's position at the last price; do so and close everything; leave it to its owner
            for good. Entries stay paused until `resume`.

        Raises
        ------
        ConfigError
            It is another answer.
        """
        if answer not in ANSWERS:
            raise ConfigError(f"answer must be one of {', '.join(ANSWERS)}, was {answer!r}")
        return self._command(f"{RECONCILE}{answer}")

    def resolve(self, number: int, answer: str) -> bool:
        """Decide what becomes of an order of which nobody can tell; see `pause` for the answer.

        An event says whether that was right: an order that is known, or may still be on its way, is left as it is.

        Parameters
        ----------
        number : int
            Of the order, from 0, as the session names it.
        answer : {"never_arrived"}
            It is not at the exchange, where you have looked: it ends with nothing filled. One that shows up all the
            same is cancelled, and what it filled is booked.

        Raises
        ------
        ConfigError
            The number is none, or it is another answer.
        """
        check_resolution(number, answer)
        return self._command(f"{RESOLVE}{number} as {answer}")

    def stop(self, *, flatten: bool = False, timeout_s: float = 30.0) -> SessionState:
        """End the session: cancel entry orders, keep the positions, and report them in the reason.

        A session whose thread does not end in time, because a strategy or a callback hangs, is given up: its state
        becomes FAILED, its engine refuses every further price, so that no order can follow, and its thread, which
        nothing in Python can end, is left to the interpreter's exit.

        Parameters
        ----------
        flatten : bool, default False
            Close all positions first. That takes the next price of each symbol; when there is none within four fifths
            of the timeout, the session ends with what is held.
        timeout_s : float, default 30
            Real seconds until the session is given up.

        Returns
        -------
        SessionState
            STOPPED or FAILED; called on the session's own thread, from a callback, the state before it.
        """
        self.ask_to_stop(flatten=flatten)
        if self._status.is_finished or self._is_own_thread():
            return self.state
        left_s = timeout_s
        if flatten:
            if self._finish(_FLATTEN_SHARE * timeout_s):
                return self.state
            left_s -= _FLATTEN_SHARE * timeout_s
            self.ask_to_stop()
        if not self._finish(left_s):
            self._abandon()
            self._give_up(f"the session's thread did not end within {timeout_s:g} s of stop()")
        return self.state

    def ask_to_stop(self, *, flatten: bool = False) -> None:
        """Ask the session to end as `stop` does, closing its position first when `flatten`, and do not wait for it."""
        with self._lock:
            if self._thread is None:
                self._status.move(SessionState.STOPPED, "stopped before it was started", 0)
        if not self._status.is_finished:
            self._mailbox.ask("stop_flat" if flatten else "stop")

    def kill(self) -> SessionState:
        """End the session at once, orders and positions untouched; return its state, FAILED if its thread hangs."""
        with self._lock:
            if self._thread is None:
                self._status.move(SessionState.STOPPED, "killed before it was started", 0)
        self._abandon()
        if not self._finish(_KILL_S):
            self._give_up(f"the session's thread did not end within {_KILL_S:g} s of kill()")
        elif self._thread is not None and not self._is_own_thread():
            self._thread.join(_KILL_S)
        return self.state

    def wait(self, timeout_s: float | None = None) -> bool:
        """Return whether the session has ended within `timeout_s` real seconds; None waits for ever."""
        return self._finish(timeout_s)

    def wait_for(self, *states: SessionState | str, timeout_s: float | None = None) -> bool:
        """Return whether the session came to be in one of the `states` within `timeout_s` real seconds."""
        return self._status.wait_for(states_named(states), timeout_s)

    def close(self) -> None:
        """End the session if it runs, and remove its recorded events: after this there is no `parity`."""
        if not self._status.is_finished:
            self.kill()
        self._engine.close()

    def panel(self, *, symbol: str | None = None) -> Any:  # noqa: ANN401  a widget; this room knows none
        """Return a control panel with a live chart, to be shown as the value of a notebook cell.

        Parameters
        ----------
        symbol : str, optional
            Which one the chart shows first; another one can be chosen on it. Default: the first.

        Raises
        ------
        ConfigError
            The session does not trade the symbol.
        SessionError
            The facade is not loaded.
        """
        factory = type(self).panel_factory
        if factory is None:
            raise SessionError("panels come with the facade: import workbench.api first")
        return factory(self, symbol)

    def _command(self, name: str) -> bool:
        self._check_open(name)
        if self._thread is None:
            raise SessionError(f"session {self.name!r} was not started yet: call start() before {name}()")
        ask = self._mailbox.ask(name)
        return not self._is_own_thread() and ask.is_done.wait(_ANSWER_S)

    def _check_open(self, what: str) -> None:
        if self._status.is_finished:
            raise SessionClosedError(
                f"session {self.name!r} has ended ({self.state}: {self.reason}), so {what}() can do nothing; "
                "make a new one",
                session_id=self.session_id,
            )

    def _is_own_thread(self) -> bool:
        return threading.current_thread() is self._thread

    def _finish(self, timeout_s: float | None) -> bool:
        """Wait for the end of the session and then of its thread; on that thread itself do not wait."""
        if self._is_own_thread():
            return self._status.is_finished
        has_ended = self._status.wait_for(FINISHED, timeout_s)
        if has_ended and self._thread is not None and not self._abandoned.is_set():
            self._thread.join(_KILL_S)
        return has_ended

    def _give_up(self, reason: str) -> None:
        if not self._is_own_thread():
            self._status.move(SessionState.FAILED, reason, self._engine.time_ns)

    def _abandon(self) -> None:
        """Make sure that nothing more is traded, whatever the session's thread does."""
        self._abandoned.set()
        self._engine.close(keep_record=True)
        self._mailbox.close()
        self._mailbox.wake.set()
