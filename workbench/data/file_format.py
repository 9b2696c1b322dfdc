"""What a candle file does not say of itself."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass

from workbench.errors import ConfigError
from workbench.model.field_checks import FieldChecks

__all__ = ["FileFormat"]

_SEPARATORS = (",", ";", "\t", "|", " ")
_GROUPING = (",", ".", " ", "'", "_")
_LEAST_BYTES = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """How a file of candles or funding rates is written, where it is not the usual way.

    Nothing of this is guessed: a file that does not fit is refused, and the message says what looks likely.

    Parameters
    ----------
    separator : str, default ","
        Between the fields of a CSV file: a comma, semicolon, tab, bar or space.
    decimal : str, default "."
        The decimal sign of a CSV file, ``.`` or ``,``.
    thousands : str or None, default None
        Between groups of three digits in a CSV file, such as ``,`` in ``1,234.5``.
    skip_rows : int, default 0
        Lines of a CSV file above its header.
    header : tuple of str or None, default None
        Names of the columns of a CSV file that has no header line.
    time_zone : str or None, default None
        Zone of times that name none, such as ``"UTC"`` or ``"Europe/Berlin"``; without it they are refused.
    max_size_bytes : int, default 1073741824
        Refuse a larger file, or one that would be larger when it is unpacked.

    Raises
    ------
    ConfigError
        Any field is none of these; the message names them all.

    Examples
    --------
    >>> FileFormat(separator=";", decimal=",", time_zone="UTC").decimal
    ','
    """

    separator: str = ","
    decimal: str = "."
    thousands: str | None = None
    skip_rows: int = 0
    header: tuple[str, ...] | None = None
    time_zone: str | None = None
    max_size_bytes: int = 1_073_741_824

    def __post_init__(self) -> None:
        """Check every field."""
        checks = FieldChecks()
        signs = ", ".join(map(repr, _SEPARATORS))
        checks.require("separator", self.separator, f"be one of {signs}", is_met=self.separator in _SEPARATORS)
        checks.require("decimal", self.decimal, "be '.' or ','", is_met=self.decimal in {".", ","})
        checks.require("separator", self.separator, "differ from decimal", is_met=self.separator != self.decimal)
        is_grouping = self.thousands is None or self.thousands in _GROUPING
        checks.require("thousands", self.thousands, "be None or one of , . space ' _", is_met=is_grouping)
        checks.require("thousands", self.thousands, "differ from decimal", is_met=self.thousands != self.decimal)
        is_count = isinstance(self.skip_rows, int) and self.skip_rows >= 0
        checks.require("skip_rows", self.skip_rows, "be a whole number from 0", is_met=is_count)
        has_names = self.header is None or (not isinstance(self.header, str) and len(self.header) > 0)
        checks.require("header", self.header, "be names of columns", is_met=has_names)
        is_zone = self.time_zone is None or _is_zone(self.time_zone)
        checks.require("time_zone", self.time_zone, "be a name such as 'UTC' or 'Europe/Berlin'", is_met=is_zone)
        is_enough = self.max_size_bytes >= _LEAST_BYTES
        checks.require("max_size_bytes", self.max_size_bytes, f"be at least {_LEAST_BYTES}", is_met=is_enough)
        checks.raise_if_any(ConfigError)


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        return False
    return True
