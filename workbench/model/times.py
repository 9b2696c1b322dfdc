"""Moments in time: nanoseconds since 1970 in UTC inside, aware datetimes and ISO text at the edges.

Crypto markets exist since 2009, and no data from after 2099 are expected. Within that span a number of seconds,
milliseconds, microseconds and nanoseconds cannot be mistaken for one another, so a wrong unit is always found.
"""

import datetime as dt
import math
import re
from numbers import Integral
from typing import Final, SupportsInt, TypeGuard

from workbench.errors import DataError

__all__ = [
    "EARLIEST_TIME_NS",
    "LATEST_TIME_NS",
    "NS_PER_SECOND",
    "NS_PER_UNIT",
    "is_plausible_time_ns",
    "likely_time_unit",
    "parse_time_ns",
    "time_problem",
    "utc_datetime",
    "utc_text",
]

NS_PER_SECOND: Final = 1_000_000_000
"""Nanoseconds in a second."""

NS_PER_UNIT: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
"""Nanoseconds in each unit that an integer time may be given in."""

EARLIEST_TIME_NS: Final = 1_230_768_000 * NS_PER_SECOND
"""2009-01-01 in nanoseconds, the year of the first Bitcoin block: any earlier time is taken for a wrong unit."""

LATEST_TIME_NS: Final = 4_102_444_800 * NS_PER_SECOND
"""2100-01-01 in nanoseconds: this and any later time is taken for a wrong unit."""

_UNIT_NAMES: Final = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_TIME_OF_DAY: Final = re.compile(r"\d[Tt ]\d")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def is_plausible_time_ns(time_ns: object) -> bool:
    """Return whether ``time_ns`` is an integer that, read as nanoseconds UTC, falls in the years 2009 to 2099.

    Examples
    --------
    >>> is_plausible_time_ns(1_700_000_000_000_000_000), is_plausible_time_ns(1_700_000_000)
    (True, False)
    """
    return _is_whole_number(time_ns) and EARLIEST_TIME_NS <= int(time_ns) < LATEST_TIME_NS


def likely_time_unit(value: int) -> str | None:
    """Return the unit in which ``value`` is a time of the years 2009 to 2099, or ``None`` when it is in none.

    Examples
    --------
    >>> likely_time_unit(1_700_000_000), likely_time_unit(1_700_000_000_000), likely_time_unit(12)
    ('s', 'ms', None)
    """
    for unit, ns_per_unit in NS_PER_UNIT.items():
        if EARLIEST_TIME_NS <= value * ns_per_unit < LATEST_TIME_NS:
            return unit
    return None


def time_problem(value: object, unit: str = "ns") -> str | None:
    """Return what is wrong with an integer time of the given unit, or ``None`` when it is good.

    Parameters
    ----------
    value : object
        What should be an integer since 1970 UTC, of the years 2009 to 2099.
    unit : {"s", "ms", "us", "ns"}, default "ns"
        The unit it is said to have.

    Returns
    -------
    str or None
        The words of an error, which name the unit that the number looks like.

    Examples
    --------
    >>> time_problem(1_700_000_000, "ms")
    'time 1700000000 is not in 2009..2099 as milliseconds; it looks like seconds'
    >>> time_problem(1_700_000_000, "s") is None
    True
    """
    if not _is_whole_number(value):
        return f"time must be an integer of {_UNIT_NAMES[unit]} since 1970 UTC, was {value!r}"
    likely = likely_time_unit(int(value))
    if likely == unit:
        return None
    guess = f"it looks like {_UNIT_NAMES[likely]}" if likely else "nor in any other unit"
    return f"time {int(value)} is not in 2009..2099 as {_UNIT_NAMES[unit]}; {guess}"


def parse_time_ns(value: int | str | dt.datetime, name: str = "time") -> int:
    """Return a moment as nanoseconds since 1970 in UTC.

    Parameters
    ----------
    value : int, str or datetime
        Nanoseconds, or an aware ``datetime`` (of a pandas ``Timestamp`` every nanosecond counts), or ISO 8601 text.
        A date is midnight UTC, so that ``"2025-01-01"`` means the same everywhere; a time of day without a zone is
        refused, as text and as ``datetime``, because it usually is local time.
    name : str, default "time"
        What the error calls the value.

    Returns
    -------
    int
        Nanoseconds since 1970-01-01T00:00Z.

    Raises
    ------
    DataError
        The value is naive, is no time, or is not in the years 2009 to 2099 (the usual sign of a wrong unit).

    Examples
    --------
    >>> parse_time_ns("2025-01-01")
    1735689600000000000
    >>> parse_time_ns("2025-01-01T01:00:00+01:00")
    1735689600000000000
    """
    if isinstance(value, str):
        moment_ns = _from_text(value, name)
    elif isinstance(value, dt.datetime):
        moment_ns = _from_datetime(value, name)
    else:
        problem = time_problem(value)
        if problem:
            raise DataError(f"{name} must be ISO text, an aware datetime or nanoseconds: {problem}")
        return int(value)
    if not is_plausible_time_ns(moment_ns):
        raise DataError(f"{name} must be in the years 2009 to 2099, was {value}")
    return moment_ns


def utc_datetime(time_ns: int) -> dt.datetime:
    """Return ``time_ns``, nanoseconds UTC, as an aware ``datetime``, cut to whole microseconds.

    Examples
    --------
    >>> utc_datetime(1_735_689_600_000_000_000)
    datetime.datetime(2025, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    return _EPOCH + dt.timedelta(microseconds=int(time_ns) // 1_000)


def utc_text(time_ns: int, *, to_second: bool = False) -> str:
    """Return ``time_ns`` as ISO text in UTC: to the minute when it is a whole one, else to the second or microsecond.

    Parameters
    ----------
    time_ns : int
        Nanoseconds UTC.
    to_second : bool, default False
        Whether parts of a second are left out, as where people read when something happened.

    Examples
    --------
    >>> utc_text(1_735_689_600_000_000_000), utc_text(1_735_689_601_000_000_000)
    ('2025-01-01T00:00Z', '2025-01-01T00:00:01Z')
    >>> utc_text(1_735_689_601_234_567_000), utc_text(1_735_689_601_234_567_000, to_second=True)
    ('2025-01-01T00:00:01.234567Z', '2025-01-01T00:00:01Z')
    """
    moment = utc_datetime(time_ns).replace(microsecond=0) if to_second else utc_datetime(time_ns)
    below_a_minute = "seconds" if moment.second else "minutes"
    precision = "microseconds" if moment.microsecond else below_a_minute
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _is_whole_number(value: object) -> TypeGuard[SupportsInt]:
    """Return whether ``value`` is an integer of Python or numpy; a bool is none."""
    return not isinstance(value, bool) and isinstance(value, Integral)


def _from_text(value: str, name: str) -> int:
    try:
        moment = dt.datetime.fromisoformat(value.strip())
    except ValueError:
        raise DataError(
            f"{name} must be ISO 8601 text such as '2025-01-01' or '2025-01-01T12:00Z', was {value!r}"
        ) from None
    if moment.tzinfo is None:
        if _TIME_OF_DAY.search(value):
            raise DataError(
                f'{name} has a time of day but no zone, was {value!r}: write "{value.strip()}Z" if it is UTC'
            )
        moment = moment.replace(tzinfo=dt.UTC)
    return _from_datetime(moment, name)


def _from_datetime(value: dt.datetime, name: str) -> int:
    if math.isnan(value.year):  # pandas' NaT passes for a datetime, and each of its parts is nan
        raise DataError(f"{name} is missing (NaT)")
    if value.utcoffset() is None:
        naive = value.isoformat()
        raise DataError(f"{name} must have a time zone, was the naive {naive}; add tzinfo=datetime.UTC if it is UTC")
    since_epoch = value - _EPOCH
    # A pandas Timestamp has nanoseconds below its microseconds; a plain datetime does not.
    below_us = int(getattr(value, "nanosecond", 0))
    seconds = since_epoch.days * 86_400 + since_epoch.seconds
    return seconds * NS_PER_SECOND + since_epoch.microseconds * 1_000 + below_us
