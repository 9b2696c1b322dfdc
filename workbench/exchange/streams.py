"""What a stream of an exchange yields: data in batches, and everything that went wrong with it as values.

A stream is an async generator that never ends by itself and never raises for trouble at the exchange: an interruption
is an event, and the stream goes on trying. It ends when it is closed (``aclose()``), and it raises only for what no
waiting mends: an unknown symbol (`ConfigError`) or a key that is not accepted (`AuthError`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from workbench.exchange.order_states import OrderState, OwnTrade

if TYPE_CHECKING:
    from workbench.exchange.market_data import Candle, MarketTrade

__all__ = [
    "INTERRUPTIONS",
    "BadRecord",
    "CandleBatch",
    "CandleEvent",
    "Interruption",
    "OwnEvent",
    "StreamGap",
    "StreamInterrupted",
    "TradeBatch",
    "TradeEvent",
]

Interruption = Literal["silent", "disconnected", "unavailable", "rate_limited"]

INTERRUPTIONS: Final[tuple[Interruption, ...]] = ("silent", "disconnected", "unavailable", "rate_limited")
"""Why a stream is interrupted: no data for longer than its limit though the line is up; the line broke; the exchange
cannot be reached or is under maintenance; it asked for fewer calls."""


@dataclass(frozen=True, slots=True)
class TradeBatch:
    """Trades of one symbol in the order of the exchange, each exactly once per stream.

    Parameters
    ----------
    symbol : str
        Unified symbol.
    trades : tuple of MarketTrade
        Never empty. With ids they rise within and across batches.
    is_backfill : bool
        Whether they were fetched over REST after a gap, so that they come late; also every batch of a stream that
        polls, but for those, False.
    received_ns : int
        When they arrived, ns UTC of our clock: for measuring delay only, never for freshness.
    """

    symbol: str
    trades: tuple[MarketTrade, ...]
    is_backfill: bool
    received_ns: int


@dataclass(frozen=True, slots=True)
class CandleBatch:
    """Candles of one symbol and timeframe, oldest first; the last one usually is still open and comes again.

    Parameters
    ----------
    symbol : str
        Unified symbol.
    timeframe : str
        Such as ``1m``.
    candles : tuple of Candle
        Never empty. A candle comes again whenever its numbers or its flag change.
    is_backfill : bool
        Whether they were fetched over REST after a gap.
    received_ns : int
        When they arrived, ns UTC of our clock.
    """

    symbol: str
    timeframe: str
    candles: tuple[Candle, ...]
    is_backfill: bool
    received_ns: int


@dataclass(frozen=True, slots=True)
class StreamGap:
    """Something is missing between what came before and what comes next. Nothing is ever repaired silently.

    It is yielded *before* the batch behind the hole; what REST could still give of the hole follows at once as a
    batch with ``is_backfill``.

    Parameters
    ----------
    symbol : str
        Unified symbol.
    after_ns, before_ns : int
        Times of the last record before and the first behind the hole, ns UTC of the exchange. When a stream was silent
        and nothing has come behind the hole yet, the last that REST had.
    after_id, before_id : str or None
        Their trade ids; None for candles, and for trades without ids.
    missing : int or None
        How many records the hole has, by ids or by intervals; None when that cannot be known.
    recovered : int
        How many of them the back-fill brought.
    """

    symbol: str
    after_ns: int
    before_ns: int
    after_id: str | None
    before_id: str | None
    missing: int | None
    recovered: int

    @property
    def is_whole(self) -> bool:
        """Whether the back-fill brought everything that was missing; False when that cannot be known."""
        return self.missing is not None and self.recovered >= self.missing


@dataclass(frozen=True, slots=True)
class StreamInterrupted:
    """The stream brings nothing now; it connects again by itself.

    Parameters
    ----------
    symbol : str
        Unified symbol; empty for a stream of all symbols.
    cause : str
        One of ``INTERRUPTIONS``.
    reason : str
        In words; never a secret.
    last_data_ns : int
        Exchange time of the last record that came, ns UTC; 0 before the first.
    time_ns : int
        When the interruption was seen, ns UTC of our clock.
    retry_in_s : float
        Seconds until the next attempt.
    """

    symbol: str
    cause: Interruption
    reason: str
    last_data_ns: int
    time_ns: int
    retry_in_s: float


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be: it was left out and reaches nobody.

    Parameters
    ----------
    symbol : str
        Unified symbol, as far as known.
    reason : str
        What is wrong with it, with the value.
    """

    symbol: str
    reason: str


TradeEvent: TypeAlias = "TradeBatch | StreamGap | StreamInterrupted | BadRecord"
"""What a stream of trades yields."""

CandleEvent: TypeAlias = "CandleBatch | StreamGap | StreamInterrupted | BadRecord"
"""What a stream of candles yields."""

OwnEvent: TypeAlias = OrderState | OwnTrade | StreamInterrupted | BadRecord
"""What the stream of our own orders and trades yields."""
