"""What a panel asks of a session's handle; the handle of a paper session has more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from workbench.charts.live_source import ChartSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.charts.live_source import ChartState
    from workbench.live.health import SessionHealth
    from workbench.live.open_orders import OpenOrder
    from workbench.live.records import SessionEvent
    from workbench.model import AccountState, ClosedTrade, Denied, Fill, RiskConfig, Timeframe

__all__ = ["ConfiguredStrategy", "ParameterSpec", "SessionHandle", "SessionSetup"]


class ParameterSpec(Protocol):
    """One parameter of a strategy as its author declared it."""

    @property
    def name(self) -> str:
        """Name of the parameter."""

    @property
    def kind(self) -> str:
        """One of ``"int"``, ``"float"``, ``"bool"``, ``"choice"``."""

    @property
    def default(self) -> object:
        """Value when nothing else is chosen."""

    @property
    def low(self) -> float | None:
        """Least value, or None."""

    @property
    def high(self) -> float | None:
        """Greatest value, or None."""

    @property
    def choices(self) -> Sequence[str]:
        """The values of a choice."""

    @property
    def is_optional(self) -> bool:
        """Whether None is a value: what the parameter is for is off."""

    @property
    def step(self) -> float | None:
        """Distance of neighbouring values, or None."""

    @property
    def help(self) -> str | None:
        """What the parameter does, or None."""


class ConfiguredStrategy(Protocol):
    """A strategy with values for its parameters."""

    @property
    def name(self) -> str:
        """Name of the strategy."""

    @property
    def parameters(self) -> Mapping[str, object]:
        """Values by name."""

    @property
    def spec(self) -> Sequence[ParameterSpec]:
        """Declared parameters in their order."""


class SessionSetup(Protocol):
    """The part of a session's configuration that a panel shows."""

    @property
    def risk(self) -> RiskConfig:
        """Protections and caps."""

    @property
    def execution(self) -> str:
        """``"simulated"`` or ``"exchange"``: who fills."""


class SessionHandle(ChartSource, Protocol):
    """A session as its panel sees it. Every method may be called from any thread and more than once."""

    @property
    def name(self) -> str:
        """Name of the session."""

    @property
    def config(self) -> SessionSetup:
        """What the session runs; raises SessionError where it is not known."""

    @property
    def reason(self) -> str | None:
        """Why the session is in its state."""

    @property
    def strategy(self) -> ConfiguredStrategy:
        """The strategy that the session runs."""

    @property
    def symbols(self) -> Sequence[str]:
        """Symbols that the session trades."""

    @property
    def timeframe(self) -> Timeframe:
        """Length of a bar."""

    def chart_state(self, symbol: str | None = None) -> ChartState:
        """Return what the chart of a symbol shows, by default of the first; ConfigError when there is none."""

    def configure(self, **parameters: object) -> None:
        """Change parameters of the strategy; raises ConfigError for bad ones and once the session was started."""

    def start(self) -> object:
        """Start the session."""

    def pause(self) -> object:
        """Let no new entries through."""

    def resume(self) -> object:
        """Let entries through again."""

    def flatten(self) -> object:
        """Close all positions, then pause."""

    def clear_breaker(self) -> object:
        """Let entries through again after a breaker tripped."""

    def reconcile(self, answer: str, /) -> object:
        """Decide what becomes of a difference with the exchange: adopt, flatten or ignore."""

    def stop(self) -> object:
        """End the session and keep its positions."""

    def kill(self) -> object:
        """End the session at once, orders and positions untouched."""

    def snapshot(self) -> AccountState:
        """Return the account at this moment."""

    def fills(self, limit: int, /) -> Sequence[Fill]:
        """Return the newest fills."""

    def trades(self, limit: int, /) -> Sequence[ClosedTrade]:
        """Return the newest closed trades."""

    def denials(self, limit: int, /) -> Sequence[Denied]:
        """Return the newest orders that the risk review denied."""

    def open_orders(self) -> Sequence[OpenOrder]:
        """Return the orders that are on their way to the exchange or open there; raises SessionError if unknown."""

    def errors(self, limit: int, /) -> Sequence[object]:
        """Return the newest errors."""

    def events(self, limit: int, /) -> Sequence[SessionEvent]:
        """Return the newest events of the session itself."""

    def health(self) -> SessionHealth:
        """Return the state with the age of the data and the time of an answer."""

    def metrics(self) -> Mapping[str, object]:
        """Return timing and counters."""
