"""Numbers on their way in and out: exact decimals inside, plain decimal text on the wire."""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, Context, Decimal
from typing import Final

from workbench.exchange.practice.refusals import RefusalError, missing_parameter

__all__ = ["EXACT", "ZERO", "decimal_of", "decimal_text", "float_text", "read_decimal", "read_integer", "to_coins"]

ZERO: Final = Decimal(0)

#: Digits enough for a product of any price, quantity and fee rate, so that no coin is lost to rounding.
EXACT: Final = Context(prec=80)

_WIRE_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_WIRE_INTEGER: Final = re.compile(r"[0-9]{1,20}")
_COIN: Final = Decimal("0.00000001")


def decimal_of(value: float) -> Decimal:
    """Return the decimal that a float is written as.

    Examples
    --------
    >>> decimal_of(0.1), decimal_of(5.0)
    (Decimal('0.1'), Decimal('5'))
    """
    text = repr(float(value))
    return Decimal(text.removesuffix(".0"))


def decimal_text(value: Decimal, places: int = 8) -> str:
    """Return a decimal as text without an exponent and with at least that many places; nothing is rounded.

    Examples
    --------
    >>> decimal_text(Decimal("1.5")), decimal_text(Decimal("1E-10"))
    ('1.50000000', '0.0000000001')
    """
    text = format(value, "f")
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(places, '0')}"


def float_text(value: float) -> str:
    """Return the shortest text that reads back as the same float, without an exponent.

    Examples
    --------
    >>> float_text(104999.5), float_text(1e-07)
    ('104999.5', '0.0000001')
    """
    text = repr(float(value))
    return format(Decimal(text), "f") if "e" in text else text


def to_coins(value: Decimal) -> Decimal:
    """Return an amount cut to the eight places in which fees are charged."""
    return value.quantize(_COIN, rounding=ROUND_DOWN, context=EXACT)


def read_decimal(params: dict[str, str], name: str) -> Decimal | None:
    """Return a number of a request, or None when it was not sent.

    Raises
    ------
    RefusalError
        The text is no plain unsigned number; Binance takes neither signs nor exponents.
    """
    text = params.get(name)
    if text is None:
        return None
    if not text:
        raise missing_parameter(name)
    if _WIRE_NUMBER.fullmatch(text) is None:
        legal = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
        raise RefusalError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")
    return Decimal(text)


def read_integer(params: dict[str, str], name: str, default: int | None = None) -> int | None:
    """Return a whole number of a request, or the default when it was not sent.

    Raises
    ------
    RefusalError
        The text is no whole number.
    """
    text = params.get(name)
    if text is None:
        return default
    if _WIRE_INTEGER.fullmatch(text) is None:
        raise RefusalError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
    return int(text)
