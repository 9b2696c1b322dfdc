"""What is traded, and in which steps."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, cast

from workbench.errors import ConfigError, OrderError
from workbench.model.field_checks import FieldChecks, Interval, shown

__all__ = ["INSTRUMENT_KINDS", "Instrument", "InstrumentKind"]

InstrumentKind = Literal["spot", "linear_perpetual"]

INSTRUMENT_KINDS: Final[tuple[InstrumentKind, ...]] = ("spot", "linear_perpetual")
"""The kinds of instruments: owned outright, or a perpetual future settled in its quote currency."""

_SYMBOL: Final = re.compile(r"([A-Za-z0-9.$_-]+)/([A-Za-z0-9.$_-]+)(?::([A-Za-z0-9.$_-]+))?")
_POSITIVE: Final = Interval(0.0, float("inf"))
_FEE: Final = Interval(0.0, 0.5, includes_low=True)
_LEVERAGE: Final = Interval(1.0, 1_000.0, includes_low=True, includes_high=True)
_MARGIN: Final = Interval(0.0, 1.0, includes_low=True)
_PERPETUAL_MAX_LEVERAGE: Final = 20.0
# Part of a step that float arithmetic may be off: 0.3 - 0.1 is a hair below 0.2 and must not lose a whole step. The
# core rounds with the same slack, so that an order leaves with the quantity that was booked.
_STEP_SLACK: Final = Fraction(1, 1_000_000)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable thing with the exchange's rules for it.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE`` for spot, ``BASE/QUOTE:QUOTE`` (or ``BASE/QUOTE``) for a linear perpetual, as ccxt writes them.
    kind : {"spot", "linear_perpetual"}, default "spot"
        Whether it is owned outright or is a perpetual future settled in its quote currency.
    lot : float or None, default None
        Step of the quantity in the base currency, above 0; ``None`` = any quantity.
    tick : float or None, default None
        Step of the price in the quote currency, above 0; ``None`` = any price.
    min_notional : float or None, default None
        Smallest order in the quote currency, above 0; ``None`` = no minimum.
    taker_fee, maker_fee : float or None, default None
        Fees as fractions of notional in [0, 0.5); ``None`` = those of ``Costs``.
    max_leverage : float
        Largest position over margin, in [1, 1000]; 1 for spot (fixed) and 20 for a perpetual unless given.
    maintenance_margin : float, default 0.005
        Margin below which a perpetual is liquidated, as a fraction of notional in [0, 1); spot ignores it.

    Raises
    ------
    ConfigError
        Any field is out of its range; the message names them all.

    Examples
    --------
    >>> btc = Instrument("BTC/USDT", lot=0.00001, tick=0.01)
    >>> btc.base, btc.quote, btc.is_spot
    ('BTC', 'USDT', True)
    >>> btc.quantize_quantity(0.123456789)
    '0.12345'
    >>> btc.quantize_price(64000.017, side="buy"), btc.quantize_price(64000.017, side="sell")
    ('64000.01', '64000.02')
    >>> Instrument("BTC/USDT:USDT", "linear_perpetual").max_leverage
    20.0
    """

    symbol: str
    kind: InstrumentKind = "spot"
    lot: float | None = None
    tick: float | None = None
    min_notional: float | None = None
    taker_fee: float | None = None
    maker_fee: float | None = None
    max_leverage: float = None  # type: ignore[assignment]  # None stands for the kind's default and is replaced at once, so readers see a float
    maintenance_margin: float = 0.005

    def __post_init__(self) -> None:
        """Fill in the kind's leverage, then check every field."""
        if cast("float | None", self.max_leverage) is None:
            object.__setattr__(self, "max_leverage", 1.0 if self.kind == "spot" else _PERPETUAL_MAX_LEVERAGE)
        checks = FieldChecks()
        checks.is_one_of("kind", self.kind, INSTRUMENT_KINDS)
        self._check_symbol(checks)
        checks.in_interval_or_off("lot", self.lot, _POSITIVE)
        checks.in_interval_or_off("tick", self.tick, _POSITIVE)
        checks.in_interval_or_off("min_notional", self.min_notional, _POSITIVE)
        checks.in_interval_or_off("taker_fee", self.taker_fee, _FEE)
        checks.in_interval_or_off("maker_fee", self.maker_fee, _FEE)
        self._check_margin(checks)
        checks.raise_if_any(ConfigError)

    @classmethod
    def of(cls, symbol: "str | Instrument") -> "Instrument":
        """Return ``symbol`` itself when it is an instrument, else the plain instrument that it names.

        That is a perpetual when the symbol has a settlement currency, else spot.

        Raises
        ------
        ConfigError
            The symbol has another form.

        Examples
        --------
        >>> Instrument.of("BTC/USDT").kind, Instrument.of("BTC/USDT:USDT").kind
        ('spot', 'linear_perpetual')
        """
        if isinstance(symbol, Instrument):
            return symbol
        return cls(symbol, "linear_perpetual" if ":" in str(symbol) else "spot")

    @property
    def base(self) -> str:
        """The currency that is bought and sold, ``BTC`` in ``BTC/USDT``."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The currency that prices, fees and profits are in, ``USDT`` in ``BTC/USDT``."""
        return self.symbol.partition("/")[2].partition(":")[0]

    @property
    def is_spot(self) -> bool:
        """Whether it is owned outright, so that it can be neither short nor leveraged."""
        return self.kind == "spot"

    def quantize_quantity(self, quantity: float) -> str:
        """Return a quantity as exact decimal text, rounded down to the lot.

        Parameters
        ----------
        quantity : float
            Amount in the base currency, finite and at least 0.

        Returns
        -------
        str
            Decimal text without an exponent, such as ``"0.12345"``. A float that is a lot's multiple but for its last
            bits stays that multiple.

        Raises
        ------
        OrderError
            The quantity is negative or not finite.

        Examples
        --------
        >>> Instrument("BTC/USDT", lot=0.1).quantize_quantity(0.3 - 0.1)
        '0.2'
        """
        if quantity not in Interval(0.0, float("inf"), includes_low=True):
            raise OrderError(f"quantity of {self.symbol} must be in [0, inf), was {shown(quantity)}")
        return _to_step(quantity, self.lot, math.floor)

    def quantize_price(
        self, price: float, *, side: Literal["buy", "sell"] | None = None, kind: Literal["limit", "stop"] = "limit"
    ) -> str:
        """Return a price as exact decimal text on the tick.

        Parameters
        ----------
        price : float
            Price in the quote currency, finite and above 0.
        side : {"buy", "sell"} or None, default None
            Side of the order; ``None`` rounds to the nearest tick.
        kind : {"limit", "stop"}, default "limit"
            A limit buys at the tick below and sells at the tick above, so that it never pays more or takes less than
            was asked; a stop is the other way round, as its level is rounded against us.

        Returns
        -------
        str
            Decimal text without an exponent, such as ``"64000.01"``.

        Raises
        ------
        OrderError
            The price is not positive or not finite, or rounds to 0.
        """
        if price not in _POSITIVE:
            raise OrderError(f"price of {self.symbol} must be in (0, inf), was {shown(price)}")
        if side is None:
            rounding: Callable[[Fraction], int] = round
        else:
            rounding = math.floor if (side == "buy") == (kind == "limit") else math.ceil
        text = _to_step(price, self.tick, rounding)
        if Decimal(text) == 0:
            raise OrderError(f"price of {self.symbol} must be at least one tick ({self.tick:g}), was {shown(price)}")
        return text

    def _check_symbol(self, checks: FieldChecks) -> None:
        """Complain about a symbol of another form, or one that belongs to another kind."""
        match = _SYMBOL.fullmatch(str(self.symbol))
        checks.require("symbol", self.symbol, "look like 'BTC/USDT' or 'BTC/USDT:USDT'", is_met=match is not None)
        if match is None or match[3] is None:
            return
        demand = f"be 'linear_perpetual' for the contract {self.symbol}"
        checks.require("kind", self.kind, demand, is_met=self.kind != "spot")
        checks.require("symbol", self.symbol, "be settled in its quote currency (linear)", is_met=match[3] == match[2])

    def _check_margin(self, checks: FieldChecks) -> None:
        """Complain about leverage and margin that are out of range or contradict each other."""
        checks.in_interval("maintenance_margin", self.maintenance_margin, _MARGIN)
        if self.kind == "spot":
            checks.require("max_leverage", self.max_leverage, "be 1 for spot", is_met=self.max_leverage == 1.0)
            return
        checks.in_interval("max_leverage", self.max_leverage, _LEVERAGE)
        if self.max_leverage in _LEVERAGE and self.maintenance_margin in _MARGIN:
            most = 1.0 / self.max_leverage
            demand = f"be below 1 / max_leverage ({most:g}), or a full position is liquidated at once"
            checks.require("maintenance_margin", self.maintenance_margin, demand, is_met=self.maintenance_margin < most)


def _to_step(value: float, step: float | None, rounding: Callable[[Fraction], int]) -> str:
    """Return ``value`` as decimal text on a multiple of ``step``; without a step, the shortest that reads back."""
    exact = Decimal(repr(float(value)))
    if step is None:
        return format(exact, "f")
    exact_step = Decimal(repr(float(step)))
    ratio = Fraction(exact) / Fraction(exact_step)
    count = round(ratio)
    if abs(ratio - count) > _STEP_SLACK:
        count = rounding(ratio)
    # Whole numbers with a point put in: a product of Decimals would obey the caller's context and might lose digits.
    places = len(format(exact_step, "f").partition(".")[2].rstrip("0"))
    units = str(int(count * Fraction(exact_step) * 10**places)).rjust(places + 1, "0")
    return f"{units[:-places]}.{units[-places:]}" if places else units
