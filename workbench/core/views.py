"""Frozen pictures of the records: account states, positions, and what a step made happen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

from workbench.core.records import (
    BREAKERS,
    DENIAL_ROW,
    DENIAL_RULES,
    EXIT_REASONS,
    FILL_ROW,
    NEVER,
    REQUEST_ROW,
    TRADE_ROW,
    TRIP_ROW,
)
from workbench.model import (
    AccountState,
    BreakerTrip,
    ClosedTrade,
    Denied,
    ExchangeRequest,
    Fill,
    PositionSnapshot,
    StepResult,
)

_REQUEST_KINDS: Final[tuple[Literal["market", "limit", "stop", "cancel"], ...]] = (
    "market",
    "market",
    "limit",
    "stop",
    "cancel",
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.core.records import Record


def _level(value: float) -> float | None:
    """Return a protective level, or None where it lies out of every price's reach."""
    return None if value <= 0.0 or math.isinf(value) else value


def position_snapshot(symbol: str, y: Record) -> PositionSnapshot:
    """Return the picture of one open position."""
    quantity, entry, mark = float(y["quantity"]), float(y["entry_price"]), float(y["last"])
    limit = int(y["time_limit_ns"])
    return PositionSnapshot(
        symbol=symbol,
        quantity=quantity,
        side="long" if quantity > 0 else "short",
        entry_price=entry,
        entry_time_ns=int(y["entry_time_ns"]),
        mark_price=mark,
        notional=abs(quantity) * mark,
        unrealized_pnl=quantity * (mark - entry),
        stop_level=_level(float(y["stop_level"])),
        target_level=_level(float(y["target"])),
        trailing_level=_level(float(y["trail_level"])),
        time_limit_ns=None if limit == NEVER else limit,
    )


def halted_names(bits: int) -> tuple[str, ...]:
    """Return the names of the tripped breakers."""
    return tuple(name for bit, name in enumerate(BREAKERS) if bits >> bit & 1)


def account_state(
    sequence: int, symbols: tuple[str, ...], account: Record, positions: NDArray[np.void]
) -> AccountState:
    """Return the numbered picture of an account; the caller keeps its records still meanwhile.

    Equity is summed anew, so that cash and positions always add up to it.
    """
    pictures = tuple(
        position_snapshot(symbol, y) for symbol, y in zip(symbols, positions, strict=True) if y["quantity"] != 0.0
    )
    cash = float(account["cash"])
    equity = cash
    for picture in pictures:
        equity += picture.quantity * picture.mark_price
    peak = max(float(account["equity_peak"]), equity)
    return AccountState(
        sequence=sequence,
        time_ns=int(account["time_ns"]),
        cash=cash,
        equity=equity,
        peak_equity=peak,
        drawdown=1.0 - equity / peak,
        day_start_equity=float(account["day_base"]),
        realized_pnl=float(account["realized"]),
        unrealized_pnl=math.fsum(picture.unrealized_pnl for picture in pictures),
        fees=float(account["fees"]),
        funding=float(account["funding"]),
        halted=halted_names(int(account["halted"])),
        is_paused=bool(account["paused"]),
        positions=pictures,
        fill_count=int(account["fill_count"]),
        trade_count=int(account["trade_count"]),
        denial_count=int(account["denial_count"]),
    )


def fill_of(symbols: tuple[str, ...], row: Record) -> Fill:
    """Return a row of the log as a fill."""
    return Fill(
        sequence=int(row["sequence"]),
        symbol=symbols[row["symbol"]],
        side="buy" if row["side"] > 0 else "sell",
        quantity=float(row["quantity"]),
        price=float(row["price"]),
        fee=float(row["fee"]),
        time_ns=int(row["time_ns"]),
        reason=EXIT_REASONS[row["code"]],
        is_maker=bool(row["flag"]),
    )


def trade_of(symbols: tuple[str, ...], row: Record) -> ClosedTrade:
    """Return a row of the log as a closed trade."""
    return ClosedTrade(
        symbol=symbols[row["symbol"]],
        side="long" if row["side"] > 0 else "short",
        quantity=float(row["quantity"]),
        entry_time_ns=int(row["start_ns"]),
        entry_price=float(row["entry"]),
        exit_time_ns=int(row["time_ns"]),
        exit_price=float(row["price"]),
        exit_reason=EXIT_REASONS[row["code"]],
        pnl=float(row["value"]),
        return_=float(row["return_"]),
        fees=float(row["fee"]),
        bars_held=int(row["flag"]),
        mae=float(row["mae"]),
        mfe=float(row["mfe"]),
    )


def denied_of(symbols: tuple[str, ...], row: Record) -> Denied:
    """Return a row of the log as a denial."""
    return Denied(
        symbol=symbols[row["symbol"]],
        rule=DENIAL_RULES[row["code"]],
        limit=float(row["entry"]),
        value=float(row["value"]),
        time_ns=int(row["time_ns"]),
        side="buy" if row["side"] > 0 else "sell",
        quantity=float(row["quantity"]),
    )


def trip_of(row: Record) -> BreakerTrip:
    """Return a row of the log as a breaker trip."""
    return BreakerTrip(
        rule=EXIT_REASONS[row["code"]],
        limit=float(row["entry"]),
        value=float(row["value"]),
        time_ns=int(row["time_ns"]),
    )


def request_of(symbols: tuple[str, ...], row: Record) -> ExchangeRequest:
    """Return a row of the log as a request to an exchange."""
    return ExchangeRequest(
        number=int(row["sequence"]),
        symbol=symbols[row["symbol"]],
        side="buy" if row["side"] > 0 else "sell",
        quantity=float(row["quantity"]),
        kind=_REQUEST_KINDS[row["flag"]],
        price=float(row["price"]),
        time_ns=int(row["time_ns"]),
        reason=EXIT_REASONS[row["code"]],
        is_exit=bool(row["value"]),
        may_rest=bool(row["entry"]),
    )


def step_result(symbols: tuple[str, ...], log: NDArray[np.void], snapshot: AccountState) -> StepResult:
    """Return what the rows of a log mean, with the account afterwards."""
    fills, trades, denials, trips, requests = [], [], [], [], []
    for row in log:
        kind = row["kind"]
        if kind == FILL_ROW:
            fills.append(fill_of(symbols, row))
        elif kind == TRADE_ROW:
            trades.append(trade_of(symbols, row))
        elif kind == DENIAL_ROW:
            denials.append(denied_of(symbols, row))
        elif kind == TRIP_ROW:
            trips.append(trip_of(row))
        elif kind == REQUEST_ROW:
            requests.append(request_of(symbols, row))
    return StepResult(tuple(fills), tuple(trades), tuple(denials), tuple(trips), snapshot, tuple(requests))
