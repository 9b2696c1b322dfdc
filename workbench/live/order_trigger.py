"""What made an order happen other than a decision: a protective level, a breaker, a command, a resting price."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.core.records import (
    DAILY_LOSS,
    DENIAL_ROW,
    EXIT_REASONS,
    FILL_ROW,
    FLATTEN,
    LIQUIDATION,
    MAX_DRAWDOWN,
    MAX_HOLDING,
    NO_ORDER,
    ORDER_KINDS,
    REQUEST_ROW,
    SIGNAL,
    TAKE_PROFIT,
    TRADE_ROW,
    TRAILING_STOP,
    TRIP_ROW,
)
from workbench.live.loss_text import loss_text
from workbench.live.order_story import Trigger
from workbench.model import COMMAND, REPORT, TICK, Command, utc_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.origin import Origin

__all__ = ["trigger_behind"]

_NO_ORDER_OF_OURS: Final = "the exchange reported it of no order of this session: it was taken into the account"


def trigger_behind(origin: Origin, events: NDArray[np.void]) -> Trigger | None:
    """Return what made an order happen; None when it is the strategy's and went out at the next price.

    Parameters
    ----------
    origin : Origin
        Where the order came from.
    events : ndarray of `EVENT`
        The whole record.
    """
    row, event = origin.log[origin.place], events[origin.row]
    if row["kind"] == DENIAL_ROW:
        return None
    if row["kind"] == REQUEST_ROW and ORDER_KINDS[row["flag"]] == "cancel":
        return _cancel(origin, event)
    if row["kind"] == FILL_ROW and event["kind"] == REPORT:
        return Trigger("report", None, float(row["price"]), _NO_ORDER_OF_OURS)
    return _waited(origin) if row["code"] == SIGNAL else _protection(origin, events)


def _protection(origin: Origin, events: NDArray[np.void]) -> Trigger:
    """Return what closes a position without its strategy."""
    row, event = origin.log[origin.place], events[origin.row]
    reason = int(row["code"])
    if reason in (MAX_DRAWDOWN, DAILY_LOSS):
        return _breaker(origin, reason)
    if reason == FLATTEN:
        return _flatten(origin, events)
    if reason == MAX_HOLDING:
        y = origin.before.symbols[row["symbol"]]
        since = (
            f" since the entry at {utc_text(int(y['entry_time_ns']), to_second=True)}" if y["quantity"] != 0.0 else ""
        )
        return Trigger("max_holding", None, None, f"max_holding: the time in the position was over{since}")
    return _level(origin, event, reason)


def _level(origin: Origin, event: np.void, reason: int) -> Trigger:
    """Return which protective level was reached, at which price, and what it was measured from."""
    row = origin.log[origin.place]
    y = origin.before.symbols[row["symbol"]]
    name = EXIT_REASONS[reason]
    price = float(event["a"]) if event["kind"] == TICK else float(row["price"])
    if reason == LIQUIDATION:
        return Trigger(name, None, price, f"{name}: at {price:.10g} the account fell below the maintenance margin")
    side = -int(row["side"])
    # Of a fill its round trip knows, of a request the position before the event.
    trade = origin.log[origin.place + 1] if row["kind"] == FILL_ROW else None
    if trade is not None and trade["kind"] == TRADE_ROW:
        stop, target, entry = trade["stop"], trade["target"], trade["entry"]
        best = entry * (1.0 + side * trade["mfe"])
    else:
        stop, target, entry = y["near"], y["target"], y["entry_price"]
        best = y["peak"]
    level = float(target if reason == TAKE_PROFIT else stop)
    base, what = (best, "the best price since the entry,") if reason == TRAILING_STOP else (entry, "the entry at")
    distance = 100.0 * (level / float(base) - 1.0)
    text = f"{name}: the price {price:.10g} reached the level {level:.10g}, {distance:+.4g} % from {what} {base:.10g}"
    return Trigger(name, level, price, text)


def _waited(origin: Origin) -> Trigger | None:
    """Return the price at which an order was to be filled, if it had one."""
    row = origin.log[origin.place]
    y = origin.before.symbols[row["symbol"]]
    if row["kind"] != FILL_ROW:
        return None
    # It waited already, or was placed and reached within one bar.
    if y["order_kind"] != NO_ORDER and y["order_side"] == row["side"]:
        kind, level = ORDER_KINDS[y["order_kind"]], float(y["order_price"])
    elif y["entry_side"] == row["side"] and not math.isnan(y["stop"]):
        kind, level = "stop", float(y["stop"])
    elif y["entry_side"] == row["side"] and not math.isnan(y["limit"]):
        kind, level = "limit", float(y["limit"])
    elif y["exit_reason"] == SIGNAL and y["exit_limit"] > 0.0:
        kind, level = "limit", float(y["exit_limit"])
    else:
        return None
    return Trigger(kind, level, float(row["price"]), f"its {kind} at {level:.10g} was reached")


def _breaker(origin: Origin, reason: int) -> Trigger:
    log = np.concatenate([origin.before.log, origin.log[: origin.place]])
    trips = log[(log["kind"] == TRIP_ROW) & (log["code"] == reason)]
    name = EXIT_REASONS[reason]
    if not len(trips):
        return Trigger(name, None, None, f"{name} closes all positions")
    limit, value, time_ns = (trips[-1][column] for column in ("entry", "value", "time_ns"))
    at = utc_text(int(time_ns), to_second=True)
    text = f"{name} tripped at {at}: {loss_text(float(value), float(limit))}; all positions close"
    return Trigger(name, None, None, text)


def _flatten(origin: Origin, events: NDArray[np.void]) -> Trigger:
    before = events[: origin.row + 1]
    asked = before[(before["kind"] == COMMAND) & (before["a"] == Command("flatten").code)]
    if not len(asked):
        return Trigger("flatten", None, None, "flatten: it filled while entries were halted, so it closes again")
    return Trigger("flatten", None, None, f"flatten was asked at {utc_text(int(asked[-1]['time_ns']), to_second=True)}")


def _cancel(origin: Origin, event: np.void) -> Trigger | None:
    """Return what cancelled an order when it was no decision."""
    if event["kind"] == COMMAND:
        command = Command.from_code(int(event["a"]))
        return Trigger("command", None, None, f"{command} was asked, which cancels entries that wait")
    if origin.made[origin.log[origin.place]["symbol"]] is not None:
        return None
    return Trigger(
        "protection", None, None, "a protective exit or a breaker of the same moment cancels entries that wait"
    )
