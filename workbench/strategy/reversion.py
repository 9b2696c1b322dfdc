"""Strategies that bet on a return to the mean."""

from workbench.core.market_view import MarketView
from workbench.strategy.parameters import param
from workbench.strategy.rule_strategy import strategy
from workbench.strategy.rules import Rules

__all__ = ["bollinger_reversion", "rsi_reversion"]


@strategy
def rsi_reversion(
    m: MarketView,
    length: int = param(14, low=2, high=200, step=1, help="Bars of the relative strength index"),
    oversold: float = param(30.0, low=1.0, high=50.0, step=1.0, help="Buy when the index comes back above this"),
    overbought: float = param(60.0, low=50.0, high=99.0, step=1.0, help="Leave when the index rises above this"),
    stop: float | None = param(
        0.05, low=0.001, high=0.5, step=0.001, help="Stop loss as a fraction of the entry price"
    ),
) -> Rules:
    """Buy when a fall ends, by the relative strength index, and leave when the market is strong again."""
    rsi = m.close.rsi(length)
    return Rules(enter_long=rsi.crosses_above(oversold), exit_long=rsi.crosses_above(overbought), stop_loss=stop)


@strategy
def bollinger_reversion(
    m: MarketView,
    length: int = param(20, low=2, high=500, step=1, help="Bars of the bands"),
    width: float = param(2.0, low=0.5, high=5.0, step=0.1, help="Distance of the bands in standard deviations"),
    stop: float | None = param(
        0.05, low=0.001, high=0.5, step=0.001, help="Stop loss as a fraction of the entry price"
    ),
) -> Rules:
    """Buy when the close comes back into the Bollinger bands from below, and leave at their middle."""
    bands = m.close.bbands(length, width, width)
    return Rules(
        enter_long=m.close.crosses_above(bands.lowerband),
        exit_long=m.close > bands.middleband,
        stop_loss=stop,
    )
