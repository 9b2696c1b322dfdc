"""The configuration of a session: frozen, checked at once, comparable field by field."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Final

from workbench.core import EngineConfig
from workbench.errors import ConfigError
from workbench.live.real_mode import check_limits, check_mode, real_consent
from workbench.live.sources import PracticeSource
from workbench.model import Costs, RiskConfig, Timeframe
from workbench.model.field_checks import FieldChecks, Interval
from workbench.strategy import plan_of

if TYPE_CHECKING:
    from workbench.core import DecisionPlan
    from workbench.live.real_mode import SessionMode
    from workbench.live.sources import MarketSource
    from workbench.model import Instrument
    from workbench.strategy import ConfiguredStrategy

__all__ = ["EXECUTIONS", "SESSION_NAME", "LiveSessionConfig", "stale_limit_ns"]

SESSION_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

_ABOVE_ZERO: Final = Interval(0.0, math.inf)
_SPEEDS: Final = Interval(1.0, 1_000.0, includes_low=True, includes_high=True)
_PATHS: Final = ("adverse", "favourable", "colour", "ohlc", "olhc")
# Silence of one bar is normal for a source of whole bars; half a bar more is the grace.
_STALE_BARS: Final = 1.5
EXECUTIONS: Final = ("simulated", "exchange")
# Real seconds of silence that are never stale, however fast the market is played.
_GRACE_S: Final = 1.0
_NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSessionConfig:
    """All that defines a session.

    With a consent in its source it trades real money: then its name begins with ``real-``, which no other may, its
    orders go to the exchange, and its risk limits are those of the consent, none of them off.

    Parameters
    ----------
    name : str
        Unique name: 1 to 64 of ``a`` to ``z``, ``0`` to ``9``, ``_`` and ``-``, beginning with a letter or digit.
    strategy : ConfiguredStrategy
        A strategy with its parameters, such as ``sma_cross(fast=10)``.
    symbols : tuple of str
        What to trade, each once.
    timeframe : Timeframe or str
        Length of a bar; stored as `Timeframe`.
    source : MarketSource, default the practice market
        Where instruments, history and prices come from.
    cash : float, default 10000
        Start capital in quote currency, above 0.
    risk : RiskConfig
        Protections and caps; default all off.
    costs : Costs
        Fees and slippage where an instrument names none of its own.
    speed : float, default 1
        Market seconds in a real second: 1 to 1,000, or ``inf`` for as fast as it goes.
    path : {"adverse", "favourable", "colour", "ohlc", "olhc"}, default "adverse"
        Order in which a whole bar visits its extremes; means nothing for ticks.
    warmup_bars : int, optional
        Bars of history for the indicators before the first price. Default: none for a replay, which so equals a
        backtest of the same bars; 500, or what the strategy needs, elsewhere.
    max_bars : int, default 5000
        Bars and equity points kept for charts.
    max_errors : int, default 1000
        Errors, fills, trades, denials and session events kept for reading, each.
    max_strategy_errors : int, default 5
        Bars in a row on which the strategy may fail before entries are halted.
    execution : {"simulated", "exchange"}, default "simulated"
        Who fills: the core's fill model, or the exchange that the source is connected to.
    stale_after_s : float, optional
        Seconds of market time without data after which the session is stale. Default: one bar and a half.
    rests_stop : bool, default False
        Whether a stop rests at the exchange for each position, at its nearest stop or trailing level, so that it is
        protected when the session is not there. Only with execution ``"exchange"``; with real money always True.

    Raises
    ------
    ConfigError
        Any field is out of its range; the message names them all.

    Examples
    --------
    >>> LiveSessionConfig(name="BTC 1", strategy=None, symbols=(), timeframe="1m", cash=-1, speed=5000)
    Traceback (most recent call last):
    ...
    workbench.errors.ConfigError: name must be ... was 'BTC 1'; strategy must be ... symbols must be ... cash must be in
    (0, inf), was -1; speed must be in [1, 1000] or inf, was 5000
    """

    name: str
    strategy: ConfiguredStrategy
    symbols: tuple[str, ...]
    timeframe: Timeframe
    source: MarketSource = field(default_factory=PracticeSource)
    cash: float = 10_000.0
    risk: RiskConfig = field(default_factory=RiskConfig)
    costs: Costs = field(default_factory=Costs)
    speed: float = 1.0
    path: str = "adverse"
    warmup_bars: int | None = None
    max_bars: int = 5_000
    max_errors: int = 1_000
    max_strategy_errors: int = 5
    stale_after_s: float | None = None
    execution: str = "simulated"
    rests_stop: bool = False

    def __post_init__(self) -> None:
        """Check every field."""
        object.__setattr__(self, "timeframe", Timeframe.of(self.timeframe))
        checks = FieldChecks()
        self._check_names(checks)
        checks.in_interval("cash", self.cash, _ABOVE_ZERO)
        is_speed = self.speed in _SPEEDS or self.speed == math.inf
        checks.require("speed", self.speed, f"be in {_SPEEDS} or inf", is_met=is_speed)
        checks.is_one_of("path", self.path, _PATHS)
        checks.is_one_of("execution", self.execution, EXECUTIONS)
        is_source = hasattr(self.source, "instruments") and hasattr(self.source, "has_account")
        checks.require("source", self.source, "be a market source such as PracticeSource()", is_met=is_source)
        if self.execution == "exchange" and is_source:
            rule = "have an account at an exchange when execution is 'exchange'"
            checks.require("source", self.source, rule, is_met=self.source.has_account)
        if self.warmup_bars is not None:
            _check_count(checks, "warmup_bars", self.warmup_bars, least=0)
        for name in ("max_bars", "max_errors", "max_strategy_errors"):
            _check_count(checks, name, getattr(self, name), least=1)
        is_rest = isinstance(self.rests_stop, bool) and (self.execution == "exchange" or not self.rests_stop)
        rule = "be a bool, and True only when execution is 'exchange'"
        checks.require("rests_stop", self.rests_stop, rule, is_met=is_rest)
        checks.in_interval_or_off("stale_after_s", self.stale_after_s, _ABOVE_ZERO)
        for name, kind in (("risk", RiskConfig), ("costs", Costs)):
            value = getattr(self, name)
            checks.require(name, value, f"be a {kind.__name__}", is_met=isinstance(value, kind))
        checks.raise_if_any(ConfigError)
        consent = real_consent(self.source)
        check_mode(consent, self.name, self.execution)
        if consent is not None:
            # Nobody may be there to watch real money.
            object.__setattr__(self, "rests_stop", True)
            check_limits(consent, self.symbols, self.risk, has_strategy_stop=self.plan().has_stop_loss)

    def _check_names(self, checks: FieldChecks) -> None:
        is_name = isinstance(self.name, str) and SESSION_NAME.fullmatch(self.name) is not None
        rule = "be 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit"
        checks.require("name", self.name, rule, is_met=is_name)
        is_strategy = hasattr(self.strategy, "parameters") and hasattr(self.strategy, "name")
        checks.require(
            "strategy", self.strategy, "be a configured strategy such as sma_cross(fast=10)", is_met=is_strategy
        )
        symbols = self.symbols
        is_tuple = isinstance(symbols, tuple) and all(isinstance(symbol, str) and symbol for symbol in symbols)
        is_set = is_tuple and bool(symbols) and len(set(symbols)) == len(symbols)
        checks.require("symbols", symbols, "be a tuple of at least one symbol, each once", is_met=is_set)

    @property
    def mode(self) -> SessionMode:
        """``"real"`` when it trades real money, else ``"paper"``."""
        return "paper" if real_consent(self.source) is None else "real"

    @property
    def stale_after_ns(self) -> int:
        """Nanoseconds of market time without data after which the session is stale."""
        seconds = _STALE_BARS * self.timeframe.seconds if self.stale_after_s is None else self.stale_after_s
        return round(seconds * _NS_PER_S)

    def plan(self) -> DecisionPlan:
        """Return the strategy lowered for the core, a new object each time.

        Raises
        ------
        ConfigError
            The strategy cannot be lowered.
        """
        return plan_of(self.strategy)

    def engine_config(self, instruments: tuple[Instrument, ...] | None = None) -> EngineConfig:
        """Return what the core needs to know.

        Parameters
        ----------
        instruments : tuple of Instrument, optional
            Rules of the symbols; default the source's.

        Raises
        ------
        ConfigError, DataError
            The source does not know a symbol.
        """
        return EngineConfig(
            instruments=self.source.instruments(self.symbols) if instruments is None else instruments,
            timeframe=self.timeframe,
            cash=self.cash,
            risk=self.risk,
            costs=self.costs,
            path=self.path,
            is_external=self.execution == "exchange",
        )

    def differences(self, other: LiveSessionConfig) -> tuple[str, ...]:
        """Return each field in which `other` differs, as ``name: this -> that``; empty when they are the same session.

        Strategies are the same when their names, parameters and source texts are.
        """
        found = [
            f"{one.name}: {getattr(self, one.name)} -> {getattr(other, one.name)}"
            for one in fields(self)
            if one.name != "strategy" and repr(getattr(self, one.name)) != repr(getattr(other, one.name))
        ]
        return (*_strategy_differences(self.plan(), other.plan()), *found)


def _check_count(checks: FieldChecks, name: str, value: object, *, least: int) -> None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= least
    checks.require(name, value, f"be a whole number from {least}", is_met=is_count)


def _strategy_differences(one: DecisionPlan, other: DecisionPlan) -> tuple[str, ...]:
    if one.name != other.name:
        return (f"strategy: {one.name} -> {other.name}",)
    names = sorted({*one.parameters, *other.parameters})
    found = [
        f"strategy.{name}: {one.parameters.get(name)} -> {other.parameters.get(name)}"
        for name in names
        if one.parameters.get(name) != other.parameters.get(name)
    ]
    return (*found, *(("strategy: its source text was changed",) if one.source != other.source else ()))


def stale_limit_ns(config: LiveSessionConfig, speed: float) -> int:
    """Return how much silence of the market makes a session stale, in ns.

    Parameters
    ----------
    config : LiveSessionConfig
        What the user says goes; the default of a bar and a half is widened for a market that is played fast, which
        leaves a session little real time.
    speed : float
        Market seconds in a real one, by the market's own clock; 0 without one.
    """
    if config.stale_after_s is not None:
        return config.stale_after_ns
    return max(config.stale_after_ns, round(speed * _GRACE_S * _NS_PER_S))
