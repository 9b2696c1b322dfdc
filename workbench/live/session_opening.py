"""How a session begins: with history and a market, or where its record ends, with the orders that were sent before."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.errors import ExchangeError
from workbench.live.account_watch import AccountWatch
from workbench.live.recovery import BEGUN, HOLE, failed_in_a_row, last_pause, replay_record, told_events
from workbench.live.replay_check import doubt_of
from workbench.live.resumed_feed import ResumedFeed, last_seen_ns
from workbench.live.states import SessionState
from workbench.model import BAR_CLOSED

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.live.clock import Clock
    from workbench.live.host import SessionHost
    from workbench.live.mailbox import Mailbox
    from workbench.live.order_line import OrderLine
    from workbench.live.readings import Readings
    from workbench.live.recovery import Replayed
    from workbench.live.session_config import LiveSessionConfig
    from workbench.live.sources import Market
    from workbench.live.status import SessionStatus
    from workbench.live.symbol_charts import SymbolCharts
    from workbench.live.trading_engine import LiveTradingEngine

__all__ = ["Opened", "SessionParts", "open_session"]

# Waits before an exchange that cannot be reached is tried again by a session that goes on, real seconds.
_REOPEN_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SessionParts:
    """What a session's thread works with; a session that goes on opens its `market` itself, behind its record."""

    config: LiveSessionConfig
    engine: LiveTradingEngine
    market: Market | None
    host: SessionHost
    base_clock: Clock
    status: SessionStatus
    mailbox: Mailbox
    readings: Readings
    charts: SymbolCharts
    abandoned: threading.Event
    restored: threading.Event


class Opened(NamedTuple):
    """What a session trades on.

    Attributes
    ----------
    market : Market
        Its prices, from where the record ends.
    orders : OrderLine or None
        Where its orders go, when they go to an exchange.
    watch : AccountWatch or None
        Looks whether the exchange holds what was booked, when it has an account.
    missing_from : dict of str to int
        Open of the first bar that is missing of each symbol, ns UTC, where prices are missing before the feed.
    pause_reason : str or None
        Why entries were paused when the record ended.
    doubt : str or None
        Where the record, run again, did something else than it did.
    """

    market: Market
    orders: OrderLine | None
    watch: AccountWatch | None
    missing_from: dict[str, int]
    pause_reason: str | None
    doubt: str | None = None


def open_session(parts: SessionParts, is_called_off: Callable[[float], bool]) -> Opened | None:
    """Bring a session to where it can trade, and return on what.

    Parameters
    ----------
    parts : SessionParts
        The session's.
    is_called_off : callable
        Waits so many real seconds, and returns whether the session ends meanwhile.

    Returns
    -------
    Opened or None
        None when it was called off before its market could be reached.
    """
    if parts.market is None:
        return _taken_up(parts, is_called_off)
    market = parts.market
    parts.restored.set()
    # First of all: a session that cannot pay has not begun, and nothing may take it up later.
    orders = _order_line(parts, market, None)
    parts.host.record.note(BEGUN, market.feed.start_ns, {"since_ns": market.since_ns})
    if market.history is not None:
        parts.engine.warm_up(market.history)
        parts.charts.add_history(market.history)
    return Opened(market, orders, _account_watch(parts, orders), {}, None)


def _taken_up(parts: SessionParts, is_called_off: Callable[[float], bool]) -> Opened | None:
    """Take up a session where its record ends: state, market, orders."""
    record, engine = parts.host.record, parts.engine
    told_events(record, parts.status)
    parts.status.move(SessionState.RECOVERING, f"running {len(record):,} recorded events again", 0)
    replayed = replay_record(engine, parts.readings, parts.charts)
    parts.restored.set()
    doubt = doubt_of(record.notes("intent"), replayed.requests) if parts.config.execution == "exchange" else None
    _mark_known_holes(parts, replayed.events)
    engine.guard.go_on(failed_in_a_row(record))
    paused = last_pause(record) if parts.readings.account.is_paused else None
    # Of a strategy that hung, older versions noted the same; that it is not asked any more is said elsewhere.
    if paused is not None and paused.body["by"] == "strategy" and not parts.host.is_muted:
        engine.guard.halt(paused.body["reason"])
    market = _reopened(parts, replayed, is_called_off)
    if market is None:
        return None
    if parts.readings.data_ns is None:
        # No price was recorded: the silence is measured from where the feed begins, as in a new session.
        parts.readings.data_ns = market.feed.start_ns
    for held in parts.readings.account.positions:
        if market.adopt is not None:
            market.adopt(held.symbol, abs(held.quantity))
    missing_from: dict[str, int] = {}
    if market.has_hole:
        missing_from = engine.mark_all_holes()
    elif market.clock is not None:
        # What has a clock of its own can be asked for the candles of the past.
        missing_from = engine.mark_lost_bars()
    orders = _order_line(parts, market, replayed)
    watch = _account_watch(parts, orders)
    pause_reason = None if paused is None else paused.body["reason"]
    return Opened(market, orders, watch, missing_from, pause_reason, doubt)


def _mark_known_holes(parts: SessionParts, events: NDArray[np.void]) -> None:
    """Mark the bars that are open and have a hole from before."""
    for note in parts.host.record.notes("notice"):
        symbol = note.body.get(HOLE)
        if symbol in parts.config.symbols:
            index = parts.config.symbols.index(symbol)
            closed = np.flatnonzero((events["kind"] == BAR_CLOSED) & (events["symbol"] == index))
            if not len(closed) or note.after > closed[-1]:
                parts.engine.mark_hole(symbol)


def _reopened(parts: SessionParts, replayed: Replayed, is_called_off: Callable[[float], bool]) -> Market | None:
    """Open the market behind the record, as often as it takes."""
    config, source = parts.config, parts.config.source
    begun_ns = parts.host.record.notes(BEGUN)[0].time_ns
    since_ns = last_seen_ns(replayed.events, len(config.symbols), begun_ns)
    for wait_s in itertools.chain(_REOPEN_S, itertools.repeat(_REOPEN_S[-1])):
        try:
            market = source.open(config.symbols, config.timeframe, 0, since_ns=since_ns)
        except ExchangeError as error:
            text = f"the exchange cannot be reached: {error}; next try in {wait_s:g} s"
            parts.status.move(SessionState.RECOVERING, text, parts.engine.time_ns)
            if is_called_off(wait_s):
                return None
        else:
            return market._replace(feed=ResumedFeed(market.feed, replayed.events))
    return None


def _order_line(parts: SessionParts, market: Market, replayed: Replayed | None) -> OrderLine | None:
    """Open the way to the exchange, when orders go there, and take up those that were sent before."""
    if market.open_orders is None or parts.config.execution != "exchange":
        return None
    record = parts.host.record
    orders = market.open_orders(parts.host.session_id)
    orders.record(record, parts.readings.orders)
    if replayed is None:
        orders.require_funds(parts.config.cash)
    else:
        orders.restore(record.notes(), replayed.in_flight, replayed.reports)
    orders.listen(parts.mailbox.wake)
    return orders


def _account_watch(parts: SessionParts, orders: OrderLine | None) -> AccountWatch | None:
    """Return who looks after the account at the exchange, when there is one."""
    if orders is None:
        return None
    return AccountWatch(orders, parts.engine.config.instruments, parts.host.record, parts.base_clock)
