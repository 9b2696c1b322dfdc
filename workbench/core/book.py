"""Open the records of a run from its configuration."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.records import ACCOUNT, CONFIG, LOG, NEVER, NO_REASON, OUTPUT, PATHS, SYMBOL, Book
from workbench.errors import ConfigError
from workbench.model import Costs, RiskConfig
from workbench.model.field_checks import Interval

if TYPE_CHECKING:
    from workbench.core.records import Record
    from workbench.model import Instrument, Timeframe

NS_PER_SECOND = 1e9

_CASH = Interval(0.0, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """What one account trades, with how much, by which rules and at which costs.

    Parameters
    ----------
    instruments : tuple of Instrument
        One for each symbol, in the order of all arrays.
    timeframe : Timeframe
        Length of a bar.
    cash : float
        Start capital in quote currency, > 0.
    risk : RiskConfig
        Protections and caps; default all off.
    costs : Costs
        Fees and slippage where an instrument names none of its own.
    path : {"adverse", "favourable", "colour", "ohlc", "olhc"}
        Order in which a bar visits its extremes (fill rule R2). ``adverse`` takes a stop before a target of the same
        bar; with a trailing stop another order can be worse.
    is_external : bool
        True: orders become requests and fills come as reports. False: the fill model fills them at once.

    Raises
    ------
    ConfigError
        A field is outside its range; every bad field is named.
    """

    instruments: tuple[Instrument, ...]
    timeframe: Timeframe
    cash: float
    risk: RiskConfig = field(default_factory=RiskConfig)
    costs: Costs = field(default_factory=Costs)
    path: str = "adverse"
    is_external: bool = False

    def __post_init__(self) -> None:
        """Check the fields."""
        faults = []
        if not self.instruments:
            faults.append("instruments must hold at least one, was empty")
        if len({instrument.symbol for instrument in self.instruments}) != len(self.instruments):
            faults.append("instruments must have different symbols")
        quotes = sorted({instrument.quote for instrument in self.instruments})
        if len(quotes) > 1:
            faults.append(f"instruments of one cash account must have one quote currency, had {', '.join(quotes)}")
        if self.cash not in _CASH:
            faults.append(f"cash must be a float > 0 and finite, was {self.cash!r}")
        if self.path not in PATHS:
            faults.append(f"path must be one of {', '.join(PATHS)}, was {self.path!r}")
        if faults:
            raise ConfigError("; ".join(faults))

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols in the order of all arrays."""
        return tuple(instrument.symbol for instrument in self.instruments)


def open_book(config: EngineConfig, log_rows: int = 0, *, is_exact: bool = False) -> Book:
    """Return the records of a fresh account.

    Parameters
    ----------
    config : EngineConfig
        What to trade and how.
    log_rows : int, default 0
        Rows that the log can take; 0 records nothing.
    is_exact : bool, default False
        Run every bar the long way, without the short cut for quiet ones; the result is the same.
    """
    account = np.zeros(1, ACCOUNT)
    for name in ("cash", "equity", "equity_peak", "day_base", "start_cash"):
        account[name] = config.cash
    account["day"] = -1
    account["minute"] = -1
    symbols = np.zeros(len(config.instruments), SYMBOL)
    symbols["exit_reason"] = NO_REASON
    symbols["time_limit_ns"] = NEVER
    for name in SYMBOL.names or ():
        if name.startswith("bracket_") or name in _UNSET:
            symbols[name] = math.nan
    for row, instrument in enumerate(config.instruments):
        _set_instrument(symbols[row]["instrument"], instrument, config.costs)
    return Book(
        account[0],
        _config_record(config, is_exact=is_exact),
        np.zeros(1, OUTPUT)[0],
        symbols,
        np.zeros(log_rows + 1, LOG),
    )


_UNSET = frozenset(
    {"size", "limit", "stop", "stop_loss", "take_profit", "trailing_stop", "max_holding_s", "exit_limit"}
)


def _per_unit(step: float) -> float:
    """Return ``1 / step`` when it is a whole number, else 0."""
    inverse = round(1.0 / step) if step > 0.0 else 0
    return float(inverse) if inverse >= 1 and abs(inverse * step - 1.0) < 1e-9 else 0.0  # noqa: PLR2004  float noise


def _set_instrument(record: Any, instrument: Instrument, costs: Costs) -> None:
    lot = instrument.lot or 0.0
    tick = instrument.tick or 0.0
    record["lot"] = lot
    record["lots_per_unit"] = _per_unit(lot)
    record["tick"] = tick
    record["ticks_per_unit"] = _per_unit(tick)
    record["min_notional"] = instrument.min_notional or 0.0
    record["taker_fee"] = costs.taker_fee if instrument.taker_fee is None else instrument.taker_fee
    record["maker_fee"] = costs.maker_fee if instrument.maker_fee is None else instrument.maker_fee
    record["max_leverage"] = instrument.max_leverage
    record["maintenance_margin"] = instrument.maintenance_margin
    record["is_spot"] = instrument.is_spot


def _config_record(config: EngineConfig, *, is_exact: bool) -> Record:
    risk = config.risk
    record = np.zeros(1, CONFIG)[0]
    record["slippage"] = config.costs.slippage
    record["stop_loss"] = risk.stop_loss or 0.0
    record["take_profit"] = risk.take_profit or 0.0
    record["trailing_stop"] = risk.trailing_stop or 0.0
    record["trailing_activate_at"] = -1.0 if risk.trailing_activate_at is None else risk.trailing_activate_at
    record["trailing_distance_after"] = risk.trailing_distance_after or 0.0
    record["max_holding_ns"] = round((risk.max_holding_s or 0.0) * NS_PER_SECOND)
    record["max_loss"] = risk.max_loss_per_trade or 0.0
    record["max_drawdown"] = risk.max_drawdown or 0.0
    record["daily_loss"] = risk.daily_loss_limit or 0.0
    record["max_position_notional"] = math.inf if risk.max_position_notional is None else risk.max_position_notional
    record["max_order_notional"] = math.inf if risk.max_order_notional is None else risk.max_order_notional
    record["max_leverage"] = risk.max_leverage
    record["max_orders_per_minute"] = risk.max_orders_per_minute or 0
    record["price_collar"] = risk.price_collar or 0.0
    record["cooldown_ns"] = round((risk.cooldown_s or 0.0) * NS_PER_SECOND)
    record["timeframe_ns"] = config.timeframe.ns
    record["path"] = PATHS.index(config.path)
    record["is_external"] = config.is_external
    record["is_exact"] = is_exact
    return record


def state_bytes(book: Book) -> bytes:
    """Return account and positions as bytes: two runs are in the same state if and only if these are equal.

    Parameters
    ----------
    book : Book
        The records of a run.
    """
    return book.account.tobytes() + book.symbols.tobytes()
