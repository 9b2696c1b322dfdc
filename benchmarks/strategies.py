"""The strategies that the benchmarks run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import workbench as wb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.core.expressions import Expr
    from workbench.core.intents import Intent
    from workbench.core.market_view import MarketView


class PullBack(wb.Strategy):
    """Buy a dip above a rising average, with a stop measured in average true ranges; leave when the dip is over."""

    length: int = 50
    low: float = 48.0
    high: float = 60.0

    def indicators(self, m: MarketView) -> Mapping[str, Expr]:
        """Return an average of the close, the relative strength and the average true range."""
        return {"average": m.close.sma(self.length), "strength": m.close.rsi(14), "atr": m.atr(14)}

    def on_bar(self, now: Any, position: Any) -> Intent:  # noqa: ANN401  namedtuples with the fields named above
        """Decide on a closed bar."""
        if position.is_flat:
            if now.close > now.average and now.strength < self.low:
                return wb.enter_long(stop_loss=3 * now.atr / now.close)
        elif now.strength > self.high:
            return wb.exit_position()
        return wb.hold()
