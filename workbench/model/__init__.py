"""Value types that every room speaks in: what is traded, what the market said, what was ordered, filled, held and lost.

Everything here is frozen and checks itself. Times are ``int`` nanoseconds since 1970 in UTC, prices and amounts
``float``, and a fraction is a fraction (0.01 is one percent).
"""

from workbench.model.bars import Bars
from workbench.model.bars_checks import FIELDS, bar_problem
from workbench.model.commands import COMMANDS, Command
from workbench.model.costs import Costs
from workbench.model.events import BAR, BAR_CLOSED, COMMAND, EVENT, EVENT_KINDS, REPORT, TICK, TIME_ADVANCED
from workbench.model.instrument import INSTRUMENT_KINDS, Instrument, InstrumentKind
from workbench.model.market import Bar, Tick
from workbench.model.orders import (
    ORDER_KINDS,
    ORDER_SIDES,
    ORDER_STATUSES,
    BreakerTrip,
    Denied,
    ExchangeRequest,
    Fill,
    Order,
    OrderKind,
    OrderRequest,
    OrderSide,
    OrderStatus,
)
from workbench.model.risk_config import RiskConfig
from workbench.model.snapshots import AccountState, PositionSnapshot, StepResult
from workbench.model.timeframe import Timeframe
from workbench.model.times import (
    EARLIEST_TIME_NS,
    LATEST_TIME_NS,
    NS_PER_SECOND,
    NS_PER_UNIT,
    is_plausible_time_ns,
    likely_time_unit,
    parse_time_ns,
    time_problem,
    utc_datetime,
    utc_text,
)
from workbench.model.trades import EXIT_REASONS, ClosedTrade, ExitReason, Position, Side
from workbench.model.waterfall import EquityPart, EquityWaterfall

__all__ = [
    "BAR",
    "BAR_CLOSED",
    "COMMAND",
    "COMMANDS",
    "EARLIEST_TIME_NS",
    "EVENT",
    "EVENT_KINDS",
    "EXIT_REASONS",
    "FIELDS",
    "INSTRUMENT_KINDS",
    "LATEST_TIME_NS",
    "NS_PER_SECOND",
    "NS_PER_UNIT",
    "ORDER_KINDS",
    "ORDER_SIDES",
    "ORDER_STATUSES",
    "REPORT",
    "TICK",
    "TIME_ADVANCED",
    "AccountState",
    "Bar",
    "Bars",
    "BreakerTrip",
    "ClosedTrade",
    "Command",
    "Costs",
    "Denied",
    "EquityPart",
    "EquityWaterfall",
    "ExchangeRequest",
    "ExitReason",
    "Fill",
    "Instrument",
    "InstrumentKind",
    "Order",
    "OrderKind",
    "OrderRequest",
    "OrderSide",
    "OrderStatus",
    "Position",
    "PositionSnapshot",
    "RiskConfig",
    "Side",
    "StepResult",
    "Tick",
    "Timeframe",
    "bar_problem",
    "is_plausible_time_ns",
    "likely_time_unit",
    "parse_time_ns",
    "time_problem",
    "utc_datetime",
    "utc_text",
]
