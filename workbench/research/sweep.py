"""`sweep`: one strategy with many combinations of parameters, in threads over the compiled core."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.errors import ConfigError
from workbench.research.backtest import NO_LIMITS, USUAL_COSTS, engine_config, run
from workbench.research.grid import Condition, Grid
from workbench.research.sweep_result import SweepResult, checked_metric
from workbench.research.sweep_run import SweepRun
from workbench.research.threads import checked_threads, run_in_threads
from workbench.strategy.lowering import configured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.model import Bars, Costs, RiskConfig
    from workbench.strategy.lowering import ConfiguredStrategy


def sweep(  # noqa: PLR0913  the public door: keyword-only, and each has one meaning
    strategy: Any,  # noqa: ANN401  a configured strategy or a strategy with defaults
    bars: Bars,
    *,
    grid: Mapping[str, Iterable[object]],
    where: Condition | None = None,
    cash: float = 10_000.0,
    risk: RiskConfig = NO_LIMITS,
    costs: Costs = USUAL_COSTS,
    path: str = "adverse",
    funding: Any = None,  # noqa: ANN401  as core.run_backtest takes it
    rank_by: str = "sharpe",
    threads: int | None = None,
    progress: bool | None = None,
) -> SweepResult:
    """Run a strategy with every combination of some parameters.

    Each distinct indicator is computed once; memory grows with bars and distinct indicators, not with combinations.

    Parameters
    ----------
    strategy : configured strategy or strategy
        What the grid varies; parameters that the grid does not name keep their values.
    bars : Bars
        One or many symbols on one cash account.
    grid : mapping of str to iterable
        The values to try of each parameter: ``{"fast": range(5, 60), "slow": range(20, 200)}``.
    where : callable, optional
        Condition that a combination must meet: ``lambda p: p.fast < p.slow``. Sees all parameters of the strategy.
    cash, risk, costs, path, funding
        As for `workbench.research.backtest.backtest`.
    rank_by : str, default "sharpe"
        The measure that ranks; one of `workbench.research.measures.SWEEP_MEASURES`.
    threads : int, optional
        Threads that run combinations; one for each usable core by default.
    progress : bool, optional
        Show a progress bar: always, never, or (None) only when it takes longer than a second.

    Returns
    -------
    SweepResult
        Table, heat map, and ranking by plateau.

    Raises
    ------
    ConfigError
        An unknown parameter, a value outside its bounds, an empty grid, no or over 1,000,000 combinations, an unknown
        measure, signals in place of a strategy, or what `backtest` refuses.
    DataError, MissingDataError
        ``bars`` is no `Bars`, or too short for every combination.
    """
    base = configured(strategy)
    config = engine_config(bars, cash=cash, risk=risk, costs=costs, path=path)
    rank_by = checked_metric(rank_by, "rank_by")
    thread_count = checked_threads(threads)
    points = Grid.of(grid, defaults=_swept_parameters(base), where=where)
    _check_values(base, points)
    work = SweepRun(base, points, bars, config, funding)
    run_in_threads(len(points), work.run_block, threads=thread_count, progress=progress, title=base.name)
    work.require_enough()
    return SweepResult(
        base, bars, points, work.figures, rank_by, partial(run, bars=bars, config=config, funding=funding)
    )


def _swept_parameters(base: ConfiguredStrategy) -> Mapping[str, object]:
    if not base.parameters:
        raise ConfigError(f"{base.name} has no parameters to sweep")
    return base.parameters


def _check_values(base: ConfiguredStrategy, grid: Grid) -> None:
    """Try every value once, so that a value out of bounds is named before hours of work, not after."""
    faults = []
    for name, values in grid.values.items():
        for value in values:
            try:
                base.with_parameters(**{name: value})
            except ConfigError as error:
                faults.append(f"{name}={value!r}: {error}")
                break
    if faults:
        raise ConfigError("; ".join(faults))
