"""A session: one strategy on one account, on its own thread, and the handle by which people and panels hold it."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from workbench.errors import SessionClosedError, SessionError
from workbench.live.chart_history import ChartHistory, Subscribers
from workbench.live.clock import SystemClock
from workbench.live.live_core import open_core
from workbench.live.mailbox import Mailbox
from workbench.live.metrics import session_metrics
from workbench.live.parity import compare_runs
from workbench.live.session_loop import Readings, SessionLoop, SessionParts
from workbench.live.states import FINISHED, SessionState
from workbench.live.status import SessionStatus
from workbench.live.trading_engine import LiveTradingEngine

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.live.callbacks import EngineCallbacks
    from workbench.live.clock import Clock
    from workbench.live.live_core import CoreFactory
    from workbench.live.parity import ParityReport
    from workbench.live.records import ChartState, ErrorRecord, SessionEvent, StepUpdate
    from workbench.live.session_config import LiveSessionConfig
    from workbench.model import AccountState, ClosedTrade, Denied, Fill, Timeframe
    from workbench.strategy import ConfiguredStrategy

__all__ = ["LiveSession"]

# A command waits this long for the session's answer; it is carried out later all the same.
_ANSWER_S: Final = 1.0
_KILL_S: Final = 5.0
# A stop that flattens may wait for prices during this share of its time, and then ends with what is held.
_FLATTEN_SHARE: Final = 0.8


class LiveSession:
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

    Raises
    ------
    ConfigError, DataError
        The strategy cannot run live, or the source does not know a symbol.
    """

    panel_factory: ClassVar[Callable[[LiveSession], Any] | None] = None
    """Makes what `panel` returns; set by the facade, because panels stand above sessions."""

    def __init__(
        self,
        config: LiveSessionConfig,
        *,
        clock: Clock | None = None,
        callbacks: EngineCallbacks | None = None,
        open_core: CoreFactory = open_core,
    ) -> None:
        self.session_id = str(uuid.uuid4())
        self._base_clock = SystemClock() if clock is None else clock
        self._callbacks = callbacks
        self._open_core = open_core
        self._lock = threading.RLock()
        self._config = config
        self._status = SessionStatus(capacity=config.max_errors)
        self._mailbox = Mailbox()
        self._abandoned = threading.Event()
        self._engine = self._new_engine()
        self._readings = Readings(self._engine.snapshot(), config.max_errors)
        self._chart = ChartHistory(config.symbols[0], config.timeframe, capacity=config.max_bars)
        self._subscribers = Subscribers(self._subscriber_failed)
        self._loop: SessionLoop | None = None
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        # Without state or numbers: a notebook test compares the text of a cell's output.
        return f"LiveSession({self.name!r})"

    # ---- what it is ----

    @property
    def name(self) -> str:
        """Name of the session."""
        return self._config.name

    @property
    def config(self) -> LiveSessionConfig:
        """What the session runs."""
        return self._config

    @property
    def strategy(self) -> ConfiguredStrategy:
        """The strategy with its parameters."""
        return self._config.strategy

    @property
    def symbols(self) -> tuple[str, ...]:
        """What the session trades."""
        return self._config.symbols

    @property
    def timeframe(self) -> Timeframe:
        """Length of a bar."""
        return self._config.timeframe

    @property
    def state(self) -> SessionState:
        """What the session is doing; a member equals the text of its name."""
        return self._status.state

    @property
    def reason(self) -> str:
        """Why the session is in its state."""
        return self._status.reason

    # ---- what it is told ----

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
            self._check_prepared("configure")
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
            config, source = self._config, self._config.source
            needed = config.plan().warmup
            warmup = source.usual_warmup(needed) if config.warmup_bars is None else config.warmup_bars
            market = source.open(config.symbols, config.timeframe, warmup)
            self._engine = self._new_engine(since_ns=market.since_ns)
            self._loop = SessionLoop(
                SessionParts(
                    config=config,
                    engine=self._engine,
                    market=market,
                    base_clock=self._base_clock,
                    status=self._status,
                    mailbox=self._mailbox,
                    readings=self._readings,
                    chart=self._chart,
                    subscribers=self._subscribers,
                    abandoned=self._abandoned,
                )
            )
            self._status.move(SessionState.STARTING, "started by the user", 0)
            # A daemon: a strategy that never returns must not keep the interpreter from ending.
            self._thread = threading.Thread(target=self._loop.run, name=f"workbench-session-{self.name}", daemon=True)
            self._thread.start()
        return self

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

    def stop(self, *, flatten: bool = False, timeout_s: float = 30.0) -> SessionState:
        """End the session: cancel entry orders, keep the positions, and report them in the reason.

        A session whose thread does not end in time, because a strategy or a callback hangs, is given up: its state
        becomes FAILED, its engine refuses every further price, so that no order can follow, and its thread, which
        nothing in Python can end, is left to the interpreter's exit.

        Parameters
        ----------
        flatten : bool, default False
            Close all positions first. That takes the next price of each symbol; when there is none within four fifths of
            the timeout, the session ends with what is held.
        timeout_s : float, default 30
            Real seconds until the session is given up.

        Returns
        -------
        SessionState
            STOPPED or FAILED; called on the session's own thread, from a callback, the state before it.
        """
        with self._lock:
            if self._thread is None:
                self._status.move(SessionState.STOPPED, "stopped before it was started", 0)
        if self._status.is_finished or self._is_own_thread():
            self._mailbox.ask("stop_flat" if flatten else "stop")
            return self.state
        if flatten:
            self._mailbox.ask("stop_flat")
            if self._finish(_FLATTEN_SHARE * timeout_s):
                return self.state
            timeout_s *= 1.0 - _FLATTEN_SHARE
        self._mailbox.ask("stop")
        if not self._finish(timeout_s):
            self._give_up(SessionState.FAILED, f"the session's thread did not end within {timeout_s:g} s of stop()")
        return self.state

    def kill(self) -> SessionState:
        """End the session at once, orders and positions untouched; return its state."""
        self._give_up(SessionState.STOPPED, "killed by the user")
        self._finish(_KILL_S)
        return self.state

    def wait(self, timeout_s: float | None = None) -> bool:
        """Return whether the session has ended within the timeout in real seconds; None waits for ever."""
        return self._finish(timeout_s)

    def wait_for(self, *states: SessionState | str, timeout_s: float | None = None) -> bool:
        """Return whether the session came to be in one of the states within the timeout in real seconds."""
        return self._status.wait_for({SessionState(state) for state in states}, timeout_s)

    def close(self) -> None:
        """End the session if it runs, and remove its recorded events: after this there is no `parity`."""
        if not self._status.is_finished:
            self.kill()
        self._engine.close()

    # ---- what it tells ----

    def snapshot(self) -> AccountState:
        """Return the account after the last step, in one piece."""
        return self._readings.account

    def fills(self, limit: int | None = None) -> tuple[Fill, ...]:
        """Return the newest executed orders, oldest of them first."""
        return self._readings.fills.newest(limit)

    def trades(self, limit: int | None = None) -> tuple[ClosedTrade, ...]:
        """Return the newest round trips, oldest of them first."""
        return self._readings.trades.newest(limit)

    def denials(self, limit: int | None = None) -> tuple[Denied, ...]:
        """Return the newest orders that the risk review denied, oldest of them first."""
        return self._readings.denials.newest(limit)

    def errors(self, limit: int | None = None) -> tuple[ErrorRecord, ...]:
        """Return the newest errors, oldest of them first."""
        return self._engine.guard.errors.newest(limit)

    def events(self, limit: int | None = None) -> tuple[SessionEvent, ...]:
        """Return the newest events of the session itself (states, commands, breakers), oldest of them first."""
        return self._status.events.newest(limit)

    def chart_state(self) -> ChartState:
        """Return what a chart shows, as a snapshot that no longer changes."""
        return self._chart.state()

    def subscribe(self, callback: Callable[[StepUpdate], None]) -> Callable[[], None]:
        """Call `callback` for each update, on the session's thread; it must be quick. Return how to end that.

        What a callback raises is recorded and counted; the session and the other callbacks go on.
        """
        return self._subscribers.add(callback)

    def metrics(self) -> dict[str, Any]:
        """Return timing and counters; see `workbench.live.metrics.session_metrics`."""
        now_ns = None if self._loop is None or self._status.is_finished else self._loop.now_ns
        return session_metrics(self._readings, self._engine, self._chart, self._status, now_ns)

    def parity(self) -> ParityReport:
        """Replay what was recorded through the backtest driver, and say whether it did the same, byte for byte.

        Raises
        ------
        SessionError
            The session was never started.
        SessionClosedError
            The record was removed.
        """
        if self._loop is None:
            raise SessionError(f"session {self.name!r} was never started: there is nothing to replay")
        return compare_runs(self._config.plan(), self._engine.config, self._engine.cut())

    def panel(self) -> Any:  # noqa: ANN401  a widget; this room knows none
        """Return a control panel with live charts, to be shown as the value of a notebook cell.

        Raises
        ------
        SessionError
            The facade is not loaded.
        """
        factory = type(self).panel_factory
        if factory is None:
            raise SessionError("panels come with the facade: import workbench.api first")
        return factory(self)

    # ---- inside ----
