"""Numbered, frozen pictures of an account, safe to read from any thread."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from workbench.model.orders import BreakerTrip, Denied, ExchangeRequest, Fill
from workbench.model.trades import ClosedTrade

__all__ = ["AccountState", "PositionSnapshot", "StepResult"]


@dataclass(frozen=True, slots=True)
class PositionSnapshot:
    """One open position at one moment, with the levels that protect it.

    Parameters
    ----------
    symbol : str
        The instrument's symbol.
    quantity : float
        Amount in the base currency, below 0 for a short.
    side : {"long", "short"}
        Direction of the position.
    entry_price : float
        Price of the entry fill, slippage included.
    entry_time_ns : int
        Moment of the entry fill, nanoseconds UTC.
    mark_price : float
        Latest price seen.
    notional : float
        Size at the mark price in the quote currency, at least 0.
    unrealized_pnl : float
        Profit at the mark price in the quote currency, before the exit's fee.
    stop_level, target_level, trailing_level : float or None
        Prices at which the position would be closed; ``None`` = off.
    time_limit_ns : int or None
        Moment at which the position would be closed, nanoseconds UTC; ``None`` = off.
    """

    symbol: str
    quantity: float
    side: str
    entry_price: float
    entry_time_ns: int
    mark_price: float
    notional: float
    unrealized_pnl: float
    stop_level: float | None
    target_level: float | None
    trailing_level: float | None
    time_limit_ns: int | None


@dataclass(frozen=True, slots=True)
class AccountState:
    """A whole account at one moment.

    A reader that sees ``sequence`` jump has missed a picture, and may ask for a fresh one.

    Parameters
    ----------
    sequence : int
        Number of the picture: it grows by one with every processed event.
    time_ns : int
        Moment of the latest event, nanoseconds UTC.
    cash : float
        Money in the quote currency.
    equity : float
        Cash and all positions at their mark prices.
    peak_equity : float
        Highest equity since the start or since the last cleared breaker.
    drawdown : float
        Distance from the peak as a fraction, at least 0.
    day_start_equity : float
        Equity at the last mark before 00:00 UTC.
    realized_pnl : float
        Profit of all closed quantities before fees and funding.
    unrealized_pnl : float
        Profit of all open quantities at their mark prices.
    fees, funding : float
        Paid so far; funding received counts below 0.
    halted : tuple of str
        Names of the breakers that halt entries; empty when none does.
    is_paused : bool
        Whether a person halted entries.
    positions : tuple of PositionSnapshot
        Open positions, in the order of the symbols.
    fill_count, trade_count, denial_count : int
        How many there have been.
    """

    sequence: int
    time_ns: int
    cash: float
    equity: float
    peak_equity: float
    drawdown: float
    day_start_equity: float
    realized_pnl: float
    unrealized_pnl: float
    fees: float
    funding: float
    halted: tuple[str, ...]
    is_paused: bool
    positions: tuple[PositionSnapshot, ...]
    fill_count: int
    trade_count: int
    denial_count: int

    # Made in a room above, as figures are.
    card_factory: ClassVar[Callable[["AccountState"], str] | None] = None

    def _repr_html_(self) -> str | None:
        return None if AccountState.card_factory is None else AccountState.card_factory(self)

    def position(self, symbol: str) -> PositionSnapshot | None:
        """Return the open position of a symbol, or ``None`` when it is flat."""
        return next((position for position in self.positions if position.symbol == symbol), None)


@dataclass(frozen=True, slots=True)
class StepResult:
    """Everything that one call of the engine made happen, oldest first.

    Parameters
    ----------
    fills : tuple of Fill
        Executed trades.
    closed_trades : tuple of ClosedTrade
        Round trips that ended.
    denials : tuple of Denied
        Orders that the risk review refused.
    trips : tuple of BreakerTrip
        Breakers that tripped.
    snapshot : AccountState
        The account afterwards.
    requests : tuple of ExchangeRequest, default ()
        What an exchange is to do; none when the fill model fills.
    """

    fills: tuple[Fill, ...]
    closed_trades: tuple[ClosedTrade, ...]
    denials: tuple[Denied, ...]
    trips: tuple[BreakerTrip, ...]
    snapshot: AccountState
    requests: tuple[ExchangeRequest, ...] = ()
