"""What the live chart asks of a running session; any object with these members can be drawn.

The chart knows sessions only through these protocols, so a session in the kernel, one in its own process and a fake in
a test look the same to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from workbench.model import AccountState

__all__ = [
    "BAR_COLUMNS",
    "EQUITY_COLUMNS",
    "FINISHED_STATES",
    "ChartSource",
    "ChartState",
    "ChartUpdate",
    "HeldSide",
    "Mark",
    "chosen_symbol",
    "equity_until_now",
]

Mark = tuple[int, float, int, str, int]
"""One fill on the chart: time in ns UTC, price, side (+1 buy, -1 sell), a short text, and the side that is held after
it (+1 long, -1 short, 0 flat)."""

BAR_COLUMNS: Final = 6
EQUITY_COLUMNS: Final = 3
_DUST: Final = 1e-9
FINISHED_STATES: Final = frozenset({"STOPPED", "FAILED"})


class HeldSide:
    """Which side is held after each fill of a symbol, from the first one on.

    Examples
    --------
    >>> held = HeldSide()
    >>> held.after(1, 0.1), held.after(1, 0.2), held.after(-1, 0.3), held.after(-1, 0.5), held.after(1, 1.0)
    (1, 1, 0, -1, 1)
    """

    def __init__(self) -> None:
        self._quantity = 0.0

    def after(self, side: int, quantity: float) -> int:
        """Take a fill of a `quantity` > 0, bought (+1) or sold (-1), and return what is held: +1, -1 or 0."""
        self._quantity += side * quantity
        # Sums of quantities are not exact: what is left of a closed position is dust.
        if abs(self._quantity) < _DUST * quantity:
            self._quantity = 0.0
        return (self._quantity > 0.0) - (self._quantity < 0.0)


class ChartState(Protocol):
    """Everything a chart shows at one moment: a numbered snapshot, bounded by its maker."""

    @property
    def sequence(self) -> int:
        """Number of the last update that is part of this snapshot."""

    @property
    def symbol(self) -> str:
        """Symbol of the bars, for example ``"BTC/USDT"``."""

    @property
    def timeframe_ns(self) -> int:
        """Length of a bar in ns."""

    @property
    def bars(self) -> NDArray[np.float64]:
        """Rows of time (ms UTC), open, high, low, close, volume; the last row may still be forming."""

    @property
    def equity(self) -> NDArray[np.float64]:
        """Rows of time (ms UTC), equity, drawdown as a fraction <= 0."""

    @property
    def marks(self) -> Sequence[Mark]:
        """Fills, oldest first."""

    @property
    def lines(self) -> Mapping[str, float]:
        """Price levels of the open position by name."""

    @property
    def now(self) -> tuple[float, float] | None:
        """Equity, and drawdown as a fraction <= 0, at this moment; None before the session began."""


class ChartUpdate(Protocol):
    """What one step of the session changed; its number is one more than that of the update before it."""

    @property
    def sequence(self) -> int:
        """Number of this update."""

    @property
    def bar_rows(self) -> NDArray[np.float64]:
        """Changed bars, rows as in `ChartState.bars`; a row with a known time replaces that bar."""

    @property
    def equity_rows(self) -> NDArray[np.float64]:
        """New equity points, rows as in `ChartState.equity`."""

    @property
    def marks(self) -> Sequence[Mark]:
        """New fills."""

    @property
    def lines(self) -> Mapping[str, float]:
        """Price levels now; replaces all levels before."""

    @property
    def snapshot(self) -> AccountState:
        """The account after the step."""


def equity_until_now(state: ChartState) -> NDArray[np.float64]:
    """Return the equity points with one for the newest bar, also where that bar did not close.

    Without it the lines of a session that was stopped would end a bar before its candles.
    """
    bars, equity = state.bars, state.equity
    if state.now is None or not len(bars) or (len(equity) and equity[-1, 0] >= bars[-1, 0]):
        return equity
    return np.concatenate([equity, [[bars[-1, 0], *state.now]]])


def chosen_symbol(symbols: Sequence[str], symbol: str | None) -> str:
    """Return the one of the `symbols` that is meant: the first when nothing is said.

    Raises
    ------
    ConfigError
        It is none of them.

    Examples
    --------
    >>> chosen_symbol(("BTC/USDT", "ETH/USDT"), None), chosen_symbol(("BTC/USDT", "ETH/USDT"), "ETH/USDT")
    ('BTC/USDT', 'ETH/USDT')
    """
    if symbol is None:
        return symbols[0]
    if symbol not in symbols:
        raise ConfigError(f"symbol must be one of {', '.join(symbols)}, was {symbol!r}")
    return symbol


class ChartSource(Protocol):
    """The part of a session's handle that a chart uses; one that has charts of several symbols has more.

    See `workbench.charts.symbol_source.symbol_source`.
    """

    @property
    def state(self) -> str:
        """State of the session; the members of `FINISHED_STATES` end the stream."""

    def chart_state(self) -> ChartState:
        """Return a snapshot that no longer changes."""

    def subscribe(self, callback: Callable[[ChartUpdate], None], /) -> Callable[[], object]:
        """Call `callback` on the session's thread for every update until the returned function is called."""
