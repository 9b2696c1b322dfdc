"""Strategies that follow a trend."""

from collections.abc import Mapping
from typing import Any

from workbench.core.expressions import Expr
from workbench.core.intents import Intent, enter_long, exit_position, hold
from workbench.core.market_view import MarketView
from workbench.strategy.class_strategy import Strategy
from workbench.strategy.parameters import param
from workbench.strategy.rule_strategy import strategy
from workbench.strategy.rules import Rules

__all__ = ["donchian_breakout", "sma_cross"]


@strategy
def sma_cross(
    m: MarketView,
    fast: int = param(20, low=2, high=500, step=1, help="Bars of the fast average"),
    slow: int = param(50, low=2, high=1000, step=1, help="Bars of the slow average"),
    stop: float | None = param(
        0.02, low=0.001, high=0.5, step=0.001, help="Stop loss as a fraction of the entry price"
    ),
) -> Rules:
    """Be long while the fast average of the close is above the slow one."""
    fast_average, slow_average = m.close.sma(fast), m.close.sma(slow)
    return Rules(
        enter_long=fast_average.crosses_above(slow_average),
        exit_long=fast_average.crosses_below(slow_average),
        stop_loss=stop,
    )


class donchian_breakout(Strategy):  # noqa: N801  called like the strategy functions beside it
    """Buy a close above the highest high of the last bars, risking a fixed part of equity; leave below the middle."""

    lookback: int = param(48, low=2, high=1000, step=1, help="Bars of the channel")
    risk: float = param(0.01, low=0.0005, high=0.2, step=0.0005, help="Fraction of equity lost at the stop")
    stop_in_atr: float = param(2.0, low=0.25, high=10.0, step=0.25, help="Distance of the stop in average true ranges")

    def indicators(self, m: MarketView) -> Mapping[str, Expr]:
        """Return the channel before this bar, and the average true range."""
        top, bottom = m.high.max(self.lookback).shift(1), m.low.min(self.lookback).shift(1)
        return {"top": top, "middle": (top + bottom) / 2, "atr": m.atr(14)}

    def on_bar(self, now: Any, position: Any) -> Intent:  # noqa: ANN401  namedtuples with the fields named above
        """Enter on a breakout, leave when the close falls back below the middle of the channel."""
        if position.is_flat and now.close > now.top:
            # A stop of the whole price or more is none, and 0 none either: both mean that the bars make no sense here.
            distance = self.stop_in_atr * now.atr / now.close
            if 0.0 < distance < 1.0:
                return enter_long(risk=self.risk, stop_loss=distance)
        if position.is_long and now.close < now.middle:
            return exit_position()
        return hold()
