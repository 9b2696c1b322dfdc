"""What a session is connected to: replayed bars or the practice market, opened anew for each session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from workbench.errors import ConfigError, DataError
from workbench.live.feeds import bar_replay, ended_feed, olhc_tick_replay, practice_feed
from workbench.model import Bars, Instrument, Timeframe, utc_text
from workbench.model.practice import (
    PRACTICE_LIVE_START,
    PRACTICE_SEED,
    PRACTICE_START,
    practice_bars,
    practice_instrument,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.live.clock import Clock
    from workbench.live.feeds import Feed
    from workbench.live.order_line import OrderLine

__all__ = ["BarsSource", "Market", "MarketSource", "PracticeSource", "no_market"]

_USUAL_HISTORY: Final = 500


class Market(NamedTuple):
    """An opened source.

    Attributes
    ----------
    history : Bars or None
        Bars that end where the feed begins, for the indicators; None for none.
    feed : Feed
        The prices or bars to come.
    since_ns : int or None
        Time from which on every price comes, ns UTC; None when that is not known.
    clock : Clock or None, default None
        What the session takes for now; None for a clock that starts with the feed and runs at the session's speed.
    speed : float, default 0.0
        Market seconds in a real second by that clock; 0 without one.
    open_orders : callable or None, default None
        Returns where orders are sent, for the session of an id; None where there is no account.
    measure_clock : callable or None, default None
        Measures how far that clock is from the computer's; raises ExchangeError. None where nothing is to be measured.
    adopt : callable or None, default None
        Told, by symbol and quantity, what a session holds that it did not buy through this opening, and may sell.
    has_hole : bool, default False
        For a session that goes on: whether prices are missing before the feed begins, which only candles can mend.
    closed_reason : str or None, default None
        For a session that goes on: why orders may only close positions; None when they may enter too.
    """

    history: Bars | None
    feed: Feed
    since_ns: int | None
    clock: Clock | None = None
    speed: float = 0.0
    open_orders: Callable[[str], OrderLine] | None = None
    measure_clock: Callable[[], None] | None = None
    adopt: Callable[[str, float], None] | None = None
    has_hole: bool = False
    closed_reason: str | None = None


def no_market() -> Market:
    """Return the market of a session that has not opened one: nothing comes."""
    return Market(None, ended_feed(0, is_bar_only=False), None)


class MarketSource(Protocol):
    """Where a session's instruments, history and prices come from. Two sources that print the same are the same."""

    @property
    def name(self) -> str:
        """Short name for people, such as ``practice``."""

    @property
    def has_account(self) -> bool:
        """Whether orders can be sent there."""

    @property
    def has_own_clock(self) -> bool:
        """Whether time passes there by itself, so that a session cannot choose its speed."""

    def instruments(self, symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
        """Return the rules of the `symbols`; raises ConfigError or DataError for an unknown one."""

    def usual_warmup(self, needed: int) -> int:
        """Return how many bars of history to feed when nobody says, given how many are `needed` by the strategy."""

    def open(
        self, symbols: tuple[str, ...], timeframe: Timeframe, warmup: int, *, since_ns: int | None = None
    ) -> Market:
        """Return `warmup` bars of history and the feed of the `symbols` in this `timeframe`, or raise DataError.

        With `since_ns` there is no history, and the feed begins at that time, or up to a bar before: a session goes on.
        """


@dataclass(frozen=True, slots=True, repr=False)
class BarsSource:
    """Replays bars that are at hand.

    Parameters
    ----------
    bars : Bars
        All symbols of the session, and more if you like.
    as_ticks : bool, default False
        Replay four ticks for each bar (open, low, high, close) in place of whole bars. Then the session's timeframe may
        be another one than that of the bars.
    """

    bars: Bars
    as_ticks: bool = False

    def __repr__(self) -> str:
        """Return the bars' span, kind of replay and content hash."""
        return f"BarsSource({self.bars!r}, as_ticks={self.as_ticks}, sha256={self.bars.content_hash[:12]})"

    @property
    def name(self) -> str:
        """Always ``replay``."""
        return "replay"

    @property
    def has_account(self) -> bool:
        """False: there is nobody to send an order to."""
        return False

    @property
    def has_own_clock(self) -> bool:
        """False: a session plays it at the speed it likes."""
        return False

    def instruments(self, symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
        """Return the bars' own instruments of the `symbols`."""
        return tuple(self.bars.instruments[self.bars.symbol_index(symbol)] for symbol in symbols)

    def usual_warmup(self, needed: int) -> int:  # noqa: ARG002  the interface is that of all sources
        """Return 0, whatever is `needed`: a replay trades the bars of a backtest, and its indicators start there."""
        return 0

    def open(
        self, symbols: tuple[str, ...], timeframe: Timeframe, warmup: int, *, since_ns: int | None = None
    ) -> Market:
        """Return the first `warmup` bars of the `symbols` as history and a replay of the rest, in this `timeframe`.

        With `since_ns`, the replay of what comes from the bar of that time on, which may be nothing.

        Raises
        ------
        ConfigError
            The session's timeframe is not that of the bars, where it has to be.
        DataError
            No bar is left to replay.
        """
        is_same = timeframe == self.bars.timeframe
        if not is_same and (warmup or not self.as_ticks):
            raise ConfigError(
                f"timeframe must be that of the bars, {self.bars.timeframe}, was {timeframe}; "
                "with as_ticks=True and without warm-up bars another one can be made of them"
            )
        bars = _chosen(self.bars, symbols)
        if since_ns is not None:
            begin = int(np.searchsorted(bars.time_ns, self.bars.timeframe.floor(since_ns)))
            if begin == len(bars):
                return Market(None, ended_feed(since_ns, is_bar_only=not self.as_ticks), since_ns)
            warmup, rest = 0, bars[begin:]
        elif warmup >= len(bars):
            raise DataError(f"warmup_bars must leave bars to replay: at most {len(bars) - 1}, was {warmup}")
        else:
            rest = bars[warmup:]
        feed = olhc_tick_replay(rest) if self.as_ticks else bar_replay(rest)
        return Market(bars[:warmup] if warmup else None, feed, feed.start_ns)


@dataclass(frozen=True, slots=True)
class PracticeSource:
    """The practice market, from an instant on, endless.

    Parameters
    ----------
    seed : int, default `PRACTICE_SEED`
        Which world.
    start_ns : int, default `PRACTICE_LIVE_START`
        First instant of the session's prices, ns UTC; history ends there.
    """

    seed: int = PRACTICE_SEED
    start_ns: int = PRACTICE_LIVE_START

    @property
    def name(self) -> str:
        """Always ``practice``."""
        return "practice"

    @property
    def has_account(self) -> bool:
        """False: there is nobody to send an order to."""
        return False

    @property
    def has_own_clock(self) -> bool:
        """False: a session plays it at the speed it likes."""
        return False

    def instruments(self, symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
        """Return the practice market's rules of the `symbols`."""
        return tuple(practice_instrument(symbol) for symbol in symbols)

    def usual_warmup(self, needed: int) -> int:
        """Return 500 bars, or as many as are `needed` by the strategy."""
        return max(needed, _USUAL_HISTORY)

    def open(
        self, symbols: tuple[str, ...], timeframe: Timeframe, warmup: int, *, since_ns: int | None = None
    ) -> Market:
        """Return the last `warmup` bars of this `timeframe` before the start, and the ticks of the `symbols` after.

        With `since_ns`, the ticks from then on.

        Raises
        ------
        DataError
            The history would begin before the practice market.
        """
        if since_ns is not None:
            return Market(None, practice_feed(symbols, start=since_ns, seed=self.seed), since_ns)
        end_ns = timeframe.floor(self.start_ns)
        begin_ns = end_ns - warmup * timeframe.ns
        if begin_ns < PRACTICE_START:
            most = (end_ns - PRACTICE_START) // timeframe.ns
            raise DataError(
                f"warmup_bars must be at most {most} of {timeframe} before {utc_text(end_ns)}, was {warmup}: "
                f"the practice market begins at {utc_text(PRACTICE_START)}"
            )
        history = None
        if warmup:
            parts = [practice_bars(symbol, timeframe, begin_ns, end_ns, seed=self.seed) for symbol in symbols]
            history = parts[0] if len(parts) == 1 else Bars.join(parts)
        feed = practice_feed(symbols, start=self.start_ns, seed=self.seed)
        return Market(history, feed, self.start_ns)


def _chosen(bars: Bars, symbols: tuple[str, ...]) -> Bars:
    """Return the bars of some symbols, in their order, on the time axis that they share."""
    if bars.symbols == symbols:
        return bars
    parts = [bars.one(symbol) for symbol in symbols]
    return parts[0] if len(parts) == 1 else Bars.join(parts)
