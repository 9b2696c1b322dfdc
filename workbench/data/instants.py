"""Start and end as a user writes them."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final

from workbench.errors import ConfigError
from workbench.model.times import parse_time_ns

__all__ = ["parse_instant"]

_TIME_OF_DAY: Final = re.compile(r"\d[Tt ]\d")
_ZONE: Final = re.compile(r"(?:[Zz]|[+-]\d{2}(?::?\d{2}){0,2})$")


def parse_instant(value: str | date, *, name: str) -> int:
    """Return the nanoseconds UTC of a time that a user wrote.

    Parameters
    ----------
    value : str, date or datetime
        A date, which is midnight UTC, or a time of day with a zone. A time of day without one is refused: it may be
        meant as local.
    name : str
        What the time is, for the message.

    Returns
    -------
    int
        Nanoseconds since 1970-01-01 00:00 UTC.

    Raises
    ------
    ConfigError
        A time of day without a zone.
    DataError
        The value is no time, or not in the years 2009 to 2099.

    Examples
    --------
    >>> parse_instant("2025-01-01", name="start")
    1735689600000000000
    >>> parse_instant("2025-01-01T01:00+01:00", name="start")
    1735689600000000000
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return parse_time_ns(value.isoformat(), name)
    if isinstance(value, str):
        text = value.strip()
        if _TIME_OF_DAY.search(text) and not _ZONE.search(text):
            raise ConfigError(f'{name} has a time of day but no zone, was {value!r}: write "{text}Z" if it is UTC')
    return parse_time_ns(value, name)
