"""What a market says: one print, or one bar of prints."""

import math
from dataclasses import dataclass
from typing import Final

from workbench.errors import BarError, DataError
from workbench.model.bars_checks import bar_problem
from workbench.model.field_checks import Interval, shown
from workbench.model.times import time_problem

__all__ = ["Bar", "Tick"]

_PRICE: Final = Interval(0.0, math.inf)
_VOLUME: Final = Interval(0.0, math.inf, includes_low=True)


@dataclass(frozen=True, slots=True)
class Tick:
    """One market print.

    Parameters
    ----------
    symbol : str
        The instrument's symbol.
    time_ns : int
        Moment of the print, nanoseconds UTC.
    price : float
        Finite and above 0.
    volume : float
        Traded amount in the base currency, finite and at least 0.

    Raises
    ------
    DataError
        A number breaks its rule, or the time is in another unit; the message says which.

    Examples
    --------
    >>> Tick("BTC/USDT", 1_735_689_600_000_000_000, 94000.0, 0.25).price
    94000.0
    >>> Tick("BTC/USDT", 1_735_689_600, 94000.0, 0.25)
    Traceback (most recent call last):
        ...
    workbench.errors.DataError: BTC/USDT tick: time 1735689600 is not in 2009..2099 as nanoseconds;
    it looks like seconds
    """

    symbol: str
    time_ns: int
    price: float
    volume: float

    def __post_init__(self) -> None:
        """Check the numbers."""
        problem = time_problem(self.time_ns)
        if problem is None and self.price not in _PRICE:
            problem = f"price must be in {_PRICE}, was {shown(self.price)}"
        if problem is None and self.volume not in _VOLUME:
            problem = f"volume must be in {_VOLUME}, was {shown(self.volume)}"
        if problem is not None:
            raise DataError(f"{self.symbol} tick: {problem}")


@dataclass(frozen=True, slots=True)
class Bar:
    """The prints of one interval in five numbers.

    Parameters
    ----------
    symbol : str
        The instrument's symbol.
    time_ns : int
        Open label: first moment of the interval, nanoseconds UTC. The interval is open on the right.
    open, high, low, close : float
        Prices; finite, above 0, ``low <= open <= high`` and ``low <= close <= high``.
    volume : float
        Traded amount in the base currency, finite and at least 0.
    is_partial : bool, default False
        Whether part of the interval was not seen, as in the first bar after a start.

    Raises
    ------
    BarError
        A number breaks its rule, or the time is in another unit; the message says which.

    Examples
    --------
    >>> Bar("BTC/USDT", 1_735_689_600_000_000_000, 10.0, 12.0, 9.0, 11.0, 5.0).close
    11.0
    """

    symbol: str
    time_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    is_partial: bool = False

    def __post_init__(self) -> None:
        """Check the numbers."""
        problem = time_problem(self.time_ns) or bar_problem(self.open, self.high, self.low, self.close, self.volume)
        if problem is not None:
            raise BarError(f"{self.symbol} bar: {problem}")
