"""The strategies and bars that a control panel offers: built in, handed over, or lying in the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.model import Bars
from workbench.strategy import (
    Strategy,
    bollinger_reversion,
    buy_and_hold,
    configured,
    donchian_breakout,
    rsi_reversion,
    sma_cross,
)
from workbench.strategy.rule_strategy import ConfiguredRules, RuleStrategy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.strategy import ConfiguredStrategy

__all__ = ["found_bars", "found_strategies"]

_BUILT_IN: Final = (sma_cross, donchian_breakout, bollinger_reversion, rsi_reversion, buy_and_hold)


def found_strategies(given: Iterable[object], namespace: Mapping[str, object]) -> dict[str, ConfiguredStrategy]:
    """Return strategies with their parameters, by name: the notebook's own first, then those built in.

    Parameters
    ----------
    given : iterable of object
        Strategies that were handed over; of these anything else is refused.
    namespace : mapping of str to object
        Names of the notebook; those that begin with ``_`` are the shell's.

    Raises
    ------
    ConfigError
        Something that was handed over is no strategy.
    """
    own = [configured(one) for one in given]
    lying = [
        configured(value)
        for name, value in namespace.items()
        if not name.startswith("_") and _is_strategy(value) and value is not Strategy
    ]
    found: dict[str, ConfiguredStrategy] = {}
    for one in (*own, *lying, *map(configured, _BUILT_IN)):
        # What was handed over or written last in the notebook is meant, also under the name of one that is built in.
        found.setdefault(one.name, one)
    return found


def found_bars(given: Mapping[str, Bars], namespace: Mapping[str, object]) -> dict[str, Bars]:
    """Return the bars that can be replayed, by name: handed over, or variables of the notebook."""
    lying = {name: value for name, value in namespace.items() if not name.startswith("_") and isinstance(value, Bars)}
    return {**lying, **given}


def _is_strategy(value: object) -> bool:
    if isinstance(value, type):
        return issubclass(value, Strategy)
    return isinstance(value, RuleStrategy | ConfiguredRules | Strategy)
