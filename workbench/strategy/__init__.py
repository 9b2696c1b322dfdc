"""Strategies: three ways to write one, and a few to start from.

The room itself can be called as the decorator, so that ``@wb.strategy`` works although ``workbench.strategy`` is
this package.
"""

import sys
from collections.abc import Callable
from types import ModuleType

from workbench.core.intents import enter_long, enter_short, exit_position, hold
from workbench.strategy.class_strategy import Strategy
from workbench.strategy.decision_check import compare_decisions
from workbench.strategy.holding import buy_and_hold
from workbench.strategy.lowering import ConfiguredStrategy, configured, plan_of
from workbench.strategy.parameters import Parameter, param
from workbench.strategy.reversion import bollinger_reversion, rsi_reversion
from workbench.strategy.rule_strategy import ConfiguredRules, RuleStrategy, strategy
from workbench.strategy.rules import Rules
from workbench.strategy.signals import Signals
from workbench.strategy.strategy_text import StrategyText, strategy_from_text, strategy_text
from workbench.strategy.trend import donchian_breakout, sma_cross

__all__ = [
    "ConfiguredRules",
    "ConfiguredStrategy",
    "Parameter",
    "RuleStrategy",
    "Rules",
    "Signals",
    "Strategy",
    "StrategyText",
    "bollinger_reversion",
    "buy_and_hold",
    "compare_decisions",
    "configured",
    "donchian_breakout",
    "enter_long",
    "enter_short",
    "exit_position",
    "hold",
    "param",
    "plan_of",
    "rsi_reversion",
    "sma_cross",
    "strategy",
    "strategy_from_text",
    "strategy_text",
]


class _Room(ModuleType):
    """The package, callable as the decorator `strategy`."""

    def __call__(self, function: Callable[..., Rules]) -> RuleStrategy:
        """Make a strategy of a function; see `workbench.strategy.strategy`."""
        return strategy(function)


sys.modules[__name__].__class__ = _Room
