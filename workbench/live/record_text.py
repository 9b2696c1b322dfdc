"""Frozen records of plain values as JSON and back, exactly."""

from __future__ import annotations

import math
from dataclasses import fields
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Json", "plain", "record_from", "record_of", "value_from"]

Json = Any
"""What `json` reads and writes: dict, list, str, float, int, bool or None."""

Record = TypeVar("Record")


def plain(name: str, value: object) -> Json:
    """Return a value as JSON; a float is exact, and one that is not finite becomes a record of its own.

    Raises
    ------
    ConfigError
        It is no plain value.

    Examples
    --------
    >>> plain("speed", float("inf"))
    {'float': 'inf'}
    >>> value_from(plain("symbols", ("BTC/USDT",)))
    ('BTC/USDT',)
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) else {"float": str(number)}
    if isinstance(value, tuple):
        return [plain(name, one) for one in value]
    raise ConfigError(f"{name} cannot be written to a file, was {value!r}")


def value_from(value: Json) -> Any:  # noqa: ANN401  any plain value
    """Return the value that `plain` made this JSON of."""
    if isinstance(value, list):
        return tuple(map(value_from, value))
    return float(value["float"]) if isinstance(value, dict) else value


def record_of(record: Any) -> dict[str, Json]:  # noqa: ANN401  any dataclass
    """Return the fields of a frozen record of plain values as JSON.

    Raises
    ------
    ConfigError
        A field holds something else.
    """
    return {one.name: plain(one.name, getattr(record, one.name)) for one in fields(record) if one.init}


def record_from(kind: type[Record], content: Mapping[str, Json], **others: object) -> Record:
    """Return a record from its fields as JSON, and `others` that are ready; a field that is not there has its default.

    Raises
    ------
    ConfigError
        There is no such field, or a value is refused.
    """
    known = {one.name for one in fields(kind) if one.init}  # type: ignore[arg-type]  # a dataclass
    unknown = sorted(set(content) - known)
    if unknown:
        raise ConfigError(f"{kind.__name__} has no field {', '.join(unknown)}: it was written by another workbench")
    try:
        return kind(**{name: value_from(value) for name, value in content.items()}, **others)
    except TypeError as error:
        raise ConfigError(f"{kind.__name__} cannot be made of {', '.join(sorted(content))}: {error}") from None
