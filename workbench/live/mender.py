"""Which of the exchange's own candles take the place of bars that prices could not make whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.errors import ExchangeError
from workbench.model import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.live.sources import Market
    from workbench.live.status import SessionStatus
    from workbench.live.trading_engine import LiveTradingEngine
    from workbench.model import Bar

__all__ = ["Mender"]

# How often the candles of a hole are asked for; until then nothing is decided on its symbol, and levels are watched.
_TRIES: Final = 5


class Mender:
    """Fetches the bars of holes; the session's thread alone calls it.

    Parameters
    ----------
    market : Market
        Whose feed is asked.
    engine : LiveTradingEngine
        Told where a hole is still to be mended.
    status : SessionStatus
        Told what came of it.
    missing_from : mapping of str to int
        Open of the first bar that is missing of each symbol, ns UTC, where prices are missing before the feed.
    """

    def __init__(
        self, market: Market, engine: LiveTradingEngine, status: SessionStatus, missing_from: Mapping[str, int]
    ) -> None:
        self._market = market
        self._engine = engine
        self._status = status
        self._missing_from = dict(missing_from)
        self._failures: dict[str, int] = {}

    def bars(self, bar: Bar, forming_ns: int) -> tuple[Bar, ...]:
        """Return a bar with a hole, and those that are missing up to the forming one, as the exchange has them."""
        since_ns = min(bar.time_ns, self._missing_from.pop(bar.symbol, bar.time_ns))
        try:
            bars = self._market.feed.closed_bars(bar.symbol, since_ns, forming_ns)
        except ExchangeError as error:
            self._try_later(bar.symbol, since_ns, f"the candles of the hole could not be fetched: {error}")
            return ()
        self._failures.pop(bar.symbol, None)
        if bars:
            text = f"bars made of the exchange's own candles from {utc_text(bars[0].time_ns)} on: {len(bars)}"
            self._status.note(bar.time_ns, "gap", text)
        elif self._market.clock is not None:
            text = f"the exchange has no candle of the bar of {utc_text(bar.time_ns)}, so it is left out"
            self._status.note(bar.time_ns, "gap", text)
        return bars

    def _try_later(self, symbol: str, since_ns: int, text: str) -> None:
        """Have the bars fetched with the next bar, a few times: what is left out shifts every indicator."""
        failures = self._failures[symbol] = self._failures.get(symbol, 0) + 1
        if failures < _TRIES:
            self._missing_from[symbol] = since_ns
            self._engine.mark_hole(symbol)
            text += "; they are asked for again when the next bar closes"
        else:
            del self._failures[symbol]
            text += f"; the bars from {utc_text(since_ns)} on are left out"
        self._status.note(since_ns, "gap", text)
