"""A strategy that trades every few bars, by all the ways there are in and out of a position."""

from __future__ import annotations

from typing import Any

from workbench.strategy import Strategy, enter_long, exit_position, hold


class Busy(Strategy):
    """Buys at the market after a rise and by a limit after a fall; sells on a turn, a target, a stop, a time."""

    share: float = 0.3
    holding_s: float = 240.0

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"ago": m.close.shift(1), "width": m.atr(5)}

    def on_bar(self, now: Any, position: Any) -> Any:
        reach = now.width / now.close
        if position.is_flat and now.close > now.ago:
            return enter_long(size=self.share, stop_loss=reach, take_profit=reach, max_holding_s=self.holding_s)
        if position.is_flat:
            return enter_long(
                size=self.share, limit=now.close - 0.3 * now.width, take_profit=reach, max_holding_s=self.holding_s
            )
        if position.bars_held >= 2 and now.close < now.ago:
            return exit_position()
        return hold()
