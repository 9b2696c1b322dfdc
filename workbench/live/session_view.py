"""The reading half of a session's handle: everything here is frozen or a copy, and may be asked from any thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import SessionError
from workbench.live.cards import session_card
from workbench.live.health import SessionHealth
from workbench.live.host import SessionHost
from workbench.live.live_core import open_core
from workbench.live.mailbox import Mailbox
from workbench.live.metrics import session_metrics
from workbench.live.parity import compare_runs
from workbench.live.readings import Readings
from workbench.live.recovery import replay_record, since_of, told_events
from workbench.live.status import SessionStatus
from workbench.live.symbol_charts import SymbolCharts
from workbench.live.trading_engine import LiveTradingEngine
from workbench.live.waterfall import explain_difference
from workbench.live.why import explain_order
from workbench.strategy.lowering import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.charts.theme import Figure, ThemeName
    from workbench.live.callbacks import EngineCallbacks
    from workbench.live.live_core import CoreFactory
    from workbench.live.open_orders import OpenOrder
    from workbench.live.order_story import OrderStory
    from workbench.live.parity import ParityReport
    from workbench.live.real_mode import SessionMode
    from workbench.live.recorded_config import ReadableRecord
    from workbench.live.records import ChartState, ErrorRecord, SessionEvent, StepUpdate
    from workbench.live.session_config import LiveSessionConfig
    from workbench.live.session_loop import SessionLoop
    from workbench.live.states import SessionState
    from workbench.model import AccountState, ClosedTrade, Denied, EquityWaterfall, Fill, Timeframe
    from workbench.strategy import ConfiguredStrategy

__all__ = ["SessionView"]

_NS_PER_S: Final = 1_000_000_000


class SessionView:
    """What a session tells about itself; `workbench.live.session.LiveSession` adds what it is told.

    Parameters
    ----------
    config : LiveSessionConfig
        What to run.
    callbacks : EngineCallbacks, optional
        Called on the session's thread for each closed bar, executed order and error.
    open_core : callable, optional
        Makes the core; another one is for tests.
    host : SessionHost, optional
        What lets the session outlive its process.
    """

    def __init__(
        self,
        config: LiveSessionConfig,
        *,
        callbacks: EngineCallbacks | None = None,
        open_core: CoreFactory = open_core,
        host: SessionHost | None = None,
    ) -> None:
        self._host = SessionHost() if host is None else host
        self.session_id = self._host.session_id
        self._callbacks = callbacks
        self._open_core = open_core
        self._config = config
        self._status = SessionStatus(capacity=config.max_errors, mode=config.mode, keep=self._keep)
        self._mailbox = Mailbox()
        self._abandoned = threading.Event()
        self._restored = threading.Event()
        self._loop: SessionLoop | None = None
        self._engine = self._new_engine()
        self._readings = Readings(self._engine.snapshot(), config.max_errors)
        self._charts = SymbolCharts(
            config.symbols, config.timeframe, capacity=config.max_bars, on_error=self._subscriber_failed
        )

    def __repr__(self) -> str:
        # Without state or numbers: a notebook test compares the text of a cell's output.
        return f"{type(self).__name__}({self.name!r})"

    def _repr_html_(self) -> str:
        return session_card(self)

    @property
    def name(self) -> str:
        """Name of the session."""
        return self._config.name

    @property
    def config(self) -> LiveSessionConfig:
        """What the session runs."""
        return self._config

    @property
    def record(self) -> ReadableRecord:
        """What the session has recorded so far, for reading."""
        return self._host.record

    @property
    def mode(self) -> SessionMode:
        """``"real"`` when the session trades real money, else ``"paper"``."""
        return self._config.mode

    @property
    def strategy(self) -> ConfiguredStrategy:
        """The strategy with its parameters."""
        return self._config.strategy

    @property
    def symbols(self) -> tuple[str, ...]:
        """What the session trades."""
        return self._config.symbols

    @property
    def chart_symbols(self) -> tuple[str, ...]:
        """Of which symbols there are charts: of all."""
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
    def is_finished(self) -> bool:
        """Whether the session has ended."""
        return self._status.is_finished

    @property
    def reason(self) -> str:
        """Why the session is in its state."""
        return self._status.reason

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

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Return the orders that are on their way to the exchange or open there, oldest first."""
        return self._readings.open_orders

    def errors(self, limit: int | None = None) -> tuple[ErrorRecord, ...]:
        """Return the newest errors, oldest of them first."""
        return self._engine.guard.errors.newest(limit)

    def events(self, limit: int | None = None) -> tuple[SessionEvent, ...]:
        """Return the newest events of the session itself (states, commands, breakers), oldest of them first."""
        return self._status.events.newest(limit)

    def chart_state(self, symbol: str | None = None) -> ChartState:
        """Return what the chart of a symbol shows, by default of the first, as a snapshot that no longer changes.

        Raises
        ------
        ConfigError
            The session does not trade the symbol.
        """
        return self._charts.state(symbol)

    def plot(self, *, symbol: str | None = None, theme: ThemeName = "auto") -> Figure:
        """Return what the live chart shows now as a plain figure, for notebooks that are read without a kernel.

        Parameters
        ----------
        symbol : str, optional
            Whose candles, fills and levels; the first symbol by default. Equity and drawdown are the account's.
        theme : {"auto", "light", "dark"}, default "auto"
            ``auto`` reads on light and dark pages.

        Raises
        ------
        ConfigError
            An unknown theme, or a symbol that the session does not trade.
        DataError
            There are no bars yet.
        """
        from workbench.charts.session_figure import session_figure  # noqa: PLC0415  plotly only when a figure is wanted

        return session_figure(self, title=f"{self.name}: {self.strategy!r}", symbol=symbol, theme=theme)

    def subscribe(self, callback: Callable[[StepUpdate], None], symbol: str | None = None) -> Callable[[], None]:
        """Call `callback` for each update, on the session's thread; it must be quick. Return how to end that.

        The updates are those of one symbol's chart, by default of the first; see `chart_state`. What a callback raises
        is recorded and counted; the session and the other callbacks go on.
        """
        return self._charts.subscribe(callback, symbol)

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change of state or reason; it must be quick and must not raise. Return its end."""
        return self._status.listen(callback)

    def health(self) -> SessionHealth:
        """Return the state with the age of the data against its limit."""
        limit_ns = self._config.stale_after_ns if self._loop is None else self._loop.stale_after_ns
        age_s = self.metrics()["data_age_s"]
        return SessionHealth(str(self.state), self.reason, age_s, limit_ns / _NS_PER_S, None)

    def metrics(self) -> dict[str, Any]:
        """Return timing and counters; see `workbench.live.metrics.session_metrics`."""
        now_ns = None if self._loop is None or self._status.is_finished else self._loop.now_ns
        return session_metrics(self._readings, self._engine, self._charts, self._status, now_ns)

    def restore(self) -> None:
        """Show a session that another process ran, as its record leaves it; for one that is never started.

        Raises
        ------
        JournalError
            The record cannot be read, or run again by this version of the software.
        """
        record = self._host.record
        self._engine = self._new_engine(since_ns=since_of(record))
        told_events(record, self._status)
        replay_record(self._engine, self._readings, self._charts)

    def parity(self, strategy: object = None) -> ParityReport:
        """Replay what was recorded through the backtest driver, and say whether it did the same, byte for byte.

        Parameters
        ----------
        strategy : strategy, optional
            Replay this one in the place of the session's own, which shows the first bar at which the two part.

        Raises
        ------
        SessionError
            The session was never started.
        SessionClosedError
            The record was removed.
        ConfigError
            It is no strategy.
        """
        if self._loop is None and not self._engine.time_ns:
            raise SessionError(f"session {self.name!r} was never started: there is nothing to replay")
        plan = self._config.plan() if strategy is None else plan_of(strategy)
        return compare_runs(plan, self._engine.config, self._engine.cut(), own_plan=self._config.plan)

    def why(self, order: int | str | Fill | Denied) -> OrderStory:
        """Return why an order happened, from the bar that decided it to what became of it; printed, it is a text.

        Parameters
        ----------
        order : int, str, Fill or Denied
            As for `workbench.live.why.explain_order`: a number, a client order id, a fill or a denial.

        Raises
        ------
        UnknownOrderError
            The session has no such order.
        SessionClosedError
            The record was removed.
        """
        return explain_order(self._config, self._host.record, order)

    def waterfall(self) -> EquityWaterfall:
        """Explain the difference to the bar-only backtest: path inside the bars, latency, prices, fees, missed fills.

        Raises
        ------
        SessionError
            The session was never started, or has recorded nothing yet.
        SessionClosedError
            The record was removed.
        """
        if self._loop is None and not self._engine.time_ns:
            raise SessionError(f"session {self.name!r} was never started: there is nothing to explain")
        return explain_difference(self._config.plan, self._engine.config, self._engine.cut())

    def _new_engine(self, *, since_ns: int | None = None) -> LiveTradingEngine:
        config = self._config
        return LiveTradingEngine(
            config.plan(),
            config.engine_config(),
            callbacks=self._callbacks,
            since_ns=since_ns,
            latest_ns=self._latest_ns,
            max_strategy_errors=config.max_strategy_errors,
            max_errors=config.max_errors,
            open_core=self._open_core,
            record=self._host.record,
        )

    def _keep(self, event: SessionEvent) -> None:
        """Write an event of the session down."""
        if not self._abandoned.is_set():
            kind = event.kind if event.kind in ("state", "command", "breaker") else "notice"
            self._host.record.note(kind, event.time_ns, {"about": event.kind, "text": event.text})

    def _latest_ns(self) -> int:
        """Return the latest time that a price may carry, ns UTC; prices come only while the loop runs."""
        if self._loop is None:
            raise SessionError(f"session {self.name!r} was never started: it takes no prices")
        return self._loop.latest_ns()

    def _subscriber_failed(self, error: Exception) -> None:
        self._engine.guard.callback_failed(error, "subscriber", self._engine.time_ns)
