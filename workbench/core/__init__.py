"""The shared engine, portfolio and risk core: the same compiled code decides in backtest, on paper and live.

Deterministic: no input or output, no wall clock, no hidden randomness, no threads but the lock around a portfolio. The
only room that knows numba and TA-Lib.
"""

from workbench.core.book import EngineConfig, state_bytes
from workbench.core.driver import run_backtest
from workbench.core.engine import Engine, run_events
from workbench.core.kept import marks_of
from workbench.core.ledger import MARK_ROWS, Ledger, LedgerTail
from workbench.core.plan import DecisionPlan
from workbench.core.portfolio import PortfolioSimulator
from workbench.core.records import BREAKERS, DENIAL_RULES, EXIT_REASONS

__all__ = [
    "BREAKERS",
    "DENIAL_RULES",
    "EXIT_REASONS",
    "MARK_ROWS",
    "DecisionPlan",
    "Engine",
    "EngineConfig",
    "Ledger",
    "LedgerTail",
    "PortfolioSimulator",
    "marks_of",
    "run_backtest",
    "run_events",
    "state_bytes",
]
