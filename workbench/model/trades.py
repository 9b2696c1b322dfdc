"""Open positions and finished round trips."""

from dataclasses import dataclass
from typing import Final

__all__ = ["EXIT_REASONS", "ClosedTrade", "ExitReason", "Position", "Side"]


class Side:
    """The two directions of a position, as plain text constants.

    Examples
    --------
    >>> Side.LONG, Side.SHORT
    ('long', 'short')
    """

    LONG: Final = "long"
    SHORT: Final = "short"


class ExitReason:
    """What can close a position, as plain text constants.

    Examples
    --------
    >>> ExitReason.TRAILING_STOP
    'trailing_stop'
    """

    SIGNAL: Final = "signal"
    STOP_LOSS: Final = "stop_loss"
    TAKE_PROFIT: Final = "take_profit"
    TRAILING_STOP: Final = "trailing_stop"
    MAX_HOLDING: Final = "max_holding"
    MAX_LOSS: Final = "max_loss"
    MAX_DRAWDOWN: Final = "max_drawdown"
    DAILY_LOSS: Final = "daily_loss"
    LIQUIDATION: Final = "liquidation"
    FLATTEN: Final = "flatten"


EXIT_REASONS: Final = (
    ExitReason.SIGNAL,
    ExitReason.STOP_LOSS,
    ExitReason.TAKE_PROFIT,
    ExitReason.TRAILING_STOP,
    ExitReason.MAX_HOLDING,
    ExitReason.MAX_LOSS,
    ExitReason.MAX_DRAWDOWN,
    ExitReason.DAILY_LOSS,
    ExitReason.LIQUIDATION,
    ExitReason.FLATTEN,
)
"""All exit reasons; the index of a reason is its code in a ledger, so reasons are only ever added at the end."""


@dataclass(frozen=True, slots=True)
class Position:
    """What is held of one instrument. There is one net position per symbol.

    Parameters
    ----------
    symbol : str
        The instrument's symbol.
    quantity : float
        Amount in the base currency: above 0 long, below 0 short, 0 flat.
    entry_price : float
        Price of the entry fill, slippage included; ``nan`` when flat.
    entry_time_ns : int
        Moment of the entry fill, nanoseconds UTC; 0 when flat.

    Examples
    --------
    >>> Position("BTC/USDT", -0.5, 100.0, 1_735_689_600_000_000_000).side
    'short'
    """

    symbol: str
    quantity: float
    entry_price: float
    entry_time_ns: int

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held."""
        return self.quantity == 0.0

    @property
    def side(self) -> str | None:
        """``"long"``, ``"short"``, or ``None`` when flat."""
        if self.quantity > 0.0:
            return Side.LONG
        return Side.SHORT if self.quantity < 0.0 else None


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """A finished round trip: one entry and the exit that closed it.

    Parameters
    ----------
    symbol : str
        The instrument's symbol.
    side : {"long", "short"}
        Direction of the position.
    quantity : float
        Amount in the base currency, above 0.
    entry_time_ns, exit_time_ns : int
        Moments of the two fills, nanoseconds UTC.
    entry_price, exit_price : float
        Prices of the two fills, slippage included.
    exit_reason : str
        One of ``EXIT_REASONS``.
    pnl : float
        Profit in the quote currency, net of both fees and of funding.
    return_ : float
        ``pnl`` over the entry's notional, as a fraction.
    fees : float
        Both fees together, in the quote currency.
    bars_held : int
        Bars closed while the position was open.
    mae, mfe : float
        Worst and best price reached while it was open, as fractions of the entry price: ``mae <= 0 <= mfe``.
    """

    symbol: str
    side: str
    quantity: float
    entry_time_ns: int
    entry_price: float
    exit_time_ns: int
    exit_price: float
    exit_reason: str
    pnl: float
    return_: float
    fees: float
    bars_held: int
    mae: float
    mfe: float
