"""What a session's handle can do, the same in the session's own process and in another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.charts.theme import Figure, ThemeName
    from workbench.live.health import SessionHealth
    from workbench.live.open_orders import OpenOrder
    from workbench.live.order_story import OrderStory
    from workbench.live.parity import ParityReport
    from workbench.live.records import ChartState, ErrorRecord, SessionEvent, StepUpdate
    from workbench.live.session_config import LiveSessionConfig
    from workbench.live.states import SessionState
    from workbench.model import AccountState, ClosedTrade, Denied, EquityWaterfall, Fill, Timeframe
    from workbench.strategy.parameters import Parameter

__all__ = ["SessionHandle", "StrategyLike"]


class StrategyLike(Protocol):
    """A strategy with its parameters, as far as a handle knows it."""

    @property
    def name(self) -> str:
        """Name of the strategy."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Values by name."""

    @property
    def spec(self) -> tuple[Parameter, ...]:
        """Declared parameters in their order."""


class SessionHandle(Protocol):
    """A session, wherever it runs. Every method may be called from any thread, more than once, and in any state.

    What makes no sense in a state raises SessionClosedError or SessionError and says why. Everything handed out is
    frozen or a copy.
    """

    @property
    def name(self) -> str:
        """Name of the session."""

    @property
    def config(self) -> LiveSessionConfig:
        """What the session runs."""

    @property
    def strategy(self) -> StrategyLike:
        """The strategy with its parameters."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """What the session trades."""

    @property
    def chart_symbols(self) -> tuple[str, ...]:
        """Of which symbols there are charts: of all, or of the first where the session runs in an older version."""

    @property
    def timeframe(self) -> Timeframe:
        """Length of a bar."""

    @property
    def state(self) -> SessionState:
        """What the session is doing; a member equals the text of its name."""

    @property
    def is_finished(self) -> bool:
        """Whether the session has ended."""

    @property
    def reason(self) -> str:
        """Why the session is in its state."""

    def snapshot(self) -> AccountState:
        """Return the account after the last step, in one piece."""

    def fills(self, limit: int | None = None) -> tuple[Fill, ...]:
        """Return the newest executed orders, oldest of them first."""

    def trades(self, limit: int | None = None) -> tuple[ClosedTrade, ...]:
        """Return the newest round trips, oldest of them first."""

    def denials(self, limit: int | None = None) -> tuple[Denied, ...]:
        """Return the newest orders that the risk review denied, oldest of them first."""

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Return the orders that are on their way to the exchange or open there, oldest first."""

    def errors(self, limit: int | None = None) -> tuple[ErrorRecord, ...]:
        """Return the newest errors, oldest of them first."""

    def events(self, limit: int | None = None) -> tuple[SessionEvent, ...]:
        """Return the newest events of the session itself (states, commands, breakers), oldest of them first."""

    def chart_state(self, symbol: str | None = None) -> ChartState:
        """Return what the chart of a symbol shows, by default of the first, as a snapshot that no longer changes."""

    def subscribe(self, callback: Callable[[StepUpdate], None], symbol: str | None = None) -> Callable[[], None]:
        """Call `callback` for each update, on a thread of the handle's; it must be quick. Return how to end that.

        The updates are those of one symbol's chart, by default of the first; see `chart_state`. What a callback raises
        is recorded and counted; the session and the other callbacks go on.
        """

    def metrics(self) -> dict[str, Any]:
        """Return timing and counters; see `workbench.live.metrics.session_metrics`."""

    def health(self) -> SessionHealth:
        """Return the state with the age of the data against its limit."""

    def parity(self, strategy: object = None) -> ParityReport:
        """Replay what was recorded through the backtest driver, and say whether it did the same, byte for byte.

        Another `strategy` in the place of the session's own shows the first bar at which the two part.
        """

    def waterfall(self) -> EquityWaterfall:
        """Explain the difference to the bar-only backtest: path inside the bars, latency, prices, fees, fills."""

    def why(self, order: int | str | Fill | Denied) -> OrderStory:
        """Return why an order happened, by its number, client order id, fill or denial; printed, it is a text."""

    def configure(self, **parameters: object) -> None:
        """Change parameters of the strategy before the start."""

    def start(self) -> SessionHandle:
        """Start trading and return the session; a session that runs already goes on."""

    def pause(self) -> bool:
        """Let no new entries through; exits and stops go on. Return whether the session has obeyed already."""

    def resume(self) -> bool:
        """Let entries through again after `pause`, `flatten` or a failing strategy; see `pause` for the answer."""

    def flatten(self) -> bool:
        """Close all positions at their next price, then pause; see `pause` for the answer."""

    def clear_breaker(self) -> bool:
        """Allow entries again after a breaker tripped, and measure losses from now; see `pause` for the answer."""

    def reconcile(self, answer: str) -> bool:
        """Decide what becomes of a difference between the exchange and what was booked: adopt, flatten or ignore."""

    def resolve(self, number: int, answer: str) -> bool:
        """Decide what becomes of an order of which nobody can tell: ``"never_arrived"``, where you have looked."""

    def stop(self, *, flatten: bool = False, timeout_s: float = 30.0) -> SessionState:
        """End the session: cancel entry orders, keep the positions, and report them in the reason."""

    def ask_to_stop(self, *, flatten: bool = False) -> None:
        """Ask the session to end as `stop` does, closing its position first when `flatten`, and do not wait for it."""

    def kill(self) -> SessionState:
        """End the session at once, orders and positions untouched."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Return whether the session has ended within `timeout_s` real seconds; None waits for ever."""

    def wait_for(self, *states: SessionState | str, timeout_s: float | None = None) -> bool:
        """Return whether the session came to be in one of the `states` within `timeout_s` real seconds."""

    def close(self) -> None:
        """End the session if it runs, and let go of everything that the handle holds."""

    def plot(self, *, symbol: str | None = None, theme: ThemeName = "auto") -> Figure:
        """Return what the live chart shows now as a plain figure, for notebooks that are read without a kernel."""

    def panel(self, *, symbol: str | None = None) -> Any:  # noqa: ANN401  a widget; this room knows none
        """Return a control panel with a live chart, to be shown as the value of a notebook cell."""
