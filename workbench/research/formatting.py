"""Numbers as people read them: thousands separators, units, two to four digits that matter."""

import math
from collections.abc import Callable
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Unit: TypeAlias = Literal["fraction", "money", "ratio", "count", "duration"]

UNDEFINED: Final = "n/a"
MINUTE_S: Final = 60.0
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0


def format_percent(value: float) -> str:
    """Return a fraction as a percentage.

    Examples
    --------
    >>> format_percent(0.12345), format_percent(-12.5), format_percent(float("nan"))
    ('12.35 %', '-1,250 %', 'n/a')
    """
    if math.isnan(value):
        return UNDEFINED
    percent = 100.0 * value
    return f"{_fixed(percent, digits=2 if abs(percent) < 100.0 else 1 if abs(percent) < 1_000.0 else 0)} %"  # noqa: PLR2004  powers of ten


def format_money(value: float, currency: str = "") -> str:
    """Return an amount with its currency; cents below 100,000.

    Examples
    --------
    >>> format_money(12345.678, "USDT"), format_money(-1234567.8), format_money(0.000123)
    ('12,345.68 USDT', '-1,234,568', '0.000123')
    """
    if math.isnan(value):
        return UNDEFINED
    size = abs(value)
    # Below a tenth, cents show fewer than two digits.
    shown = f"{value:.3g}" if 0.0 < size < 0.1 else _fixed(value, digits=2 if size < 100_000.0 else 0)  # noqa: PLR2004
    return f"{shown} {currency}".rstrip()


def format_ratio(value: float) -> str:
    """Return a plain number with two decimals, fewer when it is large.

    Examples
    --------
    >>> format_ratio(1.2345), format_ratio(1234.5)
    ('1.23', '1,234')
    """
    if math.isnan(value):
        return UNDEFINED
    size = abs(value)
    return _fixed(value, digits=2 if size < 100.0 else 1 if size < 1_000.0 else 0)  # noqa: PLR2004  powers of ten


def format_count(value: float) -> str:
    """Return a whole number.

    Examples
    --------
    >>> format_count(129600)
    '129,600'
    """
    return UNDEFINED if math.isnan(value) else f"{round(value):,}"


def format_duration(seconds: float) -> str:
    """Return a length of time in its two largest units.

    Examples
    --------
    >>> format_duration(90061), format_duration(5400), format_duration(42), format_duration(40_000_000)
    ('1 d 1 h', '1 h 30 min', '42 s', '463 d')
    """
    if math.isnan(seconds):
        return UNDEFINED
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S:.0f} min"
    large, small, large_s, small_s = ("h", "min", HOUR_S, MINUTE_S) if seconds < DAY_S else ("d", "h", DAY_S, HOUR_S)
    if seconds >= 100.0 * large_s:
        return f"{seconds / large_s:,.0f} {large}"
    whole, rest = divmod(seconds, large_s)
    rest //= small_s
    return f"{whole:.0f} {large}" + (f" {rest:.0f} {small}" if rest else "")


def format_value(value: float, unit: Unit, currency: str = "") -> str:
    """Return a value in the form of its unit.

    Examples
    --------
    >>> format_value(0.5, "fraction"), format_value(12, "money", "USDT")
    ('50.00 %', '12.00 USDT')
    """
    return format_money(value, currency) if unit == "money" else _FORMATS[unit](value)


def format_parameter(value: object) -> str:
    """Return a strategy parameter: floats without trailing zeros, everything else as Python writes it.

    Examples
    --------
    >>> format_parameter(0.02), format_parameter(50), format_parameter("ema"), format_parameter(None)
    ('0.02', '50', "'ema'", 'None')
    """
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


def format_call(name: str, parameters: dict[str, object]) -> str:
    """Return a strategy as the call that makes it.

    Examples
    --------
    >>> format_call("sma_cross", {"fast": 10, "stop": 0.02})
    'sma_cross(fast=10, stop=0.02)'
    """
    return f"{name}({', '.join(f'{key}={format_parameter(value)}' for key, value in parameters.items())})"


def _fixed(value: float, *, digits: int) -> str:
    shown = f"{value:,.{digits}f}"
    # -0.00 would look like a loss.
    return shown.lstrip("-") if not shown.strip("-0.,") else shown


_FORMATS: Final = MappingProxyType[Unit, Callable[[float], str]](
    {
        "fraction": format_percent,
        "money": format_money,
        "ratio": format_ratio,
        "count": format_count,
        "duration": format_duration,
    }
)
