"""The yardstick."""

from workbench.core.market_view import MarketView
from workbench.strategy.rule_strategy import strategy
from workbench.strategy.rules import Rules

__all__ = ["buy_and_hold"]


@strategy
def buy_and_hold(m: MarketView) -> Rules:  # noqa: ARG001  every strategy takes the market view
    """Buy with all equity at the first chance and keep it: what every other strategy has to beat."""
    return Rules(enter_long=True)
