"""A market as the exchange lists it: its name on the wire and the filters that every order must pass."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final

from workbench.exchange.practice.numbers import EXACT, ZERO, decimal_of
from workbench.exchange.practice.refusals import RefusalError, filter_failure

if TYPE_CHECKING:
    from workbench.model.instrument import Instrument

__all__ = ["Fees", "Listing"]

_MAX_QUANTITY: Final = Decimal(9_000_000_000)
_MAX_PRICE: Final = Decimal(1_000_000_000)
_SMALLEST_STEP: Final = Decimal("0.00000001")
# Binance refuses limit prices this far from the market.
_HIGHEST_TIMES: Final = Decimal(5)
_LOWEST_TIMES: Final = Decimal("0.2")


@dataclass(frozen=True)
class Fees:
    """What a fill costs.

    Parameters
    ----------
    taker, maker : Decimal
        Fractions of the notional, 0.001 each unless given.
    asset : str, default "quote"
        What they are paid in: ``"quote"``, ``"received"`` (the coin that the fill brings in, as Binance does it: base
        when buying, quote when selling), or a coin by name such as ``"BNB"``. A third coin that runs out, or that has
        no market against the quote, is replaced by the received one.
    """

    taker: Decimal = Decimal("0.001")
    maker: Decimal = Decimal("0.001")
    asset: str = "quote"


@dataclass(frozen=True)
class Listing:
    """One market of the exchange.

    Parameters
    ----------
    instrument : Instrument
        The symbol with its steps; a missing step is one hundred-millionth.
    fees : Fees
        Of the whole exchange; the instrument's own rates win.
    """

    instrument: Instrument
    fees: Fees = Fees()

    @cached_property
    def symbol(self) -> str:
        """Name on the wire, such as ``BTCUSDT``."""
        return f"{self.base}{self.quote}"

    @cached_property
    def base(self) -> str:
        """The coin that is traded."""
        return self.instrument.base

    @cached_property
    def quote(self) -> str:
        """The coin that it is paid in."""
        return self.instrument.quote

    @cached_property
    def lot(self) -> Decimal:
        """Step of quantities, and the smallest."""
        return _SMALLEST_STEP if self.instrument.lot is None else decimal_of(self.instrument.lot)

    @cached_property
    def tick(self) -> Decimal:
        """Step of prices, and the lowest."""
        return _SMALLEST_STEP if self.instrument.tick is None else decimal_of(self.instrument.tick)

    @cached_property
    def min_notional(self) -> Decimal:
        """Smallest order in the quote; 0 where there is no limit."""
        return ZERO if self.instrument.min_notional is None else decimal_of(self.instrument.min_notional)

    @cached_property
    def taker_rate(self) -> Decimal:
        """Fee of an order that takes, as a fraction of the notional."""
        return self.fees.taker if self.instrument.taker_fee is None else decimal_of(self.instrument.taker_fee)

    @cached_property
    def maker_rate(self) -> Decimal:
        """Fee of an order that rests, as a fraction of the notional."""
        return self.fees.maker if self.instrument.maker_fee is None else decimal_of(self.instrument.maker_fee)

    @cached_property
    def highest_rate(self) -> Decimal:
        """The larger of the two fees, which is set aside with an order."""
        return max(self.taker_rate, self.maker_rate)

    @property
    def max_quantity(self) -> Decimal:
        """Largest order in the base."""
        return _MAX_QUANTITY

    @property
    def max_price(self) -> Decimal:
        """Highest price of an order."""
        return _MAX_PRICE

    @property
    def is_perpetual(self) -> bool:
        """Whether it is a contract and not a coin."""
        return not self.instrument.is_spot

    def check_quantity(self, quantity: Decimal) -> None:
        """Raise RefusalError unless a quantity lies on the lot and within the limits."""
        if quantity == ZERO:
            raise RefusalError(-1013, "Invalid quantity.")
        if _is_finer(quantity, self.lot):
            raise RefusalError(-1111, "Parameter 'quantity' has too much precision.")
        if not self.lot <= quantity <= _MAX_QUANTITY or EXACT.remainder(quantity, self.lot) != ZERO:
            raise filter_failure("LOT_SIZE")

    def check_price(self, price: Decimal, name: str = "price") -> None:
        """Raise RefusalError unless a price lies on the tick and within the limits."""
        if price == ZERO:
            raise RefusalError(-1013, "Invalid price.")
        if _is_finer(price, self.tick):
            raise RefusalError(-1111, f"Parameter '{name}' has too much precision.")
        if not self.tick <= price <= _MAX_PRICE or EXACT.remainder(price, self.tick) != ZERO:
            raise filter_failure("PRICE_FILTER")

    def check_distance(self, price: Decimal, last: Decimal) -> None:
        """Raise RefusalError when a limit is absurdly far from the market."""
        if not EXACT.multiply(last, _LOWEST_TIMES) <= price <= EXACT.multiply(last, _HIGHEST_TIMES):
            raise filter_failure("PERCENT_PRICE_BY_SIDE")

    def check_notional(self, quantity: Decimal, price: Decimal) -> None:
        """Raise RefusalError when an order is too small to be worth it."""
        if EXACT.multiply(quantity, price) < self.min_notional:
            raise filter_failure("NOTIONAL")


def _is_finer(value: Decimal, step: Decimal) -> bool:
    """Return whether a number has more places behind the point than the exchange keeps at all."""
    places = max(8, _places(step))
    return _places(value) > places


def _places(value: Decimal) -> int:
    exponent = value.normalize(EXACT).as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
