"""`backtest`: one strategy over bars, through the core that also trades live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workbench.core.book import EngineConfig
from workbench.core.driver import run_backtest
from workbench.errors import ConfigError, DataError, MissingDataError
from workbench.model import Bars, Costs, RiskConfig
from workbench.research.result import BacktestResult
from workbench.strategy.lowering import configured
from workbench.strategy.signals import Signals

if TYPE_CHECKING:
    from workbench.core.plan import DecisionPlan

NO_LIMITS: Final = RiskConfig()
USUAL_COSTS: Final = Costs()


def backtest(
    strategy: Any,  # noqa: ANN401  a configured strategy, a strategy with defaults, or signals
    bars: Bars,
    *,
    cash: float,
    risk: RiskConfig = NO_LIMITS,
    costs: Costs = USUAL_COSTS,
    path: str = "adverse",
    funding: Any = None,  # noqa: ANN401  as core.run_backtest takes it
) -> BacktestResult:
    """Run a strategy over bars and return what it did.

    Parameters
    ----------
    strategy : configured strategy, strategy or Signals
        What decides; a strategy without parameters given runs with its defaults.
    bars : Bars
        One or many symbols on one cash account; more of them than the strategy's warm-up.
    cash : float
        Starting cash in quote currency, above 0.
    risk : RiskConfig, optional
        Stops, limits and breakers; by default only ``max_leverage=1``.
    costs : Costs, optional
        Fees and slippage as fractions; by default 0.1 % fee and 0.02 % slippage.
    path : {"adverse", "favourable", "colour", "ohlc", "olhc"}, default "adverse"
        Order of prices inside a bar; adverse goes to the extreme against the position first. What the others would
        give is told by `BacktestResult.path_band`.
    funding : optional
        Funding rates of perpetuals: what `read_funding` returns, or a mapping from symbol to times and rates.

    Returns
    -------
    BacktestResult
        Measures, trades, fills, equity and a figure.

    Raises
    ------
    ConfigError
        ``cash``, ``risk``, ``costs`` or ``path`` is not what it must be, or the strategy is none.
    DataError
        ``bars`` is no `Bars`, or signals have another length or the index of other times.
    MissingDataError
        There are no more bars than the warm-up takes.
    """
    config = engine_config(bars, cash=cash, risk=risk, costs=costs, path=path)
    return run(strategy, bars, config, funding=funding)


def run(strategy: Any, bars: Bars, config: EngineConfig, *, funding: Any = None) -> BacktestResult:  # noqa: ANN401  as for backtest
    """Run a strategy over bars with a checked configuration; the errors are those of `backtest`."""
    strategy = configured(strategy)
    plan = strategy.lower()
    if isinstance(strategy, Signals):
        strategy.check_times(bars.time_ns)
    require_enough(plan, bars)
    return BacktestResult(strategy, plan, bars, config, run_backtest(plan, bars, config, funding=funding), funding)


def engine_config(bars: Bars, *, cash: float, risk: RiskConfig, costs: Costs, path: str) -> EngineConfig:
    """Return the core's configuration for a run over ``bars``.

    Raises
    ------
    DataError
        ``bars`` is no `Bars`, or holds none.
    ConfigError
        Any other argument is of the wrong type or out of its range; the message names them all.
    """
    if not isinstance(bars, Bars):
        raise DataError(
            f"bars must be Bars, was {type(bars).__name__}; make them with wb.load_bars(...) or "
            f"wb.Bars.from_frame(frame, symbol=..., timeframe=...)"
        )
    if not len(bars):
        raise MissingDataError("bars must hold at least one bar, was empty")
    problems: list[str] = []
    if not isinstance(risk, RiskConfig):
        problems.append(f"risk must be a RiskConfig, was {type(risk).__name__}")
    if not isinstance(costs, Costs):
        problems.append(f"costs must be Costs, was {type(costs).__name__}")
    if problems:
        raise ConfigError("; ".join(problems))
    return EngineConfig(
        instruments=bars.instruments, timeframe=bars.timeframe, cash=cash, risk=risk, costs=costs, path=path
    )


def require_enough(plan: DecisionPlan, bars: Bars) -> None:
    """Raise MissingDataError unless some symbol has more bars than the plan's warm-up.

    Raises
    ------
    MissingDataError
        No symbol has; the message says how many are needed.
    """
    longest = int(bars.valid.sum(axis=1).max())
    if longest <= plan.warmup:
        raise MissingDataError(
            f"{plan.name} decides for the first time after {plan.warmup + 1:,} bars, but there are {longest:,}; "
            f"load more bars or shorten its windows"
        )
