"""The reading half of a handle of a session in another process: what it tells, and what is known when it does not."""

from __future__ import annotations

import contextlib
import math
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from workbench.charts.live_source import chosen_symbol
from workbench.errors import ConfigError, SessionClosedError, SessionError, SessionTimeoutError
from workbench.live.bounded import BoundedLog
from workbench.live.cards import session_card
from workbench.live.health import SessionHealth
from workbench.live.open_orders import OpenOrder
from workbench.live.process.control_link import ControlLink, NotRunningError
from workbench.live.process.strategy_view import StrategyView
from workbench.live.process.update_lines import UpdateLines
from workbench.live.records import ChartState, ErrorRecord, SessionEvent
from workbench.live.states import FINISHED, SessionState
from workbench.model import AccountState, ClosedTrade, Denied, Fill, Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from workbench.charts.theme import Figure, ThemeName
    from workbench.live.process.messages import Answer
    from workbench.live.records import StepUpdate
    from workbench.live.session_config import LiveSessionConfig

__all__ = ["ProcessView", "SessionArchive"]

T = TypeVar("T")

_GREETING_S: Final = 2.0
# After a question without an answer, reads do not ask again for so long: a panel asks for ten things at once.
_SILENCE_S: Final = 1.0
_ERRORS: Final = 100


class SessionArchive(Protocol):
    """What can be read of a session whose process is gone, such as its journal."""

    def answer(self, operation: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401  what the operation answers
        """Return what the session's process would answer to a read; raises LookupError for what is not kept."""


class _Local:
    """What belongs to one process: after a fork the child makes its own, as locks and threads do not come along."""

    def __init__(self, folder: Path) -> None:
        self.pid = os.getpid()
        self.link = ControlLink(folder)
        self.lines = UpdateLines(folder)
        self.silent_until = 0.0


class ProcessView:
    """What a session in another process tells; `ProcessSession` adds what it is told.

    Parameters
    ----------
    folder : Path
        The session's folder.
    load_config : callable, optional
        Reads the session's configuration from its folder; without it `config` is not known here.
    archive : SessionArchive, optional
        Answers reads when the process is gone.
    answer_timeout_s : float, default 2
        Real seconds that a read waits for its answer, above 0.

    Raises
    ------
    ConfigError
        The timeout is out of its range.
    """

    def __init__(
        self,
        folder: Path,
        *,
        load_config: Callable[[Path], LiveSessionConfig] | None = None,
        archive: SessionArchive | None = None,
        answer_timeout_s: float = 2.0,
    ) -> None:
        if not 0.0 < answer_timeout_s < math.inf:
            raise ConfigError(f"answer_timeout_s must be in (0, inf), was {answer_timeout_s}")
        self.folder = folder
        self._answer_s = answer_timeout_s
        self._load_config = load_config
        self._archive = archive
        self._config: LiveSessionConfig | None = None
        self._known: dict[str, Any] = {}
        self._kill_note = ""
        self._errors: BoundedLog[ErrorRecord] = BoundedLog(_ERRORS)
        self._own = _Local(folder)

    def __repr__(self) -> str:
        # Without state or numbers: a notebook test compares the text of a cell's output.
        return f"{type(self).__name__}({self.name!r})"

    def _repr_html_(self) -> str:
        return session_card(self)

    @property
    def name(self) -> str:
        """Name of the session."""
        return self.folder.name

    @property
    def session_id(self) -> str:
        """Id of the session."""
        host = self._local.link.host or self._local.link.ask("ping", self._answer_s).host
        return host.session_id

    @property
    def pid(self) -> int | None:
        """The session's process now; None when there is none."""
        return self._local.link.pid or None

    @property
    def config(self) -> LiveSessionConfig:
        """What the session runs, with the parameters that it has now."""
        if self._config is None:
            if self._load_config is None:
                raise SessionError(f"the configuration of session {self.name!r} is not known here")
            self._config = self._load_config(self.folder)
        parameters = dict(self._describe()["strategy"].parameters)
        if parameters != dict(self._config.strategy.parameters):
            self._config = replace(self._config, strategy=self._config.strategy.with_parameters(**parameters))
        return self._config

    @property
    def strategy(self) -> StrategyView:
        """The strategy with its parameters, as far as it is known here: its name, and what it may be set to."""
        return self._checked(self._describe()["strategy"], StrategyView)

    @property
    def symbols(self) -> tuple[str, ...]:
        """What the session trades."""
        return self._checked(self._describe()["symbols"], tuple)

    @property
    def chart_symbols(self) -> tuple[str, ...]:
        """Of which symbols there are charts: of all, or of the first where the session runs in an older version."""
        told = self._describe()
        return self._checked(told.get("chart_symbols", told["symbols"][:1]), tuple)

    @property
    def timeframe(self) -> Timeframe:
        """Length of a bar."""
        return self._checked(self._describe()["timeframe"], Timeframe)

    @property
    def state(self) -> SessionState:
        """What the session is doing; CRASHED or UNREACHABLE when that cannot be known."""
        return self._status()[0]

    @property
    def is_finished(self) -> bool:
        """Whether the session has ended; one whose process crashed has not, it can be resumed."""
        return self.state in FINISHED

    @property
    def reason(self) -> str:
        """Why the session is in its state."""
        return self._status()[1]

    def snapshot(self) -> AccountState:
        """Return the account after the last step, in one piece."""
        return self._read("snapshot", AccountState)

    def fills(self, limit: int | None = None) -> tuple[Fill, ...]:
        """Return the newest executed orders, oldest of them first."""
        return self._newest("fills", Fill, limit)

    def trades(self, limit: int | None = None) -> tuple[ClosedTrade, ...]:
        """Return the newest round trips, oldest of them first."""
        return self._newest("trades", ClosedTrade, limit)

    def denials(self, limit: int | None = None) -> tuple[Denied, ...]:
        """Return the newest orders that the risk review denied, oldest of them first."""
        return self._newest("denials", Denied, limit)

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Return the orders that are on their way to the exchange or open there, oldest first.

        Raises
        ------
        SessionError
            The session does not run, so what its orders do is not known here: look at the exchange.
        """
        return tuple(self._checked(item, OpenOrder) for item in self._checked(self._ask("open_orders").value, tuple))

    def errors(self, limit: int | None = None) -> tuple[ErrorRecord, ...]:
        """Return the newest errors, oldest of them first; those of subscribers of this handle come last."""
        found = (*self._newest("errors", ErrorRecord, limit), *self._errors.newest(limit))
        return found if limit is None else found[len(found) - min(limit, len(found)) :]

    def events(self, limit: int | None = None) -> tuple[SessionEvent, ...]:
        """Return the newest events of the session itself, oldest of them first."""
        return self._newest("events", SessionEvent, limit)

    def chart_state(self, symbol: str | None = None) -> ChartState:
        """Return what the chart of a symbol shows, by default of the first, numbered like the updates of `subscribe`.

        Raises
        ------
        ConfigError
            The session does not trade the symbol.
        SessionError
            The session runs in an older version, which has a chart of its first symbol only.
        """
        name = self._named(symbol)
        arguments = {"symbol": name} if name else {}
        try:
            answer = self._ask("chart_state", **arguments)
        except (NotRunningError, SessionTimeoutError) as error:
            return self._last_known("chart_state", ChartState, arguments, error, name)
        told = self._checked(answer.value, ChartState)
        number = self._local.lines.numbering(name).shown(answer.host.boot, told.sequence)
        # None is an answer of a process that was replaced meanwhile: whoever gets it sees a gap next.
        state = told if number is None else replace(told, sequence=number)
        self._known[f"chart_state{name}"] = state
        return state

    def plot(self, *, symbol: str | None = None, theme: ThemeName = "auto") -> Figure:
        """Return what the live chart shows now as a plain figure; see `LiveSession.plot`."""
        from workbench.charts.session_figure import session_figure  # noqa: PLC0415  plotly only when a figure is wanted

        return session_figure(self, title=f"{self.name}: {self.strategy!r}", symbol=symbol, theme=theme)

    def subscribe(self, callback: Callable[[StepUpdate], None], symbol: str | None = None) -> Callable[[], None]:
        """Call `callback` for each update, on a thread of this handle; it must be quick. Return how to end that.

        The updates are those of one symbol's chart, by default of the first; see `chart_state` for its errors. A gap in
        the numbers says that updates were lost or that the process was started anew: ask for `chart_state`. What a
        callback raises is recorded and counted; the session and the other callbacks go on.
        """
        name = self._named(symbol)
        reader, end = self._local.lines.subscribe(name, callback, self.snapshot, self._subscriber_failed)
        reader.wait_greeted(_GREETING_S if self._is_there() else 0.0)
        return end

    def metrics(self) -> dict[str, Any]:
        """Return timing and counters; ``control`` counts questions and updates of the session's server."""
        return self._read("metrics", dict)

    def health(self) -> SessionHealth:
        """Return the state, the age of the data against its limit, and how long the session took to answer."""
        asked_at = time.monotonic()
        try:
            answer = self._ask("health")
        except (NotRunningError, SessionTimeoutError) as error:
            health = self._last_known("health", SessionHealth, {}, error)
            state, reason = self._status()
            return replace(health, state=str(state), reason=reason, data_age_s=None, ping_s=None)
        health = replace(self._checked(answer.value, SessionHealth), ping_s=time.monotonic() - asked_at)
        self._known["health"] = health
        return health

    @property
    def _local(self) -> _Local:
        if self._own.pid != os.getpid():
            self._own = _Local(self.folder)
        return self._own

    def _ask(self, operation: str, **arguments: object) -> Answer:
        local = self._local
        if time.monotonic() < local.silent_until:
            raise SessionTimeoutError(
                f"session {self.name!r} did not answer a moment ago: it is busy, suspended or hangs; try again, or end "
                f"it with kill() or `workbench kill {self.name}`"
            )
        try:
            return local.link.ask(operation, self._answer_s, **arguments)
        except SessionTimeoutError:
            local.silent_until = time.monotonic() + _SILENCE_S
            raise

    def _read(self, operation: str, kind: type[T], **arguments: object) -> T:
        try:
            value = self._ask(operation, **arguments).value
        except (NotRunningError, SessionTimeoutError) as error:
            return self._last_known(operation, kind, arguments, error)
        self._known[operation] = value
        return self._checked(value, kind)

    def _named(self, symbol: str | None) -> str:
        """Return the symbol by which the session is asked for a chart; nothing where the question is for the first."""
        if symbol is None:
            return ""
        offered = self.chart_symbols
        if chosen_symbol(self.symbols, symbol) not in offered:
            raise SessionError(
                f"session {self.name!r} runs in an older version of workbench, which has a chart of {offered[0]} only; "
                "one that this version starts has a chart of each symbol"
            )
        return symbol if len(offered) > 1 else ""

    def _last_known(
        self, operation: str, kind: type[T], arguments: Mapping[str, Any], error: SessionError, name: str = ""
    ) -> T:
        if self._archive is not None and isinstance(error, NotRunningError):
            with contextlib.suppress(LookupError):
                return self._checked(self._archive.answer(operation, arguments), kind)
        if operation + name not in self._known:
            if isinstance(error, SessionTimeoutError):
                raise error
            raise SessionClosedError(f"{error}; {self._advice()}") from error
        return self._checked(self._known[operation + name], kind)

    def _checked(self, value: object, kind: type[T]) -> T:
        if not isinstance(value, kind):
            raise SessionError(
                f"session {self.name!r} answered with a {type(value).__name__}, not a {kind.__name__}: use the version "
                "of workbench that it was started with"
            )
        return value

    def _newest(self, operation: str, kind: type[T], limit: int | None) -> tuple[T, ...]:
        found = self._read(operation, tuple, limit=limit)
        found = found if limit is None else found[len(found) - min(limit, len(found)) :]
        return tuple(self._checked(item, kind) for item in found)

    def _describe(self) -> Mapping[str, Any]:
        return self._read("describe", dict)

    def _status(self) -> tuple[SessionState, str]:
        try:
            state, reason = self._ask("status").value
        except (NotRunningError, SessionTimeoutError) as error:
            return self._status_without_answer(error)
        self._known["status"] = (state, reason)
        self._kill_note = ""
        return SessionState(state), reason

    def _status_without_answer(self, error: SessionError) -> tuple[SessionState, str]:
        """Return a state that claims nothing which is not known."""
        try:
            state, reason = self._last_known("status", tuple, {}, error)
        except (SessionClosedError, SessionTimeoutError):
            state, reason = None, "nothing is known of what it did last"
        if state is not None and SessionState(state) in FINISHED:
            return SessionState(state), reason
        was = reason if state is None else f"it was {state}: {reason}"
        if isinstance(error, NotRunningError):
            return (
                SessionState.CRASHED,
                f"{self._kill_note}the session's process is gone; {was}; position unmanaged; {self._advice()}",
            )
        return SessionState.UNREACHABLE, f"the session's process does not answer; {was}"

    def _is_there(self) -> bool:
        return self._local.link.pid is not None

    def _advice(self) -> str:
        return f"`workbench resume {self.name}` goes on with it"

    def _subscriber_failed(self, error: Exception) -> None:
        self._errors.append(ErrorRecord.of(error, "subscriber", 0))
