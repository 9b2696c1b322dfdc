"""The rules that a bar's numbers must keep, once for a single bar and once, vectorised, for millions.

``bar_problem`` says what is wrong with one bar. ``check_values`` finds the bad rows of a whole table with a few array
comparisons and asks ``bar_problem`` for the words; a property test keeps the two of one opinion.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BarError, DataError, OutOfOrderError
from workbench.model.field_checks import Interval, shown
from workbench.model.timeframe import Timeframe
from workbench.model.times import EARLIEST_TIME_NS, LATEST_TIME_NS, NS_PER_SECOND, time_problem, utc_text

__all__ = ["FIELDS", "bar_problem", "check_times", "check_values", "real_numbers"]

FIELDS: Final = ("open", "high", "low", "close", "volume")
"""The five numbers of a bar, in the order of every table of bars."""

_PRICE: Final = Interval(0.0, math.inf)
_VOLUME: Final = Interval(0.0, math.inf, includes_low=True)


def bar_problem(open: float, high: float, low: float, close: float, volume: float) -> str | None:  # noqa: A002 -- the field's own word
    """Return what is wrong with one bar's numbers, or ``None`` when they are good.

    Parameters
    ----------
    open, high, low, close : float
        Prices; finite and above 0, ``low <= open <= high`` and ``low <= close <= high``.
    volume : float
        Traded amount; finite and at least 0.

    Examples
    --------
    >>> bar_problem(10.0, 12.0, 9.0, 11.0, 5.0) is None
    True
    >>> bar_problem(10.0, 9.0, 12.0, 11.0, 5.0)
    'high 9.0 is below low 12.0'
    """
    for name, price in zip(FIELDS, (open, high, low, close), strict=False):
        if price not in _PRICE:
            return f"{name} must be in {_PRICE}, was {shown(price)}"
    if high < low:
        return f"high {high} is below low {low}"
    for name, price in (("open", open), ("close", close)):
        if not low <= price <= high:
            return f"{name} {price} is outside low..high {low}..{high}"
    return None if volume in _VOLUME else f"volume must be in {_VOLUME}, was {shown(volume)}"


def real_numbers(column: ArrayLike) -> NDArray[np.float64]:
    """Return a column as floats.

    Raises
    ------
    TypeError, ValueError, OverflowError
        It holds something else, a number with an imaginary part or one beyond the range of a float.
    """
    array = np.asarray(column)
    if array.dtype.kind == "c":
        # numpy would drop the imaginary part with no more than a warning.
        raise TypeError(f"they are {array.dtype}")
    return np.asarray(array, dtype=np.float64)


def check_times(time_ns: NDArray[np.int64], timeframe: Timeframe) -> None:
    """Raise unless the open labels are plausible nanoseconds, ascending, and at least one timeframe apart.

    Parameters
    ----------
    time_ns : ndarray of int64, shape (n,)
        Open labels, nanoseconds UTC.
    timeframe : Timeframe
        Length of the bars. Labels need not lie on its grid, and gaps are allowed; overlapping bars are not.

    Raises
    ------
    DataError
        A time is not in the years 2009 to 2099; the message names the unit that it looks like.
    OutOfOrderError
        A time is earlier than, or the same as, the one before.
    BarError
        A bar opens before the one before has closed.
    """
    if not time_ns.size:
        return
    if time_ns.min() < EARLIEST_TIME_NS or time_ns.max() >= LATEST_TIME_NS:
        bad = (time_ns < EARLIEST_TIME_NS) | (time_ns >= LATEST_TIME_NS)
        row = int(bad.argmax())
        raise DataError(f"row {row}: {time_problem(int(time_ns[row]))}{_how_many(bad)}")
    steps = np.diff(time_ns)
    shortest = int(steps.min(initial=timeframe.ns))
    if shortest >= timeframe.ns:
        return
    # Bars that overlap are told only when the order is right, as disorder makes overlaps of its own.
    bad = steps <= 0 if shortest <= 0 else steps < timeframe.ns
    row = int(bad.argmax()) + 1
    step_ns = int(steps[row - 1])
    where = f"row {row} ({utc_text(int(time_ns[row]))})"
    if step_ns > 0:
        apart = f"opens {step_ns / NS_PER_SECOND:g} s after the row before"
        raise BarError(f"{where}: {apart}, less than the timeframe {timeframe}{_how_many(bad)}")
    what = "duplicate time" if step_ns == 0 else f"earlier than the row before ({utc_text(int(time_ns[row - 1]))})"
    raise OutOfOrderError(f"{where}: {what}{_how_many(bad)}; sort by time and drop duplicates first")


def check_values(values: NDArray[np.float64], time_ns: NDArray[np.int64], symbol: str) -> NDArray[np.bool_]:
    """Return which bars of one symbol are there; raise when one that is there breaks a rule.

    Parameters
    ----------
    values : ndarray of float64, shape (5, n)
        Open, high, low, close and volume. A column whose five numbers are all ``nan`` is a missing bar.
    time_ns : ndarray of int64, shape (n,)
        Open labels, for the error.
    symbol : str
        The symbol, for the error.

    Returns
    -------
    ndarray of bool, shape (n,)
        ``False`` for a missing bar.

    Raises
    ------
    BarError
        A bar breaks a rule or is ``nan`` in part: the first such row with its time and reason, and how many there are.
    """
    opens, highs, lows, closes, volumes = values
    # With low > 0, low <= open <= high and high < inf every price is finite, and nan fails each comparison.
    good: NDArray[np.bool_] = (lows > 0.0) & (highs < math.inf) & (volumes >= 0.0) & (volumes < math.inf)
    good &= (lows <= opens) & (opens <= highs) & (lows <= closes) & (closes <= highs)
    if good.all():
        return good
    bad = ~(good | np.isnan(values).all(axis=0))
    if bad.any():
        row = int(bad.argmax())
        where = f"{symbol} row {row} ({utc_text(int(time_ns[row]))})"
        raise BarError(f"{where}: {_bad_row_problem(values[:, row])}{_how_many(bad)}")
    return good


def _bad_row_problem(numbers: NDArray[np.float64]) -> str:
    """Return the words for one bad row; a row that is ``nan`` in part gets its own."""
    absent = [name for name, is_absent in zip(FIELDS, np.isnan(numbers), strict=True) if is_absent]
    if absent:
        return f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} nan (a missing bar has all five nan)"
    return str(bar_problem(*map(float, numbers)))


def _how_many(bad: NDArray[np.bool_]) -> str:
    count = int(bad.sum())
    return f" ({count} rows are bad)" if count > 1 else ""
