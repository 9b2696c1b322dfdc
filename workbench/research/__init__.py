"""Research: backtests, sweeps over parameters, and the figures that judge them."""

from workbench.research.backtest import backtest
from workbench.research.grid import Grid
from workbench.research.measures import MEASURES, SWEEP_MEASURES, Measure
from workbench.research.result import BacktestResult, PathBand
from workbench.research.stats import Stats
from workbench.research.sweep import sweep
from workbench.research.sweep_result import SweepResult, SweepRow

__all__ = [
    "MEASURES",
    "SWEEP_MEASURES",
    "BacktestResult",
    "Grid",
    "Measure",
    "PathBand",
    "Stats",
    "SweepResult",
    "SweepRow",
    "backtest",
    "sweep",
]
