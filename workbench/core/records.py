"""The memory of the core: numpy record types that compiled and interpreted code share.

A record is read as ``rec["cash"]``, which works with and without the compiler; a snapshot is a copy of the bytes and
equality is equality of the bytes. Nothing here computes.

Conventions of all records: prices and cash in quote currency, quantities in base units, fractions as fractions, times
as int64 nanoseconds UTC, codes as indices into the tuples of this module. A feature that is off holds a value that can
never act: distance 0.0, cap ``inf``, time limit ``NEVER``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Record = np.void

NEVER: Final = np.iinfo(np.int64).max
DAY_NS: Final = 86_400_000_000_000
MINUTE_NS: Final = 60_000_000_000

# Exit reasons in the order in which they win at one event (fill rule R13).
EXIT_REASONS: Final = (
    "liquidation",
    "max_drawdown",
    "daily_loss",
    "flatten",
    "stop_loss",
    "trailing_stop",
    "max_loss",
    "take_profit",
    "max_holding",
    "signal",
)
(
    LIQUIDATION,
    MAX_DRAWDOWN,
    DAILY_LOSS,
    FLATTEN,
    STOP_LOSS,
    TRAILING_STOP,
    MAX_LOSS,
    TAKE_PROFIT,
    MAX_HOLDING,
    SIGNAL,
    NO_REASON,
) = range(11)

DENIAL_RULES: Final = (
    "invalid_size",
    "invalid_level",
    "halted",
    "paused",
    "cooldown",
    "short_on_spot",
    "max_orders_per_minute",
    "price_collar",
    "min_notional",
    "max_order_notional",
    "max_position_notional",
    "max_leverage",
    "insufficient_funds",
)
(
    INVALID_SIZE,
    INVALID_LEVEL,
    HALTED,
    PAUSED,
    COOLDOWN,
    SHORT_ON_SPOT,
    MAX_ORDERS_PER_MINUTE,
    PRICE_COLLAR,
    MIN_NOTIONAL,
    MAX_ORDER_NOTIONAL,
    MAX_POSITION_NOTIONAL,
    MAX_LEVERAGE,
    INSUFFICIENT_FUNDS,
) = range(13)
ALLOWED: Final = -1

BREAKERS: Final = ("max_drawdown", "daily_loss")

# Kinds of a resting or requested order.
NO_ORDER, MARKET, LIMIT, STOP, CANCEL = range(5)
ORDER_KINDS: Final = ("none", "market", "limit", "stop", "cancel")

# Paths of the price inside a bar (fill rule R2).
PATHS: Final = ("adverse", "favourable", "colour", "ohlc", "olhc")
ADVERSE, FAVOURABLE, COLOUR, OHLC, OLHC = range(5)

INSTRUMENT: Final = np.dtype(
    [
        ("lot", "f8"),
        ("lots_per_unit", "f8"),
        ("tick", "f8"),
        ("ticks_per_unit", "f8"),
        ("min_notional", "f8"),
        ("taker_fee", "f8"),
        ("maker_fee", "f8"),
        ("max_leverage", "f8"),
        ("maintenance_margin", "f8"),
        ("is_spot", "i8"),
    ]
)

CONFIG: Final = np.dtype(
    [
        ("slippage", "f8"),
        ("stop_loss", "f8"),
        ("take_profit", "f8"),
        ("trailing_stop", "f8"),
        ("trailing_activate_at", "f8"),
        ("trailing_distance_after", "f8"),
        ("max_holding_ns", "i8"),
        ("max_loss", "f8"),
        ("max_drawdown", "f8"),
        ("daily_loss", "f8"),
        ("max_position_notional", "f8"),
        ("max_order_notional", "f8"),
        ("max_leverage", "f8"),
        ("max_orders_per_minute", "i8"),
        ("price_collar", "f8"),
        ("cooldown_ns", "i8"),
        ("timeframe_ns", "i8"),
        ("path", "i8"),
        ("is_external", "i8"),
        ("is_exact", "i8"),
    ]
)

ACCOUNT: Final = np.dtype(
    [
        ("cash", "f8"),
        ("equity", "f8"),
        ("equity_peak", "f8"),
        ("day", "i8"),
        ("day_base", "f8"),
        ("realized", "f8"),
        ("fees", "f8"),
        ("funding", "f8"),
        ("start_cash", "f8"),
        ("halted", "i8"),
        ("paused", "i8"),
        ("minute", "i8"),
        ("minute_orders", "i8"),
        ("phase", "i8"),
        ("time_ns", "i8"),
        ("decisions", "i8"),
        ("fill_count", "i8"),
        ("trade_count", "i8"),
        ("denial_count", "i8"),
        ("trip_count", "i8"),
        ("request_count", "i8"),
        ("winning_trades", "i8"),
        ("gross_profit", "f8"),
        ("gross_loss", "f8"),
        ("open_bars", "i8"),
    ]
)

# What an entry carries: the decision's size, levels and brackets; nan and 0 mean "not given".
_ENTRY: Final = [
    ("sizing", "i8"),
    ("size", "f8"),
    ("limit", "f8"),
    ("stop", "f8"),
    ("stop_loss", "f8"),
    ("take_profit", "f8"),
    ("trailing_stop", "f8"),
    ("max_holding_s", "f8"),
]

SYMBOL: Final = np.dtype(
    [
        ("instrument", INSTRUMENT),
        # the net position and what it has cost
        ("quantity", "f8"),
        ("entry_price", "f8"),
        ("entry_time_ns", "i8"),
        ("entry_fees", "f8"),
        ("funding", "f8"),
        ("bars_held", "i8"),
        ("lowest", "f8"),
        ("highest", "f8"),
        # its protection; `near` is the nearest of the three stop-type levels
        ("peak", "f8"),
        ("activation", "f8"),
        ("trail_distance", "f8"),
        ("stop_level", "f8"),
        ("trail_level", "f8"),
        ("loss_level", "f8"),
        ("near", "f8"),
        ("target", "f8"),
        ("time_limit_ns", "i8"),
        # the market as last seen
        ("last", "f8"),
        ("reference", "f8"),
        ("last_time_ns", "i8"),
        ("last_phase", "i8"),
        ("first_low", "i8"),
        # what waits for the next price event
        ("exit_reason", "i8"),
        ("exit_size", "f8"),
        ("exit_sizing", "i8"),
        ("exit_limit", "f8"),
        ("entry_side", "i8"),
        *_ENTRY,
        # the one resting order of the strategy, and the entry that it carries
        ("order_kind", "i8"),
        ("order_side", "i8"),
        ("order_is_exit", "i8"),
        ("order_quantity", "f8"),
        ("order_price", "f8"),
        ("order_stop_loss", "f8"),
        ("order_take_profit", "f8"),
        ("order_trailing_stop", "f8"),
        ("order_max_holding_s", "f8"),
        # brackets of the entry that is in flight or open
        ("bracket_stop_loss", "f8"),
        ("bracket_take_profit", "f8"),
        ("bracket_trailing_stop", "f8"),
        ("bracket_max_holding_s", "f8"),
        ("entry_equity", "f8"),
        # guards
        ("blocked", "i8"),
        ("cooldown_until_ns", "i8"),
        ("entered_in_leg", "i8"),
        ("exit_in_flight", "f8"),
        ("exit_request", "i8"),
        ("exit_request_reason", "i8"),
        ("entry_in_flight", "f8"),
        ("entry_request", "i8"),
        ("entry_is_resting", "i8"),
    ]
)

# One row of what happened, in the order in which it happened. What a field means depends on the kind:
#   kind      code    flag         price        fee    value     others
#   FILL      reason  is maker     fill         fee    -         sequence
#   TRADE     reason  bars held    exit         fees   pnl       start_ns, entry, return_, funding, mae, mfe, levels
#   DENIAL    rule    -            -            -      value     limit in `entry`
#   TRIP      reason  -            -            -      value     limit in `entry`
#   REQUEST   reason  order kind   order price  -      is exit   sequence, may rest in `entry`
LOG: Final = np.dtype(
    [
        ("kind", "i8"),
        ("sequence", "i8"),
        ("symbol", "i8"),
        ("side", "i8"),
        ("code", "i8"),
        ("flag", "i8"),
        ("time_ns", "i8"),
        ("start_ns", "i8"),
        ("quantity", "f8"),
        ("price", "f8"),
        ("fee", "f8"),
        ("value", "f8"),
        ("entry", "f8"),
        ("return_", "f8"),
        ("funding", "f8"),
        ("mae", "f8"),
        ("mfe", "f8"),
        ("stop", "f8"),
        ("target", "f8"),
    ]
)
LOG_KINDS: Final = ("none", "fill", "trade", "denial", "trip", "request")
NO_ROW, FILL_ROW, TRADE_ROW, DENIAL_ROW, TRIP_ROW, REQUEST_ROW = range(6)

OUTPUT: Final = np.dtype([("log_rows", "i8"), ("trace_rows", "i8")])

TRACE: Final = np.dtype(
    [
        ("time_ns", "i8"),
        ("close_time_ns", "i8"),
        ("symbol", "i8"),
        ("equity", "f8"),
        ("cash", "f8"),
        ("gross", "f8"),
        ("decision", "i8"),
    ]
)


class Book(NamedTuple):
    """Everything that one run of the core reads and writes.

    Attributes
    ----------
    account, config, output : record
        The account (`ACCOUNT`), its rules (`CONFIG`), and how much of the log is taken (`OUTPUT`).
    symbols : ndarray of `SYMBOL`, shape (n_symbols,)
        One net position each, with its instrument.
    log : ndarray of `LOG`, shape (n + 1,)
        What happened. The last row is a sink: it takes what no longer fits, or everything when nothing is recorded.
    """

    account: Record
    config: Record
    output: Record
    symbols: NDArray[np.void]
    log: NDArray[np.void]
