"""Numbers and times as a panel writes them: thousands separators, signs, UTC, and ``n/a`` for what is not a number."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from workbench.panels.markup import Tone

__all__ = [
    "clock_time",
    "day_time",
    "duration",
    "limit",
    "money",
    "percent",
    "price",
    "quantity",
    "short_time",
    "sign_tone",
    "signed_money",
]

_NS_PER_S: Final = 1_000_000_000
_UNITS: Final = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0))


def money(value: float) -> str:
    """Return an amount with two decimals and thousands separators; an amount that rounds to nothing has no sign.

    Examples
    --------
    >>> money(10438.114), money(-0.001), money(float("nan"))
    ('10,438.11', '0.00', 'n/a')
    """
    return _decimals(value, 2)


def signed_money(value: float) -> str:
    """Return an amount with its sign.

    Examples
    --------
    >>> signed_money(27.731), signed_money(-0.001)
    ('+27.73', '0.00')
    """
    text = money(value)
    return f"+{text}" if value > 0 and text != "0.00" else text


def percent(fraction: float, *, signed: bool = False) -> str:
    """Return a fraction as a percentage.

    Examples
    --------
    >>> percent(0.0438, signed=True), percent(-0.0095)
    ('+4.38 %', '-0.95 %')
    """
    text = signed_money(100 * fraction) if signed else money(100 * fraction)
    return text if text == "n/a" else f"{text} %"


def limit(fraction: float) -> str:
    """Return a fraction that somebody chose as a percentage, with up to four significant digits and no more zeros.

    Examples
    --------
    >>> limit(0.2), limit(0.015), limit(1.0)
    ('20 %', '1.5 %', '100 %')
    """
    return f"{100 * fraction:.4g} %"


def price(value: float) -> str:
    """Return a price with about six significant digits, one decimal at least.

    Examples
    --------
    >>> price(105829.37), price(0.412345), price(float("nan"))
    ('105,829.4', '0.412345', 'n/a')
    """
    if not value > 0:
        return "n/a"
    return _decimals(value, min(8, max(1, 5 - math.floor(math.log10(value)))))


def quantity(value: float) -> str:
    """Return a quantity with up to eight decimals and no trailing zeros.

    Examples
    --------
    >>> quantity(0.2960), quantity(-3.0), quantity(0.0)
    ('0.296', '-3', '0')
    """
    text = f"{value:,.8f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _decimals(value: float, count: int) -> str:
    if not math.isfinite(value):
        return "n/a"
    text = f"{value:,.{count}f}"
    return text if text.strip("-0.,") else text.lstrip("-")


def sign_tone(value: float) -> Tone:
    """Return the tone of a profit or a loss; an amount that rounds to nothing has none."""
    if not abs(value) >= 0.005:  # noqa: PLR2004  half of the last decimal shown
        return ""
    return "up" if value > 0 else "down"


def day_time(time_ns: int) -> str:
    """Return month, day and time of day in UTC.

    Examples
    --------
    >>> day_time(1_760_029_440_000_000_000)
    '10-09 17:04:00'
    """
    return f"{datetime.fromtimestamp(time_ns // _NS_PER_S, UTC):%m-%d %H:%M:%S}"


def clock_time(time_ns: int) -> str:
    """Return the time of day in UTC.

    Examples
    --------
    >>> clock_time(1_760_029_440_000_000_000)
    '17:04:00'
    """
    return f"{datetime.fromtimestamp(time_ns // _NS_PER_S, UTC):%H:%M:%S}"


def duration(seconds: float) -> str:
    """Return a span of time in its natural unit, with three significant digits.

    Examples
    --------
    >>> duration(90.0), duration(45.0), duration(5_400.0), duration(172_800.0)
    ('1.5 min', '45 s', '1.5 h', '2 d')
    """
    if not math.isfinite(seconds):
        return "n/a"
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def short_time(seconds: float) -> str:
    """Return the least of 1, 2 or 5 times a power of ten that a short time is below: steady where the time is noisy.

    Examples
    --------
    >>> short_time(0.0003), short_time(0.0042), short_time(0.13), short_time(1.7)
    ('< 1 ms', '< 5 ms', '< 200 ms', '< 2 s')
    """
    milliseconds = max(1.0, 1_000.0 * seconds)
    scale = 10.0 ** math.floor(math.log10(milliseconds))
    bound = next((step * scale for step in (2.0, 5.0) if milliseconds < step * scale), 10.0 * scale)
    if 1_000.0 * seconds < 1.0:
        return "< 1 ms"
    return f"< {bound:g} ms" if bound < 1_000.0 else f"< {bound / 1_000:g} s"  # noqa: PLR2004  milliseconds in one second
